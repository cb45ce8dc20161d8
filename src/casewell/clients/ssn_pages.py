"""A client's SSN: kept sealed, shown as four digits, read only for a reason that is recorded."""

from flask import Blueprint, request
from werkzeug.wrappers import Response

from casewell.clients import changes, words
from casewell.clients.forms import NewSSN, Reveal
from casewell.clients.pages import edit_page, service, values_of
from casewell.clients.queries import WHOLE, find_client
from casewell.kernel import web
from casewell.kernel.errors import InvalidInput
from casewell.kernel.forms import parse

blueprint = Blueprint("client_ssn", __name__, template_folder="templates")
blueprint.context_processor(words.for_templates)


@blueprint.get("/clients/<int:client_id>/ssn")
def ask(client_id: int) -> Response:
    """Ask why it is needed, before it is shown."""
    client = find_client(web.db(), web.identity(), client_id)
    return web.render("clients/ssn.html", "clients/_ssn_dialog.html", client=client, errors={})


@blueprint.post("/clients/<int:client_id>/ssn/reveal")
def reveal(client_id: int) -> Response:
    """Show it in this one answer; that it was read is recorded with the reason."""
    client = find_client(web.db(), web.identity(), client_id)
    try:
        given = parse(Reveal, request.form)
    except InvalidInput as error:
        return web.render(
            "clients/ssn.html",
            "clients/_ssn.html",
            client=client,
            errors=error.fields,
            values=values_of(request.form),
            status=422,
        )
    ssn = service().reveal_ssn(client_id, given.reason, address=request.remote_addr or "")
    shown = f"{ssn[:3]}-{ssn[3:5]}-{ssn[5:]}"
    return web.render("clients/ssn.html", "clients/_ssn.html", client=client, ssn=shown, errors={})


@blueprint.post("/clients/<int:client_id>/ssn")
def save(client_id: int) -> Response:
    client = find_client(web.db(), web.identity(), client_id, *WHOLE)
    try:
        given = parse(NewSSN, request.form)
    except InvalidInput as error:
        return edit_page(client, changes.details_of(client), error=error, status=422)
    service().set_ssn(client_id, given.ssn)
    web.toast("SSN saved" if given.ssn else "SSN removed")
    return web.go("clients.show", client_id=client_id)
