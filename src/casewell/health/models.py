"""What the last checks found, so that the page can say since when."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from casewell.kernel.db import Base


class Standing(StrEnum):
    WORKING = "working"
    # Works, but a person should look.
    ATTENTION = "attention"
    FAILING = "failing"
    # Not set up: nothing is wrong.
    OFF = "off"


class PartHealth(Base):
    """One part of the installation: how it stands, and since when."""

    __tablename__ = "part_health"

    part: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    standing: Mapped[Standing]
    since: Mapped[datetime]
    checked_at: Mapped[datetime]
    finding: Mapped[str] = mapped_column(sa.String(500))
    advice: Mapped[str] = mapped_column(sa.String(500), default="")


class FileFaultKind(StrEnum):
    # A row names it, and it is not there.
    MISSING = "missing"
    # It is there, and not what was put.
    DAMAGED = "damaged"
    # It is there, and no row names it.
    UNUSED = "unused"


class FileFault(Base):
    """A kept file and the rows that name it do not agree."""

    __tablename__ = "file_faults"

    key: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    kind: Mapped[FileFaultKind]
    # The row that names it.
    table: Mapped[str | None] = mapped_column("named_by", sa.String(64))
    row_id: Mapped[int | None]
    found_at: Mapped[datetime]
    checked_at: Mapped[datetime]
