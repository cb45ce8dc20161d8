"""One message: its body in a frame, its files, and what becomes of it once it is sent."""

import sqlalchemy as sa
from flask import request
from werkzeug.wrappers import Response

from casewell.clients.queries import find_client
from casewell.email.models import EmailMessage
from casewell.email.sanitising import frame_document, frame_policy, sanitise
from casewell.inbox import files, pace
from casewell.inbox.api import inbox
from casewell.inbox.blueprint import blueprint
from casewell.inbox.cards import Card, client_addresses, make_cards
from casewell.inbox.queries import triage_message
from casewell.inbox.reader import acting, reader
from casewell.kernel import web
from casewell.kernel.access import EDITORS
from casewell.kernel.errors import InvalidInput, NotFound
from casewell.messages import conversations, outbox, states
from casewell.messages.files import discard
from casewell.messages.models import Attachment, Delivery


@blueprint.get("/inbox/messages/<int:message_id>/body")
def message_body(message_id: int) -> Response:
    """The HTML of a mail, made safe, for a sandboxed frame; `images=1` loads remote ones, once."""
    _must_see(message_id)
    html = web.db().scalar(sa.select(EmailMessage.html).where(EmailMessage.id == message_id))
    if html is None:
        raise NotFound
    images = "shown" if request.args.get("images") == "1" else "blocked"
    pictures = {
        row.content_id.strip("<>"): row.id
        for row in web.db().execute(
            sa.select(Attachment.id, Attachment.content_id).where(
                Attachment.message_id == message_id,
                Attachment.content_id.is_not(None),
                Attachment.content_type.in_(files.PICTURES),
                Attachment.file_key.is_not(None),
            )
        )
    }

    def address(content_id: str) -> str | None:
        found = pictures.get(content_id.strip("<>"))
        return files.picture_link(found) if found is not None else None

    own = (f"{web.runtime().settings.public_url}/",)
    safe = sanitise(html, address, images, own)  # type: ignore[arg-type]
    answer = Response(frame_document(safe), mimetype="text/html")
    source = f"{request.host_url}inbox/pictures/"
    policy = frame_policy(source, images)  # type: ignore[arg-type]
    answer.headers["Content-Security-Policy"] = policy
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.get("/inbox/pictures/<token>")
def picture(token: str) -> Response:
    """A picture that a mail brought along, by the signed address in its frame."""
    return files.send_picture(files.picture_of(token))


@blueprint.get("/inbox/attachments/<int:attachment_id>")
def attachment(attachment_id: int) -> Response:
    found = files.find_attachment(web.identity(), attachment_id)
    pace.fetches_file(web.identity())
    return files.send_download(found)


@blueprint.post("/inbox/c/<int:client_id>/files")
def upload(client_id: int) -> Response:
    """Keep files for a draft, and answer with their lines for the composer."""
    find_client(web.db(), web.identity(), client_id)
    files.keep_uploads(client_id, request.files.getlist("files"))
    web.db().flush()
    return web.render("inbox/_files.html", files=files.drafts_of(client_id), client_id=client_id)


@blueprint.post("/inbox/attachments/<int:attachment_id>/remove")
def remove_attachment(attachment_id: int) -> Response:
    """Take a file off a draft. Files of messages stay."""
    file = files.find_attachment(web.identity(), attachment_id)
    if file.message_id is not None or file.client_id is None:
        raise NotFound
    client_id = file.client_id
    discard(web.db(), web.runtime(), file)
    if not web.is_htmx():
        return web.go("inbox.conversation", client_id=client_id)
    return web.render("inbox/_files.html", files=files.drafts_of(client_id), client_id=client_id)


@blueprint.get("/inbox/messages/<int:message_id>/state")
def message_state(message_id: int) -> Response:
    """How the sending of a message stands; its card asks until that is settled."""
    return _state(message_id)


@blueprint.post("/inbox/messages/<int:message_id>/undo")
def undo(message_id: int) -> Response:
    """Take a message back that has not left; its words return to the composer."""
    delivery = _delivery(message_id)
    outbox.undo(web.db(), delivery, actor=acting(), now=web.now())
    message = inbox().get_message(message_id)
    reopened = "reopen" in request.args  # it was sent and marked done by one press
    if reopened:
        talk = conversations.conversation_of(web.db(), message.client_id)
        states.reopen(web.db(), talk, actor=acting(), now=web.now())
    if not web.is_htmx():
        web.toast("Taken back. Nothing was sent.")
        return web.go("inbox.conversation", client_id=message.client_id, again=message_id)
    return web.render(
        "inbox/_undone.html", message=message, client_id=message.client_id, reopened=reopened
    )


@blueprint.post("/inbox/messages/<int:message_id>/now")
def send_now(message_id: int) -> Response:
    """Let a waiting message leave without waiting for the rest of the time to undo."""
    outbox.send_now(web.db(), web.runtime(), _delivery(message_id), now=web.now())
    return _acted(message_id, "Sending now.")


@blueprint.post("/inbox/messages/<int:message_id>/settle")
def settle(message_id: int) -> Response:
    """A person says what became of a message: `arrived`, or `again` to send it once more."""
    delivery = _delivery(message_id)
    outcomes: dict[str | None, outbox.Resolution] = {"arrived": "arrived", "again": "again"}
    outcome = outcomes.get(request.form.get("choice"))
    if outcome is None:
        raise InvalidInput("Choose what happened to this message.")
    outbox.resolve(web.db(), web.runtime(), delivery, outcome, actor=acting(), now=web.now())
    text = "Marked as arrived." if outcome == "arrived" else "It will be sent again."
    return _acted(message_id, text)


def _acted(message_id: int, text: str) -> Response:
    if web.is_htmx():
        return _state(message_id, text)
    web.toast(text)
    message = inbox().get_message(message_id)
    back = request.form.get("back")
    if back == "outbox":
        return web.go("outbox.index")
    return web.go("inbox.conversation", client_id=message.client_id)


def _state(message_id: int, text: str = "") -> Response:
    card = card_of(message_id)
    may_edit = web.identity().role in EDITORS
    return web.render("inbox/_state.html", card=card, toast_text=text, may_edit=may_edit)


def card_of(message_id: int) -> Card:
    """Return the card of a message that the viewer may see. Raises NotFound."""
    row = inbox().get_message(message_id)
    own = client_addresses(web.db(), row.client_id)
    return make_cards(web.db(), [row], reader(), own_addresses=own)[0]


def _delivery(message_id: int) -> Delivery:
    """Return the delivery of a message of a client the viewer may see. Raises NotFound."""
    message = inbox().get_message(message_id)
    delivery = (
        web.db().scalars(sa.select(Delivery).where(Delivery.message_id == message.id)).one_or_none()
    )
    if delivery is None:
        raise NotFound
    return delivery


def _must_see(message_id: int) -> None:
    """Raise NotFound unless the message, in a thread or in triage, is the viewer's to see."""
    if web.db().execute(triage_message(web.identity(), message_id)).one_or_none() is None:
        inbox().get_message(message_id)
