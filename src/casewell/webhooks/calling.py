"""Calling an address: claim, commit, call, record. Who is called twice knows it by the id."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from casewell.kernel.crypto import CannotDecrypt
from casewell.kernel.db import lock_row
from casewell.kernel.jobs import back_off, claim, job, periodic
from casewell.kernel.runtime import Runtime
from casewell.kernel.signed_bodies import HEADER, signature
from casewell.providers.errors import ProviderError
from casewell.providers.http import WebClient
from casewell.webhooks.models import CallState, HookState, Webhook, WebhookCall

# How long a call is tried, and an address may fail, before Casewell gives up.
PATIENCE = timedelta(days=3)
KEPT = timedelta(days=14)
TIDIED = 5_000
LOST_SECRET = "Its secret can't be read any more. Make a new one."  # noqa: S105

log = structlog.get_logger()


@dataclass(frozen=True)
class Outcome:
    """What one attempt gave. `error` is empty where the address took the call."""

    status: int | None
    error: str
    duration_ms: int
    retry_after: timedelta | None = None


@job(WebhookCall)
def call_webhook(runtime: Runtime, call_id: int) -> None:
    """Make one call that is due, unless its address is known to be away just now."""
    now = runtime.now()
    with runtime.database.writing() as session:
        if not claim(session, WebhookCall, call_id, now):
            return
        call = session.get_one(WebhookCall, call_id)
        webhook = session.get_one(Webhook, call.webhook_id)
        if webhook.state is not HookState.ACTIVE:
            _let_go(call, CallState.DROPPED)
            return
        if webhook.away_until is not None and webhook.away_until > now:
            call.due_at, call.lease_until = webhook.away_until, None
            call.attempts -= 1
            return
    outcome = attempt(runtime, webhook, call)
    with runtime.database.writing() as session:
        _record(session, call_id, call.attempts, outcome, runtime.now())


def attempt(runtime: Runtime, webhook: Webhook, call: WebhookCall) -> Outcome:
    """Call once. Any answer of 2xx counts as taken; what else it says is not read."""
    body, now = call.body.encode(), runtime.now()
    began = time.monotonic()
    try:
        headers = {
            "Content-Type": "application/json",
            "X-Casewell-Event": call.event,
            "X-Casewell-Id": call.event_id,
            HEADER: signature(_secrets(webhook, now), body, now),
        }
        client = runtime.provider(WebClient)
        answer = client.send("POST", webhook.url, headers=headers, content=body, read_body=False)
    except CannotDecrypt:
        return Outcome(None, LOST_SECRET, 0)
    except ProviderError as failure:
        return Outcome(None, failure.message, _since(began))
    error = "" if answer.ok else f"It answered {answer.status}."
    return Outcome(answer.status, error, _since(began), answer.retry_after)


def note(call: WebhookCall, outcome: Outcome, now: datetime) -> None:
    """Write down on a call what its last attempt gave."""
    call.tried_at, call.lease_until = now, None
    call.status, call.duration_ms = outcome.status, outcome.duration_ms
    call.last_error = outcome.error or None


@periodic(every=timedelta(days=1))
def forget_calls(runtime: Runtime) -> None:
    """Delete what was told two weeks ago, a few thousand at a time."""
    old = (
        sa.select(WebhookCall.id)
        .where(
            WebhookCall.created_at < runtime.now() - KEPT, WebhookCall.state != CallState.WAITING
        )
        .order_by(WebhookCall.created_at)
        .limit(TIDIED)
    )
    deleted = TIDIED
    while deleted == TIDIED:
        with runtime.database.writing() as session:
            ids = session.scalars(old).all()
            session.execute(sa.delete(WebhookCall).where(WebhookCall.id.in_(ids)))
            deleted = len(ids)


def drop_waiting(session: Session, webhook_id: int, state: CallState) -> None:
    """Let nothing that waits for an address go there any more."""
    session.execute(
        sa.update(WebhookCall)
        .where(WebhookCall.webhook_id == webhook_id, WebhookCall.state == CallState.WAITING)
        .values(state=state, due_at=None, lease_until=None)
        .execution_options(synchronize_session=False)
    )


def _record(session: Session, call_id: int, number: int, outcome: Outcome, now: datetime) -> None:
    """Write down what an attempt gave, and how the address stands after it."""
    call = session.get(WebhookCall, call_id)
    if call is None or call.attempts != number or call.state is not CallState.WAITING:
        return  # removed or paused meanwhile, or its lease ran out and another has called
    lock_row(session, Webhook, call.webhook_id)
    webhook = session.get_one(Webhook, call.webhook_id)
    note(call, outcome, now)
    if not outcome.error:
        _let_go(call, CallState.TAKEN)
        webhook.last_success_at = now
        webhook.failing_since = webhook.away_until = None
        webhook.failures = 0
        return
    webhook.failing_since = webhook.failing_since or now
    webhook.failures += 1
    webhook.away_until = call.due_at = now + back_off(webhook.failures, outcome.retry_after)
    if now - call.created_at >= PATIENCE:
        _let_go(call, CallState.GIVEN_UP)
    if now - webhook.failing_since >= PATIENCE:
        webhook.state, webhook.state_since = HookState.STOPPED, now
        session.flush()
        drop_waiting(session, webhook.id, CallState.GIVEN_UP)
        log.error("webhook_stopped", webhook_id=webhook.id)


def _let_go(call: WebhookCall, state: CallState) -> None:
    call.state, call.due_at, call.lease_until = state, None, None


def _secrets(webhook: Webhook, now: datetime) -> list[str]:
    """Return what to sign with, the present secret first. Raises CannotDecrypt."""
    found = [webhook.secret.open()]
    if webhook.old_secret is not None and (webhook.old_secret_until or now) > now:
        found.append(webhook.old_secret.open())
    return found


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
