"""Writing a mail that says exactly what was meant, to exactly those who were meant."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from html import escape

import idna

from casewell.email.addresses import is_mailbox
from casewell.email.charsets import clean, one_line
from casewell.email.errors import AddressNeedsSmtpUtf8, BadAddress, MailNotSendable
from casewell.email.headers import MESSAGE_ID
from casewell.email.parsed import Address
from casewell.messages.file_kinds import shown_name

MAX_SUBJECT = 500
URL = re.compile(r"https?://[^\s<>\"']{1,2000}")
URL_END = ".,;:!?)]}'"
# Never sent as what they claim to be: a mail program would open them as part of this mail.
STRUCTURED = ("multipart", "message", "text")
CONTENT_TYPE = re.compile(r"([a-z0-9][a-z0-9!#$&^_.+-]{0,60})/([a-z0-9][a-z0-9!#$&^_.+-]{0,100})")

ID_FIELDS = frozenset({"message-id", "in-reply-to", "references"})


class _WholeIds(EmailPolicy):
    """Folds between message ids only.

    The standard library turns References with an id of more than 78 characters, as Exchange
    makes them, into encoded words (seen on CPython 3.11), and no mail program threads by those.
    """

    def fold_binary(self, name: str, value: str) -> bytes:
        return _ids_folded(name, value).encode("ascii") or super().fold_binary(name, value)


def _ids_folded(name: str, value: str) -> str:
    """Return the whole field, '' where `name` is none of ids."""
    ids = "\r\n ".join(value.split())
    return f"{name}: {ids}\r\n" if name.lower() in ID_FIELDS else ""


POLICY = _WholeIds(linesep="\r\n", cte_type="7bit")


@dataclass(frozen=True, slots=True)
class OutgoingFile:
    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """What goes out. Blind copies are no part of it: they are recipients of the envelope alone.

    `automatic` is RFC 3834's word for a mail no person wrote ('auto-generated', or
    'auto-replied' for an answer); it is '' for a mail of a person.
    """

    from_: Address
    to: tuple[Address, ...]
    subject: str
    text: str
    message_id: str
    date: datetime
    cc: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    html: str | None = None  # made from the text where it is None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    attachments: tuple[OutgoingFile, ...] = ()
    automatic: str = ""


def compose(draft: OutgoingMail) -> bytes:
    """Return the mail, 7-bit and with CRLF line ends. Raises MailNotSendable.

    Whatever stands in a header value stands on one line: a line end in a subject, a name or a
    file name becomes a space, so that it can't begin another header.
    """
    if not draft.to and not draft.cc:
        raise MailNotSendable("A mail needs somebody it is addressed to.", fields={"to": "Add one"})
    mail = EmailMessage(policy=POLICY)
    mail["From"] = _mailbox(draft.from_)
    for name, people in (("To", draft.to), ("Cc", draft.cc), ("Reply-To", draft.reply_to)):
        if people:
            mail[name] = [_mailbox(person) for person in people]
    mail["Subject"] = one_line(draft.subject)[:MAX_SUBJECT]
    mail["Date"] = format_datetime(draft.date.astimezone(UTC))
    mail["Message-ID"] = _id(draft.message_id)
    if draft.in_reply_to:
        mail["In-Reply-To"] = _id(draft.in_reply_to)
    if draft.references:
        mail["References"] = " ".join(_id(known) for known in draft.references)
    if draft.automatic:
        mail["Auto-Submitted"] = one_line(draft.automatic)
        mail["X-Auto-Response-Suppress"] = "All"
    text = clean(draft.text)
    mail.set_content(text, cte="quoted-printable")
    html = html_from_text(text) if draft.html is None else clean(draft.html)
    mail.add_alternative(html, subtype="html", cte="quoted-printable")
    for file in draft.attachments:
        _attach(mail, file)
    return mail.as_bytes()


def html_from_text(text: str) -> str:
    """Return `text` as HTML that says the same: paragraphs, line breaks, quotes and links."""
    out, depth = list[str](), 0
    for paragraph in re.split(r"\n[ \t]*\n", clean(text).strip("\n")):
        lines = paragraph.split("\n")
        quoted = all(line.startswith(">") for line in lines)
        if quoted != bool(depth):
            out.append("<blockquote>" if quoted else "</blockquote>")
            depth = int(quoted)
        words = [line.lstrip("> ") if quoted else line for line in lines]
        out.append(f"<p>{'<br>'.join(map(_with_links, words))}</p>")
    if depth:
        out.append("</blockquote>")
    return f"<!doctype html><html><body>{''.join(out)}</body></html>"


def sendable_address(address: str) -> str:
    """Return `address` as SMTP takes it, its domain in ASCII.

    Raises BadAddress, or AddressNeedsSmtpUtf8 where the part before the @ is not ASCII.
    """
    bare = address.strip()
    if not is_mailbox(bare):
        raise BadAddress(one_line(address)[:320])
    local, _, domain = bare.rpartition("@")
    if not local.isascii():
        raise AddressNeedsSmtpUtf8(bare)
    try:
        ascii_domain = domain if domain.isascii() else idna.encode(domain, uts46=True).decode()
    except idna.IDNAError as error:
        raise BadAddress(bare) from error
    return f"{local}@{ascii_domain.rstrip('.')}"


def _mailbox(address: Address) -> HeaderAddress:
    email = sendable_address(address.email)
    local, _, domain = email.rpartition("@")
    if local.startswith('"'):
        local = re.sub(r"\\(.)", r"\1", local[1:-1])
    return HeaderAddress(one_line(address.name), local, domain)


def _id(message_id: str) -> str:
    if not MESSAGE_ID.fullmatch(message_id) or not message_id.isascii():
        raise MailNotSendable("A Message-ID of this mail is not well formed.")
    return message_id


def _attach(mail: EmailMessage, file: OutgoingFile) -> None:
    known = CONTENT_TYPE.fullmatch(file.content_type.lower())
    main, sub = known.groups() if known else ("application", "octet-stream")
    if main in STRUCTURED:
        main, sub = "application", "octet-stream"
    name = shown_name(file.name, file.content_type)
    mail.add_attachment(file.content, maintype=main, subtype=sub, filename=name)


def _with_links(line: str) -> str:
    out, at = list[str](), 0
    for found in URL.finditer(line):
        url = found[0].rstrip(URL_END)
        out.append(escape(line[at : found.start()]))
        out.append(f'<a href="{escape(url)}">{escape(url)}</a>')
        at = found.start() + len(url)
    return "".join(out) + escape(line[at:])
