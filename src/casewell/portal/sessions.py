"""Browsers in which clients are signed in. Nothing here knows of staff, nor they of this."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from casewell.clients.models import Client
from casewell.kernel.crypto import new_token, token_hash
from casewell.kernel.jobs import periodic
from casewell.kernel.runtime import Runtime
from casewell.kernel.settings import Settings
from casewell.kernel.web import cookie_name
from casewell.portal.models import ClientAccount, ClientSession

# The times seen are written no more often than this.
SEEN_EVERY = timedelta(minutes=1)

_sessions, _accounts = ClientSession.__table__, ClientAccount.__table__
_clients = Client.__table__
# Asked with every request, so made once, over columns alone.
_BY_TOKEN = (
    sa.select(
        _sessions.c.id,
        _sessions.c.created_at,
        _sessions.c.last_seen_at,
        _accounts.c.id.label("account_id"),
        _accounts.c.client_id,
    )
    .join(_accounts, _accounts.c.id == _sessions.c.account_id)
    .join(_clients, _clients.c.id == _accounts.c.client_id)
    .where(
        _sessions.c.token_hash == sa.bindparam("hash"),
        _accounts.c.disabled_at.is_(None),
        _clients.c.merged_into_id.is_(None),
    )
)


def cookie_of(settings: Settings) -> str:
    return cookie_name(settings.https, "portal")


def begin(session: Session, account_id: int, now: datetime) -> str:
    """Sign a browser in; return the token for its cookie."""
    token = new_token()
    session.add(
        ClientSession(
            account_id=account_id, token_hash=token_hash(token), created_at=now, last_seen_at=now
        )
    )
    session.flush()
    return token


def find_alive(session: Session, token: str, settings: Settings, now: datetime) -> Any | None:
    """Return (id, created_at, last_seen_at, account_id, client_id) of a cookie's session.

    None: there is none, it is too old or too long unused, or its account no longer counts.
    """
    row = session.execute(_BY_TOKEN, {"hash": token_hash(token)}).one_or_none()
    if row is None:
        return None
    idle = timedelta(minutes=settings.session_idle_minutes)
    longest = timedelta(hours=settings.session_hours)
    alive = now - row.last_seen_at <= idle and now - row.created_at <= longest
    return row if alive else None


def note_seen(runtime: Runtime, session_id: int, account_id: int) -> None:
    """Remember that a client was here just now, in a transaction of its own."""
    now = runtime.now()
    with runtime.database.writing() as session:
        session.execute(
            sa.update(ClientSession).where(ClientSession.id == session_id).values(last_seen_at=now)
        )
        session.execute(
            sa.update(ClientAccount).where(ClientAccount.id == account_id).values(last_seen_at=now)
        )


def end(session: Session, session_id: int) -> None:
    session.execute(sa.delete(ClientSession).where(ClientSession.id == session_id))


def end_all(session: Session, account_id: int) -> None:
    """Sign every browser of a client out."""
    session.execute(sa.delete(ClientSession).where(ClientSession.account_id == account_id))


def set_cookie(answer: Response, token: str, settings: Settings) -> None:
    # The browser guards a __Host- cookie best, and takes one for the whole site only.
    answer.set_cookie(
        cookie_of(settings), token, path="/", secure=settings.https, httponly=True, samesite="Lax"
    )


def clear_cookie(answer: Response, settings: Settings) -> None:
    answer.delete_cookie(
        cookie_of(settings), path="/", secure=settings.https, httponly=True, samesite="Lax"
    )


@periodic(every=timedelta(hours=1))
def forget_client_sessions(runtime: Runtime) -> None:
    """Delete sessions that have ended by age."""
    oldest = timedelta(hours=runtime.settings.session_hours)
    with runtime.database.writing() as session:
        session.execute(
            sa.delete(ClientSession).where(ClientSession.created_at < runtime.now() - oldest)
        )
