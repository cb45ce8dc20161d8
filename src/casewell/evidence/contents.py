"""What a bundle tells: messages, notes and all else in the ledger, in order, and the chain itself.

Everything here is read from one moment of the database, a few hundred rows at a time.
"""

import hmac
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import merge
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients.activity import Change, changes_of, sentence_of
from casewell.clients.models import Client
from casewell.email.models import EmailMessage, InboundMail
from casewell.evidence.models import EvidenceBundle
from casewell.evidence.redaction import Redactor
from casewell.kernel.access import Role
from casewell.kernel.crypto import process_key
from casewell.kernel.db import Base
from casewell.kernel.times import midnight
from casewell.ledger.chain import instant
from casewell.ledger.models import ActivityEvent, LedgerHead
from casewell.ledger.service import facts_of
from casewell.ledger.visibility import visible_to
from casewell.messages.models import Attachment, MessageStatus, UnifiedMessage
from casewell.notes.models import CaseNote, NoteKind
from casewell.staff.models import Staff

BATCH = 300
# What messages and notes tell themselves, with all their words.
TOLD_BY_THEMSELVES = frozenset(
    {"call.held", "message.queued", "message.received", "message.sent", "note.added"}
)
CHANNEL_WORDS = {"email": "Email", "sms": "Text", "portal": "Portal message", "call": "Call"}

_events = Base.metadata.tables[ActivityEvent.__tablename__]
_mails = Base.metadata.tables[EmailMessage.__tablename__]


@dataclass(frozen=True)
class Item:
    """One thing that happened: `source` and `row_id` name its row, `check` is the firm's own proof
    of what stood there, which nobody else can compute."""

    source: str
    row_id: int
    at: datetime
    recorded_at: datetime
    actor: str
    title: str
    text: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    changes: Sequence[Change] = ()
    files: Sequence[Attachment] = ()
    check: str = ""


@dataclass(frozen=True)
class Terms:
    """What a bundle holds: of whom, from when until when, and who may read all that is in it."""

    client: Client
    begin: datetime | None
    end: datetime | None
    reads_privileged: bool
    zone: ZoneInfo

    @classmethod
    def of(cls, bundle: EvidenceBundle, client: Client, zone: ZoneInfo) -> "Terms":
        end = midnight(bundle.until + timedelta(days=1), zone) if bundle.until else None
        begin = midnight(bundle.since, zone) if bundle.since else None
        return cls(client, begin, end, bundle.with_privileged, zone)

    def within(self, column: Any) -> list[sa.ColumnElement[bool]]:
        bounds = []
        if self.begin is not None:
            bounds.append(column >= self.begin)
        if self.end is not None:
            bounds.append(column < self.end)
        return bounds

    @property
    def visible(self) -> sa.ColumnElement[bool]:
        """What holds for entries of the ledger that may be told of."""
        return visible_to(Role.ATTORNEY if self.reads_privileged else Role.CASE_MANAGER)


def count(session: Session, terms: Terms) -> int:
    """Return of how many things a bundle tells."""
    return sum(
        session.scalar(sa.select(sa.func.count()).select_from(query.subquery())) or 0
        for query in (_messages(terms), _notes(terms), _told(terms))
    )


def items(session: Session, terms: Terms) -> Iterator[Item]:
    """Yield all of it, oldest first by when it happened."""
    yield from merge(
        _each(session, _messages(terms), UnifiedMessage, _message_items),
        _each(session, _notes(terms), CaseNote, _note_items),
        _each(session, _told(terms), ActivityEvent, _event_items),
        key=lambda item: (item.at, item.source, item.row_id),
    )


def _messages(terms: Terms) -> sa.Select[Any]:
    return sa.select(UnifiedMessage).where(
        UnifiedMessage.client_id == terms.client.id,
        UnifiedMessage.status != MessageStatus.UNDONE,
        *terms.within(UnifiedMessage.occurred_at),
    )


def _notes(terms: Terms) -> sa.Select[Any]:
    kinds = [kind for kind in NoteKind if kind is not NoteKind.PRIVILEGED or terms.reads_privileged]
    return sa.select(CaseNote).where(
        CaseNote.client_id == terms.client.id,
        CaseNote.deleted_at.is_(None),
        CaseNote.kind.in_(kinds),
        *terms.within(CaseNote.created_at),
    )


def _told(terms: Terms) -> sa.Select[Any]:
    return sa.select(ActivityEvent).where(
        ActivityEvent.client_id == terms.client.id,
        ActivityEvent.kind.not_in(TOLD_BY_THEMSELVES),
        terms.visible,
        *terms.within(ActivityEvent.occurred_at),
    )


def _each(
    session: Session,
    query: sa.Select[Any],
    model: Any,
    in_words: Callable[[Session, Sequence[Any]], Iterator[Item]],
) -> Iterator[Item]:
    """Yield the items of a query, by the time of its rows, a batch at a time."""
    at = model.created_at if model is CaseNote else model.occurred_at
    ordered, last = query.order_by(at, model.id).limit(BATCH), None
    while True:
        page = ordered
        if last is not None:
            page = ordered.where(sa.tuple_(at, model.id) > sa.tuple_(*map(sa.literal, last)))
        rows = session.scalars(page).all()
        yield from in_words(session, rows)
        if len(rows) < BATCH:
            return
        last = (rows[-1].created_at if model is CaseNote else rows[-1].occurred_at, rows[-1].id)
        session.expunge_all()


