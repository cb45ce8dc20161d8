"""Settings: the addresses of others that are told what happens here. For owners."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, request
from werkzeug.wrappers import Response

from casewell.kernel import web
from casewell.kernel.errors import CasewellError
from casewell.kernel.forms import parse
from casewell.kernel.times import ago
from casewell.staff.current import current_actor, current_staff
from casewell.webhooks.forms import WebhookForm
from casewell.webhooks.models import CallState, HookState, Webhook, WebhookCall
from casewell.webhooks.outgoing import KINDS
from casewell.webhooks.service import (
    WebhookService,
    all_webhooks,
    check_address,
    find_webhook,
    recent_calls,
    try_out,
    waiting_counts,
)

blueprint = Blueprint("webhooks", __name__, template_folder="templates")
STATES = {
    HookState.ACTIVE: ("Works", "active"),
    HookState.PAUSED: ("Paused", "closed"),
    HookState.STOPPED: ("Stopped: it failed for 3 days", "late"),
}
CALL_STATES = {
    CallState.WAITING: ("Waiting", "wait"),
    CallState.TAKEN: ("Taken", "active"),
    CallState.GIVEN_UP: ("Not taken", "late"),
    CallState.DROPPED: ("Dropped", "closed"),
}


@blueprint.get("/settings/webhooks")
def index() -> Response:
    return _index()


@blueprint.post("/settings/webhooks")
def add() -> Response:
    try:
        given = parse(WebhookForm, request.form)
        check_address(web.runtime(), given.url)
        webhook, secret = _service().add(given)
    except CasewellError as error:
        return _index(error)
    return web.render("webhooks/secret.html", webhook=webhook, secret=secret, is_new=True)


@blueprint.get("/settings/webhooks/<int:webhook_id>")
def show(webhook_id: int) -> Response:
    return _page(webhook_id)


@blueprint.post("/settings/webhooks/<int:webhook_id>")
def change(webhook_id: int) -> Response:
    try:
        given = parse(WebhookForm, request.form)
        check_address(web.runtime(), given.url)
        _service().change(webhook_id, given)
    except CasewellError as error:
        return _page(webhook_id, error)
    web.toast("Webhook saved")
    return web.go("webhooks.show", webhook_id=webhook_id)


@blueprint.post("/settings/webhooks/<int:webhook_id>/test")
def test(webhook_id: int) -> Response:
    outcome = try_out(web.runtime(), webhook_id)
    if outcome.error:
        web.toast(f"The test call was not taken. {outcome.error}", kind="error")
    else:
        web.toast(f"The test call was taken in {outcome.duration_ms:,} ms")
    return web.go("webhooks.show", webhook_id=webhook_id)


@blueprint.post("/settings/webhooks/<int:webhook_id>/secret")
def renew_secret(webhook_id: int) -> Response:
    webhook, secret = _service().renew_secret(webhook_id)
    return web.render("webhooks/secret.html", webhook=webhook, secret=secret, is_new=False)


@blueprint.post("/settings/webhooks/<int:webhook_id>/pause")
def pause(webhook_id: int) -> Response:
    _service().pause(webhook_id)
    web.toast("Webhook paused. Nothing is told to it.")
    return web.go("webhooks.show", webhook_id=webhook_id)


@blueprint.post("/settings/webhooks/<int:webhook_id>/resume")
def resume(webhook_id: int) -> Response:
    _service().resume(webhook_id)
    web.toast("Webhook resumed. It is told what happens from now on.")
    return web.go("webhooks.show", webhook_id=webhook_id)


@blueprint.post("/settings/webhooks/<int:webhook_id>/remove")
def remove(webhook_id: int) -> Response:
    _service().remove(webhook_id)
    web.toast("Webhook removed")
    return web.go("webhooks.index")


def _index(error: CasewellError | None = None) -> Response:
    if error is not None and error.status not in (409, 422):
        raise error
    waiting = waiting_counts(web.db())
    return web.render(
        "webhooks/index.html",
        status=error.status if error else 200,
        errors=_at_fields(error),
        values=request.form,
        chosen=request.form.getlist("events") if error else list(KINDS)[:1],
        kinds=KINDS,
        hooks=[_shown(webhook, waiting.get(webhook.id, 0)) for webhook in all_webhooks(web.db())],
    )


def _page(webhook_id: int, error: CasewellError | None = None) -> Response:
    """Show one webhook; `error` is of its form that has come back."""
    if error is not None and error.status != 422:
        raise error
    webhook = find_webhook(web.db(), webhook_id)
    own: Mapping[str, Any] = {"url": webhook.url}
    return web.render(
        "webhooks/show.html",
        status=error.status if error else 200,
        errors=_at_fields(error),
        values=request.form if error else own,
        chosen=request.form.getlist("events") if error else webhook.events,
        kinds=KINDS,
        hook=_shown(webhook, waiting_counts(web.db()).get(webhook_id, 0)),
        calls=[_shown_call(call) for call in recent_calls(web.db(), webhook_id)],
    )


def _shown(webhook: Webhook, waiting: int) -> dict[str, Any]:
    label, tone = STATES[webhook.state]
    if webhook.state is HookState.ACTIVE and webhook.failing_since is not None:
        label, tone = "Failing", "late"
    success = webhook.last_success_at
    return {
        "id": webhook.id,
        "url": webhook.url,
        "events": [KINDS[kind] for kind in webhook.events],
        "label": label,
        "tone": tone,
        "is_active": webhook.state is HookState.ACTIVE,
        "is_stopped": webhook.state is HookState.STOPPED,
        "failing_since": webhook.failing_since,
        "next_try": webhook.away_until,
        "waiting": waiting,
        "last_success": ago(success, web.now(), _zone()) if success else "Not yet",
    }


def _shown_call(call: WebhookCall) -> dict[str, Any]:
    label, tone = CALL_STATES[call.state]
    return {
        "event": call.event,
        "event_id": call.event_id,
        "created_at": call.created_at,
        "label": label,
        "tone": tone,
        "answer": call.last_error or (f"It answered {call.status}." if call.status else ""),
        "effort": ", ".join(filter(None, (_took(call), _attempts(call)))),
    }


def _took(call: WebhookCall) -> str:
    return f"{call.duration_ms:,} ms" if call.duration_ms is not None else ""


def _attempts(call: WebhookCall) -> str:
    return f"{call.attempts} attempts" if call.attempts > 1 else ""


def _at_fields(error: CasewellError | None) -> dict[str, str]:
    if error is None:
        return {}
    return {name.partition(".")[0]: words for name, words in error.fields.items()} or {
        "url": error.message
    }


def _service() -> WebhookService:
    return WebhookService(web.db(), web.runtime(), current_actor())


def _zone() -> ZoneInfo:
    return ZoneInfo(current_staff().time_zone)
