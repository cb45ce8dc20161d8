"""Evidence bundles, asked for by a person and made by a worker."""

from datetime import date, datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from casewell.kernel.db import Base, PrimaryKey
from casewell.kernel.jobs import Work

KEPT_FOR = timedelta(days=7)


class BundleState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"
    EXPIRED = "expired"


class EvidenceBundle(Work, Base):
    """One file about one client: its terms, how far it is, and where it lies until it expires."""

    __tablename__ = "evidence_bundles"
    __table_args__ = (
        sa.Index(None, "client_id", "created_at"),
        sa.Index(None, "file_key"),
        sa.CheckConstraint("(file_key IS NULL) = (sha256 IS NULL)", name="file_with_digest"),
    )

    id: Mapped[PrimaryKey]
    client_id: Mapped[int] = mapped_column(sa.ForeignKey("clients.id", ondelete="CASCADE"))
    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))
    # Whole days in the firm's time zone; null: without that end.
    since: Mapped[date | None]
    until: Mapped[date | None]
    is_redacted: Mapped[bool]
    with_files: Mapped[bool]
    # An attorney has let privileged notes in.
    with_privileged: Mapped[bool]
    state: Mapped[BundleState] = mapped_column(default=BundleState.RUNNING)
    total: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    file_key: Mapped[str | None] = mapped_column(sa.String(64))
    sha256: Mapped[str | None] = mapped_column(sa.String(64))
    size: Mapped[int | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
