"""The tab Documents of a client's page, and the page of one document."""

from collections.abc import Mapping
from typing import Any, BinaryIO, cast

from flask import Blueprint, request, url_for
from werkzeug.wrappers import Response

from casewell.clients import words
from casewell.clients.queries import find_client
from casewell.documents import files
from casewell.documents.errors import AlreadyFiled, NoFile, TooManyFiles
from casewell.documents.forms import (
    MOST_FILES,
    ChangedDocument,
    DocumentForm,
    DocumentQuery,
    FiledForm,
)
from casewell.documents.queries import documents_of, find_document, find_file, versions_of
from casewell.documents.service import DocumentService
from casewell.documents.words import KIND_WORDS
from casewell.kernel import web
from casewell.kernel.access import EDITORS
from casewell.kernel.errors import CasewellError, InvalidInput
from casewell.kernel.forms import parse
from casewell.messages.file_kinds import safe_to_preview
from casewell.messages.files import open_attachment
from casewell.staff.current import current_actor

blueprint = Blueprint("documents", __name__, template_folder="templates")
blueprint.context_processor(words.for_templates)


def service() -> DocumentService:
    return DocumentService(web.db(), web.identity(), web.runtime(), current_actor())


@blueprint.get("/clients/<int:client_id>/documents")
def index(client_id: int) -> Response:
    return _index(client_id)


def _index(client_id: int, *, error: CasewellError | None = None, status: int = 200) -> Response:
    client = find_client(web.db(), web.identity(), client_id)
    try:
        wanted = parse(DocumentQuery, request.args)
    except InvalidInput:
        wanted = DocumentQuery()
    page = documents_of(web.db(), client_id, wanted)
    return web.render(
        "documents/index.html",
        "documents/_rows.html" if wanted.cursor else "documents/_list.html",
        client=client,
        wanted=wanted,
        listed=page,
        more=_address(client_id, wanted, cursor=page.next) if page.next else None,
        kinds=_kinds(),
        kind_words=KIND_WORDS,
        may_edit=web.identity().role in EDITORS,
        is_shown=safe_to_preview,
        error=error.message if error else "",
        status=status,
    )


def _address(client_id: int, wanted: DocumentQuery, **changes: Any) -> str:
    given = {**wanted.model_dump(mode="json", exclude_defaults=True), **changes}
    return url_for("documents.index", client_id=client_id, **given)


def _kinds() -> list[tuple[str, str]]:
    return [(kind.value, label) for kind, label in KIND_WORDS.items()]


@blueprint.post("/clients/<int:client_id>/documents")
def upload(client_id: int) -> Response:
    """File one or several, each as a document of its own."""
    find_client(web.db(), web.identity(), client_id)
    uploads = [one for one in request.files.getlist("files") if one.filename]
    try:
        if not uploads:
            raise NoFile
        if len(uploads) > MOST_FILES:
            raise TooManyFiles(MOST_FILES)
        wanted = parse(FiledForm, {"kind": request.form.get("kind") or "other"})
        for one in uploads:
            service().upload(client_id, cast(BinaryIO, one.stream), one.filename or "", wanted)
    except CasewellError as error:
        web.db().rollback()
        return _index(client_id, error=error, status=error.status)
    number = len(uploads)
    web.toast("Document filed" if number == 1 else f"{number} documents filed")
    return web.go("documents.index", client_id=client_id)


@blueprint.post("/clients/<int:client_id>/documents/from-message/<int:attachment_id>")
def file(client_id: int, attachment_id: int) -> Response:
    """File what a message brought."""
    find_file(web.db(), web.identity(), client_id, attachment_id)
    try:
        wanted = parse(FiledForm, {"kind": request.form.get("kind") or "other"})
        document = service().file(client_id, attachment_id, wanted)
    except AlreadyFiled as error:
        web.db().rollback()
        return _index(client_id, error=error, status=error.status)
    web.toast(
        f"{document.title} filed", undo=url_for("documents.withdraw", document_id=document.id)
    )
    return web.go("documents.show", document_id=document.id)


@blueprint.get("/documents/<int:document_id>")
def show(document_id: int) -> Response:
    return _show(document_id)


def _show(
    document_id: int,
    values: Mapping[str, Any] | None = None,
    *,
    error: CasewellError | None = None,
    status: int = 200,
) -> Response:
    document = find_document(web.db(), web.identity(), document_id)
    versions = versions_of(web.db(), document.id)
    asked = web.row_number("version")
    shown = next((row for row in versions if row[0].number == asked), versions[0])
    return web.render(
        "documents/show.html",
        client=find_client(web.db(), web.identity(), document.client_id),
        document=document,
        versions=versions,
        shown=shown[0],
        is_shown=safe_to_preview,
        values=values or {"title": document.title, "kind": document.kind.value},
        errors=(error.fields or {"files": error.message}) if error else {},
        kinds=_kinds(),
        kind_words=KIND_WORDS,
        may_edit=web.identity().role in EDITORS,
        status=status,
    )


@blueprint.post("/documents/<int:document_id>")
def save(document_id: int) -> Response:
    find_document(web.db(), web.identity(), document_id)
    try:
        whole = parse(DocumentForm, request.form)
        service().change(document_id, ChangedDocument(**whole.model_dump()))
    except InvalidInput as error:
        web.db().rollback()
        return _show(document_id, request.form, error=error, status=error.status)
    web.toast("Document saved")
    return web.go("documents.show", document_id=document_id)


@blueprint.post("/documents/<int:document_id>/versions")
def add_version(document_id: int) -> Response:
    find_document(web.db(), web.identity(), document_id)
    given = request.files.get("files")
    try:
        if given is None or not given.filename:
            raise NoFile
        version = service().add_version(document_id, cast(BinaryIO, given.stream), given.filename)
    except CasewellError as error:
        web.db().rollback()
        return _show(document_id, error=error, status=error.status)
    web.toast(f"Version {version.number} added")
    return web.go("documents.show", document_id=document_id)


@blueprint.post("/documents/<int:document_id>/withdraw")
def withdraw(document_id: int) -> Response:
    document = service().withdraw(document_id)
    undo = url_for("documents.restore", document_id=document_id)
    web.toast(f"{document.title} withdrawn", undo=undo)
    return web.go("documents.index", client_id=document.client_id)


@blueprint.post("/documents/<int:document_id>/restore")
def restore(document_id: int) -> Response:
    document = service().restore(document_id)
    web.toast(f"{document.title} is back")
    return web.go("documents.show", document_id=document_id)


@blueprint.get("/documents/versions/<int:version_id>/file")
def version_file(version_id: int) -> Response:
    version, content = service().open(version_id)
    return files.to_save(content, version.shown_name, version.size)


@blueprint.get("/documents/versions/<int:version_id>/view")
def version_view(version_id: int) -> Response:
    version, content = service().open(version_id)
    return files.to_show(content, version.content_type, version.size)


@blueprint.get("/clients/<int:client_id>/documents/from-message/<int:attachment_id>")
def message_file(client_id: int, attachment_id: int) -> Response:
    """A file that nobody has filed yet, to be saved."""
    found = find_file(web.db(), web.identity(), client_id, attachment_id)
    return files.to_save(open_attachment(web.runtime(), found), found.shown_name, found.size)
