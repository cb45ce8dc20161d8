"""Documents for programs: `/api/clients/<id>/documents` and `/api/documents`."""

from datetime import datetime
from typing import Any, BinaryIO, cast

from flask import request
from pydantic import BaseModel, Field
from werkzeug.wrappers import Response

from casewell.clients.queries import find_client
from casewell.documents import files
from casewell.documents.errors import NoFile
from casewell.documents.forms import ChangedDocument, DocumentQuery, FiledForm
from casewell.documents.models import ClientDocument
from casewell.documents.pages import service
from casewell.documents.queries import documents_of, find_document, versions_of
from casewell.kernel import web
from casewell.kernel.api import Api
from casewell.kernel.forms import parse

of_clients = Api("client_documents", "/clients", tag="Documents")
api = Api("documents", "/documents", tag="Documents")


class FileOut(BaseModel):
    """A document by its newest version, or a file of a message that nobody has filed."""

    document_id: int | None
    attachment_id: int | None = Field(description="Of what is not filed.")
    version_id: int | None
    number: int
    title: str
    kind: str
    name: str
    type: str
    size: int
    by: str
    channel: str | None = Field(description="Over which it came; null: from the desk.")
    at: datetime


class FilePage(BaseModel):
    items: list[FileOut]
    next: str | None


class VersionOut(BaseModel):
    id: int
    number: int
    name: str
    type: str
    size: int
    sha256: str
    by: str
    created_at: datetime


class DocumentOut(BaseModel):
    """A document with all its versions, newest first."""

    id: int
    client_id: int
    title: str
    kind: str
    created_at: datetime
    updated_at: datetime
    withdrawn_at: datetime | None
    versions: list[VersionOut]


@of_clients.get(
    "/<int:client_id>/documents",
    answers=FilePage,
    query=DocumentQuery,
    summary="List a client's documents and the files of their messages",
)
def list_all(client_id: int, query: DocumentQuery) -> dict[str, Any]:
    """Newest first. `q` looks for words in titles and names of files."""
    find_client(web.db(), web.identity(), client_id)
    page = documents_of(web.db(), client_id, query)
    names = FileOut.model_fields
    return {
        "items": [{name: getattr(row, name) for name in names} for row in page.items],
        "next": page.next,
    }


@of_clients.post(
    "/<int:client_id>/documents",
    answers=DocumentOut,
    status=201,
    errors=(413,),
    summary="File a document",
)
def upload(client_id: int) -> dict[str, Any]:
    """As multipart/form-data: `file`, and where you like `title` and `kind`."""
    find_client(web.db(), web.identity(), client_id)
    content, name = _given()
    wanted = parse(FiledForm, request.form)
    return _out(service().upload(client_id, content, name, wanted))


@of_clients.post(
    "/<int:client_id>/documents/from-message/<int:attachment_id>",
    answers=DocumentOut,
    body=FiledForm,
    status=201,
    errors=(409,),
    summary="File what a message brought",
)
def file(client_id: int, attachment_id: int, body: FiledForm) -> dict[str, Any]:
    return _out(service().file(client_id, attachment_id, body))


@api.get("/<int:document_id>", answers=DocumentOut, summary="Read a document")
def show(document_id: int) -> dict[str, Any]:
    return _out(find_document(web.db(), web.identity(), document_id))


@api.patch(
    "/<int:document_id>", answers=DocumentOut, body=ChangedDocument, summary="Change a document"
)
def change(document_id: int, body: ChangedDocument) -> dict[str, Any]:
    return _out(service().change(document_id, body))


@api.post(
    "/<int:document_id>/versions",
    answers=DocumentOut,
    status=201,
    errors=(413,),
    summary="Add a version of a document",
)
def add_version(document_id: int) -> dict[str, Any]:
    """As multipart/form-data: `file`. The older versions stay."""
    document = find_document(web.db(), web.identity(), document_id)
    content, name = _given()
    service().add_version(document_id, content, name)
    return _out(document)


@api.post("/<int:document_id>/withdraw", answers=DocumentOut, summary="Withdraw a document")
def withdraw(document_id: int) -> dict[str, Any]:
    """It is out of sight; nothing is lost."""
    return _out(service().withdraw(document_id))


@api.post("/<int:document_id>/restore", answers=DocumentOut, summary="Bring a document back")
def restore(document_id: int) -> dict[str, Any]:
    return _out(service().restore(document_id))


@api.get("/versions/<int:version_id>/file", summary="Fetch a file of a document")
def version_file(version_id: int) -> Response:
    version, content = service().open(version_id)
    return files.to_save(content, version.shown_name, version.size)


def _given() -> tuple[BinaryIO, str]:
    given = request.files.get("file")
    if given is None or not given.filename:
        raise NoFile
    return cast(BinaryIO, given.stream), given.filename


def _out(document: ClientDocument) -> dict[str, Any]:
    web.db().flush()
    same = ("id", "client_id", "title", "created_at", "updated_at", "withdrawn_at")
    return {
        **{name: getattr(document, name) for name in same},
        "kind": document.kind.value,
        "versions": [
            {
                "id": version.id,
                "number": version.number,
                "name": version.shown_name,
                "type": version.content_type,
                "size": version.size,
                "sha256": version.sha256,
                "by": by,
                "created_at": version.created_at,
            }
            for version, by in versions_of(web.db(), document.id)
        ],
    }
