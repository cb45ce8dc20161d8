"""Writing to the ledger and checking it."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.kernel.db import Base, insert_ignoring
from casewell.ledger.chain import FIRST, Fault, Link, chained_hash, faults, instant
from casewell.ledger.models import ActivityEvent, ActorKind, AuditEvent, LedgerHead

_events = Base.metadata.tables[ActivityEvent.__tablename__]
_audits = Base.metadata.tables[AuditEvent.__tablename__]
_heads = Base.metadata.tables[LedgerHead.__tablename__]
_END = (
    sa.select(_heads.c.seq, _heads.c.hash)
    .where(_heads.c.client_id == sa.bindparam("chain"))
    .with_for_update()
)
_MOVE_END = (
    sa.update(_heads)
    .where(_heads.c.client_id == sa.bindparam("chain"))
    .values(seq=sa.bindparam("new_seq"), hash=sa.bindparam("new_hash"))
)

_ADD_EVENT = sa.insert(_events)
_ADD_AUDIT = sa.insert(_audits)

# The audit chain keeps its end beside the clients' ends; no client has this number.
AUDIT_CHAIN = 0


class Person(Protocol):
    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...


@dataclass(frozen=True)
class Actor:
    """Who did it: named, so that the record outlives the account."""

    kind: ActorKind
    id: int | None
    name: str

    @classmethod
    def of_staff(cls, staff: Person) -> "Actor":
        return cls(ActorKind.STAFF, staff.id, staff.name)

    @classmethod
    def of_client(cls, client: Person) -> "Actor":
        return cls(ActorKind.CLIENT, client.id, client.name)


SYSTEM = Actor(ActorKind.SYSTEM, None, "Casewell")


@dataclass(frozen=True)
class Event:
    """One thing that happened to a client; `kind` is dotted, `data` is JSON of plain values."""

    client_id: int
    kind: str
    actor: Actor
    occurred_at: datetime
    data: Mapping[str, Any] = field(default_factory=dict)
    subject_type: str | None = None
    subject_id: int | None = None


Reaction = Callable[[Session, Event], None]


class _Wiring:
    reactions: Mapping[str, Sequence[Reaction]] = {}


def use_reactions(reactions: Mapping[str, Sequence[Reaction]]) -> None:
    """Let what packages above must do at once for an event be done in its transaction.

    The one table is in `casewell.wiring`; whatever may wait reads the events instead.
    """
    _Wiring.reactions = reactions


def hold(session: Session, client_id: int) -> None:
    """Let nobody else write about this client until the transaction ends.

    It is the lock that `record` takes: whoever locks other rows of a client takes it first.
    """
    _end_of_chain(session, client_id)


def record(session: Session, event: Event, *, now: datetime) -> None:
    """Append an event to its client's chain, in the transaction of the change it tells of."""
    record_all(session, event.client_id, [(event, now)])


def record_all(session: Session, client_id: int, told: Sequence[tuple[Event, datetime]]) -> None:
    """Append events of one client, each with when it was recorded, in their order.

    Plain statements, not objects: every message that comes in passes here.
    """
    end, last_hash = _end_of_chain(session, client_id)
    entries = []
    for seq, (event, now) in enumerate(told, end + 1):
        entries.append(_entry(event, client_id, seq, last_hash, now))
        last_hash = entries[-1]["hash"]
    session.execute(_ADD_EVENT, entries)
    _move_end(session, client_id, end + len(entries), last_hash)
    _react(session, [event for event, _ in told])


def record_each(session: Session, events: Sequence[Event], *, now: datetime) -> None:
    """Append one event to each of several clients' chains, in as many statements as for one."""
    events = sorted(events, key=lambda event: event.client_id)  # all take their locks in one order
    if not events:
        return
    ends = _ends_of_chains(session, [event.client_id for event in events])
    entries = []
    for event in events:
        seq, last_hash = ends[event.client_id]
        entries.append(_entry(event, event.client_id, seq + 1, last_hash, now))
    session.execute(_ADD_EVENT, entries)
    session.connection().execute(
        _MOVE_END,
        [
            {"chain": one["client_id"], "new_seq": one["seq"], "new_hash": one["hash"]}
            for one in entries
        ],
    )
    _react(session, events)


