"""Browsers that are signed in: a row here, a random token in the cookie.

Whether a session lives is judged here, by its row, never by the age of the cookie.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from casewell.kernel.crypto import new_token, token_hash
from casewell.kernel.jobs import periodic
from casewell.kernel.runtime import Runtime
from casewell.kernel.settings import Settings
from casewell.kernel.web import cookie_name
from casewell.staff.models import ApiToken, Staff, StaffSession

# Password given, second factor still to come.
UNFINISHED_LIFETIME = timedelta(minutes=15)
# `last_seen_at` is written no more often than this.
SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Device:
    """Where a session was begun, as the list of own sessions shows it."""

    user_agent: str
    address: str


def cookie_of(settings: Settings) -> str:
    return cookie_name(settings.https, "session")


def begin(session: Session, staff: Staff, device: Device, *, finished: bool, now: datetime) -> str:
    """Sign a browser in; return the token for its cookie."""
    token = new_token()
    session.add(
        StaffSession(
            staff_id=staff.id,
            token_hash=token_hash(token),
            finished=finished,
            created_at=now,
            last_seen_at=now,
            user_agent=device.user_agent[:300],
            address=device.address[:64],
        )
    )
    session.flush()
    return token


_sessions, _staff = StaffSession.__table__, Staff.__table__
# Asked with every request, so made once, over columns alone.
_BY_TOKEN = (
    sa.select(
        _sessions.c.id,
        _sessions.c.finished,
        _sessions.c.created_at,
        _sessions.c.last_seen_at,
        _staff.c.id.label("staff_id"),
        _staff.c.role,
    )
    .join(_staff, _staff.c.id == _sessions.c.staff_id)
    .where(_sessions.c.token_hash == sa.bindparam("hash"), _staff.c.deactivated_at.is_(None))
)


def find_alive(session: Session, token: str, settings: Settings, now: datetime) -> Any | None:
    """Return (id, finished, created_at, last_seen_at, staff_id, role) of a cookie's session.

    None: there is none, it has ended, or its staff member is no longer active.
    """
    row = session.execute(_BY_TOKEN, {"hash": token_hash(token)}).one_or_none()
    return row if row is not None and is_alive(row, settings, now) else None


def is_alive(row: StaffSession | Any, settings: Settings, now: datetime) -> bool:
    """Whether a session is neither too old nor too long unused."""
    longest = timedelta(hours=settings.session_hours) if row.finished else UNFINISHED_LIFETIME
    idle = timedelta(minutes=settings.session_idle_minutes)
    return bool(now - row.last_seen_at <= idle and now - row.created_at <= longest)


def sessions_of(
    session: Session, staff_id: int, settings: Settings, now: datetime
) -> Sequence[StaffSession]:
    """Return the living sessions of a person, last used first."""
    rows = session.scalars(
        sa.select(StaffSession)
        .where(StaffSession.staff_id == staff_id, StaffSession.finished)
        .order_by(StaffSession.last_seen_at.desc(), StaffSession.id.desc())
    )
    return [row for row in rows if is_alive(row, settings, now)]


def note_seen(runtime: Runtime, session_id: int) -> None:
    """Remember that a session was used just now, in a transaction of its own."""
    with runtime.database.writing() as session:
        session.execute(
            sa.update(StaffSession)
            .where(StaffSession.id == session_id)
            .values(last_seen_at=runtime.now())
        )


def end(session: Session, session_id: int, *, staff_id: int) -> bool:
    """Sign one browser of a person out; return whether there was one."""
    done = session.execute(
        sa.delete(StaffSession).where(
            StaffSession.id == session_id, StaffSession.staff_id == staff_id
        )
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]


def end_all(session: Session, staff_id: int, *, keep: int | None = None) -> None:
    """Sign every browser of a person out, except the session `keep`."""
    gone = sa.delete(StaffSession).where(StaffSession.staff_id == staff_id)
    if keep is not None:
        gone = gone.where(StaffSession.id != keep)
    session.execute(gone)


def end_every_access(session: Session, staff_id: int, *, now: datetime) -> None:
    """End sessions and API tokens alike: whatever proved who this is no longer does."""
    end_all(session, staff_id)
    session.execute(
        sa.update(ApiToken)
        .where(ApiToken.staff_id == staff_id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=now)
    )


def set_cookie(answer: Response, token: str, settings: Settings) -> None:
    answer.set_cookie(
        cookie_of(settings),
        token,
        path="/",
        secure=settings.https,
        httponly=True,
        samesite="Lax",
    )


def clear_cookie(answer: Response, settings: Settings) -> None:
    answer.delete_cookie(
        cookie_of(settings), path="/", secure=settings.https, httponly=True, samesite="Lax"
    )


@periodic(every=timedelta(hours=1))
def forget_sessions(runtime: Runtime) -> None:
    """Delete sessions that have ended by age."""
    oldest = timedelta(hours=runtime.settings.session_hours)
    with runtime.database.writing() as session:
        session.execute(
            sa.delete(StaffSession).where(StaffSession.created_at < runtime.now() - oldest)
        )
