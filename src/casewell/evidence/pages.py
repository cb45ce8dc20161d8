"""The page of a client's evidence bundles."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from casewell.clients import words
from casewell.evidence import jobs
from casewell.evidence.api import bundles, fetched
from casewell.evidence.errors import AlreadyAtWork
from casewell.evidence.forms import BundleForm
from casewell.evidence.models import BundleState
from casewell.kernel import web
from casewell.kernel.access import Role
from casewell.kernel.errors import CasewellError, InvalidInput
from casewell.kernel.forms import parse

blueprint = Blueprint("evidence", __name__, template_folder="templates")
blueprint.context_processor(words.for_templates)
STATE_WORDS = {
    BundleState.RUNNING: "Being made",
    BundleState.DONE: "Ready",
    BundleState.CANCELLED: "Cancelled",
    BundleState.FAILED: "Stopped",
    BundleState.EXPIRED: "Expired",
}
STATE_TONES = {
    BundleState.RUNNING: "info",
    BundleState.DONE: "success",
    BundleState.CANCELLED: "",
    BundleState.FAILED: "danger",
    BundleState.EXPIRED: "",
}
PLAIN: Mapping[str, Any] = {"redact": True}


@blueprint.get("/clients/<int:client_id>/evidence")
def show(client_id: int) -> Response:
    return _page(client_id, PLAIN)


def _page(
    client_id: int,
    values: Mapping[str, Any],
    *,
    error: CasewellError | None = None,
    status: int = 200,
) -> Response:
    of_client = bundles(client_id)
    return web.render(
        "evidence/show.html",
        "evidence/_bundles.html",
        client=of_client.client,
        bundles=of_client.newest(),
        state_words=STATE_WORDS,
        state_tones=STATE_TONES,
        values=values,
        errors=(error.fields or {"since": error.message}) if error else {},
        is_attorney=web.identity().role is Role.ATTORNEY,
        status=status,
    )


@blueprint.post("/clients/<int:client_id>/evidence")
def ask(client_id: int) -> Response:
    of_client = bundles(client_id)
    given = {name: value for name, value in request.form.items() if value and name != "csrf_token"}
    # A box that is not ticked is not sent.
    wanted = {"redact": "redact" in given, **given}
    try:
        made = of_client.ask(parse(BundleForm, wanted))
    except (InvalidInput, AlreadyAtWork) as error:
        web.db().rollback()
        return _page(client_id, wanted, error=error, status=error.status)
    jobs.start(web.db(), web.runtime(), made)
    web.toast("The bundle is being made")
    return web.go("evidence.show", client_id=client_id)


@blueprint.post("/clients/<int:client_id>/evidence/<int:bundle_id>/cancel")
def cancel(client_id: int, bundle_id: int) -> Response:
    bundles(client_id).cancel(bundle_id)
    web.toast("Bundle cancelled")
    return web.go("evidence.show", client_id=client_id)


@blueprint.get("/clients/<int:client_id>/evidence/<int:bundle_id>/file")
def file(client_id: int, bundle_id: int) -> Response:
    return fetched(client_id, bundle_id)
