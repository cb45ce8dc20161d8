"""Taking the list of clients out of the house, as a file."""

from flask import Blueprint, request, send_file
from werkzeug.wrappers import Response

from casewell.clients.exporting import MEDIA_TYPES, Format, export_clients
from casewell.clients.listing import Wanted
from casewell.kernel import web
from casewell.kernel.forms import parse
from casewell.ledger.service import audit
from casewell.staff.current import current_actor

blueprint = Blueprint("client_exports", __name__)


class WantedFile(Wanted):
    """The filter of the list, and the kind of file."""

    format: Format = Format.CSV


@blueprint.post("/clients/export")
def export() -> Response:
    """Answer with the clients of the current filter; who took how many is audited."""
    asked = parse(WantedFile, request.form)
    # A session of its own: this one would hold SQLite's only write lock all the while.
    with web.runtime().database.reading() as reading:
        file = export_clients(reading, web.identity(), asked, asked.format)
    filters = asked.model_dump(mode="json", exclude_defaults=True, exclude={"q"})
    audit(
        web.db(),
        "clients.exported",
        now=web.now(),
        actor=current_actor(),
        address=request.remote_addr or "",
        data={"rows": file.rows, "searched": bool(asked.q), **filters},
    )
    name = f"clients-{web.now():%Y-%m-%d}.{asked.format}"
    return send_file(file.content, MEDIA_TYPES[file.format], as_attachment=True, download_name=name)
