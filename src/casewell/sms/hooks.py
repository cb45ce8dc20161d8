"""What Twilio tells us: texts that came, and what became of those that left."""

import re
from datetime import timedelta
from xml.sax.saxutils import escape

import sqlalchemy as sa
from flask import Blueprint, Response, request
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from casewell.kernel import web
from casewell.kernel.errors import Forbidden, MalformedRequest, NotFound, ServiceUnavailable
from casewell.kernel.settings import Settings
from casewell.providers.sms.signature import is_signed
from casewell.sms.carrier import STATUS_PATH
from casewell.sms.incoming import MOST_MEDIA, IncomingText, Media, take_in_text
from casewell.sms.models import SMSMessage
from casewell.sms.reports import note_report

blueprint = Blueprint("sms_hooks", __name__)
TEXT_PATH = "/hooks/twilio/sms"
SIGNATURE = "X-Twilio-Signature"
MOST_BYTES = 100_000
# Twilio takes us for dead after 15 s; a person waits for their answer.
PATIENCE = timedelta(seconds=1.5)
MESSAGE_ID = re.compile(r"[A-Za-z0-9]{1,64}", re.ASCII)
NOT_KEPT = "It could not be kept. Send it again later."


def _largest(_settings: Settings) -> int:
    return MOST_BYTES


@blueprint.post(TEXT_PATH)
@web.takes_bodies_up_to(_largest)
def receive() -> Response:
    """Take a text in. It is kept before it is acknowledged, and once however often it is told."""
    form = _signed_form()
    told = IncomingText(
        provider_id=_message_id(),
        sender=form.get("From", ""),
        recipient=form.get("To", ""),
        body=form.get("Body", ""),
        segments=_number("NumSegments", 1) or 1,
        media=[
            Media(form.get(f"MediaUrl{n}", ""), form.get(f"MediaContentType{n}", ""))
            for n in range(min(_number("NumMedia", 0), MOST_MEDIA))
        ],
        answered=bool(form.get("OptOutType")),
    )
    runtime = web.runtime()
    try:
        with runtime.database.writing(patience=PATIENCE) as session:
            return _answer(take_in_text(session, runtime, told))
    except IntegrityError:
        if _is_kept(told.provider_id):  # told twice in the same moment
            return _answer("")
        raise
    except SQLAlchemyError as error:
        raise ServiceUnavailable(NOT_KEPT) from error


@blueprint.post(STATUS_PATH)
@web.takes_bodies_up_to(_largest)
def report() -> Response:
    """Note what became of a text. Unknown words are kept and change nothing."""
    form = _signed_form()
    runtime = web.runtime()
    status = form.get("MessageStatus", "")[:40]
    code = _number("ErrorCode", 0) or None
    try:
        with runtime.database.writing(patience=PATIENCE) as session:
            note_report(session, runtime.hints, _message_id(), status, code, runtime.now())
    except SQLAlchemyError as error:
        raise ServiceUnavailable(NOT_KEPT) from error
    return _answer("")


def _signed_form() -> dict[str, str]:
    """Return what was told. Raises NotFound while Twilio is not set up, Forbidden unless it is
    signed by our account, over the address that Twilio called."""
    settings = web.runtime().settings
    if settings.sms != "twilio":
        raise NotFound
    query = request.query_string.decode("latin-1")
    url = settings.public_url + request.path + (f"?{query}" if query else "")
    fields = request.form.to_dict(flat=False)
    given = request.headers.get(SIGNATURE, "")
    if not is_signed(settings.twilio_auth_tokens, url, fields, given):
        raise Forbidden("The signature is missing or does not fit.")
    form = request.form.to_dict()
    if form.get("AccountSid") != settings.twilio_account_sid:
        raise Forbidden("This is about another account.")
    return form


def _message_id() -> str:
    """Raises MalformedRequest."""
    told = request.form.get("MessageSid", "")
    if not MESSAGE_ID.fullmatch(told):
        raise MalformedRequest("There is no MessageSid.")
    return told


def _number(name: str, default: int) -> int:
    told = request.form.get(name, "")
    return int(told) if re.fullmatch(r"[0-9]{1,6}", told, re.ASCII) else default


def _is_kept(provider_id: str) -> bool:
    kept = sa.select(SMSMessage.id).where(SMSMessage.provider_id == provider_id)
    with web.runtime().database.reading(patience=PATIENCE) as session:
        return session.scalar(kept) is not None


def _answer(text: str) -> Response:
    if not text:
        return Response(status=204)
    told = f'<?xml version="1.0" encoding="UTF-8"?><Response><Message>{escape(text)}</Message>'
    return Response(f"{told}</Response>", content_type="text/xml; charset=utf-8")
