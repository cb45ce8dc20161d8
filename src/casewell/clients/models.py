"""Clients: who they are, how they are reached, who is responsible for them."""

import unicodedata
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from casewell.kernel.db import Base, PrimaryKey
from casewell.kernel.jobs import Work
from casewell.kernel.types import Encrypted, Sealed
from casewell.staff.models import Staff

SSN_CONTEXT = "clients.ssn"
SORT_NAME_CHARS = 210
LONGEST_VIEW_NAME = 40


def folded(name: str) -> str:
    """Return a name as it is compared: without case and accents, on one line."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


class ClientStatus(StrEnum):
    LEAD = "lead"
    ONBOARDING = "onboarding"
    ACTIVE = "active"
    WAITING = "waiting"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class PreferredChannel(StrEnum):
    EMAIL = "email"
    SMS = "sms"
    PORTAL = "portal"
    CALL = "call"


class TextFault(StrEnum):
    """Why a number takes no texts, as its carrier says."""

    NOT_MOBILE = "not_mobile"
    UNKNOWN = "unknown"


class ConsentState(StrEnum):
    GRANTED = "granted"
    WITHDRAWN = "withdrawn"


class ConsentSource(StrEnum):
    """How consent was given or taken back."""

    # By a word of theirs, START or STOP.
    TEXT = "text"
    # They wrote to us first.
    WROTE = "wrote"
    STAFF = "staff"
    CARRIER = "carrier"


class Client(Base):
    """One person whose credit disputes or claims the firm handles."""

    __tablename__ = "clients"
    __table_args__ = (
        sa.CheckConstraint(
            "second_responsible_id IS NULL OR second_responsible_id <> main_responsible_id",
            name="two_different_people",
        ),
        sa.CheckConstraint("merged_into_id IS NULL OR merged_into_id <> id", name="not_into_self"),
        sa.CheckConstraint("(ssn IS NULL) = (ssn_last4 IS NULL)", name="ssn_with_last4"),
        sa.Index(None, "sort_name", "id"),
        sa.Index(None, "created_at", "id"),
        sa.Index(None, "status", "sort_name", "id"),
        sa.Index(None, "main_responsible_id", "sort_name", "id"),
        sa.Index(None, "second_responsible_id", "sort_name", "id"),
        # text_pattern_ops: PostgreSQL then finds beginnings by the index too.
        sa.Index(None, "reference", unique=True, postgresql_ops={"reference": "text_pattern_ops"}),
    )

    id: Mapped[PrimaryKey]
    # What staff call the file, for example 24-0187; unique where given.
    reference: Mapped[str | None] = mapped_column(sa.String(32))
    first_name: Mapped[str] = mapped_column(sa.String(100), default="")
    last_name: Mapped[str] = mapped_column(sa.String(100), default="")
    # "vega, marisol", folded: the order of lists and what a search by name reads.
    sort_name: Mapped[str] = mapped_column(sa.String(SORT_NAME_CHARS))
    status: Mapped[ClientStatus] = mapped_column(default=ClientStatus.LEAD)
    main_responsible_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))
    second_responsible_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))
    street: Mapped[str] = mapped_column(sa.String(200), default="")
    city: Mapped[str] = mapped_column(sa.String(100), default="")
    # Two-letter USPS code.
    state: Mapped[str] = mapped_column(sa.String(2), default="")
    postal_code: Mapped[str] = mapped_column(sa.String(10), default="")
    time_zone: Mapped[str | None] = mapped_column(sa.String(64))
    # BCP 47.
    language: Mapped[str] = mapped_column(sa.String(35), default="en")
    preferred_channel: Mapped[PreferredChannel | None]
    date_of_birth: Mapped[date | None]
    ssn: Mapped[Sealed | None] = mapped_column(Encrypted(SSN_CONTEXT))
    ssn_last4: Mapped[str | None] = mapped_column(sa.String(4))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    merged_into_id: Mapped[int | None] = mapped_column(sa.ForeignKey("clients.id"))
    # The external id of the row that an import made this client from.
    import_key: Mapped[str | None] = mapped_column(sa.String(200), unique=True)

    emails: Mapped[list["ClientEmail"]] = relationship(
        back_populates="client",
        lazy="raise_on_sql",
        order_by="ClientEmail.position",
        cascade="all, delete-orphan",
    )
    phones: Mapped[list["ClientPhone"]] = relationship(
        back_populates="client",
        lazy="raise_on_sql",
        order_by="ClientPhone.position",
        cascade="all, delete-orphan",
    )
    main_responsible: Mapped[Staff | None] = relationship(
        foreign_keys=[main_responsible_id], lazy="raise_on_sql"
    )
    second_responsible: Mapped[Staff | None] = relationship(
        foreign_keys=[second_responsible_id], lazy="raise_on_sql"
    )

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def rename(self, first_name: str, last_name: str) -> None:
        self.first_name, self.last_name = first_name, last_name
        self.sort_name = folded(f"{last_name}, {first_name}".strip(", "))[:SORT_NAME_CHARS]


class ClientEmail(Base):
    """An e-mail address of a client. Two clients may share one: mail from it goes to triage."""

    __tablename__ = "client_emails"
    __table_args__ = (
        sa.UniqueConstraint("client_id", "normal_form"),
        sa.Index(None, "normal_form", postgresql_ops={"normal_form": "text_pattern_ops"}),
    )

    id: Mapped[PrimaryKey]
    client_id: Mapped[int] = mapped_column(sa.ForeignKey("clients.id", ondelete="CASCADE"))
    # As given, for sending; `normal_form` for matching.
    address: Mapped[str] = mapped_column(sa.String(320))
    normal_form: Mapped[str] = mapped_column(sa.String(320))
    label: Mapped[str] = mapped_column(sa.String(40), default="")
    position: Mapped[int] = mapped_column(default=0)
    # Set when a mail to it came back for good.
    bounced_at: Mapped[datetime | None]

    client: Mapped[Client] = relationship(back_populates="emails", lazy="raise_on_sql")


class ClientPhone(Base):
    """A phone number of a client."""

    __tablename__ = "client_phones"
    __table_args__ = (sa.UniqueConstraint("client_id", "e164"),)

    id: Mapped[PrimaryKey]
    client_id: Mapped[int] = mapped_column(sa.ForeignKey("clients.id", ondelete="CASCADE"))
    e164: Mapped[str] = mapped_column(sa.String(16), index=True)
    as_typed: Mapped[str] = mapped_column(sa.String(40))
    label: Mapped[str] = mapped_column(sa.String(40), default="")
    position: Mapped[int] = mapped_column(default=0)
    text_fault: Mapped[TextFault | None]
    text_fault_at: Mapped[datetime | None]

    client: Mapped[Client] = relationship(back_populates="phones", lazy="raise_on_sql")


class ContactConsent(Base):
    """One word about being written to at a number: given or taken back. Never changed.

    `client_id` null: the number itself said so, for whomever it may be.
    """

    __tablename__ = "contact_consents"
    __table_args__ = (sa.Index(None, "channel", "address", "client_id", "id"),)

    id: Mapped[PrimaryKey]
    client_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("clients.id", ondelete="CASCADE"), index=True
    )
    channel: Mapped[PreferredChannel]
    address: Mapped[str] = mapped_column(sa.String(40))
    state: Mapped[ConsentState]
    source: Mapped[ConsentSource]
    # Their own, or how staff say it was.
    words: Mapped[str] = mapped_column(sa.String(500))
    # Named, so that the record outlives the account.
    actor_name: Mapped[str] = mapped_column(sa.String(200))
    recorded_at: Mapped[datetime]

    @property
    def is_granted(self) -> bool:
        return self.state is ConsentState.GRANTED


class ClientMerge(Base):
    """One client's file put into another's, with what is needed to take it back."""

    __tablename__ = "client_merges"

    id: Mapped[PrimaryKey]
    kept_id: Mapped[int] = mapped_column(sa.ForeignKey("clients.id"), index=True)
    merged_id: Mapped[int] = mapped_column(sa.ForeignKey("clients.id"), index=True)
    staff_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))
    merged_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
    # Ids of what moved, by table, and the fields of the kept client before.
    moved: Mapped[dict[str, Any]]


class ClientView(Base):
    """A filter of the list of clients that somebody keeps for themselves."""

    __tablename__ = "client_views"
    __table_args__ = (sa.UniqueConstraint("staff_id", "name_key"),)

    id: Mapped[PrimaryKey]
    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(sa.String(LONGEST_VIEW_NAME))
    # The name as it is compared.
    name_key: Mapped[str] = mapped_column(sa.String(3 * LONGEST_VIEW_NAME))
    # What differs from a list without filters, without words that were looked for.
    wanted: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class ImportState(StrEnum):
    UPLOADED = "uploaded"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


class ClientImport(Work, Base):
    """A CSV file of clients: uploaded, mapped, previewed, then taken in row by row."""

    __tablename__ = "client_imports"

    id: Mapped[PrimaryKey]
    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))
    file_name: Mapped[str] = mapped_column(sa.String(255))
    # Until it has ended.
    file_key: Mapped[str | None] = mapped_column(sa.String(64))
    sha256: Mapped[str] = mapped_column(sa.String(64))
    encoding: Mapped[str] = mapped_column(sa.String(32))
    delimiter: Mapped[str] = mapped_column(sa.String(1))
    columns: Mapped[list[str]]
    # Column name to client field.
    mapping: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[ImportState] = mapped_column(default=ImportState.UPLOADED)
    rows_total: Mapped[int | None]
    rows_done: Mapped[int] = mapped_column(default=0)
    created: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class RowOutcome(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


class ClientImportRow(Base):
    """What became of one row of an import, by its line in the file."""

    __tablename__ = "client_import_rows"
    __table_args__ = (sa.UniqueConstraint("import_id", "line"),)

    id: Mapped[PrimaryKey]
    import_id: Mapped[int] = mapped_column(sa.ForeignKey("client_imports.id", ondelete="CASCADE"))
    line: Mapped[int]
    outcome: Mapped[RowOutcome]
    client_id: Mapped[int | None] = mapped_column(sa.ForeignKey("clients.id", ondelete="SET NULL"))
    reason: Mapped[str] = mapped_column(sa.String(500), default="")