def _entry(event: Event, client_id: int, seq: int, prev_hash: str, now: datetime) -> dict[str, Any]:
    """Return the row of an event that follows the one of `prev_hash`."""
    facts: dict[str, Any] = {
        "client_id": client_id,
        "seq": seq,
        "kind": event.kind,
        "occurred_at": event.occurred_at,
        "recorded_at": now,
        "actor_kind": event.actor.kind,
        "actor_id": event.actor.id,
        "actor_name": event.actor.name[:200],
        "subject_type": event.subject_type,
        "subject_id": event.subject_id,
        "data": json.loads(json.dumps(event.data)),
    }
    return {**facts, "prev_hash": prev_hash, "hash": chained_hash(prev_hash, _plain(facts))}


def _react(session: Session, events: Sequence[Event]) -> None:
    for event in events:
        for react in _Wiring.reactions.get(event.kind, ()):
            react(session, event)


def audit(
    session: Session,
    kind: str,
    *,
    now: datetime,
    actor: Actor | None = None,
    address: str = "",
    client_id: int | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Append an act of staff, or a refusal, to the audit chain. `data` must hold no secret."""
    seq, prev_hash = _end_of_chain(session, AUDIT_CHAIN)
    facts: dict[str, Any] = {
        "seq": seq + 1,
        "kind": kind,
        "at": now,
        "staff_id": actor.id if actor else None,
        "staff_name": actor.name[:200] if actor else "",
        "address": address[:64],
        "client_id": client_id,
        "data": json.loads(json.dumps(data or {})),
    }
    new_hash = chained_hash(prev_hash, _plain(facts))
    session.execute(_ADD_AUDIT, {**facts, "prev_hash": prev_hash, "hash": new_hash})
    _move_end(session, AUDIT_CHAIN, seq + 1, new_hash)


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts as the canonical form holds them."""
    return {
        name: instant(value) if isinstance(value, datetime) else value
        for name, value in facts.items()
    }


def facts_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the hash of a stored entry covers: every column but the hashes and the key."""
    return _plain(
        {name: value for name, value in row.items() if name not in ("id", "prev_hash", "hash")}
    )


def verify(session: Session) -> Iterator[Fault]:
    """Yield every altered, missing or reordered entry of every chain, a few rows at a time."""
    heads = {
        head.client_id: (head.seq, head.hash) for head in session.scalars(sa.select(LedgerHead))
    }
    seen = {AUDIT_CHAIN}
    by_chain = sa.select(_events).order_by(_events.c.client_id, _events.c.seq)
    for client_id, rows in groupby(_rows(session, by_chain), key=lambda row: row["client_id"]):
        seen.add(client_id)
        yield from faults(client_id, map(_link, rows), heads.get(client_id))
    for client_id in sorted(set(heads) - seen):
        yield from faults(client_id, (), heads[client_id])
    audits = _rows(session, sa.select(_audits).order_by(_audits.c.seq))
    yield from faults(None, map(_link, audits), heads.get(AUDIT_CHAIN))


def _rows(session: Session, query: sa.Select[Any]) -> Iterator[sa.RowMapping]:
    return iter(session.execute(query.execution_options(yield_per=1000)).mappings())


def _link(row: sa.RowMapping) -> Link:
    return Link(row["seq"], row["prev_hash"], row["hash"], facts_of(dict(row)))


def _end_of_chain(session: Session, chain: int) -> tuple[int, str]:
    """Return the end of a chain, holding it until the transaction ends."""
    end = session.execute(_END, {"chain": chain}).one_or_none()
    if end is None:
        insert_ignoring(session, LedgerHead, {"client_id": chain, "seq": 0, "hash": FIRST})
        end = session.execute(_END, {"chain": chain}).one()
    return end.seq, end.hash


def _ends_of_chains(session: Session, chains: Sequence[int]) -> dict[int, tuple[int, str]]:
    """Return the ends of several chains, in order of their clients, holding them likewise."""
    query = (
        sa.select(_heads.c.client_id, _heads.c.seq, _heads.c.hash)
        .where(_heads.c.client_id.in_(chains))
        .order_by(_heads.c.client_id)
        .with_for_update()
    )
    ends = {row.client_id: (row.seq, row.hash) for row in session.execute(query)}
    if fresh := [chain for chain in chains if chain not in ends]:
        heads = [{"client_id": chain, "seq": 0, "hash": FIRST} for chain in fresh]
        insert_ignoring(session, LedgerHead, *heads)
        ends |= {row.client_id: (row.seq, row.hash) for row in session.execute(query)}
    return ends


def _move_end(session: Session, chain: int, seq: int, new_hash: str) -> None:
    session.execute(_MOVE_END, {"chain": chain, "new_seq": seq, "new_hash": new_hash})
