"""Messages of every channel, the conversations they form, and who has read what."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from casewell.clients.models import Client
from casewell.kernel.db import Base, PrimaryKey
from casewell.kernel.jobs import Work
from casewell.staff.models import Staff

PREVIEW_CHARS = 140


def preview_of(text: str) -> str:
    """Return the beginning of a message on one line, as lists show it."""
    line = " ".join(text[: PREVIEW_CHARS * 8].split())
    return line if len(line) <= PREVIEW_CHARS else line[: PREVIEW_CHARS - 1].rstrip() + "…"


class Channel(StrEnum):
    EMAIL = "email"
    SMS = "sms"
    PORTAL = "portal"
    CALL = "call"


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"


class MessageStatus(StrEnum):
    """Where a message stands. Inbound ones are `received`; `undone` was taken back in time."""

    RECEIVED = "received"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    FAILED = "failed"
    UNCONFIRMED = "unconfirmed"
    UNDONE = "undone"


class ConversationState(StrEnum):
    OPEN = "open"
    SNOOZED = "snoozed"
    DONE = "done"


class Lane(StrEnum):
    """What a list of conversations shows: every channel together, or one."""

    ALL = "all"
    EMAIL = "email"
    SMS = "sms"
    PORTAL = "portal"
    CALL = "call"


class Conversation(Base):
    """All that was exchanged with one client, over every channel. One row per client."""

    __tablename__ = "conversations"

    id: Mapped[PrimaryKey]
    client_id: Mapped[int] = mapped_column(
        sa.ForeignKey("clients.id", ondelete="CASCADE"), unique=True
    )
    state: Mapped[ConversationState] = mapped_column(default=ConversationState.OPEN)
    assignee_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"), index=True)
    # Of a snoozed one: until when, unless until the client writes.
    snoozed_until: Mapped[datetime | None]
    # The first words of the client that nobody has answered or put aside as done.
    waiting_since: Mapped[datetime | None]
    # When it was last marked done: what came before waits no more.
    settled_at: Mapped[datetime | None]
    last_inbound_at: Mapped[datetime | None]
    last_outbound_at: Mapped[datetime | None]

    client: Mapped[Client] = relationship(lazy="raise_on_sql")
    assignee: Mapped[Staff | None] = relationship(lazy="raise_on_sql")


class Follower(Base):
    """Somebody who reads along in a conversation without being responsible for its client."""

    __tablename__ = "followers"

    conversation_id: Mapped[int] = mapped_column(
        sa.ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True
    )
    staff_id: Mapped[int] = mapped_column(
        sa.ForeignKey("staff.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class Snooze(Work, Base):
    """When a snoozed conversation comes back, if it is snoozed until then still."""

    __tablename__ = "snoozes"
    __table_args__ = (
        sa.Index(
            "ix_snoozes_due",
            "due_at",
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    conversation_id: Mapped[int] = mapped_column(
        sa.ForeignKey("conversations.id", ondelete="CASCADE"), unique=True
    )
    staff_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))


class ConversationHead(Base):
    """The newest message of a conversation in one lane: what a list shows, without a search."""

    __tablename__ = "conversation_heads"
    __table_args__ = (sa.Index(None, "lane", "last_at", "conversation_id"),)

    conversation_id: Mapped[int] = mapped_column(
        sa.ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True
    )
    lane: Mapped[Lane] = mapped_column(primary_key=True)
    last_at: Mapped[datetime]
    last_message_id: Mapped[int]
    last_channel: Mapped[Channel]
    last_direction: Mapped[Direction]
    preview: Mapped[str] = mapped_column(sa.String(PREVIEW_CHARS))


class Readership(Base):
    """What one person has read of one conversation, and what still waits for them in a lane.

    Kept for those responsible (and following): counts are sums over these few rows, never over
    messages. `read_up_to` is the (time, id) of the last message read, on the lane `all` alone.
    """

    __tablename__ = "readerships"
    __table_args__ = (
        sa.Index(None, "staff_id", "lane", "last_at", "conversation_id"),
        sa.Index(
            "ix_readerships_unread",
            "staff_id",
            "lane",
            "conversation_id",
            "unread",
            sqlite_where=sa.text("unread > 0"),
            postgresql_where=sa.text("unread > 0"),
        ),
        sa.CheckConstraint("unread >= 0", name="unread_not_negative"),
    )

    staff_id: Mapped[int] = mapped_column(
        sa.ForeignKey("staff.id", ondelete="CASCADE"), primary_key=True
    )
    conversation_id: Mapped[int] = mapped_column(
        sa.ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    lane: Mapped[Lane] = mapped_column(primary_key=True)
    last_at: Mapped[datetime]
    unread: Mapped[int] = mapped_column(default=0)
    read_up_to_at: Mapped[datetime | None]
    read_up_to_id: Mapped[int | None]


class TriageState(StrEnum):
    WAITING = "waiting"
    LINKED = "linked"
    SET_ASIDE = "set_aside"


class TriageReason(StrEnum):
    UNKNOWN = "unknown"
    AMBIGUOUS = "ambiguous"
    UNVERIFIED = "unverified"


class TriageSender(Base):
    """An address whose messages matched nobody, or several; and what a person decided about it.

    While `waiting` it stands in the tray. A decision is remembered: `linked` sends what comes
    from it to `client_id`, `set_aside` keeps it out of everyone's way. What merely claims to come
    from an address (`unproven`) has a row of its own, which never links anything by itself.
    """

    __tablename__ = "triage_senders"
    __table_args__ = (
        sa.UniqueConstraint("channel", "address", "unproven"),
        sa.Index(None, "state", "last_at", "id"),
        sa.CheckConstraint("state <> 'linked' OR client_id IS NOT NULL", name="linked_to_someone"),
    )

    id: Mapped[PrimaryKey]
    channel: Mapped[Channel]
    # The normal form of an e-mail address, or a number in E.164; "" for a mail without a sender.
    address: Mapped[str] = mapped_column(sa.String(320))
    unproven: Mapped[bool] = mapped_column(default=False)
    name: Mapped[str] = mapped_column(sa.String(200), default="")
    state: Mapped[TriageState] = mapped_column(default=TriageState.WAITING)
    reason: Mapped[TriageReason]
    client_id: Mapped[int | None] = mapped_column(sa.ForeignKey("clients.id", ondelete="CASCADE"))
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))
    decided_at: Mapped[datetime | None]
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    last_message_id: Mapped[int | None]
    subject: Mapped[str] = mapped_column(sa.String(300), default="")
    preview: Mapped[str] = mapped_column(sa.String(PREVIEW_CHARS), default="")
    # Its messages that belong to no client.
    waiting_count: Mapped[int] = mapped_column(default=0)


class UnifiedMessage(Base):
    """One message of any channel. The inbox reads this table alone.

    `client_id` null: the message waits in triage, under `triage_sender_id`. A channel's own
    facts are in a table of its own, joined by id.
    """

    __tablename__ = "messages"
    __table_args__: tuple[Any, ...] = (
        sa.CheckConstraint(
            "(client_id IS NULL) = (conversation_id IS NULL)", name="client_with_conversation"
        ),
        sa.CheckConstraint(
            "client_id IS NOT NULL OR triage_sender_id IS NOT NULL", name="matched_or_in_triage"
        ),
        sa.CheckConstraint(
            "(direction = 'inbound') = (status = 'received')", name="inbound_is_received"
        ),
        sa.Index(None, "client_id", "occurred_at", "id"),
        sa.Index(None, "conversation_id", "channel", "occurred_at", "id"),
        sa.Index(None, "triage_sender_id", "id"),
        sa.Index(None, "occurred_at", "id"),
    )

    id: Mapped[PrimaryKey]
    client_id: Mapped[int | None] = mapped_column(sa.ForeignKey("clients.id", ondelete="CASCADE"))
    conversation_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("conversations.id", ondelete="CASCADE")
    )
    triage_sender_id: Mapped[int | None] = mapped_column(sa.ForeignKey("triage_senders.id"))
    channel: Mapped[Channel] = mapped_column()
    direction: Mapped[Direction]
    subject: Mapped[str] = mapped_column(sa.String(998), default="")
    preview: Mapped[str] = mapped_column(sa.String(PREVIEW_CHARS), default="")
    body_text: Mapped[str] = mapped_column(sa.Text, default="")
    # When it reached the firm, or left it: the order of the thread.
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    staff_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))
    status: Mapped[MessageStatus]
    # Whether the sender was proven to be who they say (inbound).
    sender_verified: Mapped[bool | None]
    # Old mail that was imported: it fired nothing and counts as read.
    is_history: Mapped[bool] = mapped_column(default=False)
    # Inbound, but known to the firm as it happened, such as a call that was answered.
    counts_as_read: Mapped[bool] = mapped_column(default=False)
    # Written by a machine: it opens nothing, and nobody waits for an answer to it.
    is_automatic: Mapped[bool] = mapped_column(default=False)
    # What `may_send` decided when it was queued, and why (outbound).
    decision: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)
    idempotency_key: Mapped[str | None] = mapped_column(sa.String(100), unique=True)

    staff: Mapped[Staff | None] = relationship(lazy="raise_on_sql")
    client: Mapped[Client | None] = relationship(lazy="raise_on_sql")
    attachments: Mapped[list["Attachment"]] = relationship(
        back_populates="message", lazy="raise_on_sql", order_by="Attachment.position"
    )

    # A channel without a table of its own yet is a plain message. Subclasses name themselves.
    __mapper_args__ = {
        "polymorphic_on": sa.case(
            {"email": "email", "sms": "sms", "call": "call", "portal": "portal"},
            value=channel,
            else_="message",
        ),
        "polymorphic_identity": "message",
    }


class Attachment(Base):
    """A file of a message, or of a draft that is not sent yet (`message_id` null)."""

    __tablename__ = "attachments"
    __table_args__ = (sa.Index(None, "message_id", "position"), sa.Index(None, "file_key"))

    id: Mapped[PrimaryKey]
    message_id: Mapped[int | None] = mapped_column(sa.ForeignKey("messages.id", ondelete="CASCADE"))
    # Of a draft: whose it is, and for which client.
    staff_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))
    client_id: Mapped[int | None] = mapped_column(sa.ForeignKey("clients.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(default=0)
    shown_name: Mapped[str] = mapped_column(sa.String(255))
    content_type: Mapped[str] = mapped_column(sa.String(127))
    content_id: Mapped[str | None] = mapped_column(sa.String(255))
    is_inline: Mapped[bool] = mapped_column(default=False)
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(sa.String(64))
    # Null where the bytes were not kept, for the reason in `note`.
    file_key: Mapped[str | None] = mapped_column(sa.String(64))
    note: Mapped[str] = mapped_column(sa.String(200), default="")
    created_at: Mapped[datetime]

    message: Mapped[UnifiedMessage | None] = relationship(
        back_populates="attachments", lazy="raise_on_sql"
    )


class MergedMessage(Base):
    """A message that came to a client by a merge, so that undoing the merge can give it back."""

    __tablename__ = "merged_messages"

    message_id: Mapped[int] = mapped_column(
        sa.ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True
    )
    from_client_id: Mapped[int] = mapped_column(
        sa.ForeignKey("clients.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class Hold(StrEnum):
    """Why a queued message does not leave though its time has come."""

    # An earlier one to the same recipient has not left yet.
    ORDER = "order"
    # The firm has paused all sending, for one after a restore.
    PAUSED = "paused"
    # The provider refused our sign-in: a person must act.
    CHANNEL_STOPPED = "channel_stopped"
    # The provider does not answer: nobody asks it again just yet.
    PROVIDER_AWAY = "provider_away"
    # It is too early or too late where the client is.
    QUIET_HOURS = "quiet_hours"
    # As many as may leave in a day or a month have left.
    LIMIT = "limit"


class ChannelState(Base):
    """How sending over one channel goes. No row: nothing was ever wrong."""

    __tablename__ = "channel_states"

    channel: Mapped[Channel] = mapped_column(primary_key=True)
    # Until a person, or a check that succeeds, lets it go on.
    stopped_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(sa.String(500), default="")
    # Failures in a row, and until when nobody tries again.
    failures: Mapped[int] = mapped_column(default=0)
    away_until: Mapped[datetime | None]


class Delivery(Work, Base):
    """The outbox: one row per outbound message, and the truth about its sending.

    `lease_until` with status `queued`: a worker holds it and has done nothing yet. With status
    `sending`: the provider may have been called, so a lease that runs out means unconfirmed.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        sa.Index(
            "ix_deliveries_due",
            "due_at",
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    message_id: Mapped[int] = mapped_column(
        sa.ForeignKey("messages.id", ondelete="CASCADE"), unique=True
    )
    channel: Mapped[Channel]
    status: Mapped[MessageStatus] = mapped_column(default=MessageStatus.QUEUED)
    # Whom it goes to: what was queued is kept in order for each of them.
    recipient: Mapped[str] = mapped_column(sa.String(320), index=True)
    provider_id: Mapped[str | None] = mapped_column(sa.String(255), index=True)
    held: Mapped[Hold | None]
    queued_at: Mapped[datetime]
    # When its writer wants it to leave, unless at once.
    scheduled_for: Mapped[datetime | None]
    # The day on whose limits it counts; null where its channel has none.
    counted_for: Mapped[date | None]
    sent_at: Mapped[datetime | None]
    resolved_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))

    message: Mapped[UnifiedMessage] = relationship(lazy="raise_on_sql")
