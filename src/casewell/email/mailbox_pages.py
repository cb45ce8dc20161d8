"""Channels: the mailboxes that are watched, how mail leaves, and the door for pushed mail."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask import Blueprint, request
from werkzeug.wrappers import Response

from casewell.email import hooks, quarantine, reconciliation
from casewell.email.forms import MailboxForm
from casewell.email.mailboxes import (
    COLUMNS,
    MailboxService,
    all_mailboxes,
    find_mailbox,
    try_out,
)
from casewell.email.models import ImapSecurity, InboundMail, InboundState
from casewell.email.words import STANDS_WORDS, shown
from casewell.kernel import web
from casewell.kernel.access import OWNERS
from casewell.kernel.errors import CasewellError
from casewell.kernel.forms import parse
from casewell.kernel.signed_bodies import HEADER
from casewell.kernel.times import ago
from casewell.messages.models import Channel, ChannelState
from casewell.providers.errors import ProviderError
from casewell.providers.mail_out import MailSender
from casewell.staff.current import current_actor, current_staff
from casewell.staff.models import Firm

blueprint = Blueprint("mailboxes", __name__, template_folder="templates")
SECURITIES = (
    (ImapSecurity.TLS, "TLS (port 993)"),
    (ImapSecurity.STARTTLS, "STARTTLS (port 143)"),
    (ImapSecurity.PLAIN, "None (only on this machine)"),
)
# How far back a first connect reads unless another day is chosen.
WINDOW = timedelta(days=90)


@blueprint.get("/settings/channels")
def index() -> Response:
    return _index()


@blueprint.get("/settings/channels/new")
def new() -> Response:
    since = (web.now().astimezone(_zone()).date() - WINDOW).isoformat()
    return _form({"port": 993, "folder": "INBOX", "security": ImapSecurity.TLS, "since": since})


@blueprint.post("/settings/channels")
def connect() -> Response:
    try:
        given = parse(MailboxForm, request.form)
        try_out(web.runtime(), given)
        mailbox = _service().connect(given)
    except CasewellError as error:
        return _form(request.form, error=error)
    web.toast(f"{mailbox.name} is connected. Its mail is being read.")
    return web.go("mailboxes.show", mailbox_id=mailbox.id)


@blueprint.get("/settings/channels/<int:mailbox_id>")
def show(mailbox_id: int) -> Response:
    """What was seen on the server, what is stored, and why the rest is not."""
    session, mailbox = web.db(), find_mailbox(web.db(), mailbox_id)
    its = InboundMail.mailbox_id == mailbox_id
    stands = reconciliation.counts(session, its)
    return web.render(
        "email/mailbox.html",
        mailbox=mailbox,
        box=shown(mailbox, web.now(), _zone()),
        compared=mailbox.compared_at and ago(mailbox.compared_at, web.now(), _zone()),
        may_change=_may_change(),
        stands=[(STANDS_WORDS[stand], count, stand) for stand, count in stands.items()],
        kept=sum(stands.values()),
        reasons=reconciliation.reasons(session, its),
        unreadable=quarantine.unreadable(session, mailbox_id=mailbox_id),
    )


@blueprint.get("/settings/channels/<int:mailbox_id>/state")
def state(mailbox_id: int) -> Response:
    """The card that asks for itself again while much is being read: counting all would cost more.

    Once that has ended the whole page comes anew.
    """
    box = shown(find_mailbox(web.db(), mailbox_id), web.now(), _zone())
    answer = web.render("email/_mailbox_state.html", box=box, may_change=_may_change())
    if not box["busy"]:
        answer.headers["HX-Refresh"] = "true"
    return answer


@blueprint.get("/settings/channels/<int:mailbox_id>/edit")
def edit(mailbox_id: int) -> Response:
    mailbox = find_mailbox(web.db(), mailbox_id)
    return _form({name: getattr(mailbox, name) for name in COLUMNS}, mailbox_id)


@blueprint.post("/settings/channels/<int:mailbox_id>")
def change(mailbox_id: int) -> Response:
    try:
        given = parse(MailboxForm, request.form)
        try_out(web.runtime(), given, mailbox_id)
        mailbox = _service().change(mailbox_id, given)
    except CasewellError as error:
        return _form(request.form, mailbox_id, error)
    web.toast(f"{mailbox.name} saved")
    return web.go("mailboxes.show", mailbox_id=mailbox_id)


@blueprint.post("/settings/channels/<int:mailbox_id>/pause")
def pause(mailbox_id: int) -> Response:
    mailbox = _service().pause(mailbox_id)
    web.toast(f"{mailbox.name} paused")
    return web.go("mailboxes.index")


@blueprint.post("/settings/channels/<int:mailbox_id>/look")
def look_now(mailbox_id: int) -> Response:
    mailbox = _service().look_now(mailbox_id)
    web.toast(f"{mailbox.name} is being looked at")
    return web.go("mailboxes.show", mailbox_id=mailbox_id)


@blueprint.post("/settings/channels/<int:mailbox_id>/remove")
def remove(mailbox_id: int) -> Response:
    mailbox = _service().remove(mailbox_id)
    web.toast(f"{mailbox.name} removed. What came in stays.")
    return web.go("mailboxes.index")


@blueprint.post("/settings/channels/mail-out/check")
def check_mail_out() -> Response:
    try:
        web.runtime().provider(MailSender).check()
    except ProviderError as failure:
        return _index(checked={"works": False, "words": failure.message})
    return _index(checked={"works": True, "words": ""})


def _index(checked: Mapping[str, Any] | None = None) -> Response:
    session, settings = web.db(), web.runtime().settings
    boxes = [shown(mailbox, web.now(), _zone()) for mailbox in all_mailboxes(session)]
    unreadable = sa.select(sa.func.count()).where(InboundMail.state == InboundState.QUARANTINED)
    stop = session.get(ChannelState, Channel.EMAIL)
    return web.render(
        "email/mailboxes.html",
        "email/_mailboxes.html",
        boxes=boxes,
        busy=any(box["busy"] for box in boxes),
        may_change=_may_change(),
        unreadable=session.scalar(unreadable),
        settings=settings,
        firm=session.get_one(Firm, 1),
        sender=web.runtime().provider(MailSender).kind,
        stopped=stop.reason if stop is not None and stop.stopped_at is not None else "",
        checked=checked,
        hook=settings.public_url + hooks.PATH,
        hook_header=HEADER,
    )


def _form(
    values: Mapping[str, Any], mailbox_id: int | None = None, error: CasewellError | None = None
) -> Response:
    """Show the form of a mailbox; its password is never shown again."""
    if error is not None and error.status != 422:
        raise error
    return web.render(
        "email/mailbox_form.html",
        status=error.status if error else 200,
        errors=error.fields if error else {},
        values=values,
        mailbox_id=mailbox_id,
        securities=SECURITIES,
    )


def _service() -> MailboxService:
    return MailboxService(web.db(), web.runtime(), current_actor())


def _may_change() -> bool:
    return web.identity().role in OWNERS.roles


def _zone() -> ZoneInfo:
    return ZoneInfo(current_staff().time_zone)
