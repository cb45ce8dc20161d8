"""Anchors: the ends of all chains, written where whoever changes the database can't change them.

An anchors file holds JSON lines. A day's anchor is one line for each chain that has moved, then
one that closes it:

    {"chain": 7, "seq": 5, "hash": "…", "entries": "…"}
    {"day": "2026-03-10", "at": "…", "chains": 2, "head": "…", "file": "…"}

`entries` is the beginning of each new entry's hash, so that a chain that was rewritten as a whole
still shows where; `head` is one hash over the ends of all chains, and `file` the SHA-256 of all
that stands in the file before the line. Chain 0 is the audit record. Lines of an anchor that was
never closed count for nothing: they are written again.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.kernel.db import Base
from casewell.ledger.chain import Fault, instant
from casewell.ledger.models import ActivityEvent, AuditEvent, LedgerHead
from casewell.ledger.service import AUDIT_CHAIN

# Sixty-four bits of each entry's hash say where a chain differs; that it does, its whole end says.
MARK_BYTES = 8
BATCH = 100

_heads = Base.metadata.tables[LedgerHead.__tablename__]
_events = Base.metadata.tables[ActivityEvent.__tablename__]
_audits = Base.metadata.tables[AuditEvent.__tablename__]

End = tuple[int, str]


def head_of(ends: Iterable[tuple[int, End]]) -> str:
    """Return one hash over the ends of all chains, which come in order of their numbers."""
    digest = hashlib.sha256()
    for chain, (seq, end) in ends:
        digest.update(f"{chain} {seq} {end}\n".encode())
    return digest.hexdigest()


@dataclass(frozen=True)
class FileFault:
    """Something in an anchors file that is not as it was written."""

    line: int
    what: str

    def __str__(self) -> str:
        return f"anchors file, line {self.line}: {self.what}"


@dataclass(frozen=True)
class Anchor:
    """What closes one day's anchor."""

    day: str
    at: str
    chains: int
    head: str
    file: str


_CLOSING = frozenset(one.name for one in fields(Anchor))


@dataclass
class _Chain:
    end: End = (0, "")
    # The marks of all entries that were ever anchored, as they were then.
    marks: bytearray = field(default_factory=bytearray)
    # Up to which entry, and on which day.
    days: list[tuple[int, str]] = field(default_factory=list)

    @property
    def known(self) -> int:
        return len(self.marks) // MARK_BYTES

    def day_of(self, seq: int) -> str:
        return next(day for up_to, day in self.days if seq <= up_to)


class Anchors:
    """All that an anchors file says, read from its lines."""

    def __init__(self) -> None:
        self.chains: dict[int, _Chain] = {}
        self.closed: list[Anchor] = []
        self.faults: list[FileFault] = []
        self._digest = hashlib.sha256()
        self._last = b"\n"
        self._open: dict[int, dict[str, Any]] = {}

    @classmethod
    def read(cls, lines: Iterable[bytes]) -> "Anchors":
        made = cls()
        for number, line in enumerate(lines, 1):
            made._take(number, line)
        return made

    def on(self, day: date) -> Anchor | None:
        return next((one for one in self.closed if one.day == day.isoformat()), None)

    def _take(self, number: int, line: bytes) -> None:
        said = _object(line)
        if "chain" in said:
            self._open[said["chain"]] = said
        elif "head" in said:
            self._close(number, said)
        self._digest.update(line)
        self._last = line

    def _close(self, number: int, said: dict[str, Any]) -> None:
        for chain, moved in self._open.items():
            kept = self.chains.setdefault(chain, _Chain())
            kept.end = (moved["seq"], moved["hash"])
            kept.marks += bytes.fromhex(moved["entries"])
            kept.days.append((kept.known, said["day"]))
        self._open = {}
        if said["file"] != self._digest.hexdigest():
            self.faults.append(FileFault(number, "what stands before it was altered"))
        ends = {chain: one.end for chain, one in self.chains.items()}
        if said["head"] != head_of(sorted(ends.items())) or said["chains"] != len(ends):
            self.faults.append(FileFault(number, "is not the head of the chains before it"))
        self.closed.append(Anchor(**{name: said[name] for name in _CLOSING}))


def _object(line: bytes) -> dict[str, Any]:
    """Return what a line says; one that a crash or a person has torn says nothing."""
    try:
        said = json.loads(line)
        if "chain" in said:
            whole = isinstance(said["chain"], int) and isinstance(said["seq"], int)
            whole = whole and len(bytes.fromhex(said["entries"])) % MARK_BYTES == 0
            return said if whole and isinstance(said["hash"], str) else {}
        return said if said.keys() >= _CLOSING else {}
    except (ValueError, KeyError, TypeError):
        return {}


