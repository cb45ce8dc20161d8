"""A client's portal account, on the staff's side: invite, send a link, turn off and on."""

from flask import Blueprint, request
from werkzeug.wrappers import Response

from casewell.clients import words
from casewell.clients.models import Client
from casewell.clients.pages import may_edit
from casewell.clients.queries import WHOLE, find_client
from casewell.kernel import web
from casewell.kernel.errors import CasewellError
from casewell.kernel.forms import parse
from casewell.portal.forms import Invitation
from casewell.portal.service import PortalAccounts
from casewell.staff.current import current_actor

blueprint = Blueprint("portal_access", __name__, template_folder="templates")
blueprint.context_processor(words.for_templates)


@blueprint.get("/clients/<int:client_id>/portal")
def show(client_id: int) -> Response:
    return _page(_client(client_id))


@blueprint.post("/clients/<int:client_id>/portal/invite")
def invite(client_id: int) -> Response:
    client = _client(client_id)
    try:
        given = parse(Invitation, request.form)
        account = _accounts().invite(client, given.email)
    except CasewellError as error:
        if error.status != 422:
            raise
        return _page(client, error)
    web.toast(f"Invitation sent to {account.email}")
    return web.go(".show", client_id=client.id)


@blueprint.post("/clients/<int:client_id>/portal/link")
def send_link(client_id: int) -> Response:
    client = _client(client_id)
    account = _accounts().send_link(client)
    web.toast(f"Link sent to {account.email}")
    return web.go(".show", client_id=client.id)


@blueprint.post("/clients/<int:client_id>/portal/disable")
def disable(client_id: int) -> Response:
    client = _client(client_id)
    _accounts().disable(client)
    web.toast("Portal account turned off")
    return web.go(".show", client_id=client.id)


@blueprint.post("/clients/<int:client_id>/portal/enable")
def enable(client_id: int) -> Response:
    client = _client(client_id)
    _accounts().enable(client)
    web.toast("Portal account turned on")
    return web.go(".show", client_id=client.id)


def _client(client_id: int) -> Client:
    return find_client(web.db(), web.identity(), client_id, *WHOLE)


def _accounts() -> PortalAccounts:
    return PortalAccounts(web.db(), web.runtime(), current_actor())


def _page(client: Client, error: CasewellError | None = None) -> Response:
    return web.render(
        "portal/access.html",
        status=error.status if error else 200,
        errors=error.fields if error else {},
        client=client,
        account=_accounts().of(client.id),
        addresses=[(one.address, one.address) for one in client.emails if not one.bounced_at],
        may_edit=may_edit(web.identity()),
    )
