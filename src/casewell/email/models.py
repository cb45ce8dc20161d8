"""E-mail: mailboxes that are watched, mails as they came, and the messages made of them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from casewell.email.parsed import MailKind
from casewell.email.senders import SenderStanding
from casewell.kernel.db import Base, PrimaryKey
from casewell.kernel.jobs import Work
from casewell.kernel.types import Encrypted, Sealed
from casewell.messages.models import UnifiedMessage

PASSWORD_CONTEXT = "mailboxes.password"  # noqa: S105 the name of a column


class ImapSecurity(StrEnum):
    TLS = "tls"
    STARTTLS = "starttls"
    PLAIN = "plain"


class MailboxState(StrEnum):
    CONNECTING = "connecting"
    WORKING = "working"
    # Signing in was refused three times: only a person can go on from here.
    SIGN_IN_REFUSED = "sign_in_refused"
    UNREACHABLE = "unreachable"
    PAUSED = "paused"


class Mailbox(Work, Base):
    """A mailbox on a server that is watched for new mail. Nothing on the server is changed."""

    __tablename__ = "mailboxes"
    __table_args__ = (sa.UniqueConstraint("host", "username", "folder"),)

    id: Mapped[PrimaryKey]
    name: Mapped[str] = mapped_column(sa.String(100))
    address: Mapped[str] = mapped_column(sa.String(320))
    host: Mapped[str] = mapped_column(sa.String(255))
    port: Mapped[int] = mapped_column(default=993)
    security: Mapped[ImapSecurity] = mapped_column(default=ImapSecurity.TLS)
    username: Mapped[str] = mapped_column(sa.String(320))
    password: Mapped[Sealed] = mapped_column(Encrypted(PASSWORD_CONTEXT))
    folder: Mapped[str] = mapped_column(sa.String(255), default="INBOX")
    # The first connect takes mail from this day on.
    since: Mapped[date]
    state: Mapped[MailboxState] = mapped_column(default=MailboxState.CONNECTING)
    state_since: Mapped[datetime]
    uid_validity: Mapped[int | None]
    last_uid: Mapped[int] = mapped_column(default=0)
    # Progress of the first connect: up to which UID it goes, how many there are, how many done.
    first_uid_to: Mapped[int | None]
    first_total: Mapped[int | None]
    first_done: Mapped[int] = mapped_column(default=0)
    last_success_at: Mapped[datetime | None]
    last_mail_at: Mapped[datetime | None]
    refusals: Mapped[int] = mapped_column(default=0)
    # The last comparison with the server: how many mails it holds in the window, and which of
    # them are not here (the first of them by UID).
    compared_at: Mapped[datetime | None]
    server_mails: Mapped[int | None]
    missing_mails: Mapped[int] = mapped_column(default=0)
    missing_uids: Mapped[list[Any]] = mapped_column(default=list)
    created_at: Mapped[datetime]

    @property
    def is_connecting(self) -> bool:
        """Whether mail from before the first connect is still being read."""
        return self.first_uid_to is not None and self.last_uid < self.first_uid_to


class Source(StrEnum):
    IMAP = "imap"
    WEBHOOK = "webhook"
    IMPORT = "import"


class InboundState(StrEnum):
    STORED = "stored"
    TAKEN_IN = "taken_in"
    QUARANTINED = "quarantined"
    DUPLICATE = "duplicate"
    # Our own mail come back: kept as a line, with its reason.
    SKIPPED = "skipped"


class InboundMail(Work, Base):
    """One mail as it was received: the raw bytes, and what became of them."""

    __tablename__ = "inbound_mails"
    __table_args__ = (
        # One row per mail on the server, however often it is looked at.
        sa.UniqueConstraint("mailbox_id", "uid_validity", "uid"),
        sa.Index(None, "sha256"),
        # A mail that is pushed twice, even at the same moment, is kept once.
        sa.Index(
            "uq_inbound_mails_pushed",
            "sha256",
            unique=True,
            sqlite_where=sa.text("source = 'webhook'"),
            postgresql_where=sa.text("source = 'webhook'"),
        ),
        sa.Index(None, "file_key"),
        sa.Index(None, "state", "id"),
        sa.Index(
            "ix_inbound_mails_due",
            "due_at",
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    source: Mapped[Source]
    mailbox_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("mailboxes.id", ondelete="SET NULL")
    )
    import_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("mail_imports.id", ondelete="SET NULL"), index=True
    )
    uid_validity: Mapped[int | None]
    uid: Mapped[int | None]
    received_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(sa.String(64))
    file_key: Mapped[str | None] = mapped_column(sa.String(64))
    state: Mapped[InboundState] = mapped_column(default=InboundState.STORED)
    reason: Mapped[str] = mapped_column(sa.String(500), default="")
    is_history: Mapped[bool] = mapped_column(default=False)
    # False: it was larger than is taken in, and only its headers were kept.
    is_whole: Mapped[bool] = mapped_column(default=True)
    # The message it became, or is a copy of.
    message_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("messages.id", ondelete="SET NULL"), index=True
    )


class EmailMessage(UnifiedMessage):
    """An e-mail, inbound or outbound, beside what every message has."""

    __tablename__ = "email_messages"

    id: Mapped[int] = mapped_column(
        sa.ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True
    )
    __mapper_args__ = {
        "polymorphic_identity": "email",
        "inherit_condition": id == UnifiedMessage.id,
    }
    # With its angle brackets. Ours is unique by construction, others' may repeat.
    rfc_message_id: Mapped[str | None] = mapped_column(sa.String(998), index=True)
    in_reply_to: Mapped[str | None] = mapped_column(sa.String(998))
    references: Mapped[list[str]] = mapped_column(default=list)
    from_name: Mapped[str] = mapped_column(sa.String(300), default="")
    from_address: Mapped[str] = mapped_column(sa.String(320), default="", index=True)
    # Each {"name": ..., "email": ...}.
    to: Mapped[list[Any]] = mapped_column(default=list)
    cc: Mapped[list[Any]] = mapped_column(default=list)
    reply_to: Mapped[list[Any]] = mapped_column(default=list)
    # The Date header as given, where it could be read: for show, never for order.
    date_header: Mapped[datetime | None]
    # The new words; the folded rest.
    reply_text: Mapped[str] = mapped_column(sa.Text, default="")
    quoted_text: Mapped[str] = mapped_column(sa.Text, default="")
    html: Mapped[str | None] = mapped_column(sa.Text)
    kind: Mapped[MailKind] = mapped_column(default=MailKind.MAIL)
    must_not_answer: Mapped[bool] = mapped_column(default=False)
    sender_check: Mapped[SenderStanding | None]
    sender_note: Mapped[str] = mapped_column(sa.String(300), default="")
    defects: Mapped[list[str]] = mapped_column(default=list)
    asks_to_stop: Mapped[bool] = mapped_column(default=False)
    # Of a bounce: the message of ours that came back.
    bounced_message_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("messages.id", ondelete="SET NULL")
    )


class MailImportState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


class MailImport(Work, Base):
    """Old mail from an mbox file or a folder of files; it fires nothing."""

    __tablename__ = "mail_imports"

    id: Mapped[PrimaryKey]
    staff_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))
    name: Mapped[str] = mapped_column(sa.String(255))
    file_key: Mapped[str | None] = mapped_column(sa.String(64))
    path: Mapped[str | None] = mapped_column(sa.String(1000))
    state: Mapped[MailImportState] = mapped_column(default=MailImportState.WAITING)
    # Bytes or files read of bytes or files there are: enough for a true progress bar.
    total: Mapped[int] = mapped_column(default=0)
    position: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
