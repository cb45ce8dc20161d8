"""The hash chain: what is hashed, and how a chain is checked."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

FIRST = "0" * 64


def chained_hash(prev_hash: str, facts: Mapping[str, Any]) -> str:
    """Return the SHA-256, in hex, of the previous hash and the facts in canonical form.

    Canonical: JSON with sorted keys, no white space, UTF-8; instants as ISO 8601 in UTC with
    microseconds. A verifier in any language can compute it.
    """
    body = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(f"{prev_hash}\n{body}".encode()).hexdigest()


def instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


@dataclass(frozen=True)
class Link:
    """One stored entry of a chain, as the check needs it."""

    seq: int
    prev_hash: str
    hash: str
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Fault:
    """Something in a chain that is not as it was written. `client_id` None: the audit chain."""

    client_id: int | None
    seq: int
    what: str

    def __str__(self) -> str:
        chain = "audit" if self.client_id is None else f"client {self.client_id}"
        return f"{chain}, entry {self.seq}: {self.what}"


def faults(
    client_id: int | None, links: Iterable[Link], head: tuple[int, str] | None
) -> Iterator[Fault]:
    """Yield every fault of one chain, whose links come in order of `seq`."""
    expected, previous = 1, FIRST
    for link in links:
        if link.seq != expected:
            missing = "is missing" if link.seq == expected + 1 else f"to {link.seq - 1} are missing"
            yield Fault(client_id, expected, missing)
        elif link.prev_hash != previous:
            yield Fault(client_id, link.seq, "does not follow the entry before it")
        if chained_hash(link.prev_hash, link.facts) != link.hash:
            yield Fault(client_id, link.seq, "was altered")
        expected, previous = link.seq + 1, link.hash
    last = (expected - 1, previous)
    if head is None and expected > 1:
        yield Fault(client_id, expected - 1, "the end of the chain is missing")
    elif head is not None and head[0] > last[0]:
        yield Fault(client_id, expected, "is missing at the end")
    elif head is not None and head != last:
        yield Fault(client_id, last[0], "is not the end that was recorded")
