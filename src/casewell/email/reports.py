"""What a bounce or a complaint says about a mail of ours.

Anybody can write a report. It counts only when it names a Message-ID that we made, which nobody
but the readers of that mail can know, and only for those the mail went to.
"""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.email.models import EmailMessage
from casewell.email.parsed import MailKind, ParsedMail
from casewell.kernel.addresses import normal_form
from casewell.messages.models import Direction
from casewell.messages.outbox import record_bounce


def reported_mail(session: Session, parsed: ParsedMail) -> EmailMessage | None:
    """Return the mail of ours that a report is about."""
    if parsed.report is None or parsed.report.original_message_id is None:
        return None
    return session.scalar(
        sa.select(EmailMessage)
        .where(
            EmailMessage.rfc_message_id == parsed.report.original_message_id,
            EmailMessage.direction == Direction.OUTBOUND,
            EmailMessage.client_id.is_not(None),
        )
        .limit(1)
    )


def note_report(
    session: Session,
    original: EmailMessage,
    message: EmailMessage,
    parsed: ParsedMail,
    *,
    is_news: bool,
) -> None:
    """Let a report take effect; one that is read from old mail only points to its mail."""
    message.bounced_message_id = original.id
    if not is_news:
        return
    if parsed.kind is MailKind.COMPLAINT:
        message.asks_to_stop = True
    if parsed.kind is MailKind.BOUNCE:
        for recipient, permanent in _bounced(original, parsed).items():
            record_bounce(
                session,
                original.id,
                recipient=recipient,
                permanent=permanent,
                now=message.recorded_at,
            )


def _bounced(original: EmailMessage, parsed: ParsedMail) -> dict[str, bool]:
    """Return those it did not reach, and whether it never will.

    A server that forwards reports the address it forwards to; of a mail to one person it is
    still that person who did not get it.
    """
    went_to = [normal_form(one["email"]) for one in (*original.to, *original.cc)]
    bounced: dict[str, bool] = {}
    for reported in parsed.report.recipients if parsed.report else ():
        address = normal_form(reported.address)
        if address not in went_to and len(went_to) == 1:
            address = went_to[0]
        if address in went_to:
            bounced[address] = not (reported.status or "5").startswith("4")
    return bounced
