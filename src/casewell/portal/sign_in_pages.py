"""How clients get in and out: by password, or by a link that a POST alone uses up."""

from typing import Any

import sqlalchemy as sa
from flask import Blueprint, g, redirect, request, url_for
from flask import session as form_session
from werkzeug.wrappers import Response

from casewell.kernel import web
from casewell.kernel.errors import CasewellError, InvalidInput
from casewell.kernel.forms import parse
from casewell.kernel.times import day_name, full_time
from casewell.ledger.service import Actor, audit
from casewell.portal import forms, links, sessions, sign_in
from casewell.portal.errors import ClientLinkNotValid
from casewell.portal.identify import client_zone, current_account, responsible_name
from casewell.portal.messages import PortalMessages
from casewell.portal.models import ClientAccount
from casewell.portal.publishing import Shown, shown_to
from casewell.portal.service import PortalAccounts
from casewell.staff.models import Firm

blueprint = Blueprint("portal_sign_in", __name__, url_prefix="/portal", template_folder="templates")


@blueprint.app_context_processor
def portal_context() -> dict[str, Any]:
    """Return what the portal's layout shows. Pages of staff get nothing from here."""
    if not web.is_for_clients():
        return {}
    return {"firm_name": web.db().scalar(sa.select(Firm.name)) or "Your law firm"}


@blueprint.get("/")
def home() -> Response:
    account = current_account()
    newest = PortalMessages(web.db(), web.runtime(), account).page()
    return web.render(
        "portal/home.html",
        account=account,
        person=responsible_name(),
        unseen=newest.unseen if newest else 0,
        file=[_told(one) for one in shown_to(web.db(), account.client_id)],
    )


def _told(one: Shown) -> dict[str, str]:
    zone = client_zone()
    today = web.now().astimezone(zone).date()
    return {
        "words": one.words,
        "day": day_name(one.at.astimezone(zone).date(), today),
        "iso": one.at.isoformat(),
        "full": full_time(one.at, zone),
    }


@blueprint.get("/sign-in")
def form() -> Response:
    if g.get("client") is not None:
        return redirect(url_for("portal_messages.index"))
    return _form()


@blueprint.post("/sign-in")
def enter() -> Response:
    try:
        given = parse(forms.SignIn, request.form)
        proven = sign_in.check_password(web.runtime(), given.email, given.password, _source())
        account = proven.settle(web.db())
    except CasewellError as error:
        if error.status != 422:
            raise
        return _form(error)
    return _let_in(account, "password")


@blueprint.post("/sign-in/link")
def ask_for_link() -> Response:
    """Answer the same for every address; the mail goes only to one that is known."""
    try:
        given = parse(forms.LinkRequest, request.form)
    except InvalidInput as error:
        return _form(error)
    sign_in.count_mail(web.runtime(), given.email, _source())
    _accounts().ask_for_link(given.email)
    return web.render("portal/link_sent.html", email=given.email)


@blueprint.get("/enter/<token>")
def link(token: str) -> Response:
    """Show a button: programs that look at mails open links too, and must use nothing up."""
    account = _look_at(token)
    return web.render("portal/link.html", name=account.client.first_name, token=token)


@blueprint.post("/enter/<token>")
def enter_by_link(token: str) -> Response:
    _look_at(token)
    return _let_in(_accounts().enter_by_link(token), "link")


@blueprint.post("/sign-out")
def sign_out() -> Response:
    sessions.end(web.db(), web.client().session_id)
    _note("portal.signed_out", current_account())
    answer = redirect(url_for(".form"), 303)
    sessions.clear_cookie(answer, web.runtime().settings)
    form_session.clear()
    # Not the cookies: staff may be signed in here as well.
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


@blueprint.get("/password")
def password() -> Response:
    return _password_form()


@blueprint.post("/password")
def change_password() -> Response:
    account_id = web.client().account_id
    try:
        given = parse(forms.PasswordChange, request.form)
        sign_in.check_own_password(web.runtime(), account_id, given.current_password, _source())
        account = _accounts().change_password(account_id, given.password)
    except CasewellError as error:
        if error.status != 422:
            raise
        return _password_form(error)
    answer = web.render("portal/password_changed.html")
    return _with_session(answer, account)


def _let_in(account: ClientAccount, how: str) -> Response:
    """Give this browser a session of its own; the one it had before is dead."""
    now = web.now()
    answer = _with_session(redirect(url_for("portal_messages.index"), 303), account)
    form_session.clear()
    account.last_sign_in_at = account.last_seen_at = now
    account.notified_at = None
    _note("portal.signed_in", account, how=how)
    return answer


def _with_session(answer: Response, account: ClientAccount) -> Response:
    if (present := g.get("client")) is not None:
        sessions.end(web.db(), present.session_id)
    token = sessions.begin(web.db(), account.id, web.now())
    sessions.set_cookie(answer, token, web.runtime().settings)
    return answer


def _look_at(token: str) -> ClientAccount:
    """Return whose link that works this is. A guess counts against where it comes from."""
    with web.runtime().database.reading() as session:
        try:
            return links.look_at(session, token, web.now())[1]
        except ClientLinkNotValid:
            pass
    sign_in.count_guess(web.runtime(), _source())
    raise ClientLinkNotValid


def _accounts() -> PortalAccounts:
    return PortalAccounts(web.db(), web.runtime(), None)


def _note(kind: str, account: ClientAccount, **data: object) -> None:
    actor = Actor.of_client(account.client)
    audit(web.db(), kind, now=web.now(), actor=actor, address=_source(), data=data)


def _source() -> str:
    """Return where this request comes from, as the trusted proxies tell it."""
    return request.remote_addr or ""


def _form(error: CasewellError | None = None) -> Response:
    return web.render(
        "portal/sign_in.html",
        status=error.status if error else 200,
        error=error.message if error else "",
        errors=error.fields if error else {},
        email=request.form.get("email", ""),
    )


def _password_form(error: CasewellError | None = None) -> Response:
    return web.render(
        "portal/password.html",
        status=error.status if error else 200,
        errors=error.fields if error else {},
        account=current_account(),
    )
