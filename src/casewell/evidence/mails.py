"""E-mails of a bundle: as they were received, or, where a number in them is covered, anew."""

import email
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage, Message
from email.policy import SMTP

from sqlalchemy.orm import Session

from casewell.email.carrier import EmailCarrier
from casewell.email.models import EmailMessage as EmailRow
from casewell.evidence.contents import Item, raw_mail_of
from casewell.evidence.redaction import Redactor, holds_ssn
from casewell.kernel.errors import CasewellError
from casewell.kernel.runtime import Runtime
from casewell.providers.errors import ProviderError
from casewell.providers.files import FileStore, open_verified

# Long numbers in these are no accounts.
IDS = ("Date", "Message-ID", "In-Reply-To")
SHOWN = ("From", "To", "Cc", "Reply-To", "Date", "Subject", "Message-ID", "In-Reply-To")


@dataclass(frozen=True)
class Letter:
    """A mail's bytes, and what they are; `raw` None: why there are none."""

    raw: bytes | None
    what: str


def letter_of(
    session: Session, runtime: Runtime, item: Item, redactor: Redactor | None
) -> Letter | None:
    """Return the mail of a message, None where it is none."""
    row = session.get(EmailRow, item.row_id)
    if row is None:
        return None
    letter = _received(session, runtime, row) if row.direction == "inbound" else None
    if row.direction != "inbound":
        letter = _sent(session, runtime, row)
    assert letter is not None
    if redactor is None or letter.raw is None:
        return letter
    return _covered(letter, item, redactor)


def _received(session: Session, runtime: Runtime, row: EmailRow) -> Letter:
    mail = raw_mail_of(session, row.id)
    if mail is None or mail.file_key is None:
        return Letter(None, "its bytes were not kept")
    try:
        with open_verified(runtime.provider(FileStore), mail.file_key, mail.sha256) as file:
            return Letter(file.read(), "as it was received")
    except ProviderError as error:
        return Letter(None, f"its bytes could not be read: {error.message}")


def _sent(session: Session, runtime: Runtime, row: EmailRow) -> Letter:
    try:
        prepared = EmailCarrier().prepare(session, runtime, row)
    except (CasewellError, ProviderError) as error:
        return Letter(None, f"it could not be written again: {error.message}")
    return Letter(prepared.raw, "written again from what was sent")


def _covered(letter: Letter, item: Item, redactor: Redactor) -> Letter:
    """Return a mail in which all can be read and nothing is to be covered as it is, else one of
    its headers and text alone."""
    assert letter.raw is not None
    mail = email.message_from_bytes(letter.raw)
    texts = list(_texts(mail))
    known = [text for text in texts if text is not None]
    is_known = len(known) == len(texts)
    if is_known and all(redactor.text(one) == one for one in known) and not _ssn_above(mail):
        return letter
    made = EmailMessage(policy=SMTP)
    for name in SHOWN:
        if (value := mail.get(name)) is not None:
            words = " ".join(str(value).split())
            made[name] = words if name in IDS else redactor.text(words)
    made["X-Casewell-Redacted"] = "SSNs and account numbers are covered; other parts stay out"
    made.set_content(redactor.text(item.text), cte="quoted-printable")
    return Letter(made.as_bytes(), f"{letter.what}, with numbers covered and no other parts")


def _ssn_above(mail: Message) -> bool:
    return any(holds_ssn(str(value)) for value in mail.values())


def _texts(mail: Message) -> Iterator[str | None]:
    """Yield what people read of a mail, in headers and text; None for a part that can't be read."""
    for name in SHOWN:
        if name not in IDS and (value := mail.get(name)) is not None:
            yield str(value)
    for part in mail.walk():
        if part.is_multipart():
            continue
        content = part.get_payload(decode=True)
        if part.get_content_maintype() != "text" or not isinstance(content, bytes):
            yield None
            continue
        try:
            yield content.decode(part.get_content_charset() or "utf-8")
        except (LookupError, UnicodeDecodeError):
            yield None
