"""What was seen on each mail server, what is stored here, and why the rest is not."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.email.models import InboundMail, InboundState, Mailbox
from casewell.messages.models import TriageSender, TriageState, UnifiedMessage


class Stands(StrEnum):
    """Where a mail that was seen stands now."""

    IN_CONVERSATIONS = "in_conversations"
    IN_TRIAGE = "in_triage"
    SET_ASIDE = "set_aside"
    WAITING = "waiting"
    DUPLICATE = "duplicate"
    SKIPPED = "skipped"
    QUARANTINED = "quarantined"


_STANDS = sa.case(
    (InboundMail.state == InboundState.STORED, Stands.WAITING.value),
    (InboundMail.state == InboundState.DUPLICATE, Stands.DUPLICATE.value),
    (InboundMail.state == InboundState.SKIPPED, Stands.SKIPPED.value),
    (InboundMail.state == InboundState.QUARANTINED, Stands.QUARANTINED.value),
    (UnifiedMessage.client_id.is_not(None), Stands.IN_CONVERSATIONS.value),
    (TriageSender.state == TriageState.SET_ASIDE, Stands.SET_ASIDE.value),
    else_=Stands.IN_TRIAGE.value,
)


def counts(session: Session, which: sa.ColumnElement[bool]) -> dict[Stands, int]:
    """Return how many of some mails that came in stand where."""
    stands = _STANDS.label("stands")
    query = (
        sa.select(stands, sa.func.count().label("mails"))
        .select_from(InboundMail)
        .outerjoin(UnifiedMessage, UnifiedMessage.id == InboundMail.message_id)
        .outerjoin(TriageSender, TriageSender.id == UnifiedMessage.triage_sender_id)
        .where(which)
        .group_by(stands)
    )
    found = {Stands(row.stands): row.mails for row in session.execute(query)}
    return {stand: found[stand] for stand in Stands if stand in found}


def reasons(
    session: Session, which: sa.ColumnElement[bool]
) -> Sequence[sa.Row[InboundState, str, int]]:
    """Return (state, reason, mails) of those that are not, or not wholly, stored: most first."""
    mails = sa.func.count().label("mails")
    query = (
        sa.select(InboundMail.state, InboundMail.reason, mails)
        .where(which, InboundMail.reason != "")
        .group_by(InboundMail.state, InboundMail.reason)
        .order_by(mails.desc(), InboundMail.reason)
    )
    return session.execute(query).all()


@dataclass
class Reconciled:
    """One mailbox in short: every mail that was seen there, by what became of it."""

    id: int
    name: str
    address: str
    last_success_at: datetime | None
    missing_mails: int
    seen: int = 0
    by_state: dict[InboundState, int] = field(default_factory=dict)


def by_mailbox(session: Session) -> list[Reconciled]:
    """Return each mailbox with how many of its mails are in which state."""
    found = {
        row.id: Reconciled(*row)
        for row in session.execute(
            sa.select(
                Mailbox.id,
                Mailbox.name,
                Mailbox.address,
                Mailbox.last_success_at,
                Mailbox.missing_mails,
            ).order_by(Mailbox.name, Mailbox.id)
        )
    }
    states = (
        sa.select(InboundMail.mailbox_id, InboundMail.state, sa.func.count().label("mails"))
        .where(InboundMail.mailbox_id.is_not(None))
        .group_by(InboundMail.mailbox_id, InboundMail.state)
    )
    for row in session.execute(states):
        one = found[row.mailbox_id]
        one.seen += row.mails
        one.by_state[row.state] = row.mails
    return list(found.values())
