"""What is on its way out, what did not go, and the local outbox where no mail server is set."""

from email import message_from_bytes
from email.policy import default as modern
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, request
from werkzeug.wrappers import Response

from casewell.clients import phones
from casewell.clients.models import Client
from casewell.clients.queries import clients_visible_to
from casewell.inbox import queries
from casewell.inbox.cards import HELD, STATES
from casewell.inbox.reader import reader
from casewell.kernel import web
from casewell.kernel.access import EDITORS, MANAGERS, Identity
from casewell.kernel.downloads import as_download
from casewell.kernel.errors import NotFound
from casewell.kernel.paging import keyset_page
from casewell.kernel.times import full_time, short_time
from casewell.messages.models import Delivery, MessageStatus
from casewell.providers.mail_out import MailSender
from casewell.providers.mail_out.console import ConsoleSender, LetterMissing
from casewell.providers.sms import SMSSender
from casewell.providers.sms.console import ConsoleSMS

blueprint = Blueprint("outbox", __name__, template_folder="templates")
GROUPS = {
    "decide": ("Needs you", (MessageStatus.UNCONFIRMED, MessageStatus.FAILED)),
    "waiting": ("On its way", (MessageStatus.QUEUED, MessageStatus.SENDING)),
    "bounced": ("Came back", (MessageStatus.BOUNCED,)),
}
SHOWN_CHARS = 200_000


@blueprint.get("/outbox")
def index() -> Response:
    """Messages that are not simply sent, in three groups; the newest of each, and more on ask."""
    person, viewer = reader(), web.identity()
    group = request.args.get("group", "decide")
    if group not in GROUPS:
        raise NotFound
    page = keyset_page(
        web.db(),
        _deliveries(viewer, GROUPS[group][1]),
        by=(Delivery.id,),
        after=request.args.get("after"),
    )
    rows = [
        {
            **row._mapping,
            "time": short_time(row.queued_at, person.now, person.zone),
            "full": full_time(row.queued_at, person.zone),
            "words": STATES.get(row.status, "Waiting"),
            "reason": row.last_error or (HELD[row.held] if row.held else ""),
        }
        for row in page.items
    ]
    return web.render(
        "outbox/index.html",
        "outbox/_deliveries.html",
        rows=rows,
        group=group,
        groups=GROUPS,
        counts=_counts(viewer),
        next=page.next,
        may_edit=viewer.role in EDITORS,
        has_letters=_letters() is not None and viewer.role in MANAGERS.roles,
        has_texts=_texts() is not None and viewer.role in MANAGERS.roles,
    )


@blueprint.get("/outbox/letters")
def letters() -> Response:
    """Mail that was "sent" while no mail server is set."""
    person = reader()
    shown = [
        {
            "id": letter.id,
            "to": ", ".join(letter.recipients),
            "time": short_time(letter.sent_at, person.now, person.zone),
            "full": full_time(letter.sent_at, person.zone),
        }
        for letter in _sender().letters()
    ]
    return web.render("outbox/letters.html", letters=shown)


@blueprint.get("/outbox/letters/<letter_id>")
def letter(letter_id: str) -> Response:
    raw = _read(letter_id)
    mail = message_from_bytes(raw, policy=modern)
    body = mail.get_body(("plain",))
    text = body.get_content() if body is not None else ""
    headers = [(name, str(mail[name])) for name in ("From", "To", "Cc", "Date") if mail[name]]
    return web.render(
        "outbox/letter.html",
        letter_id=letter_id,
        subject=str(mail["Subject"] or "No subject"),
        headers=headers,
        text=text,
        raw=raw.decode("utf-8", "replace")[:SHOWN_CHARS],
        files=[part.get_filename() for part in mail.iter_attachments()],
    )


@blueprint.get("/outbox/letters/<letter_id>.eml")
def letter_file(letter_id: str) -> Response:
    return as_download(Response(_read(letter_id)), f"{letter_id}.eml")


@blueprint.get("/outbox/texts")
def texts() -> Response:
    """Texts that were "sent" while no carrier is set."""
    twin = _texts()
    if twin is None:
        raise NotFound
    person = reader()
    shown = [
        {
            "to": phones.shown(one.to),
            "body": one.body,
            "time": short_time(one.sent_at, person.now, person.zone),
            "full": full_time(one.sent_at, person.zone),
        }
        for one in twin.texts()
    ]
    return web.render("outbox/texts.html", texts=shown)


def _texts() -> ConsoleSMS | None:
    sender = web.runtime().provider(SMSSender)
    return sender if isinstance(sender, ConsoleSMS) else None


def _read(letter_id: str) -> bytes:
    try:
        return _sender().read(letter_id)
    except LetterMissing as error:
        raise NotFound from error


def _letters() -> ConsoleSender | None:
    sender = web.runtime().provider(MailSender)
    return sender if isinstance(sender, ConsoleSender) else None


def _sender() -> ConsoleSender:
    """Return the local outbox. Raises NotFound where a mail server is set."""
    sender = _letters()
    if sender is None:
        raise NotFound
    return sender


COLUMNS: tuple[Any, ...] = (
    Delivery.id,
    Delivery.message_id,
    Delivery.status,
    Delivery.channel,
    Delivery.queued_at,
    Delivery.due_at,
    Delivery.attempts,
    Delivery.last_error,
    Delivery.held,
    Delivery.recipient,
    queries.messages.c.subject,
    queries.messages.c.client_id,
    queries.CLIENT_NAME.label("client_name"),
)


def _deliveries(viewer: Identity, statuses: tuple[MessageStatus, ...]) -> sa.Select[Any]:
    return (
        sa.select(*COLUMNS)
        .select_from(Delivery)
        .join(queries.messages, queries.messages.c.id == Delivery.message_id)
        .join(Client, Client.id == queries.messages.c.client_id)
        .where(Delivery.status.in_(statuses), clients_visible_to(viewer))
    )


def _counts(viewer: Identity) -> dict[str, int]:
    rows = web.db().execute(
        sa.select(Delivery.status, sa.func.count())
        .join(queries.messages, queries.messages.c.id == Delivery.message_id)
        .join(Client, Client.id == queries.messages.c.client_id)
        .where(
            Delivery.status.in_([status for _, group in GROUPS.values() for status in group]),
            clients_visible_to(viewer),
        )
        .group_by(Delivery.status)
    )
    found = {MessageStatus(status): count for status, count in rows}
    return {
        name: sum(found.get(status, 0) for status in statuses)
        for name, (_, statuses) in GROUPS.items()
    }
