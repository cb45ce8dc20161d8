"""Letting a browser in and out: the session row, its cookie, and the record of both."""

from flask import g, redirect, request
from flask import session as form_session
from werkzeug.wrappers import Response

from casewell.kernel import web
from casewell.ledger.service import Actor, audit
from casewell.staff import sessions
from casewell.staff.models import Staff
from casewell.staff.sessions import Device


def device() -> Device:
    return Device(user_agent=request.headers.get("User-Agent", ""), address=address())


def address() -> str:
    """Where this request comes from, as the trusted proxies tell it."""
    return request.remote_addr or ""


def let_in(answer: Response, staff: Staff, *, finished: bool) -> Response:
    """Give this browser a session of its own; the one it had before is dead.

    The form token begins anew too: one that was known before signing in is worth nothing after.
    """
    session, settings = web.db(), web.runtime().settings
    _end_present_session()
    token = sessions.begin(session, staff, device(), finished=finished, now=web.now())
    sessions.set_cookie(answer, token, settings)
    form_session.clear()
    if finished:
        staff.last_sign_in_at = web.now()
        note("staff.signed_in", staff)
    return answer


def renew(answer: Response, staff: Staff) -> Response:
    """Change the id of this browser's session after a change of privilege; nothing else."""
    _end_present_session()
    token = sessions.begin(web.db(), staff, device(), finished=True, now=web.now())
    sessions.set_cookie(answer, token, web.runtime().settings)
    return answer


def let_out(staff: Staff) -> Response:
    """End this browser's session, and have the browser forget what it was shown."""
    _end_present_session()
    note("staff.signed_out", staff)
    answer = redirect("/sign-in", 303)
    sessions.clear_cookie(answer, web.runtime().settings)
    form_session.clear()
    answer.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    return answer


def note(kind: str, staff: Staff, **data: object) -> None:
    """Record something that this person did with their own account."""
    actor = Actor.of_staff(staff)
    audit(web.db(), kind, now=web.now(), actor=actor, address=address(), data=data)


def _end_present_session() -> None:
    identity = g.get("identity")
    if identity is not None and identity.session_id is not None:
        sessions.end(web.db(), identity.session_id, staff_id=identity.staff_id)
