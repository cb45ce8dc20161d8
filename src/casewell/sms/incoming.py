"""A text that came: into its client's conversation or the tray, and what its words ask for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients import consent
from casewell.clients.models import ConsentSource
from casewell.clients.phones import NoPhoneNumber, read_phone, shown
from casewell.kernel.jobs import hint_after_commit
from casewell.kernel.runtime import Runtime
from casewell.ledger.models import ActorKind
from casewell.ledger.service import Actor
from casewell.messages import intake
from casewell.messages.deliveries import settle
from casewell.messages.locks import hold_client
from casewell.messages.models import (
    Attachment,
    Channel,
    Delivery,
    Direction,
    MessageStatus,
    UnifiedMessage,
    preview_of,
)
from casewell.sms.characters import readable
from casewell.sms.keywords import Keyword, is_confirmed_by_carrier, keyword_of
from casewell.sms.limits import may_answer
from casewell.sms.media import fetch_media
from casewell.sms.models import MediaFetch, SMSMessage
from casewell.staff.models import Firm

MOST_MEDIA = 10
LONGEST_BODY = 10_000
BEING_FETCHED = "Being fetched from the carrier."
OPTED_OUT = "The client has opted out of texts."


@dataclass(frozen=True)
class Media:
    url: str
    content_type: str


@dataclass(frozen=True)
class IncomingText:
    """A text as its carrier told it. `answered`: the carrier has answered its keyword itself.

    `at`: when it came, where that is not now.
    """

    provider_id: str
    sender: str
    recipient: str
    body: str
    segments: int = 1
    media: Sequence[Media] = ()
    answered: bool = False
    at: datetime | None = None


def take_in_text(session: Session, runtime: Runtime, told: IncomingText) -> str:
    """Take a text in, once; return what is to be answered at once, or "".

    What it asks for is done in the same transaction: after STOP nothing more leaves.
    """
    known = sa.select(SMSMessage.id).where(SMSMessage.provider_id == told.provider_id)
    if session.scalar(known) is not None:
        return ""
    now = runtime.now()
    number = _e164(told.sender)
    keyword = keyword_of(told.body)
    for client_id in consent.clients_with(session, number):
        hold_client(session, client_id)
    body = readable(told.body[:LONGEST_BODY])
    message = SMSMessage(
        channel=Channel.SMS,
        direction=Direction.INBOUND,
        subject="",
        status=MessageStatus.RECEIVED,
        preview=preview_of(body or _in_words(len(told.media))),
        body_text=body,
        occurred_at=min(told.at or now, now),
        recorded_at=now,
        provider_id=told.provider_id,
        from_number=number,
        to_number=told.recipient[:40],
        segments=told.segments,
        media_count=len(told.media),
        may_ask_to_stop=keyword is Keyword.REVIEW,
    )
    match = intake.match(session, Channel.SMS, number, verified=None)
    intake.take_in(session, message, match, address=number, name=shown(number), now=now)
    _expect_media(session, runtime, message, told.media)
    answer = _act(session, runtime, message, keyword, told)
    return answer if answer and may_answer(session, runtime, number, answer) else ""


def _e164(sender: str) -> str:
    """Return a sender as clients' files hold numbers; a short code or a name as it came."""
    try:
        return read_phone(sender).e164 if sender.startswith("+") else sender[:40]
    except NoPhoneNumber:
        return sender[:40]


def _in_words(media: int) -> str:
    return "" if not media else "1 attachment" if media == 1 else f"{media} attachments"


def _expect_media(
    session: Session, runtime: Runtime, message: SMSMessage, media: Sequence[Media]
) -> None:
    """Show at once that there are files; a job fetches them."""
    for position, one in enumerate(media[:MOST_MEDIA]):
        attachment = Attachment(
            message_id=message.id,
            position=position,
            shown_name="attachment",
            content_type="application/octet-stream",
            size=0,
            sha256="",
            note=BEING_FETCHED,
            created_at=message.recorded_at,
        )
        session.add(attachment)
        session.flush()
        fetch = MediaFetch(
            attachment_id=attachment.id, url=one.url[:1000], due_at=message.recorded_at
        )
        session.add(fetch)
        session.flush()
        hint_after_commit(session, runtime.hints, fetch_media, fetch.id)


def _act(
    session: Session,
    runtime: Runtime,
    message: SMSMessage,
    keyword: Keyword,
    told: IncomingText,
) -> str:
    """Do what a text asks for; return what to answer."""
    now, number = message.recorded_at, message.from_number
    actor = Actor(ActorKind.CLIENT, None, shown(number))
    words = message.body_text
    if keyword is Keyword.OUT:
        is_new = consent.opt_out(
            session, number, source=ConsentSource.TEXT, words=words, actor=actor, now=now
        )
        stop_queued(session, runtime, number, actor)
        confirmed = told.answered or is_confirmed_by_carrier(words)
        firm = session.scalar(sa.select(Firm.name)) or "us"
        return (
            f"You will get no more texts from {firm}. Reply START to get them again."
            if is_new and not confirmed
            else ""
        )
    opted_out = consent.is_opted_out(session, number)
    if keyword is Keyword.IN or (keyword is Keyword.YES and opted_out):
        consent.opt_in(
            session, number, source=ConsentSource.TEXT, words=words, actor=actor, now=now
        )
    elif keyword is Keyword.HELP:
        return "" if told.answered else help_text(session, runtime)
    elif message.client_id is not None and not opted_out and keyword is not Keyword.REVIEW:
        _note_that_they_wrote(session, message, actor)
    return ""


def _note_that_they_wrote(session: Session, message: SMSMessage, actor: Actor) -> None:
    """Record that a client texts us, which asks for answers, unless something is recorded."""
    assert message.client_id is not None
    number = message.from_number
    if consent.standing(session, message.client_id, number).state is None:
        consent.grant(
            session,
            message.client_id,
            number,
            source=ConsentSource.WROTE,
            words=message.body_text,
            actor=actor,
            now=message.recorded_at,
        )


def stop_queued(
    session: Session,
    runtime: Runtime,
    number: str,
    actor: Actor,
    *,
    client_id: int | None = None,
) -> None:
    """Let nothing leave that is on its way to a number, for this client or for anybody."""
    whose = sa.true() if client_id is None else UnifiedMessage.client_id == client_id
    waiting = session.execute(
        sa.select(Delivery.id, UnifiedMessage.client_id)
        .join(UnifiedMessage, UnifiedMessage.id == Delivery.message_id)
        .where(
            Delivery.channel == Channel.SMS,
            Delivery.recipient == number,
            Delivery.status == MessageStatus.QUEUED,
            whose,
        )
        .order_by(UnifiedMessage.client_id, Delivery.id)
    ).all()
    for row in waiting:
        settle(
            session,
            runtime.hints,
            row.id,
            MessageStatus.FAILED,
            Delivery.status == MessageStatus.QUEUED,
            actor=actor,
            now=runtime.now(),
            data={"reason": OPTED_OUT},
            last_error=OPTED_OUT,
        )


def help_text(session: Session, runtime: Runtime) -> str:
    """Return what HELP is answered with."""
    if told := runtime.settings.sms_help_text.strip():
        return told
    firm = session.scalar(sa.select(Firm.name)) or ""
    return f"{firm}: write to {runtime.settings.mail_from}. Reply STOP to get no more texts."
