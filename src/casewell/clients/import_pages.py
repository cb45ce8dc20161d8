"""Taking clients in from a CSV file: upload, map the columns, look, then watch it run."""

from collections.abc import Iterator
from typing import BinaryIO, TypeVar, cast

from flask import Blueprint, Response, request
from werkzeug.wrappers import Response as AnyResponse

from casewell.clients import imports, jobs, words
from casewell.clients.csv_files import UnreadableFile
from casewell.clients.import_fields import FIELD_LABELS, Field, mapping_problem
from casewell.clients.import_rows import Existing
from casewell.clients.models import ClientImport, ImportState
from casewell.kernel import web
from casewell.kernel.errors import CasewellError, InvalidInput

blueprint = Blueprint("client_imports", __name__, template_folder="templates")
blueprint.context_processor(words.for_templates)
Choice = TypeVar("Choice", Field, Existing)
EXISTING_WORDS = (
    (Existing.UPDATE, "Update them with what differs"),
    (Existing.KEEP, "Leave them as they are"),
)


@blueprint.get("/clients/import")
def index() -> AnyResponse:
    return _upload_page()


@blueprint.post("/clients/import")
def upload() -> AnyResponse:
    file = request.files.get("file")
    if file is None or not file.filename:
        return _upload_page("Choose a CSV file.", status=422)
    staff_id, content = web.identity().staff_id, cast(BinaryIO, file.stream)
    try:
        made = imports.upload(web.db(), web.runtime(), content, file.filename, staff_id)
    except CasewellError as error:
        return _upload_page(error.message, status=error.status)
    return web.go("client_imports.show", import_id=made.id)


def _upload_page(error: str = "", *, status: int = 200) -> AnyResponse:
    past = imports.recent_imports(web.db())
    return web.render("clients/import_upload.html", error=error, past=past, status=status)


@blueprint.get("/clients/import/<int:import_id>")
def show(import_id: int) -> AnyResponse:
    row = imports.find_import(web.db(), import_id)
    if row.state is ImportState.UPLOADED:
        return _mapping_page(row)
    refused = imports.refused_rows(web.db(), row.id) if row.refused else []
    return web.render("clients/import_run.html", run=row, refused=refused)


@blueprint.post("/clients/import/<int:import_id>/mapping")
def set_mapping(import_id: int) -> AnyResponse:
    """Take the choices over and show what the first rows then look like."""
    row = imports.find_import(web.db(), import_id, hold=True)
    _take_over_choices(row)
    return _mapping_page(row)


@blueprint.post("/clients/import/<int:import_id>/start")
def start(import_id: int) -> AnyResponse:
    row = imports.find_import(web.db(), import_id, hold=True)
    _take_over_choices(row)
    try:
        jobs.start(web.db(), web.runtime(), row)
    except InvalidInput:
        return _mapping_page(row, status=422)
    return web.go("client_imports.show", import_id=import_id)


@blueprint.post("/clients/import/<int:import_id>/cancel")
def cancel(import_id: int) -> AnyResponse:
    row = imports.find_import(web.db(), import_id, hold=True)
    imports.cancel(web.db(), web.runtime(), row)
    web.toast("Import cancelled")
    return web.go("client_imports.show", import_id=import_id)


@blueprint.get("/clients/import/<int:import_id>/progress")
def progress(import_id: int) -> AnyResponse:
    """The card that asks for itself again until the import has ended."""
    row = imports.find_import(web.db(), import_id)
    answer = web.render("clients/import_run.html", "clients/_import_progress.html", run=row)
    if row.state is not ImportState.RUNNING:
        answer.headers["HX-Refresh"] = "true"
    return answer


@blueprint.get("/clients/import/<int:import_id>/report.csv")
def report(import_id: int) -> Response:
    row = imports.find_import(web.db(), import_id)
    runtime = web.runtime()

    def lines() -> Iterator[str]:
        # The request's own session is closed before the first line leaves.
        with runtime.database.reading() as session:
            yield from imports.report(session, row.id)

    disposition = f'attachment; filename="import-{row.id}-report.csv"'
    return Response(lines(), mimetype="text/csv", headers={"Content-Disposition": disposition})


def _take_over_choices(row: ClientImport) -> None:
    """Read the form's choices: `column-3` is what the fourth column is, empty for left out."""
    mapping: dict[str, Field] = {}
    for number, column in enumerate(row.columns):
        chosen = request.form.get(f"column-{number}", "")
        if chosen:
            mapping[column] = _one_of(Field, chosen)
    existing = _one_of(Existing, request.form.get("existing", Existing.UPDATE))
    imports.set_mapping(row, mapping, existing)


def _one_of(kind: type[Choice], value: str) -> Choice:
    try:
        return kind(value)
    except ValueError as error:
        raise InvalidInput("Choose one of the fields offered.") from error


def _mapping_page(row: ClientImport, *, status: int = 200) -> AnyResponse:
    try:
        previewed = imports.preview(web.db(), web.runtime(), row)
        repeated = imports.repeated_columns(web.runtime(), row)
        error = mapping_problem(imports.mapping_of(row)) or ""
    except UnreadableFile as unreadable:
        previewed, repeated, error = [], [], unreadable.message
    return web.render(
        "clients/import_mapping.html",
        "clients/_import_mapping.html",
        run=row,
        mapping=imports.mapping_of(row),
        existing=imports.existing_of(row),
        existing_words=EXISTING_WORDS,
        fields=list(FIELD_LABELS.items()),
        previewed=previewed,
        repeated=repeated,
        error=error,
        status=status,
    )
