"""Sending one message: claim, commit, hand over, record. Killed anywhere, it is sent once or asked.

A worker holds a queued row by a lease and by the number of its attempt. Only the commit right
before the handover makes the row `sending`, and only for the attempt that still holds it: killed
before, the message is as unsent as ever; killed after, nobody knows, and a person is asked.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from casewell.kernel.errors import CasewellError
from casewell.kernel.jobs import back_off, claim, job
from casewell.kernel.runtime import Runtime
from casewell.ledger.service import SYSTEM
from casewell.messages import channels, gate, limits
from casewell.messages.carriers import Receipt, carrier_of
from casewell.messages.conversations import rebuild
from casewell.messages.decisions import Decision
from casewell.messages.deliveries import mark_bounced, move, settle
from casewell.messages.models import (
    Attachment,
    Channel,
    Delivery,
    Hold,
    MessageStatus,
    UnifiedMessage,
)
from casewell.providers.errors import (
    Rejected,
    SignInRefused,
    Unavailable,
    Unconfirmed,
)
from casewell.providers.mail_out import AllRefused
from casewell.staff.models import Firm

LEASE = timedelta(minutes=2)
# Longer than any provider may take to answer a handover.
SENDING_LEASE = timedelta(minutes=11)
# With the back-off some five hours.
MOST_ATTEMPTS = 12
LOOK_AGAIN = timedelta(minutes=1)
PAUSES = (0.1, 0.5, 2.0, 5.0)
# Enhanced status codes that are about the address itself (RFC 3463, section 3.2).
NO_SUCH_ADDRESS = re.compile(r"\b5\.1\.[0-9]{1,3}\b")
DOUBT = "The worker stopped while sending. It may have arrived: look before sending again."

log = structlog.get_logger()


@dataclass
class Attempt:
    """One attempt at one delivery, by the worker that holds it."""

    delivery_id: int
    message_id: int
    channel: Channel
    recipient: str
    number: int
    handed_over: bool = False

    @property
    def is_mine(self) -> sa.ColumnElement[bool]:
        return Delivery.attempts == self.number


class HeldByAnother(Exception):
    """The lease ran out, or the message was taken back: this attempt must not send."""


class Refused(Exception):
    """`may_send` said no when the message was about to leave."""

    def __init__(self, decision: Decision) -> None:
        super().__init__(decision.in_words())
        self.decision = decision


@job(Delivery)
def deliver(runtime: Runtime, delivery_id: int) -> None:
    """Send a message that is due, or find out why not now."""
    attempt = _begin(runtime, delivery_id)
    if attempt is None:
        return
    try:
        receipt = _carry(runtime, attempt)
    except HeldByAnother:
        log.warning("delivery_lost", delivery_id=delivery_id, attempt=attempt.number)
    except Refused as refused:
        _refused(runtime, attempt, refused.decision)
    except SignInRefused as error:
        _stop(runtime, attempt, str(error))
    except Unavailable as error:
        _try_later(runtime, attempt, str(error), error.retry_after)
    except AllRefused as error:
        _fail(runtime, attempt, str(error), error.refused)
    except (Rejected, CasewellError) as error:
        _fail(runtime, attempt, str(error))
    except Unconfirmed as error:
        _doubt(runtime, attempt, str(error))
    except Exception:
        reason = "Casewell made a mistake; its log says which."
        (_doubt if attempt.handed_over else _try_later)(runtime, attempt, reason)
        raise
    else:
        _sent(runtime, attempt, receipt)


def _begin(runtime: Runtime, delivery_id: int) -> Attempt | None:
    """Claim a row that is due; None where another has it, or it can't go now."""
    now = runtime.now()
    with runtime.database.writing() as session:
        if not claim(session, Delivery, delivery_id, now, lease=LEASE):
            return None
        row = session.get_one(Delivery, delivery_id)
        attempt = Attempt(row.id, row.message_id, row.channel, row.recipient, row.attempts)
        abandoned = row.status is MessageStatus.SENDING
        if not abandoned and (hold := _hold(session, row, now)):
            _let_go(session, attempt, *hold)
            return None
        if row.scheduled_for is not None and row.attempts == 1:
            _date_now(session, row, now)
    if abandoned:
        _doubt(runtime, attempt, DOUBT)
        return None
    if attempt.number > MOST_ATTEMPTS:
        _fail(runtime, attempt, f"Casewell gave up after {MOST_ATTEMPTS} attempts.")
        return None
    return attempt


