"""Writing what was said into the firm's tables: some statements for each client, not message."""

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.calls.models import CallLog, CallOutcome
from casewell.clients.models import Client
from casewell.demo import scripts
from casewell.demo.moments import Moment
from casewell.demo.pdf import one_page_pdf
from casewell.demo.people import FIRM_NAME
from casewell.email.models import EmailMessage
from casewell.email.parsed import MailKind
from casewell.kernel.db import Base
from casewell.ledger.service import Actor, Event, record_all
from casewell.messages.models import (
    Attachment,
    Channel,
    Direction,
    MessageStatus,
    UnifiedMessage,
    preview_of,
)
from casewell.portal.models import ClientMessage
from casewell.providers.files import FileStore
from casewell.sms.models import SMSMessage
from casewell.sms.segments import segments
from casewell.staff.models import Staff

OFFICE = {"name": FIRM_NAME, "email": "office@harborlaw.example"}
OUR_NUMBER = "+13125550100"
FILES_AT_ONCE = 128
MINUTES = re.compile(r", (\d+) min\b")
Row = dict[str, Any]

_messages = Base.metadata.tables[UnifiedMessage.__tablename__]
_emails = Base.metadata.tables[EmailMessage.__tablename__]
_calls = Base.metadata.tables[CallLog.__tablename__]
_portal = Base.metadata.tables[ClientMessage.__tablename__]
_texts = Base.metadata.tables[SMSMessage.__tablename__]
_attachments = Base.metadata.tables[Attachment.__tablename__]


