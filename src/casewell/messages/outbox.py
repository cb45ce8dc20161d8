"""The outbox: queueing a message, taking it back, and what people decide about it.

A row in `deliveries` is the truth about a message's sending; `sending.deliver` sends it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.kernel.jobs import hint_after_commit
from casewell.kernel.runtime import Runtime
from casewell.ledger.service import SYSTEM, Actor, Event, record
from casewell.messages import gate, limits
from casewell.messages.conversations import conversation_of, place, rebuild_moved
from casewell.messages.deliveries import mark_bounced, settle
from casewell.messages.errors import (
    KeyReused,
    NothingToResolve,
    NotWaiting,
    SendingRefused,
    TooLateToUndo,
)
from casewell.messages.locks import hold_client
from casewell.messages.models import (
    Attachment,
    Delivery,
    Direction,
    MessageStatus,
    UnifiedMessage,
)
from casewell.messages.sending import deliver
from casewell.staff.models import Staff

Resolution = Literal["arrived", "again"]
LEFT = (
    MessageStatus.SENDING,
    MessageStatus.SENT,
    MessageStatus.DELIVERED,
    MessageStatus.UNCONFIRMED,
)


def queue(
    session: Session,
    runtime: Runtime,
    message: UnifiedMessage,
    *,
    recipient: str,
    attachments: Sequence[Attachment] = (),
    now: datetime,
    at: datetime | None = None,
    why: str = "",
) -> Delivery:
    """Let a message leave once the time to undo is over. `message` is new and names its client.

    `at`: not before that time. `why`: what its channel was chosen for, kept with the decision.

    The second time with one idempotency key gives the first time's delivery. Raises
    SendingRefused, LimitReached or KeyReused.
    """
    assert message.client_id is not None
    hold_client(session, message.client_id)
    if earlier := _with_key(session, message):
        return earlier
    decision = gate.may_send(
        session, runtime, message, recipient=recipient, attachments=attachments, now=now
    )
    if not decision.allowed:
        raise SendingRefused(decision.in_words())
    leaves_at = max(at or now, now + timedelta(seconds=runtime.settings.undo_seconds))
    counted_for = limits.count(session, runtime, message, leaves_at)
    conversation = conversation_of(session, message.client_id)
    message.conversation_id = conversation.id
    message.direction, message.status = Direction.OUTBOUND, MessageStatus.QUEUED
    message.occurred_at = message.recorded_at = now
    message.decision = decision.as_json() | ({"why": why} if why else {})
    session.add(message)
    session.flush()
    for position, attachment in enumerate(attachments):
        attachment.message_id, attachment.position = message.id, position
    delivery = Delivery(
        message_id=message.id,
        channel=message.channel,
        recipient=recipient,
        queued_at=now,
        scheduled_for=at,
        counted_for=counted_for,
        due_at=leaves_at,
    )
    session.add(delivery)
    record(session, _queued(session, message, recipient, now), now=now)
    place(session, conversation, message, unread=False)
    hint_after_commit(session, runtime.hints, deliver, delivery.id, delivery.due_at)
    return delivery


def undo(session: Session, delivery: Delivery, *, actor: Actor, now: datetime) -> None:
    """Take a message back that has not left. Its files are a draft's again.

    Right up to the handover this wins over whoever is sending. Raises TooLateToUndo.
    """
    message = _message(session, delivery)
    taken_back = settle(
        session,
        None,
        delivery.id,
        MessageStatus.UNDONE,
        Delivery.status == MessageStatus.QUEUED,
        actor=actor,
        now=now,
    )
    if not taken_back:
        raise TooLateToUndo
    session.execute(
        sa.update(Attachment)
        .where(Attachment.message_id == message.id)
        .values(message_id=None, staff_id=message.staff_id, client_id=message.client_id)
        .execution_options(synchronize_session=False)
    )
    assert message.conversation_id is not None
    rebuild_moved(session, message.conversation_id)
    session.refresh(delivery)
    session.refresh(message, ["status"])
    limits.take_back(session, delivery)


def send_now(session: Session, runtime: Runtime, delivery: Delivery, *, now: datetime) -> None:
    """Don't wait any longer, be it for an undo or for the next attempt. Raises NotWaiting."""
    sooner = session.execute(
        sa.update(Delivery)
        .where(Delivery.id == delivery.id, Delivery.status == MessageStatus.QUEUED)
        .values(due_at=sa.case((Delivery.due_at > now, now), else_=Delivery.due_at))
        .execution_options(synchronize_session=False)
    )
    if not sooner.rowcount:  # type: ignore[attr-defined]
        raise NotWaiting
    session.refresh(delivery)
    hint_after_commit(session, runtime.hints, deliver, delivery.id)


