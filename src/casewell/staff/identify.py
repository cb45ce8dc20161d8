"""Who is asking: from a bearer token, else from the session cookie."""

from contextlib import AbstractContextManager, nullcontext

from flask import request
from sqlalchemy.orm import Session

from casewell.kernel.access import SAFE_METHODS, Identity, Scope
from casewell.kernel.web import db, now, runtime
from casewell.staff import sessions, tokens


def identify() -> Identity | None:
    """Return the identity behind this request; None: nobody that is known.

    A request with a bearer token never falls back to the cookie: what a program sends is judged
    by its token alone.
    """
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return _by_token(text.strip())
    cookie = request.cookies.get(sessions.cookie_of(runtime().settings))
    return _by_cookie(cookie) if cookie else None


def _by_cookie(cookie: str) -> Identity | None:
    with _looking() as session:
        row = sessions.find_alive(session, cookie, runtime().settings, now())
    if row is None:
        return None
    if now() - row.last_seen_at >= sessions.SEEN_EVERY:
        sessions.note_seen(runtime(), row.id)
    return Identity(
        staff_id=row.staff_id,
        role=row.role,
        via="session",
        finished=row.finished,
        session_id=row.id,
    )


def _by_token(text: str) -> Identity | None:
    with _looking() as session:
        row = tokens.find_living(session, text, now())
    if row is None:
        return None
    if row.last_used_at is None or now() - row.last_used_at >= tokens.USED_EVERY:
        tokens.note_used(runtime(), row.id)
    return Identity(
        staff_id=row.staff_id,
        role=row.role,
        via="token",
        scopes=frozenset(Scope(scope) for scope in row.scopes),
    )


def _looking() -> AbstractContextManager[Session]:
    """Give a session to look with: the request's own where it only reads.

    A request that writes must not hold SQLite's one write lock before it is known whose it is.
    """
    if request.method in SAFE_METHODS:
        return nullcontext(db())
    return runtime().database.session(write=False)
