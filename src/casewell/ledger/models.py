"""The append-only records: what happened to a client, and what staff did."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from casewell.kernel.db import Base, PrimaryKey


class ActorKind(StrEnum):
    STAFF = "staff"
    CLIENT = "client"
    SYSTEM = "system"
    PROVIDER = "provider"


class ActivityEvent(Base):
    """One thing that happened to a client. Never changed, never deleted; chained by hash.

    It outlives what it points at: `actor_name` and `data` say all that the timeline shows.
    """

    __tablename__ = "activity_events"
    __table_args__ = (
        sa.UniqueConstraint("client_id", "seq"),
        sa.Index(None, "client_id", "occurred_at", "id"),
    )

    id: Mapped[PrimaryKey]
    # No foreign key: the record of a client stays when the client's row goes.
    client_id: Mapped[int]
    seq: Mapped[int]
    kind: Mapped[str] = mapped_column(sa.String(64))
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    actor_kind: Mapped[ActorKind]
    actor_id: Mapped[int | None]
    actor_name: Mapped[str] = mapped_column(sa.String(200))
    subject_type: Mapped[str | None] = mapped_column(sa.String(64))
    subject_id: Mapped[int | None]
    data: Mapped[dict[str, Any]]
    prev_hash: Mapped[str] = mapped_column(sa.String(64))
    hash: Mapped[str] = mapped_column(sa.String(64))


class LedgerHead(Base):
    """The end of one client's chain; its row lock orders those who write to it."""

    __tablename__ = "ledger_heads"

    client_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int]
    hash: Mapped[str] = mapped_column(sa.String(64))


class AuditEvent(Base):
    """One act of staff that reads or moves something sensitive, or a refusal; one chain.

    `seq` orders the chain. `client_id` is kept as a plain number where a client is concerned.
    """

    __tablename__ = "audit_events"

    id: Mapped[PrimaryKey]
    seq: Mapped[int] = mapped_column(unique=True)
    kind: Mapped[str] = mapped_column(sa.String(64), index=True)
    at: Mapped[datetime]
    staff_id: Mapped[int | None] = mapped_column(index=True)
    staff_name: Mapped[str] = mapped_column(sa.String(200), default="")
    address: Mapped[str] = mapped_column(sa.String(64), default="")
    client_id: Mapped[int | None]
    data: Mapped[dict[str, Any]]
    prev_hash: Mapped[str] = mapped_column(sa.String(64))
    hash: Mapped[str] = mapped_column(sa.String(64))
