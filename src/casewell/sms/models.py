"""Texts: what a message has beside what every message has, and what carriers told about them."""

from datetime import datetime

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
