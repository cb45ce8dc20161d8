"""Mails that could not be read: kept as they came, until a person has looked at them."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.email.arrival import take_in_mail
from casewell.email.models import InboundMail, InboundState, Mailbox
from casewell.kernel.db import lock_row
from casewell.kernel.errors import Conflict, NotFound
from casewell.kernel.jobs import hint_after_commit
from casewell.kernel.paging import Page, keyset_page
from casewell.kernel.runtime import Runtime
from casewell.ledger.service import Actor, audit
from casewell.providers.files import FileMissing, FileStore

COLUMNS: tuple[Any, ...] = (
    InboundMail.id,
    InboundMail.received_at,
    InboundMail.size,
    InboundMail.reason,
    InboundMail.source,
    Mailbox.name.label("mailbox"),
)


class NotUnreadable(Conflict):
    code = "mail_not_unreadable"


def unreadable(
    session: Session, *, mailbox_id: int | None = None, after: str | None = None
) -> Page[Any]:
    """Return the mails that could not be read, newest first, with the mailbox of each."""
    query = (
        sa.select(*COLUMNS)
        .outerjoin(Mailbox, Mailbox.id == InboundMail.mailbox_id)
        .where(InboundMail.state == InboundState.QUARANTINED)
    )
    if mailbox_id is not None:
        query = query.where(InboundMail.mailbox_id == mailbox_id)
    return keyset_page(session, query, by=(InboundMail.id,), after=after)


def find_unreadable(session: Session, inbound_id: int) -> InboundMail:
    """Raises NotFound, also for a mail that was read."""
    found = session.get(InboundMail, inbound_id)
    if found is None or found.state is not InboundState.QUARANTINED:
        raise NotFound
    return found


def open_raw(runtime: Runtime, actor: Actor, mail: InboundMail, most_bytes: int = -1) -> bytes:
    """Return a mail's bytes, and record who read them: they may be about any client.

    Raises NotFound where they are gone.
    """
    try:
        if mail.file_key is None:
            raise FileMissing
        with runtime.provider(FileStore).open(mail.file_key) as file:
            raw = file.read(most_bytes)
    except FileMissing as error:
        raise NotFound("The bytes of this mail are gone.") from error
    with runtime.database.writing() as session:
        facts = {"inbound_mail": mail.id, "sha256": mail.sha256}
        audit(session, "mail.raw_read", now=runtime.now(), actor=actor, data=facts)
    return raw


def try_again(session: Session, runtime: Runtime, inbound_id: int) -> None:
    """Let a mail be read once more, say by a newer version. Raises NotFound, NotUnreadable."""
    lock_row(session, InboundMail, inbound_id)
    mail = session.get(InboundMail, inbound_id)
    if mail is None:
        raise NotFound
    if mail.state is not InboundState.QUARANTINED:
        raise NotUnreadable("This mail has been read meanwhile.")
    mail.state, mail.reason = InboundState.STORED, ""
    mail.due_at, mail.attempts, mail.lease_until = runtime.now(), 0, None
    session.flush()
    hint_after_commit(session, runtime.hints, take_in_mail, mail.id)
