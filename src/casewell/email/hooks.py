"""The authenticated webhook that takes whole mails: for a firm whose server pushes them."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa
from flask import Blueprint, request
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from casewell.email.arrival import Arrived, Kept, discard, keep_raw, register, take_in_mail
from casewell.email.models import InboundMail, Source
from casewell.kernel import web
from casewell.kernel.api import as_response
from casewell.kernel.errors import Forbidden, MalformedRequest, NotFound, ServiceUnavailable
from casewell.kernel.jobs import hint_after_commit
from casewell.kernel.runtime import Runtime
from casewell.kernel.settings import Settings
from casewell.kernel.signed_bodies import HEADER, is_signed
from casewell.providers.errors import Unavailable

blueprint = Blueprint("mail_hook", __name__)
PATH = "/hooks/mail"
# A sender that waits longer takes us for dead and sends again anyway.
PATIENCE = timedelta(seconds=1.5)


def _largest(settings: Settings) -> int:
    return settings.mail_max_bytes


@blueprint.post(PATH)
@web.takes_bodies_up_to(_largest)
def receive() -> Response:
    """Take one raw mail (message/rfc822), signed; a mail that is given twice is kept once."""
    runtime = web.runtime()
    secrets = runtime.settings.webhook_secrets
    if not secrets:
        raise NotFound
    raw = request.get_data()
    if not is_signed(secrets, raw, request.headers.get(HEADER, ""), web.now()):
        raise Forbidden("The signature is missing, does not fit this mail, or is too old.")
    if not raw.strip():
        raise MalformedRequest("The mail is empty.")
    return as_response({"id": _keep(runtime, raw)}, 202)


def _keep(runtime: Runtime, raw: bytes) -> int:
    """Keep the mail durably before it is acknowledged; its sender tries again otherwise."""
    digest = hashlib.sha256(raw).hexdigest()
    kept: list[Kept] = []
    try:
        with runtime.database.reading(patience=PATIENCE) as session:
            given_before = _pushed(session, digest)
        if given_before is not None:
            return given_before
        kept = keep_raw(runtime, [Arrived(raw=raw, size=len(raw), received_at=runtime.now())])
        with runtime.database.writing(patience=PATIENCE) as session:
            return _register(session, runtime, kept)
    except (Unavailable, SQLAlchemyError) as error:
        discard(runtime, kept)
        raise ServiceUnavailable("The mail could not be kept. Send it again later.") from error


def _register(session: Session, runtime: Runtime, kept: Sequence[Kept]) -> int:
    for inbound_id in register(session, runtime, kept, source=Source.WEBHOOK):
        hint_after_commit(session, runtime.hints, take_in_mail, inbound_id)
    pushed = _pushed(session, kept[0].sha256)
    assert pushed is not None, "it has just been registered, by us or in the same moment"
    return pushed


def _pushed(session: Session, digest: str) -> int | None:
    return session.scalar(
        sa.select(InboundMail.id).where(
            InboundMail.source == Source.WEBHOOK, InboundMail.sha256 == digest
        )
    )
