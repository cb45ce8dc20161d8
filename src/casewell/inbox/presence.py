"""Who else has a conversation open, or is writing in it: a hint to colleagues, never a lock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from zlib import crc32

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients.models import Client
from casewell.clients.queries import VIEWER, clients_visible_as
from casewell.inbox.models import Presence
from casewell.inbox.queries import ONE_CLIENT
from casewell.kernel.access import Identity, Role
from casewell.kernel.db import Base, insert_of
from casewell.kernel.jobs import periodic
from casewell.kernel.runtime import Runtime
from casewell.messages.models import Conversation, Lane, Readership
from casewell.staff.models import Staff

# A page says so every ten seconds; one lost beat is forgiven.
GONE_AFTER = timedelta(seconds=25)
MOST_SHOWN = 5
MOST_MARKED = 200


present, staff = Presence.__table__, Staff.__table__
OTHERS_NOW = (
    present.c.seen_at > sa.bindparam("since", type_=present.c.seen_at.type),
    present.c.staff_id != VIEWER,
    staff.c.deactivated_at.is_(None),
)
OTHERS = (
    sa.select(staff.c.id, staff.c.name, present.c.typed_at)
    .join(staff, staff.c.id == present.c.staff_id)
    .where(present.c.client_id == ONE_CLIENT, *OTHERS_NOW)
    .order_by(present.c.typed_at.is_(None), staff.c.name, staff.c.id)
    .limit(MOST_SHOWN)
)


@dataclass(frozen=True)
class Colleague:
    id: int
    name: str
    is_typing: bool


def here(session: Session, client_id: int, staff_id: int, now: datetime, *, typing: bool) -> None:
    """Note that somebody has a conversation open, and whether they are writing."""
    row = {"client_id": client_id, "staff_id": staff_id, "seen_at": now}
    session.execute(
        _upsert(session.get_bind().dialect.name), {**row, "typed_at": now if typing else None}
    )


@cache
def _upsert(dialect: str) -> Any:
    insert = insert_of(dialect, Base.metadata.tables[Presence.__tablename__])
    fresh = insert.excluded
    return insert.on_conflict_do_update(
        index_elements=["client_id", "staff_id"],
        set_={"seen_at": fresh.seen_at, "typed_at": fresh.typed_at},
    )


def others_here(
    session: Session, client_id: int, staff_id: int, now: datetime
) -> Sequence[Colleague]:
    """Return the colleagues who have a conversation open just now, those who write first."""
    since = now - GONE_AFTER
    rows = session.execute(OTHERS, {"client": client_id, "viewer": staff_id, "since": since})
    return [Colleague(row.id, row.name, _is_typing(row, since)) for row in rows]


def _is_typing(row: Any, since: datetime) -> bool:
    return row.typed_at is not None and row.typed_at > since


@dataclass(frozen=True)
class Present:
    """Whom a list marks as being in a conversation: by client, in words.

    `key` differs when the words do.
    """

    words: dict[int, str]

    @property
    def key(self) -> str:
        return f"{crc32(repr(self.words).encode()):x}" if self.words else ""


def in_list(session: Session, viewer: Identity, now: datetime, *, own: bool) -> Present:
    """Return who else has any conversation open that the viewer may see, or reads along in."""
    statement = _in_list(viewer.role, own)
    since = now - GONE_AFTER
    given = {"viewer": viewer.staff_id, "since": since}
    here: dict[int, list[Colleague]] = {}
    for row in session.execute(statement, given):
        one = Colleague(row.id, row.name, _is_typing(row, since))
        here.setdefault(row.client_id, []).append(one)
    return Present({client_id: in_words(colleagues) for client_id, colleagues in here.items()})


@cache
def _in_list(role: Role, own: bool) -> sa.Select[Any]:
    clients = Client.__table__
    query = (
        sa.select(present.c.client_id, staff.c.id, staff.c.name, present.c.typed_at)
        .join(staff, staff.c.id == present.c.staff_id)
        .join(clients, clients.c.id == present.c.client_id)
        .where(
            *OTHERS_NOW,
            clients_visible_as(role),
        )
        .order_by(present.c.client_id, staff.c.name, staff.c.id)
        .limit(MOST_MARKED)
    )
    if own:
        talks, reads = Conversation.__table__, Readership.__table__
        query = query.join(talks, talks.c.client_id == clients.c.id).join(
            reads,
            sa.and_(
                reads.c.conversation_id == talks.c.id,
                reads.c.staff_id == VIEWER,
                reads.c.lane == Lane.ALL,
            ),
        )
    return query


def in_words(colleagues: Sequence[Colleague]) -> str:
    """Return "Ben Osei is writing" or "Ben Osei and 2 others are here"; "" for nobody."""
    if not colleagues:
        return ""
    writing = [one for one in colleagues if one.is_typing]
    shown, doing = (writing, "writing") if writing else (colleagues, "here")
    first, more = shown[0].name, len(shown) - 1
    if not more:
        return f"{first} is {doing}"
    return f"{first} and {more} other{'s' if more > 1 else ''} are {doing}"


@periodic(every=timedelta(minutes=10))
def forget_presences(runtime: Runtime) -> None:
    """Delete what is long stale."""
    with runtime.database.writing() as session:
        session.execute(
            sa.delete(Presence)
            .where(Presence.seen_at < runtime.now() - timedelta(minutes=10))
            .execution_options(synchronize_session=False)
        )
