"""Calls with clients, as they are recorded."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.calls.errors import BadNumber, CallNotOver, NobodySpoke
from casewell.calls.models import CallLog, CallOutcome
from casewell.calls.words import call_title
from casewell.clients.phones import NoPhoneNumber, read_phone
from casewell.kernel.errors import InvalidInput
from casewell.ledger.service import Actor, Event, record
from casewell.messages.conversations import conversation_of, place
from casewell.messages.errors import KeyReused
from casewell.messages.locks import hold_client
from casewell.messages.models import (
    Channel,
    Direction,
    MessageStatus,
    UnifiedMessage,
    preview_of,
)

LONGEST = timedelta(hours=24)
SILENT = (CallOutcome.NO_ANSWER, CallOutcome.BUSY)


@dataclass(frozen=True)
class CallMade:
    """A call that has happened, as somebody tells of it. `staff_id`: who held it for the firm."""

    direction: Direction
    outcome: CallOutcome
    started_at: datetime
    duration: timedelta | None = None
    summary: str = ""
    number: str = ""
    staff_id: int | None = None


class CallLogService:
    """Records calls for `actor`, who may do so by what called this."""

    def __init__(self, session: Session, actor: Actor, now: datetime) -> None:
        self._session = session
        self._actor = actor
        self._now = now

    def record_call(self, client_id: int, made: CallMade, *, idempotency_key: str) -> CallLog:
        """Put a call into the client's conversation. The second time with a key: the first's.

        A client who called and reached nobody is unread for those responsible and opens the
        conversation again; any other call was known when it was held. Raises CallNotOver,
        NobodySpoke, BadNumber, InvalidInput or KeyReused.
        """
        self._check(made)
        hold_client(self._session, client_id)
        if earlier := self._with_key(client_id, idempotency_key):
            return earlier
        conversation = conversation_of(self._session, client_id)
        call = _call_of(made, self._now)
        call.client_id, call.conversation_id = client_id, conversation.id
        call.idempotency_key = idempotency_key
        self._session.add(call)
        self._session.flush()
        record(self._session, self._event(call), now=self._now)
        waits = call.waits_for_answer
        place(self._session, conversation, call, unread=waits, reopens=waits)
        return call

    def _check(self, made: CallMade) -> None:
        length = made.duration or timedelta()
        if made.duration is not None and made.outcome in SILENT:
            raise NobodySpoke
        if not timedelta() <= length <= LONGEST:
            sentence = "A call takes no longer than a day."
            raise InvalidInput(sentence, fields={"duration_seconds": sentence})
        if made.started_at + length > self._now:
            raise CallNotOver

    def _with_key(self, client_id: int, key: str) -> CallLog | None:
        found = self._session.scalar(
            sa.select(UnifiedMessage).where(UnifiedMessage.idempotency_key == key)
        )
        if found is None:
            return None
        if not isinstance(found, CallLog) or found.client_id != client_id:
            raise KeyReused
        return found

    def _event(self, call: CallLog) -> Event:
        assert call.client_id is not None
        data = {
            "direction": call.direction.value,
            "outcome": call.outcome.value,
            "subject": call.subject,
            "preview": call.preview,
        }
        return Event(
            call.client_id, "call.held", self._actor, call.started_at, data, "message", call.id
        )


def _call_of(made: CallMade, now: datetime) -> CallLog:
    seconds = round(made.duration.total_seconds()) if made.duration is not None else None
    title = call_title(made.direction, made.outcome, seconds)
    summary = made.summary.strip()
    inbound = made.direction is Direction.INBOUND
    call = CallLog(
        channel=Channel.CALL,
        direction=made.direction,
        status=MessageStatus.RECEIVED if inbound else MessageStatus.SENT,
        subject=title,
        preview=preview_of(summary or title),
        body_text=summary,
        occurred_at=made.started_at,
        recorded_at=now,
        staff_id=made.staff_id,
        outcome=made.outcome,
        started_at=made.started_at,
        ended_at=made.started_at + made.duration if made.duration is not None else None,
        duration_seconds=seconds,
        number=_e164(made.number),
    )
    call.counts_as_read = not call.waits_for_answer
    return call


def _e164(number: str) -> str:
    if not number.strip():
        return ""
    try:
        return read_phone(number).e164
    except NoPhoneNumber as error:
        raise BadNumber(str(error)) from error
