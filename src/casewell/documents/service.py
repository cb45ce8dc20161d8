"""Filing documents, giving them versions, and taking them out of sight."""

from typing import Any, BinaryIO

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from casewell.clients.queries import find_client
from casewell.documents.errors import AlreadyFiled, CannotKeep, NoFile
from casewell.documents.forms import ChangedDocument, FiledForm
from casewell.documents.models import LONGEST_TITLE, ClientDocument, DocumentVersion
from casewell.documents.queries import find_document, find_file, find_version
from casewell.documents.words import KIND_WORDS
from casewell.kernel.access import Identity
from casewell.kernel.db import lock_row
from casewell.kernel.errors import NotFound, TooLarge
from casewell.kernel.runtime import Runtime
from casewell.ledger.service import Actor, Event, record
from casewell.messages.file_kinds import shown_name, sniff
from casewell.messages.files import largest_files, open_attachment
from casewell.messages.models import Attachment
from casewell.providers.errors import ProviderError
from casewell.providers.files import FileStore, FileTooLarge, StoredFile, open_verified

SNIFFED_BYTES = 4096


class DocumentService:
    """What one person does with documents, in one transaction.

    Every verb raises NotFound for what belongs to a client whom the viewer may not see.
    """

    def __init__(self, session: Session, viewer: Identity, runtime: Runtime, actor: Actor) -> None:
        self._session, self._viewer, self._runtime = session, viewer, runtime
        self._actor = actor

    def upload(
        self, client_id: int, content: BinaryIO, name: str, wanted: FiledForm
    ) -> ClientDocument:
        """File something from the desk. Raises NoFile, TooLarge, or CannotKeep."""
        client = find_client(self._session, self._viewer, client_id)
        content_type, stored = self._keep(content)
        called = shown_name(name, content_type)
        document = self._add(client.id, wanted, called)
        self._give(document, called, content_type, stored)
        return document

    def file(self, client_id: int, attachment_id: int, wanted: FiledForm) -> ClientDocument:
        """File what a message brought; its bytes are not copied. Raises AlreadyFiled."""
        attachment = find_file(self._session, self._viewer, client_id, attachment_id)
        document = self._add(client_id, wanted, attachment.shown_name)
        with open_attachment(self._runtime, attachment) as content:
            content_type = sniff(content.read(SNIFFED_BYTES))
        self._give(document, attachment.shown_name, content_type, attachment)
        return document

    def add_version(self, document_id: int, content: BinaryIO, name: str) -> DocumentVersion:
        """Let a document have a newer file; the older ones stay. Raises what `upload` does."""
        document = find_document(self._session, self._viewer, document_id)
        lock_row(self._session, ClientDocument, document.id)
        content_type, stored = self._keep(content)
        document.updated_at = self._runtime.now()
        return self._give(document, shown_name(name, content_type), content_type, stored)

    def change(self, document_id: int, wanted: ChangedDocument) -> ClientDocument:
        """Give a document another title or kind."""
        document = find_document(self._session, self._viewer, document_id)
        given = wanted.model_dump(exclude_none=True)
        before = {name: getattr(document, name) for name in given}
        if before == given:
            return document
        for name, value in given.items():
            setattr(document, name, value)
        changes = {
            name: {"from": _plain(before[name]), "to": _plain(given[name])}
            for name in given
            if before[name] != given[name]
        }
        self._tell(document, "document.changed", changes=changes)
        return document

    def withdraw(self, document_id: int) -> ClientDocument:
        """Take a document out of sight; `restore` brings it back. Files of messages stay there."""
        document = find_document(self._session, self._viewer, document_id)
        if document.withdrawn_at is None:
            document.withdrawn_at = self._runtime.now()
            self._tell(document, "document.withdrawn")
        return document

    def restore(self, document_id: int) -> ClientDocument:
        document = find_document(self._session, self._viewer, document_id)
        if document.withdrawn_at is not None:
            document.withdrawn_at = None
            self._tell(document, "document.restored")
        return document

    def open(self, version_id: int) -> tuple[DocumentVersion, BinaryIO]:
        """Return a file whose bytes are those that were filed. Raises NotFound."""
        version = find_version(self._session, self._viewer, version_id)
        if version.attachment is not None:
            return version, open_attachment(self._runtime, version.attachment)
        store = self._runtime.provider(FileStore)
        try:
            return version, open_verified(store, version.file_key or "", version.sha256)
        except ProviderError as error:
            raise NotFound("This file is damaged or no longer there.") from error

    def _keep(self, content: BinaryIO) -> tuple[str, StoredFile]:
        head = content.read(SNIFFED_BYTES)
        if not head:
            raise NoFile
        content.seek(0)
        limit = largest_files(self._runtime)
        try:
            stored = self._runtime.provider(FileStore).put(content, limit)
        except FileTooLarge as error:
            raise TooLarge(f"A file may have at most {limit // 1_000_000} MB.") from error
        except ProviderError as error:
            raise CannotKeep(error.message) from error
        return sniff(head), stored

    def _add(self, client_id: int, wanted: FiledForm, name: str) -> ClientDocument:
        now = self._runtime.now()
        document = ClientDocument(
            client_id=client_id,
            kind=wanted.kind,
            title=wanted.title or name[:LONGEST_TITLE],
            staff_id=self._viewer.staff_id,
            created_at=now,
            updated_at=now,
        )
        self._session.add(document)
        self._session.flush()
        return document

    def _give(
        self,
        document: ClientDocument,
        name: str,
        content_type: str,
        source: StoredFile | Attachment,
    ) -> DocumentVersion:
        last = self._session.scalar(
            sa.select(sa.func.max(DocumentVersion.number)).where(
                DocumentVersion.document_id == document.id
            )
        )
        brought = isinstance(source, Attachment)
        version = DocumentVersion(
            document_id=document.id,
            number=(last or 0) + 1,
            attachment_id=source.id if isinstance(source, Attachment) else None,
            file_key=None if isinstance(source, Attachment) else source.key,
            sha256=source.sha256,
            size=source.size,
            shown_name=name,
            content_type=content_type,
            staff_id=self._viewer.staff_id,
            created_at=self._runtime.now(),
        )
        self._session.add(version)
        try:
            with self._session.begin_nested():
                self._session.flush()
        except IntegrityError as error:
            raise AlreadyFiled from error
        told = {"file": name, "number": version.number, "sha256": version.sha256}
        kind = "document.filed" if version.number == 1 else "document.version_added"
        self._tell(document, kind, **told, source="message" if brought else "upload")
        return version

    def _tell(self, document: ClientDocument, kind: str, **data: Any) -> None:
        now = self._runtime.now()
        event = Event(
            client_id=document.client_id,
            kind=kind,
            actor=self._actor,
            occurred_at=now,
            data={"title": document.title, "kind": document.kind.value, **data},
            subject_type="document",
            subject_id=document.id,
        )
        record(self._session, event, now=now)


def _plain(value: Any) -> str:
    return KIND_WORDS.get(value, str(value))


def merge(session: Session, event: Event) -> None:
    """Let documents follow their client: the reaction to `client.merged`."""
    kept, merged = int(event.data["kept"]), int(event.data["merged"])
    _move(session, {"client_id": merged}, {"client_id": kept, "merged_from_id": merged})


def unmerge(session: Session, event: Event) -> None:
    """Give back those that had moved: the reaction to `client.merge_undone`."""
    kept, merged = int(event.data["kept"]), int(event.data["merged"])
    came = {"client_id": kept, "merged_from_id": merged}
    _move(session, came, {"client_id": merged, "merged_from_id": None})


def _move(session: Session, which: dict[str, int], to: dict[str, int | None]) -> None:
    session.execute(
        sa.update(ClientDocument)
        .filter_by(**which)
        .values(**to)
        .execution_options(synchronize_session=False)
    )
