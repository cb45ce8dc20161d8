"""Notes of the firm about a client. They are no messages: no way out leads past here."""

from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from casewell.kernel.access import EVERYONE, Role
from casewell.kernel.db import Base, PrimaryKey

LONGEST_NOTE = 20_000
# After a day others have acted on what it said: then a note stands as it is.
CHANGEABLE_FOR = timedelta(days=1)


class NoteKind(StrEnum):
    GENERAL = "general"
    INSTRUCTION = "instruction"
    PRIVILEGED = "privileged"
    BILLING = "billing"


# Privileged notes are the attorneys' own, and of those who answer for the firm.
READERS_OF_PRIVILEGED = EVERYONE - {Role.CASE_MANAGER}


def readers_of(kind: NoteKind) -> frozenset[Role]:
    """Return the roles that may read and write a kind of note."""
    return READERS_OF_PRIVILEGED if kind is NoteKind.PRIVILEGED else EVERYONE


class CaseNote(Base):
    """What somebody at the firm wrote down about a client, for the firm alone.

    `deleted_at`: out of sight, so that deleting can be undone.
    """

    __tablename__ = "case_notes"
    __table_args__ = (
        sa.Index(None, "client_id", "created_at", "id"),
        sa.CheckConstraint("length(text) > 0", name="says_something"),
    )

    id: Mapped[PrimaryKey]
    client_id: Mapped[int] = mapped_column(sa.ForeignKey("clients.id", ondelete="CASCADE"))
    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))
    kind: Mapped[NoteKind] = mapped_column(default=NoteKind.GENERAL)
    text: Mapped[str] = mapped_column(sa.Text)
    created_at: Mapped[datetime]
    edited_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    # Whose it was before a merge, so that undoing the merge can give it back.
    merged_from_id: Mapped[int | None] = mapped_column(sa.ForeignKey("clients.id"))

    def is_changeable(self, now: datetime) -> bool:
        """Whether its writer may still change it or take it away."""
        return now < self.created_at + CHANGEABLE_FOR


class NoteMention(Base):
    """A colleague whom a note names with an @."""

    __tablename__ = "note_mentions"

    note_id: Mapped[int] = mapped_column(
        sa.ForeignKey("case_notes.id", ondelete="CASCADE"), primary_key=True
    )
    staff_id: Mapped[int] = mapped_column(
        sa.ForeignKey("staff.id", ondelete="CASCADE"), primary_key=True, index=True
    )
