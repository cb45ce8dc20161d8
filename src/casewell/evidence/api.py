"""Evidence bundles for programs: `/api/clients/<id>/evidence`."""

from datetime import date, datetime
from typing import Any

from flask import request
from pydantic import BaseModel, Field
from werkzeug.wrappers import Response

from casewell.evidence import jobs
from casewell.evidence.forms import BundleForm
from casewell.evidence.models import BundleState, EvidenceBundle
from casewell.evidence.service import Bundles, name_of
from casewell.kernel import web
from casewell.kernel.api import Api
from casewell.kernel.downloads import as_download, streamed
from casewell.staff.current import current_actor

api = Api("evidence", "/clients", tag="Evidence")


class BundleOut(BaseModel):
    """An evidence bundle: when `state` is `done`, its file can be fetched until `expires_at`."""

    id: int
    state: BundleState
    since: date | None
    until: date | None
    redacted: bool
    with_files: bool
    with_privileged: bool
    done: int
    total: int
    sha256: str | None = Field(description="Of the whole ZIP.")
    size: int | None
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime | None
    error: str | None


class BundleList(BaseModel):
    items: list[BundleOut]


def bundles(client_id: int) -> Bundles:
    return Bundles(web.db(), web.identity(), web.runtime(), current_actor(), client_id)


@api.get(
    "/<int:client_id>/evidence", answers=BundleList, summary="List a client's evidence bundles"
)
def list_all(client_id: int) -> dict[str, Any]:
    return {"items": [_out(one) for one in bundles(client_id).newest()]}


@api.post(
    "/<int:client_id>/evidence",
    answers=BundleOut,
    body=BundleForm,
    status=202,
    errors=(409,),
    summary="Have an evidence bundle made",
)
def ask(client_id: int, body: BundleForm) -> dict[str, Any]:
    """A worker makes it: ask for the bundle to see how far it is."""
    made = bundles(client_id).ask(body)
    jobs.start(web.db(), web.runtime(), made)
    return _out(made)


@api.get(
    "/<int:client_id>/evidence/<int:bundle_id>",
    answers=BundleOut,
    summary="See how far a bundle is",
)
def show(client_id: int, bundle_id: int) -> dict[str, Any]:
    return _out(bundles(client_id).find(bundle_id))


@api.post(
    "/<int:client_id>/evidence/<int:bundle_id>/cancel",
    answers=BundleOut,
    summary="Stop making a bundle",
)
def cancel(client_id: int, bundle_id: int) -> dict[str, Any]:
    return _out(bundles(client_id).cancel(bundle_id))


@api.get(
    "/<int:client_id>/evidence/<int:bundle_id>/file",
    errors=(409, 410),
    summary="Fetch a bundle",
)
def file(client_id: int, bundle_id: int) -> Response:
    """A ZIP. That you fetched it is recorded."""
    return fetched(client_id, bundle_id)


def fetched(client_id: int, bundle_id: int) -> Response:
    """Answer with the file of a bundle, to be saved."""
    of_client = bundles(client_id)
    bundle, content = of_client.open(bundle_id, request.remote_addr or "")
    name = name_of(of_client.client.name, bundle)
    return as_download(streamed(content, bundle.size or 0), name)


def _out(bundle: EvidenceBundle) -> dict[str, Any]:
    same = set(BundleOut.model_fields) - {"redacted", "error"}
    return {
        **{name: getattr(bundle, name) for name in same},
        "redacted": bundle.is_redacted,
        "error": bundle.last_error,
    }
