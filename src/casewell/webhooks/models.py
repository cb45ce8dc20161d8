"""Addresses of others that are told what happens here, and each call to them."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from casewell.kernel.db import Base, PrimaryKey
from casewell.kernel.jobs import Work
from casewell.kernel.types import Encrypted, Sealed

SECRET_CONTEXT = "webhooks.secret"  # noqa: S105
OLD_SECRET_CONTEXT = "webhooks.old_secret"  # noqa: S105


class HookState(StrEnum):
    ACTIVE = "active"
    # By a person.
    PAUSED = "paused"
    # By Casewell, after days without a call that went well.
    STOPPED = "stopped"


class Webhook(Base):
    """One address that is called when something happens."""

    __tablename__ = "webhooks"

    id: Mapped[PrimaryKey]
    url: Mapped[str] = mapped_column(sa.String(2000))
    events: Mapped[list[str]]
    secret: Mapped[Sealed] = mapped_column(Encrypted(SECRET_CONTEXT))
    # Still signed with until then, beside the new one.
    old_secret: Mapped[Sealed | None] = mapped_column(Encrypted(OLD_SECRET_CONTEXT))
    old_secret_until: Mapped[datetime | None]
    state: Mapped[HookState] = mapped_column(default=HookState.ACTIVE)
    state_since: Mapped[datetime]
    created_at: Mapped[datetime]
    last_success_at: Mapped[datetime | None]
    # The first failure since the last success, how many there were, and until when nobody tries.
    failing_since: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)
    away_until: Mapped[datetime | None]


class CallState(StrEnum):
    WAITING = "waiting"
    TAKEN = "taken"
    # It was tried for days in vain.
    GIVEN_UP = "given_up"
    # The webhook was paused, stopped or changed before it was taken.
    DROPPED = "dropped"


class WebhookCall(Work, Base):
    """One event on its way to one address, and what the last attempt gave."""

    __tablename__ = "webhook_calls"
    __table_args__ = (
        sa.UniqueConstraint("event_id"),
        sa.Index(None, "webhook_id", "id"),
        sa.Index(
            "ix_webhook_calls_due",
            "due_at",
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        ),
        # What daily tidying deletes.
        sa.Index(None, "created_at"),
    )

    id: Mapped[PrimaryKey]
    webhook_id: Mapped[int] = mapped_column(sa.ForeignKey("webhooks.id", ondelete="CASCADE"))
    # The same in every attempt: by it a receiver knows what it has had.
    event_id: Mapped[str] = mapped_column(sa.String(36))
    event: Mapped[str] = mapped_column(sa.String(64))
    body: Mapped[str] = mapped_column(sa.Text)
    state: Mapped[CallState] = mapped_column(default=CallState.WAITING)
    created_at: Mapped[datetime]
    tried_at: Mapped[datetime | None]
    status: Mapped[int | None]
    duration_ms: Mapped[int | None]
