"""Colleagues named in a note: "@Dana" or "@Dana Whitfield"."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients.queries import sees_client
from casewell.kernel.access import Role
from casewell.notes.models import NoteKind, readers_of
from casewell.staff.models import Staff


def may_be_named(session: Session, client_id: int) -> Sequence[sa.Row[int, str, Role]]:
    """Return (id, name, role) of everyone active who may see a client, by name."""
    return session.execute(
        sa.select(Staff.id, Staff.name, Staff.role)
        .where(sees_client(client_id))
        .order_by(Staff.name, Staff.id)
    ).all()


def who_read(people: Sequence[sa.Row[int, str, Role]], kind: NoteKind) -> list[Any]:
    """Return those of them who may read a note of this kind: nobody else is told of it."""
    return [person for person in people if person.role in readers_of(kind)]


def named_in(text: str, people: Sequence[Any]) -> set[int]:
    """Return whom a text names: by the full name, or by a first name that only one of them has."""
    lower = text.casefold()
    if "@" not in lower:
        return set()
    first_names = [row.name.split()[0].casefold() for row in people if row.name.strip()]
    named = set()
    for row in people:
        full = row.name.casefold().strip()
        first = full.split()[0] if full else ""
        if full and (
            _names(lower, full) or (first_names.count(first) == 1 and _names(lower, first))
        ):
            named.add(row.id)
    return named


def _names(text: str, name: str) -> bool:
    """Whether "@name" stands in a text, and not as the beginning of another word."""
    at = text.find(f"@{name}")
    while at >= 0:
        after = text[at + 1 + len(name) : at + 2 + len(name)]
        if not after.isalnum():
            return True
        at = text.find(f"@{name}", at + 1)
    return False
