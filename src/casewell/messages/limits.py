"""How much may leave over a channel in a day and a month: where each channel's limits are asked.

A message is counted when it is queued, on the day it is to leave, in the transaction that queues
it; one that leaves on another day is counted there instead, right before its handover.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Protocol

from sqlalchemy.orm import Session

from casewell.kernel.runtime import Runtime
from casewell.messages.decisions import Decision, Reason
from casewell.messages.errors import LimitReached
from casewell.messages.models import Channel, Delivery, Hold, UnifiedMessage


class Limits(Protocol):
    """Counts what leaves over one channel."""

    def day_of(self, session: Session, at: datetime) -> date:
        """Return the day that a time counts for."""

    def move(
        self,
        session: Session,
        runtime: Runtime,
        message: UnifiedMessage,
        *,
        to: date,
        of: date | None = None,
    ) -> None:
        """Count a message on the day `to`, and no longer on the day `of`, if it was on one.

        Of two who take the last place at once, one raises LimitReached. Nothing is then changed.
        """

    def take_back(self, session: Session, message: UnifiedMessage, day: date) -> None:
        """Count a message no longer that was counted on a day."""


class _Wiring:
    limits: Mapping[Channel, Limits] = {}


def use_limits(limits: Mapping[Channel, Limits]) -> None:
    """Say which channels have limits; the one table is in `casewell.wiring`."""
    _Wiring.limits = limits


def count(
    session: Session, runtime: Runtime, message: UnifiedMessage, leaves_at: datetime
) -> date | None:
    """Count a message that is to leave then; return the day. Raises LimitReached."""
    limits = _Wiring.limits.get(message.channel)
    if limits is None:
        return None
    day = limits.day_of(session, leaves_at)
    limits.move(session, runtime, message, to=day)
    return day


def take_back(session: Session, delivery: Delivery) -> None:
    """Count a message no longer: it did not leave, and never will."""
    limits = _Wiring.limits.get(delivery.channel)
    if limits is None or delivery.counted_for is None:
        return
    message = session.get_one(UnifiedMessage, delivery.message_id)
    limits.take_back(session, message, delivery.counted_for)
    delivery.counted_for = None


def count_today(
    session: Session, runtime: Runtime, channel: Channel, delivery_id: int
) -> Decision | None:
    """Count a message that leaves now, if it was to leave on another day. None: it may."""
    limits = _Wiring.limits.get(channel)
    if limits is None:
        return None
    delivery = session.get_one(Delivery, delivery_id)
    now = runtime.now()
    today = limits.day_of(session, now)
    if delivery.counted_for == today:
        return None
    message = session.get_one(UnifiedMessage, delivery.message_id)
    try:
        limits.move(session, runtime, message, to=today, of=delivery.counted_for)
    except LimitReached as full:
        return Decision([Reason(full.code, full.message, Hold.LIMIT, full.until)], now)
    delivery.counted_for = today
    return None
