"""What the gate decided about a message, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from casewell.messages.models import Hold


@dataclass(frozen=True)
class Reason:
    """Why a message may not leave, in a sentence; `hold`: not yet, rather than never.

    `until` is when to ask again, where that is known.
    """

    code: str
    text: str
    hold: Hold | None = None
    until: datetime | None = None

    @property
    def holds(self) -> bool:
        return self.hold is not None


@dataclass(frozen=True)
class Decision:
    """What was decided about one message at one time, kept with the message."""

    reasons: Sequence[Reason]
    at: datetime

    @property
    def allowed(self) -> bool:
        """Whether it may be queued. A message that is held waits in the queue."""
        return all(reason.holds for reason in self.reasons)

    @property
    def held(self) -> bool:
        return self.allowed and bool(self.reasons)

    @property
    def hold(self) -> Reason:
        """The first reason it waits for. Only of a message that is held."""
        return self.reasons[0]

    def in_words(self) -> str:
        return " ".join(reason.text for reason in self.reasons)

    def as_json(self) -> dict[str, Any]:
        reasons = [{"code": reason.code, "text": reason.text} for reason in self.reasons]
        return {"allowed": self.allowed, "reasons": reasons, "at": self.at.isoformat()}