def new_lines(session: Session, known: Anchors, day: date, now: datetime) -> Iterator[bytes]:
    """Yield the lines of a day's anchor, the one that closes it last.

    The session sees one moment of the database. `known` is what the file holds so far.
    """
    heads = session.execute(sa.select(_heads).order_by(_heads.c.client_id))
    ends = {row.client_id: (row.seq, row.hash) for row in heads}
    for chain in known.chains.keys() - ends.keys():
        ends[chain] = (0, "")  # a chain that was anchored is gone, and is missed
    moved = [
        chain
        for chain, end in ends.items()
        if chain not in known.chains or known.chains[chain].end != end
    ]
    digest = known._digest.copy()
    if not known._last.endswith(b"\n"):
        digest.update(b"\n")
        yield b"\n"  # a crash has torn the line
    for at in range(0, len(moved), BATCH):
        some = {
            chain: known.chains[chain].known if chain in known.chains else 0
            for chain in moved[at : at + BATCH]
        }
        marks = _marks_after(session, some)
        for chain in some:
            seq, end = ends[chain]
            line = _line({"chain": chain, "seq": seq, "hash": end, "entries": marks[chain].hex()})
            digest.update(line)
            yield line
    yield _line(
        {
            "day": day.isoformat(),
            "at": instant(now),
            "chains": len(ends),
            "head": head_of(sorted(ends.items())),
            "file": digest.hexdigest(),
        }
    )


def _line(said: dict[str, Any]) -> bytes:
    return json.dumps(said, separators=(",", ":")).encode() + b"\n"


def _marks_after(session: Session, known: dict[int, int]) -> dict[int, bytearray]:
    """Return the marks of the entries of some chains behind those that are known."""
    marks = {chain: bytearray() for chain in known}
    newer = [
        sa.and_(_events.c.client_id == chain, _events.c.seq > seq)
        for chain, seq in known.items()
        if chain != AUDIT_CHAIN
    ]
    rows = (
        sa.select(_events.c.client_id, _events.c.hash)
        .where(sa.or_(sa.false(), *newer))
        .order_by(_events.c.client_id, _events.c.seq)
    )
    for chain, entry in session.execute(rows.execution_options(yield_per=1000)):
        marks[chain] += _mark(entry)
    if AUDIT_CHAIN in known:
        audits = sa.select(_audits.c.hash).where(_audits.c.seq > known[AUDIT_CHAIN])
        ordered = audits.order_by(_audits.c.seq).execution_options(yield_per=1000)
        for entry in session.scalars(ordered):
            marks[AUDIT_CHAIN] += _mark(entry)
    return marks


def _mark(entry_hash: str) -> bytes:
    try:
        return bytes.fromhex(entry_hash)[:MARK_BYTES].ljust(MARK_BYTES, b"\0")
    except ValueError:
        return bytes(MARK_BYTES)  # somebody has written over it


def changed_since(session: Session, anchors: Anchors) -> Iterator[Fault]:
    """Yield, for each chain, the first entry that is not the one that was anchored.

    It is found even where the chain was rewritten behind it so that it holds in itself.
    """
    for chain, kept in sorted(anchors.chains.items()):
        found = _first_changed(session, chain, kept)
        if found is not None:
            yield Fault(None if chain == AUDIT_CHAIN else chain, *found)


def _first_changed(session: Session, chain: int, kept: _Chain) -> tuple[int, str] | None:
    table, of_chain = _events, _events.c.client_id == chain
    if chain == AUDIT_CHAIN:
        table, of_chain = _audits, sa.true()
    query = (
        sa.select(table.c.seq, table.c.hash)
        .where(of_chain, table.c.seq <= kept.known)
        .order_by(table.c.seq)
        .execution_options(yield_per=1000)
    )
    seq, entry = 0, ""
    with closing(session.execute(query)) as rows:
        for seq, (number, entry) in enumerate(rows, 1):
            at = (seq - 1) * MARK_BYTES
            if number != seq or _mark(entry) != kept.marks[at : at + MARK_BYTES]:
                return seq, f"is not the one that was anchored on {kept.day_of(seq)}"
    if seq < kept.known:
        return seq + 1, f"is missing; it was anchored on {kept.day_of(seq + 1)}"
    if kept.end[0] == seq and kept.end[1] != entry:
        return seq, f"is not the one that was anchored on {kept.day_of(seq)}"
    return None
