"""Telling a further copy of a mail from another mail."""

import hashlib

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.email.models import InboundState
from casewell.email.outcomes import end
from casewell.email.parsed import ParsedMail
from casewell.messages.models import UnifiedMessage

_messages = UnifiedMessage.__table__.c
_WITH_MARK = sa.select(_messages.id).where(_messages.idempotency_key == sa.bindparam("mark"))


def fingerprint(parsed: ParsedMail, sha256: str) -> str:
    """Return what two deliveries of one mail share, whatever was added on their ways.

    A Message-ID alone is no proof: who knows that of another mail could keep it from being taken
    in. A mail without Message-ID and Date may be written twice, so only its bytes tell.
    """
    if parsed.message_id is None and parsed.date_header is None:
        return f"mail:{sha256}"
    facts = (
        parsed.message_id or "",
        ",".join(address.email for address in parsed.from_),
        parsed.date_header.isoformat() if parsed.date_header else "",
        parsed.subject,
        parsed.text,
        *(hashlib.sha256(one.content).hexdigest() for one in parsed.attachments),
    )
    return "mail:" + hashlib.sha256("\x1f".join(facts).encode("utf-8", "replace")).hexdigest()


def is_known(session: Session, mark: str) -> bool:
    return _original(session, mark) is not None


def note_copy(session: Session, inbound_id: int, mark: str) -> bool:
    """Mark a mail as a further copy of one that was taken in; False: it is the first."""
    original = _original(session, mark)
    if original is None:
        return False
    end(session, inbound_id, InboundState.DUPLICATE, "a copy of a mail that is here", original)
    return True


def _original(session: Session, mark: str) -> int | None:
    return session.scalar(_WITH_MARK, {"mark": mark})
