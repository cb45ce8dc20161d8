"""What happens to the row of one message in the outbox: each step one conditional UPDATE.

The row and its message always tell the same. Of two who act at once, one finds the row as it
expects it and the other one doesn't; nobody reads first and writes later.
"""

from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients.models import ClientEmail
from casewell.kernel.addresses import normal_form
from casewell.kernel.db import on_commit
from casewell.kernel.hints import Hints
from casewell.ledger.service import Actor, Event, record
from casewell.messages.locks import hold_client
from casewell.messages.models import Channel, Delivery, Hold, MessageStatus, UnifiedMessage

JOB = "deliver"


def move(
    session: Session,
    delivery_id: int,
    to: MessageStatus,
    *while_: sa.ColumnElement[bool],
    **values: Any,
) -> bool:
    """Move a delivery and its message to a status while a condition holds; return whether it did.

    Whoever held the row lets go of it. Finished ones are no longer due.
    """
    message_id = session.scalar(
        sa.update(Delivery)
        .where(Delivery.id == delivery_id, *while_)
        .values(**{"status": to, "lease_until": None, "held": None, "due_at": None, **values})
        .returning(Delivery.message_id)
        .execution_options(synchronize_session=False)
    )
    if message_id is None:
        return False
    session.execute(
        sa.update(UnifiedMessage)
        .where(UnifiedMessage.id == message_id)
        .values(status=to)
        .execution_options(synchronize_session=False)
    )
    return True


def settle(
    session: Session,
    hints: Hints | None,
    delivery_id: int,
    to: MessageStatus,
    *while_: sa.ColumnElement[bool],
    actor: Actor,
    now: datetime,
    data: dict[str, Any] | None = None,
    **values: Any,
) -> bool:
    """Move a delivery to where it ends, tell the ledger, and let the next one go."""
    row = session.execute(
        sa.select(UnifiedMessage.client_id, UnifiedMessage.id, Delivery.channel, Delivery.recipient)
        .join(Delivery, Delivery.message_id == UnifiedMessage.id)
        .where(Delivery.id == delivery_id)
    ).one()
    hold_client(session, row.client_id)
    if not move(session, delivery_id, to, *while_, **values):
        return False
    facts = {"channel": row.channel.value, "recipient": row.recipient, **(data or {})}
    event = Event(row.client_id, f"message.{to.value}", actor, now, facts, "message", row.id)
    record(session, event, now=now)
    _let_the_next_go(session, hints, row.channel, row.recipient, now)
    return True


def mark_bounced(session: Session, client_id: int, address: str, now: datetime) -> None:
    """Write nothing more to an address of a client until a person has changed it."""
    session.execute(
        sa.update(ClientEmail)
        .where(
            ClientEmail.client_id == client_id,
            ClientEmail.normal_form == normal_form(address),
            ClientEmail.bounced_at.is_(None),
        )
        .values(bounced_at=now)
        .execution_options(synchronize_session=False)
    )


def _let_the_next_go(
    session: Session, hints: Hints | None, channel: Channel, recipient: str, now: datetime
) -> None:
    """Wake what waited behind a message to the same recipient."""
    woken = session.scalars(
        sa.update(Delivery)
        .where(
            Delivery.recipient == recipient,
            Delivery.channel == channel,
            Delivery.status == MessageStatus.QUEUED,
            Delivery.held == Hold.ORDER,
        )
        .values(due_at=now, held=None)
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    ).all()
    if hints is not None:
        for delivery_id in woken:
            on_commit(session, partial(hints.give, JOB, delivery_id, None))
