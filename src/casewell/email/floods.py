"""Telling a flood of mail from a busy day: it is all kept, and a person is told once."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.email.models import EmailMessage
from casewell.messages.models import (
    Channel,
    Direction,
    TriageSender,
    TriageState,
    UnifiedMessage,
)

HOUR = timedelta(hours=1)
# In an hour: far more than a person writes, or than a firm of 200 hears of strangers.
MANY_FROM_ONE = 200
MANY_STRANGERS = 200


@dataclass(frozen=True)
class Floods:
    """Who has sent how many mails in the last hour, and how many wrote for the first time."""

    senders: dict[str, int]
    strangers: int

    def __bool__(self) -> bool:
        return bool(self.senders) or self.strangers >= MANY_STRANGERS


def floods(session: Session, now: datetime) -> Floods:
    """Return what is more than usual. Costs an index range of one hour."""
    messages, emails = UnifiedMessage.__table__.c, EmailMessage.__table__.c
    number = sa.func.count()
    busy = (
        sa.select(emails.from_address, number.label("mails"))
        .join_from(UnifiedMessage.__table__, EmailMessage.__table__, emails.id == messages.id)
        .where(
            messages.occurred_at > now - HOUR,
            messages.direction == Direction.INBOUND,
            messages.is_history.is_(False),
        )
        .group_by(emails.from_address)
        .having(number >= MANY_FROM_ONE)
        .order_by(number.desc())
        .limit(3)
    )
    strangers = sa.select(number).where(
        TriageSender.state == TriageState.WAITING,
        TriageSender.last_at > now - HOUR,
        TriageSender.first_at > now - HOUR,
        TriageSender.channel == Channel.EMAIL,
    )
    senders = {row.from_address: row.mails for row in session.execute(busy)}
    return Floods(senders, session.scalar(strangers) or 0)