def _date_now(session: Session, row: Delivery, now: datetime) -> None:
    """Let a message that was written to leave later stand where it leaves, not where it was
    written."""
    message = session.get_one(UnifiedMessage, row.message_id)
    message.occurred_at = now
    session.flush()
    assert message.conversation_id is not None
    rebuild(session, message.conversation_id)


def _hold(session: Session, row: Delivery, now: datetime) -> tuple[Hold, datetime] | None:
    """Return why a message must wait though its time has come, and until when."""
    if session.scalar(sa.select(Firm.id).where(Firm.sending_paused_at.is_not(None))) is not None:
        return Hold.PAUSED, now + LOOK_AGAIN
    if over := channels.hold_over(session, row.channel, now):
        return over
    earlier = sa.select(Delivery.id).where(
        Delivery.recipient == row.recipient,
        Delivery.channel == row.channel,
        Delivery.id < row.id,
        Delivery.status.in_([MessageStatus.QUEUED, MessageStatus.SENDING]),
    )
    if session.scalar(earlier.limit(1)) is not None:
        return Hold.ORDER, now + LOOK_AGAIN
    return None


def _carry(runtime: Runtime, attempt: Attempt) -> Receipt:
    carrier = carrier_of(attempt.channel)
    with runtime.database.reading() as session:
        message = session.get_one(UnifiedMessage, attempt.message_id)
        attachments = session.scalars(
            sa.select(Attachment)
            .where(Attachment.message_id == message.id)
            .order_by(Attachment.position)
        ).all()
        decision = gate.may_send(
            session,
            runtime,
            message,
            recipient=attempt.recipient,
            attachments=attachments,
            now=runtime.now(),
        )
        if decision.reasons:
            raise Refused(decision)
        prepared = carrier.prepare(session, runtime, message)
    return carrier.send(runtime, prepared, lambda: _hand_over(runtime, attempt))


def _hand_over(runtime: Runtime, attempt: Attempt) -> None:
    """Commit that from here on nobody can tell whether it was sent.

    Raises HeldByAnother, or Refused where too much has left already.
    """
    with runtime.database.writing() as session:
        lease_until = runtime.now() + SENDING_LEASE
        if not move(
            session,
            attempt.delivery_id,
            MessageStatus.SENDING,
            attempt.is_mine,
            Delivery.status == MessageStatus.QUEUED,
            lease_until=lease_until,
            due_at=lease_until,
        ):
            raise HeldByAnother
        if full := limits.count_today(session, runtime, attempt.channel, attempt.delivery_id):
            raise Refused(full)
    attempt.handed_over = True


def _sent(runtime: Runtime, attempt: Attempt, receipt: Receipt) -> None:
    now = runtime.now()
    words = "; ".join(f"{who}: {said}" for who, said in receipt.refused.items())
    refused = f"Not accepted for {words}" if words else None

    def record(session: Session) -> None:
        # An answer that came after all beats the doubt that arose meanwhile.
        settle(
            session,
            runtime.hints,
            attempt.delivery_id,
            MessageStatus.SENT,
            sa.or_(
                sa.and_(attempt.is_mine, Delivery.status == MessageStatus.SENDING),
                Delivery.status == MessageStatus.UNCONFIRMED,
            ),
            actor=SYSTEM,
            now=now,
            data={"refused": dict(receipt.refused)} if receipt.refused else None,
            provider_id=receipt.provider_id[:255],
            sent_at=now,
            last_error=refused,
        )
        _mark_dead(session, attempt, receipt.refused, now)
        channels.worked(session, attempt.channel)

    _surely(runtime, record)


