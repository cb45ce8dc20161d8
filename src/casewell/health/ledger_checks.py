"""Whether the ledger is anchored each day."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.anchoring.models import LedgerAnchor
from casewell.anchoring.queries import last_anchor
from casewell.health.findings import Finding
from casewell.health.models import Standing
from casewell.kernel.runtime import Runtime
from casewell.staff.models import Firm, SystemMail, SystemMailKind

# A day, and the time in which a worker that was away comes back.
LONGEST = timedelta(hours=26)
NOBODY = "No worker has done it since."


def check_anchors(runtime: Runtime, session: Session) -> Finding:
    """The last anchor is of today, its file is whole, and it was mailed."""
    firm = session.scalars(sa.select(Firm)).one_or_none()
    if firm is None:
        return Finding(Standing.OFF, "Nothing is recorded before the firm is set up.")
    last = last_anchor(session)
    age = runtime.now() - (last.written_at if last and last.written_at else firm.created_at)
    if age > LONGEST:
        why = session.scalar(
            sa.select(LedgerAnchor.last_error)
            .where(LedgerAnchor.written_at.is_(None))
            .order_by(LedgerAnchor.day.desc())
            .limit(1)
        )
        return Finding(
            Standing.FAILING,
            f"The ledger was last anchored {_in_words(age)} ago. {why or NOBODY}",
            "Make the file in CASEWELL_ANCHORS writable, and see that a worker runs.",
        )
    if last is None:
        return Finding(Standing.WORKING, "The ledger is anchored for the first time today.")
    if last.last_error:
        return Finding(
            Standing.ATTENTION,
            last.last_error,
            "Run `casewell verify --anchors FILE` with the firm's own copy of the file.",
        )
    if unsent := _not_mailed(session, runtime.now()):
        return Finding(
            Standing.ATTENTION,
            f"The last anchor was not mailed: {unsent}",
            "Check the CASEWELL_SMTP_ settings, and the address under Settings, Firm.",
        )
    said = f"The ledger was anchored {_in_words(age)} ago"
    if firm.anchor_email is None:
        return Finding(
            Standing.WORKING,
            f"{said}, in a file alone.",
            "Set an address outside the firm's own servers under Settings, Firm.",
        )
    return Finding(Standing.WORKING, f"{said}, and the anchor mailed to {firm.anchor_email}.")


def _in_words(age: timedelta) -> str:
    hours = age // timedelta(hours=1)
    if hours >= 48:
        return f"{age.days} days"
    return "less than an hour" if hours < 1 else "1 hour" if hours == 1 else f"{hours} hours"


def _not_mailed(session: Session, now: datetime) -> str | None:
    """Return why the newest mail of an anchor did not leave, if it has not within an hour."""
    mail = session.scalars(
        sa.select(SystemMail)
        .where(SystemMail.kind == SystemMailKind.ANCHOR)
        .order_by(SystemMail.id.desc())
        .limit(1)
    ).one_or_none()
    if mail is None or mail.sent_at is not None or now - mail.created_at < timedelta(hours=1):
        return None
    return mail.last_error or "it still waits"
