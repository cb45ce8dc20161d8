"""SMS as the owner sees it: whether it works, what to tell Twilio, and a way to stop it."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint
from werkzeug.wrappers import Response

from casewell.kernel import web
from casewell.messages import channels
from casewell.messages.models import Channel, ChannelState
from casewell.providers.errors import ProviderError
from casewell.providers.sms import SMSSender
from casewell.sms.carrier import STATUS_PATH
from casewell.sms.hooks import TEXT_PATH
from casewell.sms.incoming import help_text
from casewell.sms.limits import months_use
from casewell.staff.current import current_actor

blueprint = Blueprint("sms_settings", __name__, template_folder="templates")
PAUSED = "Paused by {name}."


@blueprint.get("/settings/sms")
def show() -> Response:
    return _page()


@blueprint.post("/settings/sms/check")
def check() -> Response:
    """Ask the carrier whether it lets us in; nothing is sent."""
    try:
        web.runtime().provider(SMSSender).check()
    except ProviderError as failure:
        return _page({"works": False, "words": failure.message})
    return _page({"works": True, "words": ""})


@blueprint.post("/settings/sms/pause")
def pause() -> Response:
    reason = PAUSED.format(name=current_actor().name)
    channels.stop(web.db(), Channel.SMS, reason, web.now())
    web.toast("SMS is paused. Texts wait in the outbox.")
    return web.go(".show")


@blueprint.post("/settings/sms/resume")
def resume() -> Response:
    channels.resume(web.db(), Channel.SMS, web.now(), current_actor())
    web.toast("SMS goes on")
    return web.go(".show")


def _page(checked: Mapping[str, Any] | None = None) -> Response:
    session, runtime = web.db(), web.runtime()
    state = session.get(ChannelState, Channel.SMS)
    return web.render(
        "sms/settings.html",
        kind=runtime.provider(SMSSender).kind,
        settings=runtime.settings,
        month=months_use(session, runtime),
        stopped=state.reason if state is not None and state.stopped_at is not None else "",
        text_hook=runtime.settings.public_url + TEXT_PATH,
        status_hook=runtime.settings.public_url + STATUS_PATH,
        help_text=help_text(session, runtime),
        checked=checked,
    )
