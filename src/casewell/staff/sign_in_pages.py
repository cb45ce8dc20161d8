"""Signing in and out: password, then a code of the second factor or a recovery code."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

import sqlalchemy as sa
from flask import Blueprint, g, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from casewell.kernel import web
from casewell.kernel.errors import CasewellError
from casewell.kernel.forms import parse
from casewell.ledger.service import audit
from casewell.staff import entering, forms, second_factor, throttle
from casewell.staff.current import current_actor, current_staff
from casewell.staff.errors import WrongCode
from casewell.staff.models import Firm, Staff
from casewell.staff.second_factor import Enrolment
from casewell.staff.service import StaffService
from casewell.staff.sign_in import (
    WrongCredentials,
    check_password,
    count_code,
    needs_second_factor,
)

blueprint = Blueprint("sign_in", __name__, template_folder="templates")
HOME = "/"


@blueprint.get("/sign-in")
def form() -> Response:
    if web.db().scalar(sa.select(Firm.id)) is None:
        return redirect(url_for("set_up.form"))
    identity = g.get("identity")
    wanted = _next(request.args.get("next"))
    if identity is not None and identity.via == "session":
        return redirect(wanted if identity.finished else _step_after_password(wanted))
    return _sign_in_page(wanted)


@blueprint.post("/sign-in")
def enter() -> Response:
    wanted = _next(request.form.get("next"))
    try:
        given = parse(forms.SignIn, request.form)
        proven = check_password(web.runtime(), given.email, given.password, entering.address())
        staff = proven.settle(web.db())
    except WrongCredentials as error:
        _audit_failure("password", error.staff_id)
        return _sign_in_page(wanted, error)
    except CasewellError as error:
        if error.status != 422:
            raise
        return _sign_in_page(wanted, error)
    if needs_second_factor(web.db(), staff):
        step = "sign_in.code" if staff.has_second_factor else "sign_in.enrolment"
        answer = redirect(url_for(step, next=wanted), 303)
        return entering.let_in(answer, staff, finished=False)
    return entering.let_in(redirect(wanted, 303), staff, finished=True)


@blueprint.get("/sign-in/code")
def code() -> Response:
    return _code_page("staff/code.html")


@blueprint.post("/sign-in/code")
def enter_code() -> Response:
    return _finish_with_code("staff/code.html", second_factor.accept_code, "code")


@blueprint.get("/sign-in/recovery")
def recovery() -> Response:
    return _code_page("staff/recovery.html")


@blueprint.post("/sign-in/recovery")
def enter_recovery() -> Response:
    return _finish_with_code(
        "staff/recovery.html", second_factor.accept_recovery_code, "recovery code"
    )


@blueprint.get("/sign-in/second-factor")
def enrolment() -> Response:
    """Set the second factor up that the firm asks for, before anything else."""
    wanted = _next(request.args.get("next"))
    if web.identity().finished or current_staff().has_second_factor:
        return redirect(_step_after_password(wanted))
    return _enrolment_page(Enrolment(current_staff()), wanted)


@blueprint.post("/sign-in/second-factor")
def finish_enrolment() -> Response:
    wanted = _next(request.form.get("next"))
    if web.identity().finished:
        return redirect(wanted, 303)
    counted = count_code(web.runtime(), web.identity().staff_id, entering.address())
    staff = current_staff()
    if staff.has_second_factor:
        return redirect(_step_after_password(wanted), 303)
    try:
        given = parse(forms.EnrolmentCode, request.form)
        begun = Enrolment(staff, given.sealed)
        service = StaffService(web.db(), web.runtime(), current_actor(), entering.address())
        codes = service.set_up_second_factor(staff, begun, given.code)
    except CasewellError as error:
        begun = Enrolment.shown_again(staff, request.form.get("sealed", ""))
        return _enrolment_page(begun, wanted, error)
    throttle.forgive(web.db(), counted)
    answer = web.render("staff/recovery_codes.html", codes=codes, next=wanted)
    return entering.let_in(answer, staff, finished=True)


@blueprint.post("/sign-out")
def sign_out() -> Response:
    return entering.let_out(current_staff())


@blueprint.get("/sign-in/reset")
def reset() -> Response:
    return web.render("staff/reset.html", errors={}, values={})


@blueprint.post("/sign-in/reset")
def ask_for_reset() -> Response:
    """Answer the same for every address; the mail goes only to one that is known."""
    try:
        given = parse(forms.ResetRequest, request.form)
    except CasewellError as error:
        return web.render("staff/reset.html", status=422, errors=error.fields, values=request.form)
    source = throttle.source_of(entering.address())
    throttle.count(
        web.runtime(),
        (throttle.RESETS_OF_ACCOUNT, given.email),
        (throttle.RESETS_FROM_SOURCE, source),
    )
    StaffService(web.db(), web.runtime(), None).ask_for_reset(given.email)
    return web.render("staff/reset_sent.html", email=given.email)


def _next(address: str | None) -> str:
    return web.safe_next(address, HOME)


def _step_after_password(wanted: str) -> str:
    if web.identity().finished:
        return wanted
    step = "sign_in.code" if current_staff().has_second_factor else "sign_in.enrolment"
    return url_for(step, next=wanted)


def _sign_in_page(wanted: str, error: CasewellError | None = None) -> Response:
    return web.render(
        "staff/sign_in.html",
        status=error.status if error else 200,
        error=error.message if error else "",
        errors=error.fields if error else {},
        email=request.form.get("email", ""),
        next=wanted,
    )


def _code_page(template: str, error: CasewellError | None = None) -> Response:
    wanted = _next(request.values.get("next"))
    if web.identity().finished or not current_staff().has_second_factor:
        return redirect(_step_after_password(wanted), 303 if request.method == "POST" else 302)
    return web.render(
        template,
        status=error.status if error else 200,
        errors=error.fields if error else {},
        next=wanted,
    )


def _finish_with_code(
    template: str, accept: Callable[[Session, Staff, str, datetime], None], what: str
) -> Response:
    if web.identity().finished:
        return _code_page(template)
    counted = count_code(web.runtime(), web.identity().staff_id, entering.address())
    staff = current_staff()
    try:
        given = parse(forms.SecondFactorCode, request.form)
        accept(web.db(), staff, given.code, web.now())
    except CasewellError as error:
        if isinstance(error, WrongCode):
            _audit_failure(what, staff.id)
        return _code_page(template, error)
    throttle.forgive(web.db(), counted)
    answer = entering.let_in(redirect(_next(given.next), 303), staff, finished=True)
    if accept is second_factor.accept_recovery_code:
        entering.note("staff.recovery_code_used", staff)
        left = second_factor.recovery_codes_left(web.db(), staff)
        web.toast(f"{left} recovery codes left. Make new ones under Settings, Security.")
    return answer


def _audit_failure(what: str, staff_id: int | None) -> None:
    """Record a failed sign-in. The address typed is left out: it may be a password."""
    web.on_refusal(
        partial(
            audit,
            kind="staff.sign_in_failed",
            now=web.now(),
            address=entering.address(),
            data={"what": what, "staff_id": staff_id},
        )
    )


def _enrolment_page(begun: Enrolment, wanted: str, error: CasewellError | None = None) -> Response:
    firm = web.db().scalar(sa.select(Firm.name)) or "Casewell"
    return web.render(
        "staff/enrolment.html",
        status=error.status if error else 200,
        errors=error.fields if error else {},
        enrolment=begun,
        qr=begun.qr(firm),
        next=wanted,
    )
