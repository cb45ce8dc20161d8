"""What a thread shows of each message, in words."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.calls import words as call_words
from casewell.clients.models import ClientEmail
from casewell.email.parsed import Defect, MailKind
from casewell.email.senders import SenderStanding
from casewell.inbox import queries
from casewell.inbox.service import ReadUpTo
from casewell.kernel.addresses import normal_form
from casewell.kernel.times import clock_time, day_name, full_time, short_time
from casewell.messages.models import Channel, Direction, Hold, MessageStatus

LINE_CHARS = 90
FRAME_SIZES = (8, 16, 28)

KINDS = {
    MailKind.AUTO_REPLY: "Automatic reply",
    MailKind.AUTO_GENERATED: "Automatic mail",
    MailKind.LIST: "Mailing list",
    MailKind.BOUNCE: "Could not be delivered",
    MailKind.DELAYED: "Delivery is delayed",
    MailKind.DELIVERED: "Delivery confirmed",
    MailKind.RECEIPT: "Read receipt",
    MailKind.COMPLAINT: "Reported as spam",
    MailKind.CALENDAR: "Invitation",
}
STATES = {
    MessageStatus.SENDING: "Sending",
    MessageStatus.SENT: "Sent",
    MessageStatus.DELIVERED: "Delivered",
    MessageStatus.BOUNCED: "Came back",
    MessageStatus.FAILED: "Not sent",
    MessageStatus.UNCONFIRMED: "May not have arrived",
    MessageStatus.UNDONE: "Taken back",
}
HELD = {
    Hold.ORDER: "Waits for an earlier message to leave",
    Hold.PAUSED: "Waits: sending is paused for the whole firm",
    Hold.CHANNEL_STOPPED: "Waits: sending over this channel was stopped",
    Hold.PROVIDER_AWAY: "Waits: the other side does not answer",
    Hold.QUIET_HOURS: "Waits: it is too early or too late where the client is",
    Hold.LIMIT: "Waits: as many as may leave in a day or a month have left",
}
# Carriers tell within seconds or not at all.
REPORTS_COME = timedelta(minutes=10)
IN_THE_PORTAL = (MessageStatus.SENT, MessageStatus.DELIVERED)
FILE_ICONS = {"application/pdf": "file-type-pdf", "application/zip": "file-zip"}


@dataclass(frozen=True)
class Notice:
    tone: str
    title: str
    text: str


@dataclass(frozen=True)
class File:
    id: int
    name: str
    size: str
    icon: str
    note: str
    is_kept: bool
    is_inline: bool


@dataclass(frozen=True)
class Card:
    """One message in a thread."""

    id: int
    client_id: int | None
    day: date
    channel: Channel
    is_inbound: bool
    subject: str
    line: str
    sender: str
    time: str
    iso: str
    full: str
    text: str
    quoted: str
    mark: str
    notices: Sequence[Notice]
    files: Sequence[File]
    state: str
    status: MessageStatus
    state_text: str
    leaves_in: int | None  # seconds from when the card was made
    is_scheduled: bool
    delivery_id: int | None
    shows_html: bool
    has_html: bool
    may_load_images: bool
    frame_size: str
    is_unread: bool
    # Of a call: how it ended, and the tone of its badge.
    result: str = ""
    result_tone: str = ""
    # Of a text: its parts, and what a person should know of it.
    detail: str = ""
    # Its carrier may tell any moment what became of it.
    awaits_report: bool = False
    is_note: bool = False

    @property
    def can_undo(self) -> bool:
        return self.status is MessageStatus.QUEUED

    @property
    def is_failed(self) -> bool:
        return self.status in (MessageStatus.FAILED, MessageStatus.BOUNCED)

    @property
    def is_settled(self) -> bool:
        """Whether its state will not change soon by itself."""
        return not self.awaits_report and self.status not in (
            MessageStatus.QUEUED,
            MessageStatus.SENDING,
        )


@dataclass(frozen=True)
class Reader:
    """For whom cards are made: their zone, and the time it is."""

    zone: ZoneInfo
    now: datetime

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def day(self, day: date) -> str:
        return day_name(day, self.today)


def make_cards(
    session: Session,
    rows: Sequence[Any],
    reader: Reader,
    *,
    read_up_to: ReadUpTo | None = None,
    own_addresses: Collection[str] = (),
    client_name: str = "",
) -> list[Card]:
    """Return the cards of these rows, with their files, in two statements at most.

    `own_addresses` are the client's, in normal form: what another address writes is said to be
    from that address.
    """
    ids = [row.id for row in rows]
    files: dict[int, list[File]] = {}
    if ids:
        for file in session.execute(queries.attachments_of(ids)):
            files.setdefault(file.message_id, []).append(_file(file))
    unread = _unread(rows, read_up_to) if read_up_to and read_up_to.unread else set()
    return [
        _card(row, reader, files.get(row.id, []), row.id in unread, own_addresses, client_name)
        for row in rows
    ]


def _unread(rows: Iterable[Any], read: ReadUpTo) -> set[int]:
    return {
        row.id
        for row in rows
        if row.direction == Direction.INBOUND
        and not row.is_history
        and not row.counts_as_read
        and not read.covers(row.occurred_at, row.id)
    }


def _card(
    row: Any,
    reader: Reader,
    files: list[File],
    unread: bool,
    own_addresses: Collection[str],
    client_name: str,
) -> Card:
    inbound = row.direction == Direction.INBOUND
    is_mail = row.channel == Channel.EMAIL
    status = MessageStatus(row.status)
    text = (row.reply_text if is_mail else None) or row.body or ""
    quoted = (row.quoted_text if is_mail else None) or ""
    if is_mail and not row.reply_text and quoted:
        text, quoted = "", row.body
    has_html = bool(row.has_html)
    shows_html = has_html and (bool(row.is_designed) or not text.strip())
    result = call_words.result(Direction(row.direction), row.outcome) if row.outcome else ("", "")
    return Card(
        id=row.id,
        client_id=row.client_id,
        day=row.occurred_at.astimezone(reader.zone).date(),
        channel=Channel(row.channel),
        is_inbound=inbound,
        subject=row.subject,
        line=_line(row),
        sender=_sender(row, client_name),
        time=clock_time(row.occurred_at, reader.zone),
        iso=row.occurred_at.isoformat(),
        full=full_time(row.occurred_at, reader.zone),
        text=text.strip("\n"),
        quoted=quoted.strip("\n"),
        mark=KINDS.get(MailKind(row.kind), "") if is_mail and inbound and row.kind else "",
        notices=_notices(row, own_addresses) if is_mail and inbound else (),
        files=[file for file in files if not (shows_html and file.is_inline)],
        state="" if inbound else _state(row, status, reader),
        status=status,
        state_text=row.last_error or "",
        leaves_in=_leaves_in(row, status, reader),
        is_scheduled=row.scheduled_for is not None and row.scheduled_for > reader.now,
        delivery_id=row.delivery_id,
        shows_html=shows_html,
        has_html=has_html,
        may_load_images=bool(row.may_load_images),
        frame_size=_frame_size(row.body or ""),
        is_unread=unread,
        result=result[0],
        result_tone=result[1],
        detail=_text_detail(row) if row.channel == Channel.SMS else "",
        awaits_report=row.channel == Channel.SMS
        and status is MessageStatus.SENT
        and reader.now - row.occurred_at < REPORTS_COME,
    )


def _text_detail(row: Any) -> str:
    told = []
    if row.media_count:
        told.append("1 file" if row.media_count == 1 else f"{row.media_count} files")
    if row.segments and row.segments > 1:
        told.append(f"{row.segments} segments")
    if row.may_ask_to_stop:
        told.append("May ask for no more texts: if so, record it on the client's page")
    if row.carrier_conflict:
        told.append("The carrier told both that it arrived and that it did not")
    return " · ".join(told)


def _line(row: Any) -> str:
    """Who wrote to whom."""
    people = [one["email"] for one in (row.to or []) if one.get("email")]
    copied = [one["email"] for one in (row.cc or []) if one.get("email")]
    if row.direction == Direction.OUTBOUND:
        author = row.staff_name or row.from_name or row.from_address or "The firm"
    elif row.from_name and row.from_address:
        author = f"{row.from_name} <{row.from_address}>"
    else:
        author = row.from_address or row.from_name or "No sender"
    line = f"{author} to {', '.join(people)}" if people else author
    return f"{line}, copy to {', '.join(copied)}" if copied else line


def _sender(row: Any, client_name: str) -> str:
    if row.direction == Direction.OUTBOUND:
        return row.staff_name or "The firm"
    return client_name or row.from_name or row.from_address or "Unknown sender"


def _notices(row: Any, own_addresses: Collection[str]) -> list[Notice]:
    notices = []
    if row.sender_check in (SenderStanding.UNVERIFIED, SenderStanding.FAILED):
        reason = f"{row.sender_note.rstrip('.')}. " if row.sender_note else ""
        text = f"{reason}Anyone can write any name there. Confirm by phone before you act on it."
        notices.append(Notice("warning", "Unverified sender.", text))
    asked = [one["email"] for one in (row.reply_to or []) if one.get("email")]
    if asked and {normal_form(one) for one in asked} != {normal_form(row.from_address)}:
        text = (
            f"From is {row.from_address or 'empty'}, but answers are asked for at "
            f"{', '.join(asked)}. Your reply goes to the client's own address."
        )
        notices.append(Notice("warning", "Two addresses.", text))
    if (
        own_addresses
        and row.from_address
        and normal_form(row.from_address) not in own_addresses
        and MailKind(row.kind).from_a_person
    ):
        text = f"{row.from_address} is not an address of this client."
        notices.append(Notice("info", "Written by somebody else.", text))
    if row.asks_to_stop:
        text = "Mail other than answers is paused until somebody has looked at it."
        notices.append(Notice("warning", "Asks not to be written to.", text))
    notices += [Notice("info", "", DEFECTS[d]) for d in row.defects or () if d in DEFECTS]
    return notices


DEFECTS = {
    Defect.SEVERAL_FROM: "This mail names several senders.",
    Defect.NAME_IS_ANOTHER_ADDRESS: "The sender's name is somebody else's address.",
    Defect.ENCRYPTED: "This mail is encrypted. Its content is in the attached file.",
    Defect.TEXT_CUT: "This mail is very long. Its end is in the raw mail.",
    Defect.PARTS_CUT: "This mail has more parts than are shown. The rest is in the raw mail.",
    Defect.BROKEN_ENCODING: "Some characters could not be read.",
    Defect.UNKNOWN_CHARSET: "Some characters could not be read.",
}


def _leaves_in(row: Any, status: MessageStatus, reader: Reader) -> int | None:
    if status is not MessageStatus.QUEUED or row.held or row.due_at is None:
        return None
    seconds: float = (row.due_at - reader.now).total_seconds()
    return max(0, round(seconds))


def _state(row: Any, status: MessageStatus, reader: Reader) -> str:
    if row.channel == Channel.PORTAL and status in IN_THE_PORTAL:
        return _seen(row, reader)
    if status is MessageStatus.FAILED and row.carrier_status:
        return "Not delivered"
    if status is not MessageStatus.QUEUED:
        return STATES.get(status, "")
    if row.held is not None:
        return HELD[Hold(row.held)]
    if row.attempts and row.last_error:
        return "Waiting to try again"
    seconds = (row.due_at - reader.now).total_seconds() if row.due_at else 0
    if row.scheduled_for is not None and seconds > 60:
        day = row.due_at.astimezone(reader.zone).date()
        return f"Leaves {reader.day(day)}, {clock_time(row.due_at, reader.zone)}"
    return f"Sending in {max(1, round(seconds))} s" if 0 < seconds <= 60 else "Waiting to be sent"


def _seen(row: Any, reader: Reader) -> str:
    """Say that a message was on the client's screen; whether it was read nobody knows."""
    if row.seen_at is None:
        return "In the portal, not seen yet"
    return f"Seen in the portal {short_time(row.seen_at, reader.now, reader.zone)}"


def _file(row: Any) -> File:
    picture = row.content_type.startswith("image/")
    icon = "photo" if picture else FILE_ICONS.get(row.content_type, "file")
    return File(
        id=row.id,
        name=row.shown_name,
        size=size_in_words(row.size),
        icon=icon,
        note=row.note,
        is_kept=bool(row.is_kept),
        is_inline=bool(row.is_inline),
    )


def size_in_words(size: int) -> str:
    if size < 1000:
        return f"{size} B"
    if size < 1_000_000:
        return f"{round(size / 1000)} kB"
    return f"{size / 1_000_000:.1f} MB"


def _frame_size(text: str) -> str:
    """Guess the height a frame needs: a sandboxed page can't tell its own."""
    lines = sum(1 + len(line) // LINE_CHARS for line in text.splitlines())
    for size, name in zip(FRAME_SIZES, ("s", "m", "l"), strict=True):
        if lines <= size:
            return name
    return "xl"


def client_addresses(session: Session, client_id: int) -> set[str]:
    """Return a client's e-mail addresses in their normal form."""
    return set(
        session.scalars(
            sa.select(ClientEmail.normal_form).where(ClientEmail.client_id == client_id)
        )
    )
