"""Adding, trying out, pausing, resuming and removing webhooks; each act is in the audit ledger."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.kernel.errors import Conflict, InvalidInput, NotFound
from casewell.kernel.runtime import Runtime
from casewell.kernel.types import Sealed
from casewell.ledger.service import Actor, audit
from casewell.providers.errors import ProviderError
from casewell.providers.http import WebClient
from casewell.webhooks import calling, outgoing
from casewell.webhooks.calling import Outcome
from casewell.webhooks.forms import WebhookForm
from casewell.webhooks.models import (
    OLD_SECRET_CONTEXT,
    SECRET_CONTEXT,
    CallState,
    HookState,
    Webhook,
    WebhookCall,
)

MOST_WEBHOOKS = 20
MOST_SHOWN = 50
# How long both secrets hold after one was renewed.
OVERLAP = timedelta(days=1)


def all_webhooks(session: Session) -> Sequence[Webhook]:
    return session.scalars(sa.select(Webhook).order_by(Webhook.id)).all()


def find_webhook(session: Session, webhook_id: int) -> Webhook:
    """Raises NotFound."""
    found = session.get(Webhook, webhook_id)
    if found is None:
        raise NotFound
    return found


def recent_calls(session: Session, webhook_id: int) -> Sequence[WebhookCall]:
    """Return the newest calls, newest first."""
    query = sa.select(WebhookCall).where(WebhookCall.webhook_id == webhook_id)
    return session.scalars(query.order_by(WebhookCall.id.desc()).limit(MOST_SHOWN)).all()


def waiting_counts(session: Session) -> Mapping[int, int]:
    """Return how many calls wait for each address that has any."""
    rows = session.execute(
        sa.select(WebhookCall.webhook_id, sa.func.count().label("waiting"))
        .where(WebhookCall.due_at.is_not(None))
        .group_by(WebhookCall.webhook_id)
    )
    return {row.webhook_id: row.waiting for row in rows}


def check_address(runtime: Runtime, url: str) -> None:
    """Refuse an address at its field that no call would be let go to.

    Called before anything asks for a writing session: a name server may take its time. Raises
    InvalidInput.
    """
    try:
        runtime.provider(WebClient).check(url)
    except ProviderError as error:
        raise InvalidInput(error.message, fields={"url": error.message}) from error


def try_out(runtime: Runtime, webhook_id: int) -> Outcome:
    """Call an address now with an event about nobody, in whatever state it is; log the call.

    Called before anything asks for a writing session. Raises NotFound.
    """
    with runtime.database.reading() as session:
        webhook = find_webhook(session, webhook_id)
    facts = outgoing.facts_of_test(runtime.now())
    call = WebhookCall(**outgoing.call_of(webhook_id, outgoing.TEST, facts), attempts=1)
    outcome = calling.attempt(runtime, webhook, call)
    calling.note(call, outcome, runtime.now())
    call.due_at = None
    call.state = CallState.GIVEN_UP if outcome.error else CallState.TAKEN
    with runtime.database.writing() as session:
        if session.get(Webhook, webhook_id) is not None:
            session.add(call)
    return outcome


class WebhookService:
    """What owners do with webhooks."""

    def __init__(self, session: Session, runtime: Runtime, actor: Actor) -> None:
        self._session = session
        self._runtime = runtime
        self._actor = actor

    def add(self, form: WebhookForm) -> tuple[Webhook, str]:
        """Call a new address from now on; return it with its secret, which is not shown again.

        The address has been checked. Raises Conflict.
        """
        if len(all_webhooks(self._session)) >= MOST_WEBHOOKS:
            raise Conflict(f"There are {MOST_WEBHOOKS} webhooks already. Remove one first.")
        now, secret = self._runtime.now(), _new_secret()
        webhook = Webhook(
            url=form.url,
            events=_in_order(form.events),
            secret=Sealed.seal(secret, SECRET_CONTEXT),
            created_at=now,
            state_since=now,
        )
        self._session.add(webhook)
        self._session.flush()
        self._note("webhook.added", webhook)
        return webhook, secret

    def change(self, webhook_id: int, form: WebhookForm) -> Webhook:
        """Call another address, or for other events; what waits goes to the new address."""
        webhook = find_webhook(self._session, webhook_id)
        if webhook.url != form.url:
            self._forget_failures(webhook)
        webhook.url, webhook.events = form.url, _in_order(form.events)
        self._note("webhook.changed", webhook)
        return webhook

    def renew_secret(self, webhook_id: int) -> tuple[Webhook, str]:
        """Sign with a new secret, and for a day with the old one too."""
        webhook, secret = find_webhook(self._session, webhook_id), _new_secret()
        webhook.old_secret_until = self._runtime.now() + OVERLAP
        webhook.old_secret = Sealed.seal(webhook.secret.open(), OLD_SECRET_CONTEXT)
        webhook.secret = Sealed.seal(secret, SECRET_CONTEXT)
        self._note("webhook.secret_renewed", webhook)
        return webhook, secret

    def pause(self, webhook_id: int) -> Webhook:
        """Call it no more. What waits is dropped, and what happens meanwhile is not told."""
        webhook = find_webhook(self._session, webhook_id)
        self._enter(webhook, HookState.PAUSED)
        calling.drop_waiting(self._session, webhook_id, CallState.DROPPED)
        self._note("webhook.paused", webhook)
        return webhook

    def resume(self, webhook_id: int) -> Webhook:
        """Call it again from now on."""
        webhook = find_webhook(self._session, webhook_id)
        self._enter(webhook, HookState.ACTIVE)
        self._forget_failures(webhook)
        self._note("webhook.resumed", webhook)
        return webhook

    def remove(self, webhook_id: int) -> Webhook:
        """Forget the address, its secret and what was told it."""
        webhook = find_webhook(self._session, webhook_id)
        self._session.delete(webhook)
        self._session.flush()
        self._note("webhook.removed", webhook)
        return webhook

    def _enter(self, webhook: Webhook, state: HookState) -> None:
        if webhook.state is not state:
            webhook.state, webhook.state_since = state, self._runtime.now()

    def _forget_failures(self, webhook: Webhook) -> None:
        webhook.failing_since = webhook.away_until = None
        webhook.failures = 0

    def _note(self, kind: str, webhook: Webhook) -> None:
        data = {"webhook": webhook.id, "events": webhook.events}
        audit(self._session, kind, now=self._runtime.now(), actor=self._actor, data=data)


def _new_secret() -> str:
    return f"whsec_{secrets.token_urlsafe(32)}"


def _in_order(events: Sequence[str]) -> list[str]:
    return [kind for kind in outgoing.KINDS if kind in events]
