"""Tags, who has them, and changes of many clients' tags at once."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from casewell.kernel.db import Base, PrimaryKey
from casewell.kernel.jobs import Work

LONGEST_NAME = 40


class ClientTag(Base):
    """A word that clients are grouped by, such as "Identity theft"."""

    __tablename__ = "client_tags"

    id: Mapped[PrimaryKey]
    name: Mapped[str] = mapped_column(sa.String(LONGEST_NAME))
    # The name as it is compared: without case, accents and runs of white space.
    name_key: Mapped[str] = mapped_column(sa.String(3 * LONGEST_NAME), unique=True)
    # The name of a hue of the palette, or #rrggbb.
    colour: Mapped[str] = mapped_column(sa.String(7))
    description: Mapped[str] = mapped_column(sa.String(300), default="")
    made_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))
    created_at: Mapped[datetime]


class ClientTagAssignment(Base):
    """That a client has a tag: who gave it, and when."""

    __tablename__ = "client_tag_assignments"
    __table_args__ = (sa.Index(None, "tag_id", "client_id"),)

    client_id: Mapped[int] = mapped_column(
        sa.ForeignKey("clients.id", ondelete="CASCADE"), primary_key=True
    )
    tag_id: Mapped[int] = mapped_column(
        sa.ForeignKey("client_tags.id", ondelete="CASCADE"), primary_key=True
    )
    staff_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))
    assigned_at: Mapped[datetime]
    # Whose it was before a merge, so that undoing the merge can give it back.
    merged_from_id: Mapped[int | None] = mapped_column(sa.ForeignKey("clients.id"))


class ChangeState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    UNDOING = "undoing"
    UNDONE = "undone"
    FAILED = "failed"


class TagChange(Work, Base):
    """Tags given to, and taken from, many clients: what one person asked for at once.

    `done` counts clients that were gone through, also while it is undone. `changed` are those
    that had not been as was asked.
    """

    __tablename__ = "tag_changes"
    __table_args__ = (sa.Index(None, "staff_id", "created_at"),)

    id: Mapped[PrimaryKey]
    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))
    adds: Mapped[list[int]] = mapped_column(sa.JSON)
    removes: Mapped[list[int]] = mapped_column(sa.JSON)
    # The same in words: the tags may be renamed or gone when somebody reads of it.
    added_names: Mapped[list[str]]
    removed_names: Mapped[list[str]]
    state: Mapped[ChangeState] = mapped_column(default=ChangeState.RUNNING)
    total: Mapped[int]
    done: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    undone_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))


class TagChangeClient(Base):
    """One client of such a change, and what it changed there, so that it can be taken back."""

    __tablename__ = "tag_change_clients"

    change_id: Mapped[int] = mapped_column(
        sa.ForeignKey("tag_changes.id", ondelete="CASCADE"), primary_key=True
    )
    client_id: Mapped[int] = mapped_column(
        sa.ForeignKey("clients.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    # Ids of tags; null until this client's turn has come.
    added: Mapped[list[int] | None] = mapped_column(sa.JSON(none_as_null=True))
    removed: Mapped[list[int] | None] = mapped_column(sa.JSON(none_as_null=True))
