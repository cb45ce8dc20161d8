"""How hits are found without reading all of them: each database has its own way.

Newest means by time, and time is not the order of numbers: history is imported after the mail of
today. No walk goes on for ever: one that finds little rests, and tells where.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
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
# Hits beyond those wanted: the last one then mostly lies in a span that is older than all wanted.
INTO_OLDER_SPANS = 8
FIRST_BATCH = 256
LARGEST_BATCH = 4096
# Hits of PostgreSQL's index that are read before the newest messages are looked through for them.
SOME_HITS = 2_000
NEWEST = (20_000, 160_000)
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
    return Found(_newest_of_postgresql(session, viewer.role, sought, given, most))


def _walk_sqlite(
    session: Session, role: Role, sought: Sought, given: Given, most: int
) -> Sequence[Position]:
    """Return the newest hits: walk down by number, and on only to where newer ones may lie."""
    # Whatever is older is not sought.
    oldest = max(given["not_before"], BEFORE_ALL + MOMENT) - MOMENT if sought.after else BEFORE_ALL
    found: list[Position] = []
    below, wanted = AFTER_ALL.id, most + INTO_OLDER_SPANS
    while True:
        # The database looks for a hit when it is asked for: what is left is never looked for.
        with session.execute(_by_number(role, sought), {**given, "below": below}) as hits:
            near = hits.fetchmany(wanted)
        found = sorted([*found, *(Position(*row) for row in near)], reverse=True)[:most]
        if len(near) < wanted:
            break
        last = near[-1].id
        newer_than = found[-1].at if len(found) == most else oldest
        bounds = {
            "last_span": (last - 1) // SPAN,
            "before": given["before"],
            "newer_than": newer_than,
        }
        span = session.scalar(_NEXT_SPAN, bounds)
        if span is None:
            break
        below = min(last, (span + 1) * SPAN)
        wanted = min(4 * wanted, LARGEST_BATCH)
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
def _by_number(role: Role, sought: Sought) -> sa.Select[Any]:
    """Every hit to be shown, by number from the last; to be read no further than needed."""
    index = sa.table("messages_search", sa.column("rowid"))
    return (
        sa.select(messages.c.occurred_at, messages.c.id)
        .select_from(index)
        .join(messages, messages.c.id == index.c.rowid)
        .join(clients, clients.c.id == messages.c.client_id)
        .where(
            sa.text("messages_search MATCH :words"),
            index.c.rowid < sa.bindparam("below", type_=ID),
            shown(role, messages, sought),
        )
        .order_by(index.c.rowid.desc())
    )


def _newest_of_postgresql(
    session: Session, role: Role, sought: Sought, given: Given, most: int
) -> list[Position]:
    """Return the newest hits: of rare words among all hits, of common ones from the newest on.

    The index gives hits in no order. To read a hundred thousand for the sake of twenty takes
    seconds; to look among the newest messages first, milliseconds.
    """
    given = {**given, "rows": most}
    found = session.execute(_newest(role, sought, Among.SOME), given).all()
    if not found[0].has_more:
        return [Position(at, number) for at, number, _ in found if at is not None]
    for messages_looked_at in NEWEST:
        bound = {**given, "looked_at": messages_looked_at}
        if (since := session.scalar(_SINCE, bound)) is None:
            break
        window = {**given, "since": since}
        near = session.execute(_newest(role, sought, Among.SINCE), window).all()
        if len(near) == most:
            return [Position(*row) for row in near]
    rows = session.execute(_newest(role, sought, Among.ALL), given)
    return [Position(*row) for row in rows]


_SINCE = (
    sa.select(messages.c.occurred_at)
    .where(sa.tuple_(messages.c.occurred_at, messages.c.id) < sa.tuple_(BEFORE, BEFORE_ID))
    .order_by(messages.c.occurred_at.desc(), messages.c.id.desc())
    .offset(sa.bindparam("looked_at", type_=sa.Integer))
    .limit(1)
)


class Among(Enum):
    """Which hits are looked at: some in no order, with whether there are more; those since a
    time; all."""

    SOME = auto()
    SINCE = auto()
    ALL = auto()


@cache
def _newest(role: Role, sought: Sought, among: Among) -> sa.Select[Any]:
    """The newest hits. MATERIALIZED: the planner would else walk by time and read every text."""
    found = tsvector(messages, INDEXED).op("@@")(tsquery(sa.bindparam("words", type_=sa.String)))
    columns = [messages.c[name] for name in ("id", "occurred_at", *LOOKED_AT)]
    hits = sa.select(*columns).where(found)
    if among is Among.SINCE:
        # Written into the statement: a plan for any time would walk by time and read every text.
        since = sa.bindparam("since", type_=TIME, literal_execute=True)
        hits = hits.where(messages.c.occurred_at >= since, messages.c.occurred_at <= BEFORE)
    looked_at = hits.cte("hits").prefix_with("MATERIALIZED")
    if among is Among.SOME:
        looked_at = sa.select(looked_at).limit(SOME_HITS + 1).cte("some_hits")
        looked_at = looked_at.prefix_with("MATERIALIZED")
    newest = (
        sa.select(looked_at.c.occurred_at, looked_at.c.id)
        .join(clients, clients.c.id == looked_at.c.client_id)
        .where(shown(role, looked_at, sought))
        .order_by(looked_at.c.occurred_at.desc(), looked_at.c.id.desc())
        .limit(sa.bindparam("rows", type_=sa.Integer))
    )
    if among is not Among.SOME:
        return newest
    has_more = (sa.func.count() > SOME_HITS).label("has_more")
    whole, part = sa.select(has_more).select_from(looked_at).subquery(), newest.subquery()
    return sa.select(part, whole.c.has_more).select_from(whole.outerjoin(part, sa.true()))


def _phrases_of_postgresql(
    session: Session, role: Role, sought: Sought, given: Given, most: int, phrases: str
) -> Found:
    """Of messages with all the words, newest first, those where they stand together.

    Its index knows no places of words, so each text is read: few at a time, and not without end.
    """
    found: list[Position] = []
    batch = FIRST_BATCH
    for _ in range(ROUNDS):
        near = _newest_of_postgresql(session, role, sought, given, batch)
        fit = {"ids": [hit.id for hit in near], "phrases": phrases}
        fitting = set(session.scalars(_TOGETHER, fit)) if near else set()
        found += [hit for hit in near if hit.id in fitting]
        if len(found) >= most or len(near) < batch:
            return Found(found[:most])
        given = {**given, "before": near[-1].at, "before_id": near[-1].id}
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