def _try_later(
    runtime: Runtime, attempt: Attempt, reason: str, retry_after: timedelta | None = None
) -> None:
    """Nothing happened: the message is as queued as before, and due again after a while."""
    if attempt.number >= MOST_ATTEMPTS:
        _fail(runtime, attempt, f"Casewell gave up after {MOST_ATTEMPTS} attempts. {reason}")
        return
    now = runtime.now()
    due_at = now + back_off(attempt.number, retry_after)

    def record(session: Session) -> None:
        move(
            session,
            attempt.delivery_id,
            MessageStatus.QUEUED,
            *_still(attempt),
            due_at=due_at,
            last_error=reason,
        )
        channels.failed(session, attempt.channel, now, retry_after)

    _surely(runtime, record)


def _stop(runtime: Runtime, attempt: Attempt, reason: str) -> None:
    """The account is not let in: trying again would lock it. A person must act."""
    now = runtime.now()

    def record(session: Session) -> None:
        channels.stop(session, attempt.channel, reason, now)
        _let_go(session, attempt, Hold.CHANNEL_STOPPED, now + LOOK_AGAIN, last_error=reason)

    _surely(runtime, record)
    log.error("channel_stopped", channel=attempt.channel.value)


def _refused(runtime: Runtime, attempt: Attempt, decision: Decision) -> None:
    def record(session: Session) -> None:
        session.execute(
            sa.update(UnifiedMessage)
            .where(UnifiedMessage.id == attempt.message_id)
            .values(decision=decision.as_json())
            .execution_options(synchronize_session=False)
        )
        if decision.held:
            waits = decision.hold
            until = waits.until or decision.at + LOOK_AGAIN
            _let_go(session, attempt, waits.hold or Hold.PAUSED, until)

    _surely(runtime, record)
    if not decision.held:
        _fail(runtime, attempt, decision.in_words())


def _fail(
    runtime: Runtime, attempt: Attempt, reason: str, refused: Mapping[str, str] | None = None
) -> None:
    """It never will arrive as it is: a person may change something and send it again."""
    _end(runtime, attempt, MessageStatus.FAILED, reason, refused or {})


def _doubt(runtime: Runtime, attempt: Attempt, reason: str) -> None:
    """It may have arrived: only a person can find out."""
    _end(runtime, attempt, MessageStatus.UNCONFIRMED, reason, {})


def _end(
    runtime: Runtime,
    attempt: Attempt,
    status: MessageStatus,
    reason: str,
    refused: Mapping[str, str],
) -> None:
    now = runtime.now()

    def record(session: Session) -> None:
        settle(
            session,
            runtime.hints,
            attempt.delivery_id,
            status,
            *_still(attempt),
            actor=SYSTEM,
            now=now,
            data={"reason": reason},
            last_error=reason,
        )
        _mark_dead(session, attempt, refused, now)

    _surely(runtime, record)
    log.warning("delivery_ended", delivery_id=attempt.delivery_id, status=status.value)


def _mark_dead(
    session: Session, attempt: Attempt, refused: Mapping[str, str], now: datetime
) -> None:
    """Remember addresses that a server says don't exist."""
    dead = [address for address, said in refused.items() if NO_SUCH_ADDRESS.search(said)]
    if not dead:
        return
    client_id = session.scalar(
        sa.select(UnifiedMessage.client_id).where(UnifiedMessage.id == attempt.message_id)
    )
    for address in dead:
        assert client_id is not None
        mark_bounced(session, client_id, address, now)


def _let_go(session: Session, attempt: Attempt, hold: Hold, until: datetime, **values: Any) -> None:
    """Put a message back as if it had not been tried."""
    move(
        session,
        attempt.delivery_id,
        MessageStatus.QUEUED,
        *_still(attempt),
        held=hold,
        due_at=until,
        attempts=Delivery.attempts - 1,
        **values,
    )


def _still(attempt: Attempt) -> tuple[sa.ColumnElement[bool], ...]:
    in_hand = [MessageStatus.QUEUED, MessageStatus.SENDING]
    return attempt.is_mine, Delivery.status.in_(in_hand)


def _surely(runtime: Runtime, record: Callable[[Session], None]) -> None:
    """Write down what a provider did, also where the database is busy for a moment."""
    for pause in (*PAUSES, None):
        try:
            with runtime.database.writing() as session:
                record(session)
            return
        except OperationalError:
            if pause is None:
                raise
            time.sleep(pause)
