"""Texts: what a message has beside what every message has, and what carriers told about them."""

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from casewell.kernel.db import Base, PrimaryKey
from casewell.kernel.jobs import Work
from casewell.messages.models import UnifiedMessage


class SMSMessage(UnifiedMessage):
    """A text, inbound or outbound. Of an outbound one the delivery holds the carrier's id."""

    __tablename__ = "sms_messages"

    id: Mapped[int] = mapped_column(
        sa.ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True
    )
    __mapper_args__ = {
        "polymorphic_identity": "sms",
        "inherit_condition": id == UnifiedMessage.id,
    }
    # Of an inbound one, as its carrier names it: what is told twice is taken in once.
    provider_id: Mapped[str | None] = mapped_column(sa.String(64), unique=True)
    # In E.164; a short code or a name as it came.
    from_number: Mapped[str] = mapped_column(sa.String(40), default="", index=True)
    to_number: Mapped[str] = mapped_column(sa.String(40), default="")
    segments: Mapped[int] = mapped_column(default=1)
    media_count: Mapped[int] = mapped_column(default=0)
    # It may ask for no more texts: a person should read it.
    may_ask_to_stop: Mapped[bool] = mapped_column(default=False)
    # What the carrier last told, in its own word, and whether it told the opposite too.
    carrier_status: Mapped[str] = mapped_column(sa.String(40), default="")
    carrier_conflict: Mapped[bool] = mapped_column(default=False)


class CarrierReport(Base):
    """One thing a carrier told about a text, kept as it came, once.

    It may come before we know the carrier's id of the text: it is applied once we do.
    """

    __tablename__ = "carrier_reports"
    __table_args__ = (sa.UniqueConstraint("provider_id", "status"),)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[str] = mapped_column(sa.String(64))
    status: Mapped[str] = mapped_column(sa.String(40))
    error_code: Mapped[int | None]
    received_at: Mapped[datetime]


class Counted(StrEnum):
    """What texts are counted for. In the order in which the counts are locked."""

    NUMBER = "number"
    PREFIX = "prefix"
    # A person, or all that is automatic.
    SOURCE = "source"
    DAY = "day"
    # In segments, not texts.
    MONTH = "month"
    # What STOP and HELP from one number were answered.
    ANSWERS = "answers"


class TextCount(Base):
    """How much left for one number, prefix or person in a day, or for the firm in a month."""

    __tablename__ = "text_counts"

    counted: Mapped[Counted] = mapped_column(primary_key=True)
    # The number, the prefix, the person's id; "" for all that is automatic or of the firm.
    key: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    # Of a month its first day.
    day: Mapped[date] = mapped_column(primary_key=True)
    used: Mapped[int]


class MediaFetch(Work, Base):
    """A picture or other file of an inbound text that is to be fetched from its carrier."""

    __tablename__ = "media_fetches"
    __table_args__ = (
        sa.Index(
            "ix_media_fetches_due",
            "due_at",
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    attachment_id: Mapped[int] = mapped_column(
        sa.ForeignKey("attachments.id", ondelete="CASCADE"), unique=True
    )
    url: Mapped[str] = mapped_column(sa.String(1000))


class TextComparison(Work, Base):
    """How our texts compare with the carrier's own list, as last asked: one row, number 1."""

    __tablename__ = "text_comparisons"

    id: Mapped[PrimaryKey]
    compared_at: Mapped[datetime | None]
    # Of those that came: on the carrier's list, and of them here at the end.
    seen: Mapped[int] = mapped_column(default=0)
    stored: Mapped[int] = mapped_column(default=0)
    # Of those, how many nobody had told us of.
    fetched: Mapped[int] = mapped_column(default=0)
    is_whole: Mapped[bool] = mapped_column(default=True)
