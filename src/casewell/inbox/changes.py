"""What came in since a page was made: asked for often, so it reads only what is new."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients.models import Client
from casewell.clients.queries import VIEWER, clients_visible_as
from casewell.inbox import queries
from casewell.inbox.queries import ConversationList
from casewell.kernel.access import Identity, Role
from casewell.kernel.db import BigId
from casewell.kernel.errors import NotFound
from casewell.messages.models import Direction, Lane, MessageStatus
from casewell.notes.models import CaseNote
from casewell.notes.queries import kinds_for, notes_of

MOST_AT_ONCE = 50
MOST_LOOKED_AT = 1_000


def newest_message(session: Session) -> int:
    """Return the number of the newest message there is: what comes later is new."""
    return session.scalar(sa.select(sa.func.max(queries.messages.c.id))) or 0


def newest_note(session: Session, viewer: Identity) -> int:
    """Return the number of the newest note of those kinds that the viewer may read."""
    kinds = kinds_for(viewer.role)
    query = sa.select(CaseNote.id).where(CaseNote.kind.in_(kinds)).order_by(CaseNote.id.desc())
    return session.scalar(query.limit(1)) or 0


@dataclass(frozen=True)
class News:
    """What was added to a thread by others than the viewer: the newest of each, None: nothing."""

    message: int | None
    note: int | None


def news_in_thread(
    session: Session, viewer: Identity, client_id: int, *, message: int, note: int
) -> News:
    """Say whether there is anything newer than what a thread knows of. Raises NotFound.

    It is asked by every open conversation all day long, and mostly the answer is no.
    """
    given = {"client": client_id, "viewer": viewer.staff_id, "message": message, "note": note}
    row = session.execute(_news(viewer.role), given).one_or_none()
    if row is None:
        raise NotFound
    return News(row.message, row.note)


@cache
def _news(role: Role) -> sa.Select[Any]:
    messages, notes, clients = queries.messages, CaseNote.__table__, Client.__table__
    message = sa.select(sa.func.max(messages.c.id)).where(
        messages.c.client_id == clients.c.id,
        messages.c.id > sa.bindparam("message", type_=BigId),
        messages.c.status != MessageStatus.UNDONE.value,
        sa.or_(messages.c.staff_id.is_(None), messages.c.staff_id != VIEWER),
    )
    note = sa.select(sa.func.max(notes.c.id)).where(
        notes.c.client_id == clients.c.id,
        notes.c.id > sa.bindparam("note", type_=BigId),
        notes.c.kind.in_(kinds_for(role)),
        notes.c.deleted_at.is_(None),
        notes.c.staff_id != VIEWER,
    )
    return sa.select(
        message.scalar_subquery().label("message"), note.scalar_subquery().label("note")
    ).where(clients.c.id == queries.ONE_CLIENT, clients_visible_as(role))


def new_notes(session: Session, viewer: Identity, client_id: int, *, since: int) -> list[Any]:
    """Return the notes about a client that colleagues wrote after note `since`, oldest first."""
    query = notes_of(viewer, client_id).where(
        CaseNote.id > since, CaseNote.staff_id != viewer.staff_id
    )
    order = (CaseNote.created_at, CaseNote.id)
    return list(session.execute(query.order_by(*order).limit(MOST_AT_ONCE)))


def clients_who_wrote(
    session: Session, viewer: Identity, wanted: ConversationList, *, since: int
) -> list[int]:
    """Return the clients of a list who wrote after message `since`, at most a hundred."""
    own, one_lane = wanted.scope in ("mine", "assigned"), wanted.lane is not Lane.ALL
    given = {"viewer": viewer.staff_id, "since": since, "channel": wanted.lane.value}
    wrote = session.scalars(_wrote(viewer.role, own=own, one_lane=one_lane), given)
    return list(dict.fromkeys(wrote))[: 2 * MOST_AT_ONCE]


@cache
def _wrote(role: Role, *, own: bool, one_lane: bool) -> sa.Select[Any]:
    """Walk back over what is newer, in the order of its numbers, and look at nothing older."""
    messages, clients, reads = queries.messages, queries.clients, queries.reads
    query = (
        sa.select(messages.c.client_id)
        .join(clients, clients.c.id == messages.c.client_id)
        .where(
            messages.c.id > sa.bindparam("since", type_=BigId),
            messages.c.direction == Direction.INBOUND.value,
            messages.c.is_history.is_(False),
            messages.c.counts_as_read.is_(False),
            clients_visible_as(role),
        )
        .order_by(messages.c.id.desc())
        .limit(MOST_LOOKED_AT)
    )
    if one_lane:
        query = query.where(messages.c.channel == sa.bindparam("channel"))
    if own:
        theirs = sa.select(reads.c.conversation_id).where(
            reads.c.conversation_id == messages.c.conversation_id,
            reads.c.staff_id == VIEWER,
            reads.c.lane == Lane.ALL,
        )
        query = query.where(theirs.exists())
    return query


def new_in_thread(session: Session, viewer: Identity, client_id: int, *, since: int) -> list[Any]:
    """Return what was added to a thread by others, oldest first; one's own is there already."""
    messages = queries.messages.c
    query = queries.thread_messages(client_id).where(
        messages.id > since,
        sa.or_(messages.staff_id.is_(None), messages.staff_id != viewer.staff_id),
    )
    return list(
        session.execute(query.order_by(messages.occurred_at, messages.id).limit(MOST_AT_ONCE))
    )
