"""Mails that could not be read: looked at as text, downloaded, tried again."""

from flask import Blueprint, request
from werkzeug.wrappers import Response

from casewell.email import quarantine
from casewell.email.mailboxes import find_mailbox
from casewell.kernel import web
from casewell.kernel.downloads import as_download
from casewell.staff.current import current_actor

blueprint = Blueprint("unreadable_mails", __name__, template_folder="templates")
SHOWN_BYTES = 200_000


@blueprint.get("/settings/channels/unreadable")
def index() -> Response:
    mailbox_id = web.row_number("mailbox")
    mailbox = find_mailbox(web.db(), mailbox_id) if mailbox_id is not None else None
    after = request.args.get("after")
    return web.render(
        "email/unreadable.html",
        "email/_unreadable_rows.html",
        mails=quarantine.unreadable(web.db(), mailbox_id=mailbox_id, after=after),
        mailbox=mailbox,
        mailbox_id=mailbox_id,
    )


@blueprint.get("/settings/channels/unreadable/<int:inbound_id>")
def show(inbound_id: int) -> Response:
    mail = quarantine.find_unreadable(web.db(), inbound_id)
    raw = quarantine.open_raw(web.runtime(), current_actor(), mail, SHOWN_BYTES)
    return web.render(
        "email/unreadable_mail.html",
        mail=mail,
        raw=raw.decode("utf-8", "replace"),
        is_cut=len(raw) == SHOWN_BYTES,
    )


@blueprint.get("/settings/channels/unreadable/<int:inbound_id>.eml")
def download(inbound_id: int) -> Response:
    mail = quarantine.find_unreadable(web.db(), inbound_id)
    raw = quarantine.open_raw(web.runtime(), current_actor(), mail)
    return as_download(Response(raw), f"mail-{inbound_id}.eml")


@blueprint.post("/settings/channels/unreadable/<int:inbound_id>/try-again")
def try_again(inbound_id: int) -> Response:
    quarantine.try_again(web.db(), web.runtime(), inbound_id)
    web.toast("The mail is being read again")
    return web.go("unreadable_mails.index")
