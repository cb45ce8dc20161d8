"""Writing to a mailbox while it is being read: only as long as nobody took it away."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.email.models import Mailbox

# Renewed with every batch.
POLL_LEASE = timedelta(minutes=10)


class TakenAway(Exception):
    """The mailbox was paused, changed or removed, or its lease ran out: stop reading it."""


def write_held(session: Session, mailbox: Mailbox, **values: Any) -> None:
    """Write to the row of a mailbox that we hold. Raises TakenAway.

    The lease is the proof: whoever pauses or changes a mailbox ends it.
    """
    written = session.execute(
        sa.update(Mailbox)
        .where(Mailbox.id == mailbox.id, Mailbox.lease_until == mailbox.lease_until)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    if not written.rowcount:  # type: ignore[attr-defined]
        raise TakenAway


def write_cursor(session: Session, mailbox: Mailbox, now: datetime) -> None:
    """Write down how far we have come, and hold on. Raises TakenAway."""
    lease_until = now + POLL_LEASE
    write_held(
        session,
        mailbox,
        uid_validity=mailbox.uid_validity,
        last_uid=mailbox.last_uid,
        first_uid_to=mailbox.first_uid_to,
        first_total=mailbox.first_total,
        first_done=mailbox.first_done,
        last_mail_at=mailbox.last_mail_at,
        lease_until=lease_until,
    )
    mailbox.lease_until = lease_until
