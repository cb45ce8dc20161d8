"""Documents of clients, each with all its versions."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from casewell.kernel.db import Base, PrimaryKey
from casewell.messages.models import Attachment

LONGEST_TITLE = 200


class DocumentKind(StrEnum):
    IDENTITY = "identity"
    ADDRESS = "address"
    CREDIT_REPORT = "credit_report"
    DISPUTE_LETTER = "dispute_letter"
    BUREAU_ANSWER = "bureau_answer"
    AGREEMENT = "agreement"
    AUTHORIZATION = "authorization"
    STATEMENT = "statement"
    OTHER = "other"


class ClientDocument(Base):
    """One document of a client. `withdrawn_at`: out of sight, so that it can be brought back."""

    __tablename__ = "client_documents"
    __table_args__ = (sa.Index(None, "client_id", "updated_at", "id"),)

    id: Mapped[PrimaryKey]
    client_id: Mapped[int] = mapped_column(sa.ForeignKey("clients.id", ondelete="CASCADE"))
    kind: Mapped[DocumentKind] = mapped_column(default=DocumentKind.OTHER)
    title: Mapped[str] = mapped_column(sa.String(LONGEST_TITLE))
    # Who filed it first.
    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))
    created_at: Mapped[datetime]
    # When its newest version came.
    updated_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    # Whose it was before a merge, so that undoing the merge can give it back.
    merged_from_id: Mapped[int | None] = mapped_column(sa.ForeignKey("clients.id"))


class DocumentVersion(Base):
    """One file of a document: uploaded (`file_key`), or one that a message brought
    (`attachment_id`), whose bytes stay where they are."""

    __tablename__ = "document_versions"
    __table_args__ = (
        sa.UniqueConstraint("document_id", "number"),
        sa.CheckConstraint(
            "(file_key IS NULL) <> (attachment_id IS NULL)", name="uploaded_or_brought"
        ),
        sa.Index(None, "file_key"),
    )

    id: Mapped[PrimaryKey]
    document_id: Mapped[int] = mapped_column(
        sa.ForeignKey("client_documents.id", ondelete="CASCADE")
    )
    number: Mapped[int]
    attachment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("attachments.id"), unique=True)
    file_key: Mapped[str | None] = mapped_column(sa.String(64))
    sha256: Mapped[str] = mapped_column(sa.String(64))
    size: Mapped[int]
    shown_name: Mapped[str] = mapped_column(sa.String(255))
    # What the first bytes show, whatever the name says.
    content_type: Mapped[str] = mapped_column(sa.String(127))
    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))
    created_at: Mapped[datetime]

    attachment: Mapped[Attachment | None] = relationship(lazy="raise_on_sql")
