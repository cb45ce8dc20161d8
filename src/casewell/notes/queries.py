"""Reading notes: each statement holds the viewer's own filter, of clients and of kinds."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select

from casewell.clients.models import Client
from casewell.clients.queries import clients_visible_to
from casewell.kernel.access import Identity, Role
from casewell.ledger.models import ActivityEvent
from casewell.notes.models import CaseNote, NoteKind, readers_of
from casewell.staff.models import Staff


def kinds_for(role: Role) -> list[NoteKind]:
    """Return the kinds of notes that people of a role may read and write."""
    return [kind for kind in NoteKind if role in readers_of(kind)]


def is_told_of(role: Role) -> ColumnElement[bool] | None:
    """Return what holds for entries of the ledger about notes that people of a role may read.

    That there is a privileged note is a secret as its words are. None: they may read each.
    """
    kinds = kinds_for(role)
    if len(kinds) == len(NoteKind):
        return None
    return sa.exists().where(CaseNote.id == ActivityEvent.subject_id, CaseNote.kind.in_(kinds))


def notes_of(viewer: Identity, client_id: int) -> Select[Any]:
    """Return a client's notes that the viewer may see, without an order."""
    columns: tuple[Any, ...] = (
        CaseNote.id,
        CaseNote.client_id,
        CaseNote.kind,
        CaseNote.text,
        CaseNote.created_at,
        CaseNote.edited_at,
        CaseNote.staff_id,
        Staff.name.label("author"),
    )
    return (
        sa.select(*columns)
        .join(Staff, Staff.id == CaseNote.staff_id)
        .join(Client, Client.id == CaseNote.client_id)
        .where(
            CaseNote.client_id == client_id,
            CaseNote.deleted_at.is_(None),
            CaseNote.kind.in_(kinds_for(viewer.role)),
            clients_visible_to(viewer),
        )
    )


def notes_between(
    viewer: Identity, client_id: int, begin: datetime | None, end: datetime | None
) -> Select[Any]:
    """Return the notes from `begin` on and before `end`, without an order; None: no bound."""
    query = notes_of(viewer, client_id)
    if begin is not None:
        query = query.where(CaseNote.created_at >= begin)
    if end is not None:
        query = query.where(CaseNote.created_at < end)
    return query
