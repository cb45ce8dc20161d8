"""From the bytes of a mail to its meaning. Hostile bytes belong to `MailReader`, in a child."""

from dataclasses import replace

from casewell.email.addresses import is_mailbox, read_addresses
from casewell.email.bodies import read_bodies
from casewell.email.classify import classify, return_path
from casewell.email.errors import UnreadableMail
from casewell.email.headers import Headers, date, message_ids, text_value
from casewell.email.mime import read_parts
from casewell.email.parsed import Address, Defect, Limits, MailKind, ParsedMail
from casewell.email.quoting import Folded, fold_quotes, forwarded_from
from casewell.email.senders import hop_results

MAX_SUBJECT = 1_000
DELIVERED_FIELDS = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to")
ENCRYPTED_TYPES = ("multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime")

# In a forward and in a report, what looks quoted is what the mail is about.
FOLDED_KINDS = (MailKind.MAIL, MailKind.REPLY, MailKind.CALENDAR, MailKind.AUTO_REPLY)


def read_mail(raw: bytes, limits: Limits | None = None) -> ParsedMail:
    """Read a mail. Raises UnreadableMail, and nothing else, whatever the bytes are."""
    limits = limits or Limits()
    if not raw.strip():
        raise UnreadableMail("it is empty")
    if len(raw) > limits.raw_bytes:
        raise UnreadableMail(f"it is larger than {limits.raw_bytes // 1_000_000} MB")
    try:
        return _read(raw, limits)
    except MemoryError as error:
        raise UnreadableMail("it takes too much memory") from error
    except (ValueError, LookupError, ArithmeticError, RecursionError) as error:
        # A gap in the code below; intake keeps the raw mail, and the next one is read.
        raise UnreadableMail(f"its form is unknown ({type(error).__name__})") from error


def _read(raw: bytes, limits: Limits) -> ParsedMail:
    if b"\n" not in raw:
        raw = raw.replace(b"\r", b"\n")
    root, defects = read_parts(raw, limits)
    headers = root.headers
    if not headers.fields:
        raise UnreadableMail("it has no header")
    people = _People(headers, limits, defects)
    subject = text_value(headers, "subject")[:MAX_SUBJECT]
    encrypted = any(part.content_type in ENCRYPTED_TYPES for part in root.walk())
    author = people.from_[0] if len(people.from_) == 1 else None
    bodies = read_bodies(root, limits)
    verdict = classify(root, subject, bodies.text, author)
    name = author.name if author else ""
    folded = Folded(bodies.text.strip("\n"), "")
    if verdict.kind in FOLDED_KINDS:
        folded = fold_quotes(bodies.text, name, bodies.quote_line)
    is_forward = verdict.kind is MailKind.FORWARD
    ids = message_ids(headers.first("message-id"))
    mail = ParsedMail(
        subject=subject,
        from_=people.from_,
        sender=people.sender,
        reply_to=people.reply_to,
        to=people.to,
        cc=people.cc,
        delivered_to=people.delivered_to,
        return_path=return_path(headers),
        message_id=ids[0] if ids else None,
        in_reply_to=next(iter(message_ids(headers.first("in-reply-to"))), None),
        references=_references(headers, limits),
        date_header=date(headers.first("date")),
        received_at_header=date(headers.first("received").rpartition(";")[2]),
        text=bodies.text,
        html=bodies.html,
        reply_text=folded.reply,
        quoted_text=folded.quoted,
        forwarded_from=forwarded_from(bodies.text) if is_forward else None,
        attachments=tuple(bodies.attachments),
        kind=verdict.kind,
        no_answer_reason=verdict.no_answer_reason,
        report=verdict.report,
        authentication_results=hop_results(headers),
        list_id=text_value(headers, "list-id")[:500] or None,
        list_unsubscribe=text_value(headers, "list-unsubscribe")[:2000] or None,
        defects=(),
    )
    defects += bodies.defects
    if encrypted:
        defects.append(Defect.ENCRYPTED)
    if mail.message_id is None:
        defects.append(Defect.NO_MESSAGE_ID)
    if mail.date_header is None:
        defects.append(Defect.BAD_DATE)
    if len(headers.all("date")) > 1:
        defects.append(Defect.SEVERAL_DATES)
    return replace(mail, defects=tuple(dict.fromkeys(defects)))


class _People:
    """Everybody the header names."""

    def __init__(self, headers: Headers, limits: Limits, defects: list[Defect]) -> None:
        self._headers, self._limits, self._defects = headers, limits, defects
        self.from_ = self._from()
        self.sender = next(iter(self._read("sender")), None)
        self.reply_to = self._read("reply-to")
        self.to = self._read("to")
        self.cc = self._read("cc")
        delivered = [a.email for name in DELIVERED_FIELDS for a in self._read(name)]
        self.delivered_to = tuple(dict.fromkeys(delivered))

    def _from(self) -> tuple[Address, ...]:
        values = self._headers.all("from")
        addresses, sound = read_addresses(", ".join(values), self._limits.addresses)
        if not addresses:
            self._defects.append(Defect.BAD_FROM if "".join(values).strip() else Defect.NO_FROM)
        elif len(addresses) > 1 or len(values) > 1:
            self._defects.append(Defect.SEVERAL_FROM)
        elif not sound or "\ufffd" in values[0]:
            self._defects.append(Defect.BAD_FROM)
        for address in addresses:
            words = address.name.replace("<", " ").replace(">", " ").split()
            claimed = {word.strip("\"'()[],;:").casefold() for word in words}
            if any(is_mailbox(word) and word != address.email.casefold() for word in claimed):
                self._defects.append(Defect.NAME_IS_ANOTHER_ADDRESS)
        return tuple(addresses)

    def _read(self, name: str) -> tuple[Address, ...]:
        found = list[Address]()
        for value in self._headers.all(name):
            addresses, sound = read_addresses(value, self._limits.addresses - len(found))
            found += addresses
            if not sound and value.strip():
                self._defects.append(Defect.BAD_ADDRESS)
            if len(found) >= self._limits.addresses:
                break
        return tuple(found)


def _references(headers: Headers, limits: Limits) -> tuple[str, ...]:
    """Return the ids, the first and the latest ones where there are too many."""
    ids = message_ids(headers.first("references"))
    if len(ids) > limits.references:
        ids = ids[:1] + ids[-(limits.references - 1) :]
    return tuple(ids)
