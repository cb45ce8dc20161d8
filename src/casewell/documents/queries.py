"""Reading documents: each statement holds the viewer's own filter."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from casewell.clients.models import Client
from casewell.clients.queries import clients_visible_to
from casewell.documents.forms import DocumentQuery
from casewell.documents.models import ClientDocument, DocumentVersion
from casewell.kernel.access import Identity
from casewell.kernel.db import LARGEST_ID, Base
from casewell.kernel.errors import NotFound
from casewell.kernel.paging import Page, keyset_page
from casewell.messages.models import Attachment, MessageStatus, UnifiedMessage
from casewell.staff.models import Staff

_versions = Base.metadata.tables[DocumentVersion.__tablename__]


def documents_of(session: Session, client_id: int, wanted: DocumentQuery) -> Page[Any]:
    """Return the files of a client, newest first: documents by their newest version, and files of
    messages that nobody has filed. Whose they are has been asked before. Raises BadCursor.

    Rows have: key, at, document_id, attachment_id, version_id, number, title, kind, name, type,
    size, by, channel.
    """
    parts = []
    if wanted.kind != "unfiled":
        parts.append(_filed(client_id, wanted))
    if wanted.kind in (None, "unfiled"):
        parts.append(_unfiled(client_id, wanted))
    every = sa.union_all(*parts).subquery()
    return keyset_page(
        session,
        sa.select(every),
        by=(every.c.at, every.c.key),
        after=wanted.cursor,
        size=wanted.limit,
    )


def _filed(client_id: int, wanted: DocumentQuery) -> sa.Select[Any]:
    newest = (
        sa.select(sa.func.max(_versions.c.number))
        .where(_versions.c.document_id == ClientDocument.id)
        .correlate(ClientDocument)
        .scalar_subquery()
    )
    query = (
        sa.select(
            (ClientDocument.id * 2).label("key"),
            ClientDocument.updated_at.label("at"),
            ClientDocument.id.label("document_id"),
            sa.null().cast(ClientDocument.id.type).label("attachment_id"),
            DocumentVersion.id.label("version_id"),
            DocumentVersion.number.label("number"),
            ClientDocument.title.label("title"),
            ClientDocument.kind.cast(sa.String).label("kind"),
            DocumentVersion.shown_name.label("name"),
            DocumentVersion.content_type.label("type"),
            DocumentVersion.size.label("size"),
            Staff.name.label("by"),
            UnifiedMessage.channel.cast(sa.String).label("channel"),
        )
        .join(
            DocumentVersion,
            sa.and_(
                DocumentVersion.document_id == ClientDocument.id, DocumentVersion.number == newest
            ),
        )
        .join(Staff, Staff.id == DocumentVersion.staff_id)
        .outerjoin(Attachment, Attachment.id == DocumentVersion.attachment_id)
        .outerjoin(UnifiedMessage, UnifiedMessage.id == Attachment.message_id)
        .where(ClientDocument.client_id == client_id)
    )
    is_out = ClientDocument.withdrawn_at.is_not(None)
    query = query.where(is_out if wanted.kind == "withdrawn" else sa.not_(is_out))
    if wanted.kind not in (None, "withdrawn"):
        query = query.where(ClientDocument.kind == wanted.kind)
    return _named(query, wanted.q, ClientDocument.title, DocumentVersion.shown_name)


def _unfiled(client_id: int, wanted: DocumentQuery) -> sa.Select[Any]:
    """Files of messages, but for pictures that stand inside a mail's text."""
    query = (
        sa.select(
            (Attachment.id * 2 + 1).label("key"),
            UnifiedMessage.occurred_at.label("at"),
            sa.null().cast(ClientDocument.id.type).label("document_id"),
            Attachment.id.label("attachment_id"),
            sa.null().cast(ClientDocument.id.type).label("version_id"),
            sa.literal(1).label("number"),
            Attachment.shown_name.label("title"),
            sa.literal("unfiled").label("kind"),
            Attachment.shown_name.label("name"),
            Attachment.content_type.label("type"),
            Attachment.size.label("size"),
            sa.func.coalesce(Staff.name, "The client").label("by"),
            UnifiedMessage.channel.cast(sa.String).label("channel"),
        )
        .join(UnifiedMessage, UnifiedMessage.id == Attachment.message_id)
        .outerjoin(Staff, Staff.id == UnifiedMessage.staff_id)
        .outerjoin(DocumentVersion, DocumentVersion.attachment_id == Attachment.id)
        .where(
            UnifiedMessage.client_id == client_id,
            UnifiedMessage.status != MessageStatus.UNDONE,
            Attachment.file_key.is_not(None),
            Attachment.is_inline.is_(False),
            DocumentVersion.id.is_(None),
        )
    )
    return _named(query, wanted.q, Attachment.shown_name)


def _named(query: sa.Select[Any], words: str, *names: Any) -> sa.Select[Any]:
    """Keep those in whose names every word stands."""
    for word in words.split():
        query = query.where(sa.or_(*(name.icontains(word, autoescape=True) for name in names)))
    return query


def find_document(session: Session, viewer: Identity, document_id: int) -> ClientDocument:
    """Return a document of a client the viewer may see. Raises NotFound."""
    found = session.scalar(
        sa.select(ClientDocument)
        .join(Client, Client.id == ClientDocument.client_id)
        .where(ClientDocument.id == min(document_id, LARGEST_ID), clients_visible_to(viewer))
    )
    if found is None:
        raise NotFound
    return found


def find_version(session: Session, viewer: Identity, version_id: int) -> DocumentVersion:
    """Return one file of a document likewise. Raises NotFound."""
    found = session.scalar(
        sa.select(DocumentVersion)
        .join(ClientDocument, ClientDocument.id == DocumentVersion.document_id)
        .join(Client, Client.id == ClientDocument.client_id)
        .where(DocumentVersion.id == min(version_id, LARGEST_ID), clients_visible_to(viewer))
        .options(joinedload(DocumentVersion.attachment))
    )
    if found is None:
        raise NotFound
    return found


def find_file(session: Session, viewer: Identity, client_id: int, attachment_id: int) -> Attachment:
    """Return a file of a message of a client the viewer may see. Raises NotFound."""
    found = session.scalar(
        sa.select(Attachment)
        .join(UnifiedMessage, UnifiedMessage.id == Attachment.message_id)
        .join(Client, Client.id == UnifiedMessage.client_id)
        .where(
            Attachment.id == min(attachment_id, LARGEST_ID),
            UnifiedMessage.client_id == client_id,
            UnifiedMessage.status != MessageStatus.UNDONE,
            Attachment.file_key.is_not(None),
            clients_visible_to(viewer),
        )
    )
    if found is None:
        raise NotFound
    return found


def versions_of(session: Session, document_id: int) -> Sequence[sa.Row[DocumentVersion, str]]:
    """Return (version, who filed it), newest first."""
    query = (
        sa.select(DocumentVersion, Staff.name.label("by"))
        .join(Staff, Staff.id == DocumentVersion.staff_id)
        .where(DocumentVersion.document_id == document_id)
        .order_by(DocumentVersion.number.desc())
    )
    return session.execute(query).all()
