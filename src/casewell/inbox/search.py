"""Search over every message ever, newest first, among those of clients one may see."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients.queries import clients_named
from casewell.inbox import queries, search_walks
from casewell.inbox.errors import SearchNotUnderstood
from casewell.inbox.search_filters import Given, Sender, Sought
from casewell.inbox.search_query import SearchQuery, read_search
from casewell.inbox.search_walks import AFTER_ALL
from casewell.kernel.access import Identity
from casewell.kernel.paging import Page, make_cursor, read_cursor
from casewell.kernel.search import words_of
from casewell.kernel.times import midnight
from casewell.messages.position import Position
from casewell.staff.models import Staff

MOST_SENDERS = 200


def search(
    session: Session, viewer: Identity, query: str, *, after: str | None, size: int
) -> Page[Any]:
    """Return hits, newest first; none for a query that asks for nothing.

    A page may hold fewer than there are, with a cursor on: a search that finds little rests now
    and then. Raises BadCursor or SearchNotUnderstood.
    """
    asked = read_search(query)
    if asked.problems:
        raise SearchNotUnderstood(asked.problems)
    if asked.is_empty:
        return Page(())
    sought, given = _resolved(session, viewer, asked)
    before = AFTER_ALL if after is None else Position(*read_cursor(after, 2))
    if (day := asked.before) is not None:
        before = min(before, Position(_begins(session, viewer, day), 0))
    found = search_walks.walk(session, viewer, asked.words, sought, given, before, size + 1)
    ids = [position.id for position in found.hits[:size]]
    values = {"ids": ids, "viewer": viewer.staff_id}
    rows = session.execute(queries.hits(viewer.role), values).all() if ids else []
    on = found.hits[size - 1] if len(found.hits) > size else found.rests_at
    return Page(rows, make_cursor([on.at, on.id]) if on else None)


def _resolved(session: Session, viewer: Identity, asked: SearchQuery) -> tuple[Sought, Given]:
    """Return which conditions a statement holds, and the values it is run with."""
    given: Given = {}
    if asked.channel is not None:
        given["channel"] = asked.channel
    if asked.after is not None:
        given["not_before"] = _begins(session, viewer, asked.after)
    sender: Sender | None = None
    if asked.sender is not None:
        sender = {"client": Sender.A_CLIENT, "me": Sender.ME}.get(asked.sender.lower())
        if sender is None:
            named = _named(session, viewer, asked.sender)
            given |= named
            sender = Sender.CLIENTS_AND_STAFF if named["sent_by_staff"] else Sender.CLIENTS
    sought = Sought(
        sender, asked.channel is not None, asked.after is not None, asked.has_attachment
    )
    return sought, given


def _named(session: Session, viewer: Identity, name: str) -> Given:
    """Return the clients one may see, and the colleagues, that a name or an address means."""
    found = clients_named(session, viewer, name, MOST_SENDERS + 1)
    if len(found) > MOST_SENDERS:
        raise SearchNotUnderstood(
            [f"More than {MOST_SENDERS} clients fit “{name}”. Write more of the name."]
        )
    staff = session.execute(sa.select(Staff.id, Staff.name, Staff.email)).all()
    words = words_of(name)
    return {
        "sent_by_clients": [row.id for row in found],
        "sent_by_staff": [
            row.id
            for row in staff
            if row.email.lower() == name.lower() or (words and _begin_all(words, row.name))
        ],
    }


def _begin_all(words: list[str], name: str) -> bool:
    parts = words_of(name)
    return all(any(part.startswith(word) for part in parts) for word in words)


def _begins(session: Session, viewer: Identity, day: date) -> datetime:
    """Return when a day begins at the reader's place."""
    zone = session.scalar(sa.select(Staff.time_zone).where(Staff.id == viewer.staff_id))
    return midnight(day, ZoneInfo(zone or "UTC"))
