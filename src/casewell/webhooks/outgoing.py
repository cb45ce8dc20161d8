"""What is told to whom: calls are written down in the transaction of what they tell of."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.kernel.clock import Clock, utc_now
from casewell.kernel.db import Base, on_commit
from casewell.kernel.hints import Hints, NoHints
from casewell.ledger.chain import instant
from casewell.ledger.service import Event
from casewell.webhooks.models import CallState, HookState, Webhook, WebhookCall

# What the ledger tells of, and what it is on the page.
KINDS: Mapping[str, str] = {
    "message.received": "A client's message came in",
    "message.sent": "A message was sent to a client",
    "message.failed": "A message could not be sent",
    "message.bounced": "A message came back",
}
TEST = "test"
JOB = "call_webhook"

_hooks = Base.metadata.tables[Webhook.__tablename__]
_calls = Base.metadata.tables[WebhookCall.__tablename__]
_LISTENING = sa.select(_hooks.c.id, _hooks.c.events).where(_hooks.c.state == HookState.ACTIVE)
_ADD = sa.insert(_calls).returning(_calls.c.id)


class _Process:
    hints: Hints = NoHints()
    now: Clock = staticmethod(utc_now)


def use(hints: Hints, now: Clock) -> None:
    """Give this process the clock, and the way to tell workers of calls; called once at start."""
    _Process.hints, _Process.now = hints, staticmethod(now)


def tell(session: Session, event: Event) -> None:
    """Write a call down for each address that wants to know of this. Old mail is no news."""
    if event.data.get("history"):
        return
    for webhook_id, events in _listening(session):
        if event.kind in events:
            call_id = session.scalar(_ADD, call_of(webhook_id, event.kind, _facts(event)))
            on_commit(session, partial(_Process.hints.give, JOB, call_id, None))


def call_of(webhook_id: int, kind: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a call that is due. Its body is kept as it will be signed."""
    event_id, now = str(uuid4()), _Process.now()
    return {
        "webhook_id": webhook_id,
        "event_id": event_id,
        "event": kind,
        "body": json.dumps({"id": event_id, "event": kind, **facts}, separators=(",", ":")),
        "state": CallState.WAITING,
        "created_at": now,
        "due_at": now,
    }


def facts_of_test(now: datetime) -> dict[str, Any]:
    """Return what a call tells that is only to be tried out: the shape, about nobody."""
    return {"occurred_at": instant(now), "client_id": None, "message_id": None, "channel": None}


def _facts(event: Event) -> dict[str, Any]:
    """Return what may leave the house: numbers and the channel; no words, subjects or names."""
    return {
        "occurred_at": instant(event.occurred_at),
        "client_id": event.client_id,
        "message_id": event.subject_id,
        "channel": event.data.get("channel"),
    }


def _listening(session: Session) -> Sequence[tuple[int, list[str]]]:
    """Return who is called, asked once in a transaction: a batch of mail is many events."""
    if "webhooks" not in session.info:
        session.info["webhooks"] = [tuple(row) for row in session.execute(_LISTENING)]
    listening: Sequence[tuple[int, list[str]]] = session.info["webhooks"]
    return listening
