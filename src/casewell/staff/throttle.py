"""Limits on guessing: how often something may go wrong, per account and per source address.

An attempt is counted before it is judged, in a transaction of its own, so that a refusal, a
rollback or a hundred requests at once don't escape the count. Success takes its own back.
An attempt refused here is not counted: the window passes, and no account stays locked.
"""

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.kernel.crypto import token_hash
from casewell.kernel.errors import TooManyRequests
from casewell.kernel.jobs import periodic
from casewell.kernel.runtime import Runtime
from casewell.staff.models import Attempt


@dataclass(frozen=True)
class Limit:
    """At most `most` attempts in `window` for one value of an axis."""

    axis: str
    most: int
    window: timedelta = timedelta(minutes=15)


PASSWORDS_OF_ACCOUNT = Limit("password-account", 10)
PASSWORDS_FROM_SOURCE = Limit("password-source", 15)
CODES_OF_ACCOUNT = Limit("code-account", 8)
CODES_FROM_SOURCE = Limit("code-source", 15)
RESETS_OF_ACCOUNT = Limit("reset-account", 5, timedelta(hours=1))
RESETS_FROM_SOURCE = Limit("reset-source", 20, timedelta(hours=1))
LINKS_FROM_SOURCE = Limit("link-source", 20)
LONGEST_WINDOW = timedelta(hours=1)


@dataclass(frozen=True)
class Counted:
    """Attempts that were counted, to be taken back if they succeed."""

    ids: tuple[int, ...]


def count(runtime: Runtime, *limits: tuple[Limit, str]) -> Counted:
    """Count one attempt on each axis. Raises TooManyRequests where one of them is full."""
    now = runtime.now()
    keys = [token_hash(f"{limit.axis}:{value}") for limit, value in limits]
    with runtime.database.writing() as session:
        _one_at_a_time(session, keys)
        for (limit, _), key in zip(limits, keys, strict=True):
            _refuse_if_full(session, limit, key, now)
        rows = [Attempt(key=key, at=now) for key in keys]
        session.add_all(rows)
        session.flush()
        return Counted(tuple(row.id for row in rows))


def forgive(session: Session, counted: Counted) -> None:
    """Take back what was counted: it was no failure."""
    session.execute(sa.delete(Attempt).where(Attempt.id.in_(counted.ids)))


def source_of(address: str | None) -> str:
    """Return what counts as one source: an IPv4 address, or the /64 an IPv6 host moves in."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return address or ""
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)


@periodic(every=timedelta(hours=6))
def forget_attempts(runtime: Runtime) -> None:
    """Delete attempts that no limit looks at any more."""
    with runtime.database.writing() as session:
        session.execute(sa.delete(Attempt).where(Attempt.at < runtime.now() - LONGEST_WINDOW))


def _refuse_if_full(session: Session, limit: Limit, key: str, now: datetime) -> None:
    recent = session.scalars(
        sa.select(Attempt.at)
        .where(Attempt.key == key, Attempt.at > now - limit.window)
        .order_by(Attempt.at.desc())
        .limit(limit.most)
    ).all()
    if len(recent) < limit.most:
        return
    wait = recent[-1] + limit.window - now
    raise TooManyRequests(
        f"Too many attempts. Try again in {_in_words(wait)}.",
        retry_after=max(1, -(-wait // timedelta(seconds=1))),
    )


def _in_words(wait: timedelta) -> str:
    minutes = max(1, -(-wait // timedelta(minutes=1)))
    return "1 minute" if minutes == 1 else f"{minutes} minutes"


def _one_at_a_time(session: Session, keys: list[str]) -> None:
    """Let no two transactions count the same key at once; SQLite's writers are alone anyway."""
    if session.get_bind().dialect.name == "postgresql":
        for key in sorted(keys):
            number = int(key[:15], 16)
            session.execute(sa.select(sa.func.pg_advisory_xact_lock(number)))
