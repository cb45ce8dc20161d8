"""How hits are found without reading all of them: each database has its own way.

Newest means by time, and time is not the order of numbers: history is imported after the mail of
today. No walk goes on for ever: one that finds little rests, and tells where.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.inbox import queries
from casewell.inbox.search_filters import (
    BEFORE,
    BEFORE_ID,
    ID,
    LOOKED_AT,
    NOT_BEFORE,
    SENT_BY_CLIENTS,
    TIME,
    Given,
    Sender,
    Sought,
    shown,
)
from casewell.kernel.access import Identity, Role
from casewell.kernel.search import SPAN, Words, tsquery, tsvector
from casewell.messages.position import Position

INDEXED = ("subject", "body_text")
FIRST_BATCH = 64
LARGEST_BATCH = 4096
# Messages that a search without words, or one for a phrase, looks at before it rests.
LOOKED_THROUGH = 4096
ROUNDS = 5
AFTER_ALL = Position(datetime.max.replace(tzinfo=UTC), 2**63 - 1)
BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
MOMENT = timedelta(microseconds=1)

messages, clients = queries.messages, queries.clients


class Found(NamedTuple):
    """Hits, newest first; where the walk rests if it has not come to its end."""

    hits: Sequence[Position]
    rests_at: Position | None = None


def walk(
    session: Session,
    viewer: Identity,
    words: Words,
    sought: Sought,
    given: Given,
    before: Position,
    most: int,
) -> Found:
    """Return the newest hits before a position."""
    given = {**given, "viewer": viewer.staff_id, "before": before.at, "before_id": before.id}
    if not words:
        return _without_words(session, viewer.role, sought, given, most)
    if session.get_bind().dialect.name == "sqlite":
        given["words"] = words.for_sqlite()
        return Found(_walk_sqlite(session, viewer.role, sought, given, most))
    given["words"] = words.for_postgresql()
    if phrases := words.phrases_for_postgresql():
        return _phrases_of_postgresql(session, viewer.role, sought, given, most, phrases)
    rows = session.execute(_newest(viewer.role, sought), {**given, "rows": most})
    return Found([Position(*row) for row in rows])


def _walk_sqlite(
    session: Session, role: Role, sought: Sought, given: Given, most: int
) -> Sequence[Position]:
    """Return the newest hits: walk down by number, and on only to where newer ones may lie."""
    # Whatever is older is not sought.
    oldest = max(given["not_before"], BEFORE_ALL + MOMENT) - MOMENT if sought.after else BEFORE_ALL
    found: list[Position] = []
    below, batch = AFTER_ALL.id, FIRST_BATCH
    while True:
        walk = {**given, "below": below, "rows": batch}
        last, walked = 0, 0
        for number, at, count in session.execute(_batch(role, sought), walk):
            if at is None:
                last, walked = number, count
            else:
                found.append(Position(at, number))
        found = sorted(found, reverse=True)[:most]
        if walked < batch:
            break
        last_span = (last - 1) // SPAN
        newer_than = found[-1].at if len(found) == most else oldest
        wanted = {"last_span": last_span, "before": given["before"], "newer_than": newer_than}
        span = session.scalar(_NEXT_SPAN, wanted)
        if span is None:
            break
        below = min(last, (span + 1) * SPAN)
        batch = min(4 * batch, LARGEST_BATCH)
    return found


_spans = sa.table(
    "messages_search_spans",
    sa.column("span"),
    sa.column("oldest", TIME),
    sa.column("newest", TIME),
)
_NEXT_SPAN = (
    sa.select(_spans.c.span)
    .where(
        _spans.c.span <= sa.bindparam("last_span"),
        _spans.c.newest > sa.bindparam("newer_than", type_=TIME),
        _spans.c.oldest <= BEFORE,
    )
    .order_by(_spans.c.span.desc())
    .limit(1)
)


@cache
def _batch(role: Role, sought: Sought) -> sa.CompoundSelect[Any]:
    """Of the next hits by number those to show; and a row with the last number, and how many."""
    index = sa.table("messages_search", sa.column("rowid"))
    hits = (
        sa.select(index.c.rowid.label("id"))
        .where(
            sa.text("messages_search MATCH :words"),
            index.c.rowid < sa.bindparam("below", type_=ID),
        )
        .order_by(index.c.rowid.desc())
        .limit(sa.bindparam("rows", type_=sa.Integer))
        .cte("hits")
        .prefix_with("MATERIALIZED")
    )
    seen = (
        sa.select(hits.c.id, messages.c.occurred_at, sa.literal(None, sa.Integer).label("walked"))
        .select_from(hits)
        .join(messages, messages.c.id == hits.c.id)
        .join(clients, clients.c.id == messages.c.client_id)
        .where(shown(role, messages, sought))
    )
    end = sa.select(sa.func.min(hits.c.id), sa.literal(None, TIME), sa.func.count())
    return seen.union_all(end.select_from(hits))


@cache
def _newest(role: Role, sought: Sought) -> sa.Select[Any]:
    """The newest hits. MATERIALIZED: the planner would else walk by time and read every text."""
    found = tsvector(messages, INDEXED).op("@@")(tsquery(sa.bindparam("words", type_=sa.String)))
    columns = [messages.c[name] for name in ("id", "occurred_at", *LOOKED_AT)]
    hits = sa.select(*columns).where(found).cte("hits").prefix_with("MATERIALIZED")
    return (
        sa.select(hits.c.occurred_at, hits.c.id)
        .join(clients, clients.c.id == hits.c.client_id)
        .where(shown(role, hits, sought))
        .order_by(hits.c.occurred_at.desc(), hits.c.id.desc())
        .limit(sa.bindparam("rows", type_=sa.Integer))
    )


def _phrases_of_postgresql(
    session: Session, role: Role, sought: Sought, given: Given, most: int, phrases: str
) -> Found:
    """Of messages with all the words, newest first, those where they stand together.

    Its index knows no places of words, so each text is read: few at a time, and not without end.
    """
    found: list[Position] = []
    batch = FIRST_BATCH * 4
    for _ in range(ROUNDS):
        near = session.execute(_newest(role, sought), {**given, "rows": batch}).all()
        fit = {"ids": [row.id for row in near], "phrases": phrases}
        fitting = set(session.scalars(_TOGETHER, fit)) if near else set()
        found += [Position(*row) for row in near if row.id in fitting]
        if len(found) >= most or len(near) < batch:
            return Found(found[:most])
        given = {**given, "before": near[-1].occurred_at, "before_id": near[-1].id}
        batch = min(4 * batch, LARGEST_BATCH)
    return Found(found, Position(given["before"], given["before_id"]))


_TOGETHER: sa.Select[Any] = sa.select(messages.c.id).where(
    messages.c.id.in_(sa.bindparam("ids", expanding=True)),
    tsvector(messages, INDEXED).op("@@")(tsquery(sa.bindparam("phrases", type_=sa.String))),
)


def _without_words(session: Session, role: Role, sought: Sought, given: Given, most: int) -> Found:
    """Look through the newest messages, some thousands at a time, for what is sought."""
    found: list[Position] = []
    for _ in range(ROUNDS):
        walk = {**given, "rows": LOOKED_THROUGH, "most": most}
        end: Position | None = None
        for at, number, is_end in session.execute(_through(role, sought), walk):
            if is_end:
                end = Position(at, number)
            else:
                found.append(Position(at, number))
        found.sort(reverse=True)
        if len(found) >= most or end is None:
            return Found(found[:most])
        given = {**given, "before": end.at, "before_id": end.id}
    return Found(found, Position(given["before"], given["before_id"]))


@cache
def _through(role: Role, sought: Sought) -> sa.CompoundSelect[Any]:
    """Of the next messages by time those to show; and the last of them, if there may be more."""
    limits = [
        messages.c.client_id.is_not(None),
        sa.tuple_(messages.c.occurred_at, messages.c.id) < sa.tuple_(BEFORE, BEFORE_ID),
    ]
    if sought.after:
        limits.append(messages.c.occurred_at >= NOT_BEFORE)
    if sought.sender is Sender.CLIENTS:  # few enough to walk by their own index
        limits.append(messages.c.client_id.in_(SENT_BY_CLIENTS))
    columns = [messages.c[name] for name in ("id", "occurred_at", *LOOKED_AT)]
    rows = sa.bindparam("rows", type_=sa.Integer)
    newest_first = (messages.c.occurred_at.desc(), messages.c.id.desc())
    walked = (
        sa.select(*columns)
        .where(*limits)
        .order_by(*newest_first)
        .limit(rows)
        .cte("walked")
        .prefix_with("MATERIALIZED")
    )
    seen = (
        sa.select(walked.c.occurred_at, walked.c.id, sa.literal(0).label("is_end"))
        .join(clients, clients.c.id == walked.c.client_id)
        .where(shown(role, walked, sought))
        .order_by(walked.c.occurred_at.desc(), walked.c.id.desc())
        .limit(sa.bindparam("most", type_=sa.Integer))
        .subquery()
    )
    number_walked = sa.select(sa.func.count()).select_from(walked).scalar_subquery()
    end = (
        sa.select(walked.c.occurred_at, walked.c.id, sa.literal(1).label("is_end"))
        .where(number_walked == rows)
        .order_by(walked.c.occurred_at, walked.c.id)
        .limit(1)
        .subquery()
    )
    return sa.union_all(sa.select(seen), sa.select(end))
