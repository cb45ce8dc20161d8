"""The people of the firm and how they prove who they are."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from casewell.kernel.access import Role
from casewell.kernel.business_hours import USUAL
from casewell.kernel.db import Base, PrimaryKey
from casewell.kernel.jobs import Work
from casewell.kernel.types import Encrypted, Sealed

TOTP_CONTEXT = "staff.totp_secret"


class Theme(StrEnum):
    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class Firm(Base):
    """The firm itself: one row."""

    __tablename__ = "firm"
    __table_args__ = (
        sa.CheckConstraint("id = 1", name="only_one"),
        sa.CheckConstraint(
            "second_factor_required OR second_factor_off_reason IS NOT NULL",
            name="reason_to_turn_it_off",
        ),
        sa.CheckConstraint("answer_within_hours BETWEEN 1 AND 80", name="target_in_reach"),
    )

    id: Mapped[PrimaryKey]
    name: Mapped[str] = mapped_column(sa.String(200))
    time_zone: Mapped[str] = mapped_column(sa.String(64))
    second_factor_required: Mapped[bool] = mapped_column(default=True)
    second_factor_off_reason: Mapped[str | None] = mapped_column(sa.String(500))
    sending_paused_at: Mapped[datetime | None]
    sending_paused_reason: Mapped[str | None] = mapped_column(sa.String(500))
    # Of each weekday, Monday first: ["09:00", "17:00"] on the firm's clock, or None.
    opening_hours: Mapped[list[Any]] = mapped_column(default=lambda: list(USUAL))
    # Business hours within which a client is to be answered.
    answer_within_hours: Mapped[int] = mapped_column(default=8)
    # Where the daily head of the ledger is mailed to.
    anchor_email: Mapped[str | None] = mapped_column(sa.String(254))
    is_demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class Staff(Base):
    """One person of the firm."""

    __tablename__ = "staff"

    id: Mapped[PrimaryKey]
    name: Mapped[str] = mapped_column(sa.String(200))
    # The normal form by which people sign in; unique without regard to case.
    email: Mapped[str] = mapped_column(sa.String(254), unique=True)
    role: Mapped[Role]
    time_zone: Mapped[str] = mapped_column(sa.String(64))
    theme: Mapped[Theme] = mapped_column(default=Theme.SYSTEM)
    preferences: Mapped[dict[str, Any]] = mapped_column(default=dict)
    password_hash: Mapped[str | None] = mapped_column(sa.String(256))
    totp_secret: Mapped[Sealed | None] = mapped_column(Encrypted(TOTP_CONTEXT))
    totp_confirmed_at: Mapped[datetime | None]
    # The time step of the code last accepted: a code is good once.
    totp_last_step: Mapped[int | None]
    deactivated_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    last_sign_in_at: Mapped[datetime | None]

    @property
    def is_active(self) -> bool:
        return self.deactivated_at is None

    @property
    def has_second_factor(self) -> bool:
        return self.totp_confirmed_at is not None


class RecoveryCode(Base):
    """One of the codes that replace a lost second factor; each works once."""

    __tablename__ = "recovery_codes"

    id: Mapped[PrimaryKey]
    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    code_hash: Mapped[str] = mapped_column(sa.String(256))
    used_at: Mapped[datetime | None]


class StaffSession(Base):
    """A browser that is signed in. The cookie holds a random token, this row its hash."""

    __tablename__ = "staff_sessions"

    id: Mapped[PrimaryKey]
    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    # Password given, second factor given (or not asked for by the firm).
    finished: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    user_agent: Mapped[str] = mapped_column(sa.String(300), default="")
    address: Mapped[str] = mapped_column(sa.String(64), default="")

    staff: Mapped[Staff] = relationship(lazy="raise_on_sql")


class ApiToken(Base):
    """A personal token for the API, shown once and stored hashed."""

    __tablename__ = "api_tokens"

    id: Mapped[PrimaryKey]
    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(sa.String(100))
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    staff: Mapped[Staff] = relationship(lazy="raise_on_sql")


class LinkKind(StrEnum):
    INVITATION = "invitation"
    PASSWORD_RESET = "password_reset"  # noqa: S105 a kind of link
    # A change of address is confirmed at both: where mail went so far, and where it will go.
    EMAIL_CHANGE_OLD = "email_change_old"
    EMAIL_CHANGE_NEW = "email_change_new"


class OneTimeLink(Base):
    """A link that lets its holder do one thing once; only its hash is kept."""

    __tablename__ = "one_time_links"

    id: Mapped[PrimaryKey]
    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    kind: Mapped[LinkKind]
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    # For a change of address: the new one.
    email: Mapped[str | None] = mapped_column(sa.String(254))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Attempt(Base):
    """One attempt that counts towards a limit; `key` is a hash of the axis and its value."""

    __tablename__ = "attempts"
    __table_args__ = (sa.Index(None, "key", "at"),)

    id: Mapped[PrimaryKey]
    key: Mapped[str] = mapped_column(sa.String(64))
    at: Mapped[datetime]


class SystemMailKind(StrEnum):
    INVITATION = "invitation"
    PASSWORD_RESET = "password_reset"  # noqa: S105 a kind of mail
    EMAIL_CHANGE_OLD = "email_change_old"
    EMAIL_CHANGE_NEW = "email_change_new"
    ACCOUNT_CHANGED = "account_changed"
    # To whoever keeps the anchors of the ledger.
    ANCHOR = "anchor"
    ANCHOR_ADDRESS_CHANGED = "anchor_address_changed"
    # To clients; the portal writes them.
    CLIENT_INVITATION = "client_invitation"
    CLIENT_LINK = "client_link"
    CLIENT_MESSAGE = "client_message"


class SystemMail(Work, Base):
    """A mail of Casewell itself, as opposed to a message of the firm to a client.

    Its text is written when it leaves: a one-time link in it is stored nowhere but hashed.
    """

    __tablename__ = "system_mails"
    __table_args__ = (
        sa.Index(
            "ix_system_mails_due",
            "due_at",
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    kind: Mapped[SystemMailKind]
    # As typed for a reset: whether there is such an account is looked up when it leaves.
    to: Mapped[str] = mapped_column(sa.String(254))
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class NotificationKind(StrEnum):
    MENTIONED = "mentioned"
    ASSIGNED = "assigned"
    WOKEN = "woken"
    NOT_SENT = "not_sent"


ONCE = "kind IN ('mentioned', 'not_sent')"


class Notification(Base):
    """Something one person should know of: what happened, and about which client.

    Told once for one event; of one note or one message that did not arrive only once at all. What
    it says is made when it is read, from what they may see then.
    """

    __tablename__ = "notifications"
    __table_args__ = (
        sa.UniqueConstraint("staff_id", "kind", "subject_id", "at"),
        sa.Index(
            "uq_notifications_once",
            "staff_id",
            "kind",
            "subject_id",
            unique=True,
            sqlite_where=sa.text(ONCE),
            postgresql_where=sa.text(ONCE),
        ),
        sa.Index(None, "staff_id", "at", "id"),
        sa.Index(
            "ix_notifications_unread",
            "staff_id",
            sqlite_where=sa.text("read_at IS NULL"),
            postgresql_where=sa.text("read_at IS NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id", ondelete="CASCADE"))
    kind: Mapped[NotificationKind]
    client_id: Mapped[int] = mapped_column(
        sa.ForeignKey("clients.id", ondelete="CASCADE"), index=True
    )
    # Whose it was before a merge, so that undoing the merge can give it back.
    merged_from_id: Mapped[int | None] = mapped_column(sa.ForeignKey("clients.id"))
    # Of the note, the message or the conversation it tells of.
    subject_id: Mapped[int] = mapped_column(sa.BigInteger)
    actor_name: Mapped[str] = mapped_column(sa.String(200), default="")
    at: Mapped[datetime]
    read_at: Mapped[datetime | None]
