"""What carriers tell about texts that left: kept as it came, applied in no order but its own.

Reports come twice, out of order, and before we have stored the carrier's id. So each is kept, and
how a text stands is worked out from all that is kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients import consent
from casewell.clients.models import ClientPhone, ConsentSource, TextFault
from casewell.kernel.db import Base, insert_ignoring
from casewell.kernel.hints import Hints
from casewell.ledger.service import SYSTEM, Event
from casewell.messages.deliveries import settle
from casewell.messages.models import Channel, Delivery, MessageStatus
from casewell.providers.sms import NumberFault
from casewell.providers.sms.twilio import FAULTS, WORDS
from casewell.sms.models import CarrierReport, SMSMessage

_texts = Base.metadata.tables[SMSMessage.__tablename__]

# How far a text has come; what ends it is in ENDS.
PROGRESS = ("accepted", "scheduled", "queued", "sending", "sent")
ENDS = {
    "delivered": MessageStatus.DELIVERED,
    "read": MessageStatus.DELIVERED,
    "undelivered": MessageStatus.FAILED,
    "failed": MessageStatus.FAILED,
    "canceled": MessageStatus.FAILED,
}
OPEN = (MessageStatus.SENT, MessageStatus.UNCONFIRMED)
NOT_DELIVERED = "The carrier could not deliver it."


@dataclass(frozen=True)
class Outcome:
    """How a text stands after all reports: the first end holds, a contrary one is a conflict."""

    status: str = ""
    end: MessageStatus | None = None
    error_code: int | None = None
    conflict: bool = False


def outcome_of(reports: Iterable[tuple[str, int | None]]) -> Outcome:
    """Work out how a text stands. Statuses that nobody knows change nothing."""
    found = Outcome()
    for status, error_code in reports:
        end = ENDS.get(status)
        if found.end is None and end is not None:
            found = Outcome(status, end, error_code)
        elif found.end is not None and end is not None and end is not found.end:
            found = Outcome(found.status, found.end, found.error_code, conflict=True)
        elif found.end is None and _is_further(status, found.status):
            found = Outcome(status)
    return found


def note_report(
    session: Session,
    hints: Hints | None,
    provider_id: str,
    status: str,
    error_code: int | None,
    now: datetime,
) -> None:
    """Keep what was told, once, and apply it if its text is known."""
    insert_ignoring(
        session,
        CarrierReport,
        {
            "provider_id": provider_id,
            "status": status,
            "error_code": error_code,
            "received_at": now,
        },
    )
    apply_reports(session, hints, provider_id, now)


def apply_kept(session: Session, event: Event) -> None:
    """Apply what was told of a text before its carrier's id was stored: a reaction to its going."""
    if event.data.get("channel") != Channel.SMS.value:
        return
    provider_id = session.scalar(
        sa.select(Delivery.provider_id).where(Delivery.message_id == event.subject_id)
    )
    if provider_id:
        apply_reports(session, None, provider_id, event.occurred_at)


def apply_reports(session: Session, hints: Hints | None, provider_id: str, now: datetime) -> None:
    delivery = session.execute(
        sa.select(Delivery.id, Delivery.message_id, Delivery.recipient).where(
            Delivery.provider_id == provider_id, Delivery.channel == Channel.SMS
        )
    ).one_or_none()
    if delivery is None:
        return
    reports = session.execute(
        sa.select(CarrierReport.status, CarrierReport.error_code)
        .where(CarrierReport.provider_id == provider_id)
        .order_by(CarrierReport.id)
    ).all()
    found = outcome_of((row.status, row.error_code) for row in reports)
    if not found.status:
        return
    session.execute(
        sa.update(_texts)
        .where(_texts.c.id == delivery.message_id)
        .values(carrier_status=found.status, carrier_conflict=found.conflict)
    )
    if found.end is None:
        return
    fault = FAULTS.get(found.error_code or 0)
    reason = WORDS[fault] if fault else NOT_DELIVERED
    failed = found.end is MessageStatus.FAILED
    moved = settle(
        session,
        hints,
        delivery.id,
        found.end,
        Delivery.status.in_(OPEN),
        actor=SYSTEM,
        now=now,
        data={"reason": reason, "code": found.error_code} if failed else None,
        **({"last_error": reason} if failed else {}),
    )
    if moved and fault is not None:
        remember_fault(session, delivery.recipient, fault, now)


def remember_fault(session: Session, number: str, fault: NumberFault, now: datetime) -> None:
    """Remember of a number what its carrier says, so that nobody texts it again."""
    if fault is NumberFault.OPTED_OUT:
        words = WORDS[fault]
        source = ConsentSource.CARRIER
        consent.opt_out(session, number, source=source, words=words, actor=SYSTEM, now=now)
        return
    session.execute(
        sa.update(ClientPhone)
        .where(ClientPhone.e164 == number)
        .values(text_fault=TextFault(fault.value), text_fault_at=now)
        .execution_options(synchronize_session=False)
    )


def _is_further(status: str, than: str) -> bool:
    if status not in PROGRESS:
        return False
    return not than or PROGRESS.index(status) > PROGRESS.index(than)
