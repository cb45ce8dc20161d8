"""Telling a client by mail that something waits for them, without a word of what it says."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.ledger.service import Event
from casewell.messages.models import Channel
from casewell.portal.models import ClientAccount
from casewell.staff.models import SystemMail, SystemMailKind


def tell(session: Session, event: Event) -> None:
    """Queue one mail for all that comes until the client looks: the reaction to `message.sent`."""
    if event.data.get("channel") != Channel.PORTAL:
        return
    address = session.scalar(
        sa.update(ClientAccount)
        .where(
            ClientAccount.client_id == event.client_id,
            ClientAccount.disabled_at.is_(None),
            ClientAccount.notified_at.is_(None),
        )
        .values(notified_at=event.occurred_at)
        .returning(ClientAccount.email)
        .execution_options(synchronize_session=False)
    )
    if address is not None:
        at = event.occurred_at
        kind = SystemMailKind.CLIENT_MESSAGE
        session.add(SystemMail(kind=kind, to=address, data={}, created_at=at, due_at=at))
        session.flush()
