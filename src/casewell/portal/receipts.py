"""Read receipts, both ways. They say that a message was on a screen, and never more."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.messages.models import Channel, Direction
from casewell.portal.models import ClientAccount
from casewell.portal.queries import NEWEST_FIRST, ORDER, VISIBLE, messages, portal

# What was further back on the screen stays as it is: a receipt claims too little, if anything.
MOST = 200


def seen_by_client(
    session: Session, client_id: int, at: datetime, message_id: int, now: datetime
) -> None:
    """Note that a client had everything up to a message before them; mails may tell of news."""
    _seen(session, sa.and_(VISIBLE, _TO_CLIENT), at, message_id, now, client=client_id)
    session.execute(
        sa.update(ClientAccount)
        .where(ClientAccount.client_id == client_id, ClientAccount.notified_at.is_not(None))
        .values(notified_at=None)
        .execution_options(synchronize_session=False)
    )


def seen_by_firm(
    session: Session, conversation_id: int, at: datetime, message_id: int, now: datetime
) -> None:
    """Note that somebody of the firm had the client's messages up to one before them."""
    which = sa.and_(
        messages.c.conversation_id == conversation_id,
        messages.c.channel == Channel.PORTAL,
        messages.c.direction == Direction.INBOUND,
    )
    _seen(session, which, at, message_id, now)


_TO_CLIENT = messages.c.direction == Direction.OUTBOUND


def _seen(
    session: Session,
    which: sa.ColumnElement[bool],
    at: datetime,
    message_id: int,
    now: datetime,
    **values: Any,
) -> None:
    newest = (
        sa.select(messages.c.id)
        .where(which, sa.tuple_(*ORDER) <= sa.tuple_(at, message_id))
        .order_by(*NEWEST_FIRST)
        .limit(MOST)
        .subquery()
    )
    session.execute(
        sa.update(portal)
        .where(
            portal.c.id.in_(sa.select(newest.c.id)),
            portal.c.seen_at.is_(None),
        )
        .values(seen_at=now),
        values,
    )
