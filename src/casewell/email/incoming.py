"""Making a message of a mail that was read."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.email.copies import note_copy
from casewell.email.models import EmailMessage, InboundMail, InboundState, Mailbox, Source
from casewell.email.outcomes import end
from casewell.email.parsed import Address, ParsedMail
from casewell.email.reports import note_report, reported_mail
from casewell.email.senders import SenderStanding, SenderVerdict, came_from, judge_sender
from casewell.email.stop_words import asks_to_stop
from casewell.email.threads import conversation_partner
from casewell.kernel.addresses import normal_form
from casewell.kernel.runtime import Runtime
from casewell.messages import intake
from casewell.messages.intake import Match
from casewell.messages.models import (
    Attachment,
    Channel,
    Direction,
    MessageStatus,
    preview_of,
)

MEGABYTE = 1_000_000


def make_message(
    session: Session,
    runtime: Runtime,
    mail: InboundMail,
    parsed: ParsedMail,
    files: list[Attachment],
    mark: str,
) -> bool:
    """Take a mail that was read into its conversation or the tray; False: it needed none."""
    if note_copy(session, mail.id, mark):
        return False
    own = own_addresses(session, runtime)
    if came_from(parsed, own) and _is_sent_by_us(session, parsed):
        end(session, mail.id, InboundState.SKIPPED, "our own mail, come back to us")
        return False
    outbound = _is_from_a_sent_folder(mail, parsed, own)
    verdict = _judged(runtime, mail, parsed)
    partner = _partner(parsed, own, outbound=outbound)
    original = reported_mail(session, parsed)
    message = _message(runtime, mail, parsed, files, verdict)
    message.idempotency_key = mark
    if outbound:
        message.direction, message.status = Direction.OUTBOUND, MessageStatus.SENT
        message.sender_verified = message.sender_check = None
    intake.take_in(
        session,
        message,
        Match(client_id=original.client_id)
        if original is not None
        else conversation_partner(session, parsed, partner, verdict.standing),
        address=normal_form(partner.email) if partner else "",
        name=partner.name if partner else "",
        now=runtime.now(),
        reopens=parsed.kind.from_a_person,
    )
    if original is not None:
        note_report(session, original, message, parsed, is_news=not mail.is_history)
    reason = "" if mail.is_whole else "too large: only its headers were kept"
    end(session, mail.id, InboundState.TAKEN_IN, reason, message.id)
    return True


def own_addresses(session: Session, runtime: Runtime) -> set[str]:
    """Return every address that is the firm's own."""
    addresses = set(session.scalars(sa.select(Mailbox.address)))
    return {normal_form(address) for address in addresses | {runtime.settings.mail_from}}


def _judged(runtime: Runtime, mail: InboundMail, parsed: ParsedMail) -> SenderVerdict:
    """Judge the sender. Old mail from a file may predate the checks, so their absence says
    nothing there."""
    verdict = judge_sender(parsed, runtime.settings.trusted_hops)
    if mail.source is Source.IMPORT and verdict.standing is SenderStanding.UNVERIFIED:
        return SenderVerdict(SenderStanding.UNCHECKED, verdict.reason, verdict.address)
    return verdict


def _message(
    runtime: Runtime,
    mail: InboundMail,
    parsed: ParsedMail,
    files: list[Attachment],
    verdict: SenderVerdict,
) -> EmailMessage:
    author = parsed.author
    text = parsed.text if mail.is_whole else _too_large(mail)
    return EmailMessage(
        channel=Channel.EMAIL,
        direction=Direction.INBOUND,
        status=MessageStatus.RECEIVED,
        subject=parsed.subject[:998],
        preview=preview_of(parsed.reply_text or text or _names_of(parsed)),
        body_text=text,
        occurred_at=mail.received_at,
        recorded_at=runtime.now(),
        is_history=mail.is_history,
        sender_verified={
            SenderStanding.VERIFIED: True,
            SenderStanding.UNCHECKED: None,
        }.get(verdict.standing, False),
        rfc_message_id=parsed.message_id and parsed.message_id[:998],
        in_reply_to=parsed.in_reply_to and parsed.in_reply_to[:998],
        references=list(parsed.references),
        from_name=(author.name if author else "")[:300],
        from_address=(author.email if author else "")[:320],
        to=_plain(parsed.to),
        cc=_plain(parsed.cc),
        reply_to=_plain(parsed.reply_to),
        date_header=parsed.date_header,
        reply_text=parsed.reply_text if mail.is_whole else text,
        quoted_text=parsed.quoted_text,
        html=parsed.html if mail.is_whole else None,
        kind=parsed.kind,
        must_not_answer=parsed.must_not_answer,
        sender_check=verdict.standing,
        sender_note=verdict.reason[:300],
        defects=[str(defect) for defect in parsed.defects],
        asks_to_stop=parsed.kind.from_a_person and asks_to_stop(parsed.reply_text),
        attachments=files,
    )


def _too_large(mail: InboundMail) -> str:
    return (
        f"This mail has {mail.size / MEGABYTE:,.0f} MB, more than is taken in here. Only its "
        "headers were kept. Read it in the mailbox it came to."
    )


def _partner(parsed: ParsedMail, own: set[str], *, outbound: bool) -> Address | None:
    """Return whom the firm talks with in this mail: its author, or of our own mail the first
    recipient who isn't ourselves."""
    if not outbound:
        return parsed.author
    others = (one for one in (*parsed.to, *parsed.cc) if normal_form(one.email) not in own)
    return next(others, None)


def _is_from_a_sent_folder(mail: InboundMail, parsed: ParsedMail, own: set[str]) -> bool:
    """Whether the firm itself wrote this mail: it says so, and it never travelled.

    Anybody can write our address as From, but what came in by SMTP has a Received header. An
    imported file is the firm's own word, Received or not.
    """
    if not came_from(parsed, own):
        return False
    never_travelled = mail.source is Source.IMAP and parsed.received_at_header is None
    return mail.source is Source.IMPORT or never_travelled


def _is_sent_by_us(session: Session, parsed: ParsedMail) -> bool:
    if parsed.message_id is None:
        return False
    sent = sa.select(EmailMessage.id).where(
        EmailMessage.rfc_message_id == parsed.message_id,
        EmailMessage.direction == Direction.OUTBOUND,
        EmailMessage.is_history.is_(False),
    )
    return session.scalar(sent) is not None


def _plain(addresses: tuple[Address, ...]) -> list[Any]:
    return [{"name": one.name, "email": one.email} for one in addresses]


def _names_of(parsed: ParsedMail) -> str:
    return ", ".join(one.shown_name for one in parsed.attachments)
