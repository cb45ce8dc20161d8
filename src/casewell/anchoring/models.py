"""The days on which the ledger was anchored."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from casewell.kernel.db import Base, PrimaryKey
from casewell.kernel.jobs import Work


class LedgerAnchor(Work, Base):
    """One day's anchor. The row says that it was written and where to, the file what it says."""

    __tablename__ = "ledger_anchors"
    __table_args__ = (
        sa.Index(
            "ix_ledger_anchors_due",
            "due_at",
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    day: Mapped[date] = mapped_column(unique=True)
    head: Mapped[str | None] = mapped_column(sa.String(64))
    chains: Mapped[int | None]
    written_at: Mapped[datetime | None]
    # "" where no address was set.
    mailed_to: Mapped[str] = mapped_column(sa.String(254), default="")
