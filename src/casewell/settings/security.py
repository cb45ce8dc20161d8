"""One's own security: second factor, recovery codes, browsers signed in, API tokens."""

from typing import Any

import sqlalchemy as sa
from flask import Blueprint, request
from werkzeug.wrappers import Response

from casewell.kernel import web
from casewell.kernel.access import Role, Scope
from casewell.kernel.errors import CasewellError
from casewell.kernel.forms import parse
from casewell.kernel.times import full_time, short_time
from casewell.settings.acting import ask_password_again, service, zone
from casewell.settings.devices import named
from casewell.staff import entering, forms, second_factor, sessions, tokens
from casewell.staff.current import current_staff
from casewell.staff.models import Firm
from casewell.staff.second_factor import Enrolment

blueprint = Blueprint("security", __name__, template_folder="templates")


@blueprint.get("/settings/security")
def show() -> Response:
    return _page()


@blueprint.get("/settings/security/second-factor")
def enrolment() -> Response:
    return _enrolment_page(Enrolment(current_staff()))


@blueprint.post("/settings/security/second-factor")
def set_up() -> Response:
    try:
        given = parse(forms.OwnEnrolment, request.form)
        ask_password_again(given.current_password)
        begun = Enrolment(current_staff(), given.sealed)
        codes = service().set_up_second_factor(current_staff(), begun, given.code)
    except CasewellError as error:
        sealed = request.form.get("sealed", "")
        return _enrolment_page(Enrolment.shown_again(current_staff(), sealed), error)
    answer = web.render("settings/recovery_codes.html", codes=codes)
    return entering.renew(answer, current_staff())


@blueprint.post("/settings/security/second-factor/off")
def turn_off() -> Response:
    try:
        given = parse(forms.Reauthentication, request.form)
        ask_password_again(given.current_password)
    except CasewellError as error:
        return _page(error, "off")
    service().turn_second_factor_off(current_staff())
    web.toast("Second factor turned off. Other browsers and API tokens are signed out.")
    return entering.renew(web.go("security.show"), current_staff())


@blueprint.post("/settings/security/recovery-codes")
def renew_recovery_codes() -> Response:
    try:
        given = parse(forms.Reauthentication, request.form)
        ask_password_again(given.current_password)
    except CasewellError as error:
        return _page(error, "codes")
    codes = service().renew_recovery_codes(current_staff())
    return web.render("settings/recovery_codes.html", codes=codes)


@blueprint.post("/settings/security/sessions/<int:session_id>/end")
def end_session(session_id: int) -> Response:
    service().end_session(current_staff(), session_id)
    web.toast("Browser signed out")
    return web.go("security.show")


@blueprint.post("/settings/security/sessions/end-others")
def end_other_sessions() -> Response:
    service().end_other_sessions(current_staff(), keep=web.identity().session_id)
    web.toast("All other browsers signed out")
    return web.go("security.show")


@blueprint.post("/settings/security/tokens")
def make_token() -> Response:
    try:
        given = parse(forms.NewToken, request.form)
        ask_password_again(given.current_password)
        _, text = service().make_token(
            current_staff(), name=given.name, scopes=given.scopes, days=given.days
        )
    except CasewellError as error:
        return _page(error, "token")
    return web.render("settings/token.html", name=given.name, text=text)


@blueprint.post("/settings/security/tokens/<int:token_id>/revoke")
def revoke_token(token_id: int) -> Response:
    token = service().revoke_token(current_staff(), token_id)
    web.toast(f"Token {token.name} revoked")
    return web.go("security.show")


def _page(error: CasewellError | None = None, at: str = "") -> Response:
    """Show the page; `at` names its form that has come back."""
    if error is not None and error.status != 422:
        raise error
    session, staff = web.db(), current_staff()
    return web.render(
        "settings/security.html",
        status=error.status if error else 200,
        errors={at: error.fields or {"": error.message}} if error else {},
        values=request.form if at == "token" else {},
        chosen_scopes=request.form.getlist("scopes") if at == "token" else [Scope.READ.value],
        staff=staff,
        required=session.scalar(sa.select(Firm.second_factor_required)),
        codes_left=second_factor.recovery_codes_left(session, staff),
        devices=_devices(),
        tokens=_tokens(),
        may_write=staff.role is not Role.VIEWER,
    )


def _devices() -> list[dict[str, Any]]:
    own = web.identity().session_id
    living = sessions.sessions_of(
        web.db(), web.identity().staff_id, web.runtime().settings, web.now()
    )
    return [
        {
            "id": row.id,
            "name": named(row.user_agent),
            "address": row.address,
            "seen": short_time(row.last_seen_at, web.now(), zone()),
            "since": short_time(row.created_at, web.now(), zone()),
            "since_full": full_time(row.created_at, zone()),
            "is_this": row.id == own,
        }
        for row in living
    ]


def _tokens() -> list[dict[str, Any]]:
    return [
        {
            "id": row.id,
            "name": row.name,
            "scopes": " and ".join(row.scopes),
            "expires": full_time(row.expires_at, zone()) if row.expires_at else "Never",
            "used": short_time(row.last_used_at, web.now(), zone())
            if row.last_used_at
            else "Never",
        }
        for row in tokens.living(web.db(), web.identity().staff_id, web.now())
    ]


def _enrolment_page(begun: Enrolment, error: CasewellError | None = None) -> Response:
    if error is not None and error.status != 422:
        raise error
    firm = web.db().scalar(sa.select(Firm.name)) or "Casewell"
    return web.render(
        "settings/second_factor.html",
        status=error.status if error else 200,
        errors=error.fields if error else {},
        enrolment=begun,
        qr=begun.qr(firm),
        staff=current_staff(),
    )