class Writer:
    """Writes conversations of the demo firm, in one transaction."""

    def __init__(self, session: Session, files: FileStore, staff: Sequence[Staff]) -> None:
        self._session = session
        self._files = files
        self._staff = {person.id: person for person in staff}
        self._waiting: list[tuple[Row, str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        if failure is None:
            self._attach()

    def write(
        self, client: Client, address: str, conversation_id: int, moments: Sequence[Moment]
    ) -> list[int]:
        """Write messages in their order and return their ids; heads are made anew afterwards."""
        rows = [_message(client, conversation_id, moment) for moment in moments]
        insert = sa.insert(_messages).returning(_messages.c.id, sort_by_parameter_order=True)
        ids = [int(one) for one in self._session.scalars(insert, rows)]
        emails = list(_emails_of(client, address, moments, ids))
        if emails:
            self._session.execute(sa.insert(_emails), emails)
        calls = list(_calls_of(client, moments, ids))
        if calls:
            self._session.execute(sa.insert(_calls), calls)
        seen = [
            {"id": message_id, "public_id": f"demo-{message_id}", "seen_at": moment.at}
            for moment, message_id in zip(moments, ids, strict=True)
            if moment.line.channel == Channel.PORTAL
        ]
        if seen:
            self._session.execute(sa.insert(_portal), seen)
        texts = list(_texts_of(client, moments, ids))
        if texts:
            self._session.execute(sa.insert(_texts), texts)
        self._waiting += _attachments_of(moments, ids)
        if len(self._waiting) >= FILES_AT_ONCE:
            self._attach()
        told = [
            (self._event(client, moment, message_id), moment.at)
            for moment, message_id in zip(moments, ids, strict=True)
        ]
        record_all(self._session, client.id, told)
        return ids

    def _attach(self) -> None:
        """Store the files that wait, many at once: a disk takes its time for each lot of them."""
        stored = self._files.put_all([_page(name) for _, name in self._waiting])
        rows = [
            {**row, "size": file.size, "sha256": file.sha256, "file_key": file.key}
            for (row, _), file in zip(self._waiting, stored, strict=True)
        ]
        if rows:
            self._session.execute(sa.insert(_attachments), rows)
        self._waiting.clear()

    def _event(self, client: Client, moment: Moment, message_id: int) -> Event:
        inbound = moment.line.by_client
        return Event(
            client.id,
            "message.received" if inbound else "message.sent",
            Actor.of_client(client) if inbound else Actor.of_staff(self._staff[moment.staff_id]),
            moment.at,
            {"channel": moment.line.channel, "subject": moment.subject},
            "message",
            message_id,
        )


def _attachments_of(moments: Sequence[Moment], ids: Sequence[int]) -> Iterator[tuple[Row, str]]:
    for moment, message_id in zip(moments, ids, strict=True):
        for words, names in scripts.FILES.items():
            for position, name in enumerate(names if words in moment.text else ()):
                row = {
                    "message_id": message_id,
                    "position": position,
                    "shown_name": name,
                    "content_type": "application/pdf",
                    "created_at": moment.at,
                }
                yield row, name


def _texts_of(client: Client, moments: Sequence[Moment], ids: Sequence[int]) -> Iterator[Row]:
    theirs = client.phones[0].e164 if client.phones else ""
    for moment, message_id in zip(moments, ids, strict=True):
        if moment.line.channel != Channel.SMS:
            continue
        inbound = moment.line.by_client
        yield {
            "id": message_id,
            "from_number": theirs if inbound else OUR_NUMBER,
            "to_number": OUR_NUMBER if inbound else theirs,
            "segments": segments(moment.text).count,
            "carrier_status": "" if inbound else "delivered",
        }


def _page(name: str) -> bytes:
    return one_page_pdf(name.removesuffix(".pdf").replace("-", " ").capitalize())


def _message(client: Client, conversation_id: int, moment: Moment) -> Row:
    inbound = moment.line.by_client
    return {
        "client_id": client.id,
        "conversation_id": conversation_id,
        "channel": Channel(moment.line.channel),
        "direction": Direction.INBOUND if inbound else Direction.OUTBOUND,
        "status": MessageStatus.RECEIVED if inbound else moment.status,
        "subject": moment.subject,
        "preview": preview_of(moment.text),
        "body_text": moment.text,
        "occurred_at": moment.at,
        "recorded_at": moment.at,
        "staff_id": None if inbound else moment.staff_id,
        "sender_verified": True if inbound else None,
        "is_automatic": False,
    }


def _emails_of(
    client: Client, address: str, moments: Sequence[Moment], ids: Sequence[int]
) -> Iterator[Row]:
    person = {"name": client.name, "email": address}
    threads: dict[str, list[str]] = {}
    for moment, message_id in zip(moments, ids, strict=True):
        if moment.line.channel != Channel.EMAIL:
            continue
        inbound = moment.line.by_client
        sender, recipient = (person, OFFICE) if inbound else (OFFICE, person)
        host = sender["email"].partition("@")[2]
        earlier = threads.setdefault(moment.thread, [])
        rfc_message_id = f"<demo-{message_id}@{host}>"
        yield {
            "id": message_id,
            "rfc_message_id": rfc_message_id,
            "in_reply_to": earlier[-1] if earlier else None,
            "references": earlier[-20:],
            "from_name": sender["name"],
            "from_address": sender["email"],
            "to": [recipient],
            "cc": [],
            "reply_to": [],
            "reply_text": moment.text,
            "kind": MailKind.MAIL,
            "defects": [],
        }
        earlier.append(rfc_message_id)


def _calls_of(client: Client, moments: Sequence[Moment], ids: Sequence[int]) -> Iterator[Row]:
    for moment, message_id in zip(moments, ids, strict=True):
        if moment.line.channel != Channel.CALL:
            continue
        spoken = MINUTES.search(moment.subject)
        length = timedelta(minutes=int(spoken[1])) if spoken else None
        yield {
            "id": message_id,
            "outcome": CallOutcome.CONNECTED if length else CallOutcome.VOICEMAIL,
            "started_at": moment.at,
            "ended_at": moment.at + length if length else None,
            "duration_seconds": int(length.total_seconds()) if length else None,
            "number": client.phones[0].e164,
        }
