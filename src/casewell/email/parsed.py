"""A mail as it was read: plain data, nothing in it is trusted or made safe for a page."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from casewell.messages.file_kinds import safe_to_preview


class MailKind(StrEnum):
    """What a mail is. Only the first three and an invitation are written by a person to us."""

    MAIL = "mail"
    REPLY = "reply"
    FORWARD = "forward"
    CALENDAR = "calendar"
    AUTO_REPLY = "auto-reply"
    AUTO_GENERATED = "auto-generated"
    LIST = "list"  # a mailing list or bulk mail
    BOUNCE = "bounce"
    DELAYED = "delivery-delayed"
    DELIVERED = "delivery-confirmed"
    RECEIPT = "disposition"  # a read receipt
    COMPLAINT = "complaint"  # somebody pressed "this is spam"

    @property
    def from_a_person(self) -> bool:
        return self in (MailKind.MAIL, MailKind.REPLY, MailKind.FORWARD, MailKind.CALENDAR)


class Defect(StrEnum):
    """What was wrong with a mail that could be read all the same."""

    NO_FROM = "no-from"
    SEVERAL_FROM = "several-from"
    BAD_FROM = "bad-from"
    NAME_IS_ANOTHER_ADDRESS = "name-is-another-address"
    BAD_ADDRESS = "bad-address"
    NO_MESSAGE_ID = "no-message-id"
    BAD_DATE = "bad-date"
    SEVERAL_DATES = "several-dates"
    SEVERAL_CONTENT_TYPES = "several-content-types"
    BAD_HEADER = "bad-header"
    HEADERS_CUT = "headers-cut"
    NO_BOUNDARY = "no-boundary"
    PARTS_CUT = "parts-cut"  # nested too deep or too many parts: the rest is in the raw mail
    UNKNOWN_CHARSET = "unknown-charset"
    BROKEN_ENCODING = "broken-encoding"
    TEXT_CUT = "text-cut"
    ENCRYPTED = "encrypted"


@dataclass(frozen=True, slots=True)
class Address:
    """An address as it was written, with the name beside it ('' where there is none)."""

    name: str
    email: str

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>" if self.name else self.email


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part offered as a file. `inline`: the HTML shows it in place, by its `content_id`."""

    index: int  # counted from 0 in the order of the mail: the same on every reading
    shown_name: str
    content_type_declared: str
    content_type_sniffed: str
    content_id: str | None
    inline: bool
    size: int
    content: bytes

    @property
    def safe_to_preview(self) -> bool:
        return safe_to_preview(self.content_type_sniffed)


@dataclass(frozen=True, slots=True)
class ReportedRecipient:
    """One recipient in a report of a mail server: `status` is RFC 3463's ('5.1.1'), if given."""

    address: str
    action: str  # failed, delayed, delivered, displayed, complaint ...
    status: str | None
    diagnostic: str


@dataclass(frozen=True, slots=True)
class Report:
    """A bounce, receipt or complaint about the mail `original_message_id`.

    Anybody can write one: it counts only when that Message-ID is one we made.
    """

    recipients: tuple[ReportedRecipient, ...]
    original_message_id: str | None


@dataclass(frozen=True, slots=True)
class ParsedMail:
    subject: str  # one line
    from_: tuple[Address, ...]
    sender: Address | None
    reply_to: tuple[Address, ...]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    delivered_to: tuple[str, ...]
    return_path: str | None  # '' is the null path of bounces and automatic replies
    message_id: str | None  # with its angle brackets, as all of the ids here
    in_reply_to: str | None
    references: tuple[str, ...]  # oldest first
    date_header: datetime | None  # what the sender's clock said: never order by it
    received_at_header: datetime | None  # of the topmost Received
    text: str  # all of it, from the HTML where there is no plain part
    html: str | None  # as it came: only `sanitise` makes it fit for a page
    reply_text: str  # the new words
    quoted_text: str  # the rest of `text`, folded away
    forwarded_from: Address | None  # read from the text of a forward: a hint, no identity
    attachments: tuple[Attachment, ...]
    kind: MailKind
    no_answer_reason: str  # why an automatic answer is forbidden, '' where one is allowed
    report: Report | None
    authentication_results: tuple[str, ...]  # those our own hop can have written, topmost first
    list_id: str | None
    list_unsubscribe: str | None
    defects: tuple[Defect, ...]

    @property
    def must_not_answer(self) -> bool:
        return self.no_answer_reason != ""

    @property
    def author(self) -> Address | None:
        """The one From address; None where there is none, or more than one."""
        return self.from_[0] if len(self.from_) == 1 else None


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a mail is read. What goes beyond stays in the raw mail, with a `Defect`."""

    raw_bytes: int = 50_000_000
    header_bytes: int = 256_000
    addresses: int = 500
    references: int = 100
    depth: int = 20
    parts: int = 500
    attachments: int = 100
    text_chars: int = 1_000_000
    html_chars: int = 2_000_000