def resolve(
    session: Session,
    runtime: Runtime,
    delivery: Delivery,
    outcome: Resolution,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Record what a person found out about a message nobody could be sure of.

    `again` also gives a message another chance that failed or came back, and counts once more.
    Raises NothingToResolve or LimitReached.
    """
    unsure = Delivery.status == MessageStatus.UNCONFIRMED
    done_by = {"resolved_by_id": actor.id}
    if outcome == "arrived":
        resolved = settle(
            session,
            runtime.hints,
            delivery.id,
            MessageStatus.SENT,
            unsure,
            actor=actor,
            now=now,
            data={"resolved": True},
            sent_at=sa.func.coalesce(Delivery.sent_at, now),
            last_error=None,
            **done_by,
        )
    else:
        failed = Delivery.status.in_([MessageStatus.FAILED, MessageStatus.BOUNCED])
        resolved = settle(
            session,
            runtime.hints,
            delivery.id,
            MessageStatus.QUEUED,
            sa.or_(unsure, failed),
            actor=actor,
            now=now,
            data={"again": True},
            due_at=now,
            attempts=0,
            **done_by,
        )
        hint_after_commit(session, runtime.hints, deliver, delivery.id)
    if not resolved:
        raise NothingToResolve
    session.refresh(delivery)
    if outcome == "again":
        delivery.counted_for = limits.count(session, runtime, _message(session, delivery), now)


def record_bounce(
    session: Session, message_id: int, *, recipient: str, permanent: bool, now: datetime
) -> None:
    """Note that a message came back. `permanent`: the address will never take one."""
    delivery = session.execute(
        sa.select(Delivery.id, UnifiedMessage.client_id)
        .join(UnifiedMessage, UnifiedMessage.id == Delivery.message_id)
        .where(Delivery.message_id == message_id)
    ).one_or_none()
    if delivery is None:
        return
    settle(
        session,
        None,
        delivery.id,
        MessageStatus.BOUNCED,
        Delivery.status.in_(LEFT),
        actor=SYSTEM,
        now=now,
        data={"bounced": recipient, "permanent": permanent},
        last_error=f"It came back from {recipient}.",
    )
    if permanent and delivery.client_id is not None:
        mark_bounced(session, delivery.client_id, recipient, now)


def _with_key(session: Session, message: UnifiedMessage) -> Delivery | None:
    if message.idempotency_key is None:
        return None
    with session.no_autoflush:
        found = session.execute(
            sa.select(Delivery, UnifiedMessage.client_id)
            .join(UnifiedMessage, UnifiedMessage.id == Delivery.message_id)
            .where(UnifiedMessage.idempotency_key == message.idempotency_key)
        ).one_or_none()
    if found is None:
        return None
    if found.client_id != message.client_id:
        raise KeyReused
    return found[0]


def _queued(session: Session, message: UnifiedMessage, recipient: str, now: datetime) -> Event:
    assert message.client_id is not None
    staff = session.get(Staff, message.staff_id) if message.staff_id else None
    data = {
        "channel": message.channel.value,
        "recipient": recipient,
        "subject": message.subject[:200],
        "preview": message.preview,
    }
    actor = Actor.of_staff(staff) if staff else SYSTEM
    return Event(message.client_id, "message.queued", actor, now, data, "message", message.id)


def _message(session: Session, delivery: Delivery) -> UnifiedMessage:
    return session.get_one(UnifiedMessage, delivery.message_id)
