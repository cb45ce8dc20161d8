"""Calls: what is said by phone, as one more channel of a conversation."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from casewell.messages.models import Direction, UnifiedMessage


class CallOutcome(StrEnum):
    """How a call ended. An inbound call with `no_answer` is one that was missed."""

    CONNECTED = "connected"
    VOICEMAIL = "voicemail"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    WRONG_NUMBER = "wrong_number"

    @property
    def reached_nobody(self) -> bool:
        """Whether the one who called is still waiting for an answer."""
        return self in (CallOutcome.VOICEMAIL, CallOutcome.NO_ANSWER, CallOutcome.BUSY)


class CallLog(UnifiedMessage):
    """One phone call that has happened; its summary is the message's text.

    It stands in the thread where it began: `occurred_at` is `started_at`.
    """

    __tablename__ = "call_logs"
    __table_args__ = (
        sa.CheckConstraint(
            "(ended_at IS NULL) = (duration_seconds IS NULL)", name="ended_with_duration"
        ),
        sa.CheckConstraint("ended_at IS NULL OR ended_at >= started_at", name="ends_after_start"),
        sa.CheckConstraint("duration_seconds >= 0", name="duration_not_negative"),
        sa.CheckConstraint(
            "outcome NOT IN ('no_answer', 'busy') OR duration_seconds IS NULL",
            name="nobody_spoke_no_duration",
        ),
        sa.CheckConstraint("number = '' OR number LIKE '+%'", name="number_is_e164"),
        sa.Index(None, "started_at", "id"),
    )

    id: Mapped[int] = mapped_column(
        sa.ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True
    )
    __mapper_args__ = {
        "polymorphic_identity": "call",
        "inherit_condition": id == UnifiedMessage.id,
    }
    outcome: Mapped[CallOutcome]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    # Kept beside both times, since databases subtract times each in a way of their own.
    duration_seconds: Mapped[int | None]
    # The client's end, in E.164; "" where nobody noted it.
    number: Mapped[str] = mapped_column(sa.String(16), default="")

    @property
    def waits_for_answer(self) -> bool:
        """Whether the client called and reached nobody."""
        return self.direction is Direction.INBOUND and self.outcome.reached_nobody