def _message_items(session: Session, rows: Sequence[UnifiedMessage]) -> Iterator[Item]:
    ids = [row.id for row in rows]
    mails = {row.id: row for row in session.execute(sa.select(_mails).where(_mails.c.id.in_(ids)))}
    names = _names(session, [row.staff_id for row in rows])
    files = files_of(session, ids)
    for row in rows:
        mail, attached = mails.get(row.id), files.get(row.id, [])
        inbound = row.direction == "inbound"
        words = CHANNEL_WORDS.get(row.channel, row.channel)
        fields = {"Direction": "received" if inbound else "sent", "State": row.status.value}
        if mail is not None:
            fields |= {
                "From": _address(mail.from_name, mail.from_address) if inbound else "",
                "To": ", ".join(_address(one["name"], one["email"]) for one in mail.to),
                "Cc": ", ".join(_address(one["name"], one["email"]) for one in mail.cc),
                "Message-ID": mail.rfc_message_id or "",
            }
        yield Item(
            source="message",
            row_id=row.id,
            at=row.occurred_at,
            recorded_at=row.recorded_at,
            actor="The client" if inbound else names.get(row.staff_id or 0, "The firm"),
            title=f"{words} {'received' if inbound else 'sent'}"
            + (f": {row.subject}" if row.subject else ""),
            text=row.body_text,
            fields={name: value for name, value in fields.items() if value},
            files=attached,
            check=check_of_message(row, attached),
        )


def _note_items(session: Session, rows: Sequence[CaseNote]) -> Iterator[Item]:
    names = _names(session, [row.staff_id for row in rows])
    for row in rows:
        yield Item(
            source="note",
            row_id=row.id,
            at=row.created_at,
            recorded_at=row.edited_at or row.created_at,
            actor=names.get(row.staff_id, ""),
            title=f"Internal note ({row.kind.value})",
            text=row.text,
            check=check_of_note(row),
        )


def _event_items(_session: Session, rows: Sequence[ActivityEvent]) -> Iterator[Item]:
    for row in rows:
        yield Item(
            source="event",
            row_id=row.seq,
            at=row.occurred_at,
            recorded_at=row.recorded_at,
            actor=row.actor_name,
            title=sentence_of(row.kind, row.data),
            fields={"Kind": row.kind, "Entry": str(row.seq)},
            changes=changes_of(row.kind, row.data),
        )


def _names(session: Session, staff_ids: Sequence[int | None]) -> dict[int, str]:
    ids = {one for one in staff_ids if one is not None}
    rows = session.execute(sa.select(Staff.id, Staff.name).where(Staff.id.in_(ids)))
    return {row.id: row.name for row in rows}


def _address(name: str, address: str) -> str:
    return f"{name} <{address}>" if name else address


def files_of(session: Session, message_ids: Sequence[int]) -> dict[int, list[Attachment]]:
    rows = session.scalars(
        sa.select(Attachment)
        .where(Attachment.message_id.in_(message_ids))
        .order_by(Attachment.message_id, Attachment.position)
    )
    found: dict[int, list[Attachment]] = {}
    for row in rows:
        found.setdefault(row.message_id or 0, []).append(row)
    return found


def raw_mail_of(session: Session, message_id: int) -> InboundMail | None:
    """Return a mail as it was received, where its bytes were kept."""
    return session.scalar(
        sa.select(InboundMail)
        .where(InboundMail.message_id == message_id, InboundMail.file_key.is_not(None))
        .order_by(InboundMail.id)
        .limit(1)
    )


def check_of_message(row: UnifiedMessage, files: Sequence[Attachment]) -> str:
    return _check(
        {
            "message": row.id,
            "channel": row.channel.value,
            "direction": row.direction.value,
            "subject": row.subject,
            "text": row.body_text,
            "at": instant(row.occurred_at),
            "files": [one.sha256 for one in files],
        }
    )


def check_of_note(row: CaseNote) -> str:
    return _check({"note": row.id, "text": row.text, "at": instant(row.created_at)})


def _check(facts: Mapping[str, Any]) -> str:
    """Return a proof that needs this installation's key: a bare hash of a text in which a number
    is covered would let anybody find the number by trying them all."""
    body = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hmac.digest(process_key("evidence"), body.encode(), "sha256").hex()


def chain(session: Session, terms: Terms, redactor: Redactor | None) -> Iterator[dict[str, Any]]:
    """Yield every entry of the client's chain, then its end.

    Of an entry outside the terms, and of one in which a number is covered, the hash stands alone.
    """
    told = sa.case((sa.and_(terms.visible, *terms.within(ActivityEvent.occurred_at)), 1), else_=0)
    last = 0
    while True:
        rows = session.execute(
            sa.select(_events, told.label("is_told"))
            .where(_events.c.client_id == terms.client.id, _events.c.seq > last)
            .order_by(_events.c.seq)
            .limit(BATCH)
        ).mappings()
        batch = [dict(row) for row in rows]
        for row in batch:
            is_told = row.pop("is_told")
            entry = {"seq": row["seq"], "prev_hash": row["prev_hash"], "hash": row["hash"]}
            facts = facts_of(row)
            if not is_told:
                yield {**entry, "withheld": "outside of what this bundle holds"}
            elif redactor is not None and redactor.value(facts["data"]) != facts["data"]:
                yield {**entry, "withheld": "holds a number that is covered"}
            else:
                yield {**entry, "facts": facts}
        if len(batch) < BATCH:
            break
        last = batch[-1]["seq"]
    head = session.get(LedgerHead, terms.client.id)
    yield {
        "client_id": terms.client.id,
        "head": {"seq": head.seq if head else 0, "hash": head.hash if head else "0" * 64},
    }
