"""Two files of one person become one, and can be taken apart again."""

from flask import Blueprint, request, url_for
from werkzeug.wrappers import Response

from casewell.clients import words
from casewell.clients.duplicates import duplicates_of
from casewell.clients.forms import MergeChoice
from casewell.clients.merging import fields_taken_over
from casewell.clients.pages import service
from casewell.clients.queries import WHOLE, clients_named, find_client
from casewell.kernel import web
from casewell.kernel.forms import parse

blueprint = Blueprint("client_merges", __name__, template_folder="templates")
blueprint.context_processor(words.for_templates)


@blueprint.get("/clients/<int:client_id>/merge")
def choose(client_id: int) -> Response:
    return _merge_page(client_id, web.row_number("with") or 0, "")


@blueprint.post("/clients/<int:client_id>/merge/find")
def find(client_id: int) -> Response:
    """Search for the other client; by POST, so that what is looked for is in no address."""
    return _merge_page(client_id, 0, web.looked_for())


def _merge_page(client_id: int, other_id: int, query: str) -> Response:
    session, viewer = web.db(), web.identity()
    kept = find_client(session, viewer, client_id, *WHOLE)
    other = find_client(session, viewer, other_id, *WHOLE) if other_id else None
    found = clients_named(session, viewer, query) if query.strip() else []
    in_dialog = request.headers.get("HX-Target") == "merge"
    return web.render(
        "clients/merge.html",
        "clients/_merge.html" if in_dialog else "clients/_merge_dialog.html",
        kept=kept,
        other=other,
        taken_over=fields_taken_over(kept, other) if other else [],
        query=query,
        found=[one for one in found if one.id != kept.id],
        likenesses=duplicates_of(session, viewer, kept) if other is None else [],
    )


@blueprint.post("/clients/<int:client_id>/merge")
def merge(client_id: int) -> Response:
    choice = parse(MergeChoice, request.form)
    name = find_client(web.db(), web.identity(), choice.merged_id).name
    done = service().merge(client_id, choice.merged_id)
    undo = url_for("client_merges.undo", merge_id=done.id)
    web.toast(f"{name} merged into this client", undo=undo)
    return web.go("clients.show", client_id=client_id)


@blueprint.post("/clients/merges/<int:merge_id>/undo")
def undo(merge_id: int) -> Response:
    done = service().undo_merge(merge_id)
    web.toast("Merge undone")
    return web.go("clients.show", client_id=done.kept_id)
