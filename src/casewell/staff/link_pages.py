"""Pages behind links in mails. Opening one uses nothing up: mail scanners open them too."""

from typing import Any

import sqlalchemy as sa
from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from casewell.kernel import web
from casewell.kernel.errors import CasewellError
from casewell.kernel.forms import parse
from casewell.staff import entering, forms, links, throttle
from casewell.staff.errors import LinkNotValid
from casewell.staff.models import Firm, LinkKind, OneTimeLink, Staff
from casewell.staff.service import StaffService
from casewell.staff.sign_in import needs_second_factor

blueprint = Blueprint("links", __name__, template_folder="templates")
EMAIL_CHANGES = (LinkKind.EMAIL_CHANGE_OLD, LinkKind.EMAIL_CHANGE_NEW)


@blueprint.get("/reset/<token>")
def reset(token: str) -> Response:
    _, staff = _look_at(token, LinkKind.PASSWORD_RESET)
    return _page("staff/new_password.html", email=staff.email)


@blueprint.post("/reset/<token>")
def reset_password(token: str) -> Response:
    _, staff = _look_at(token, LinkKind.PASSWORD_RESET)
    try:
        given = parse(forms.NewPassword, request.form)
        _service().reset_password(token, given.password)
    except CasewellError as error:
        return _page("staff/new_password.html", error, email=staff.email)
    web.toast("Password changed. Sign in with the new one.")
    return redirect(url_for("sign_in.form"), 303)


@blueprint.get("/invitation/<token>")
def invitation(token: str) -> Response:
    _, staff = _look_at(token, LinkKind.INVITATION)
    return _invitation_page(staff)


@blueprint.post("/invitation/<token>")
def accept_invitation(token: str) -> Response:
    _, invited = _look_at(token, LinkKind.INVITATION)
    try:
        given = parse(forms.AcceptInvitation, request.form)
        staff = _service().accept_invitation(
            token, name=given.name, time_zone=given.time_zone, password=given.password
        )
    except CasewellError as error:
        return _invitation_page(invited, error)
    finished = not needs_second_factor(web.db(), staff)
    step = "home.index" if finished else "sign_in.enrolment"
    return entering.let_in(redirect(url_for(step), 303), staff, finished=finished)


@blueprint.get("/email-change/<token>")
def email_change(token: str) -> Response:
    link, staff = _look_at(token, *EMAIL_CHANGES)
    return _page("staff/email_change.html", old=staff.email, new=link.email)


@blueprint.post("/email-change/<token>")
def confirm_email_change(token: str) -> Response:
    link, _ = _look_at(token, *EMAIL_CHANGES)
    new = link.email
    done = _service().confirm_email_change(token)
    return _page("staff/email_change_done.html", done=done, new=new)


def _look_at(token: str, *kinds: LinkKind) -> tuple[OneTimeLink, Staff]:
    """Return a link that works. A guess counts against where it comes from.

    Judged in a session of its own, since counting must not wait for this request's.
    """
    with web.runtime().database.reading() as session:
        try:
            return links.look_at(session, token, *kinds, now=web.now())
        except LinkNotValid:
            pass
    source = throttle.source_of(entering.address())
    throttle.count(web.runtime(), (throttle.LINKS_FROM_SOURCE, source))
    raise LinkNotValid


def _service() -> StaffService:
    return StaffService(web.db(), web.runtime(), None, entering.address())


def _invitation_page(staff: Staff, error: CasewellError | None = None) -> Response:
    firm = web.db().scalars(sa.select(Firm)).one()
    values = request.form if error else {"name": staff.name, "time_zone": staff.time_zone}
    return _page(
        "staff/invitation.html",
        error,
        email=staff.email,
        firm=firm.name,
        zones=[(zone, zone.replace("_", " ")) for zone in forms.time_zones()],
        values=values,
    )


def _page(template: str, error: CasewellError | None = None, **context: Any) -> Response:
    if error is not None and error.status != 422:
        raise error
    return web.render(
        template,
        status=error.status if error else 200,
        errors=error.fields if error else {},
        **context,
    )
