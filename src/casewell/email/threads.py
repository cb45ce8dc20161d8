"""Which conversation a mail belongs to: by our reply address, by the mails it answers, by sender.

A thread is proven by what only its readers can know: the MAC in our reply address, or the random
Message-ID of a mail of ours. Who wrote the mail is another question: a spouse who answers in a
client's thread is shown as the spouse.
"""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.email.models import EmailMessage
from casewell.email.parsed import Address, ParsedMail
from casewell.email.senders import SenderStanding
from casewell.email.threading import conversation_from_reply_address, thread_keys
from casewell.kernel.addresses import normal_form
from casewell.kernel.crypto import process_key
from casewell.messages.intake import Match, match, present_client
from casewell.messages.models import Channel, Conversation, Direction

REPLY_KEY = "reply-address"


def conversation_partner(
    session: Session,
    parsed: ParsedMail,
    partner: Address | None,
    standing: SenderStanding,
) -> Match:
    """Return whose conversation a mail belongs to, or why it must wait in triage.

    A sender who failed the firm's own check is never linked by itself, thread or not.
    """
    verified = {
        SenderStanding.VERIFIED: True,
        SenderStanding.UNCHECKED: None,
    }.get(standing, False)
    by_sender = match(
        session,
        Channel.EMAIL,
        normal_form(partner.email) if partner else "",
        verified=verified,
    )
    if verified is False or by_sender.set_aside:
        return by_sender
    client_id = thread_client(session, parsed)
    if client_id is None or client_id == by_sender.client_id:
        return by_sender
    return Match(client_id=client_id)


def thread_client(session: Session, parsed: ParsedMail) -> int | None:
    """Return the client in whose conversation with us a mail answers, whoever wrote it."""
    return _by_reply_address(session, parsed) or _by_references(session, parsed)


def _by_reply_address(session: Session, parsed: ParsedMail) -> int | None:
    key = process_key(REPLY_KEY)
    addresses = [one.email for one in (*parsed.to, *parsed.cc)] + list(parsed.delivered_to)
    for address in addresses:
        conversation_id = conversation_from_reply_address(key, address)
        if conversation_id is not None:
            client_id = session.scalar(
                sa.select(Conversation.client_id).where(Conversation.id == conversation_id)
            )
            return client_id and present_client(session, client_id)
    return None


def _by_references(session: Session, parsed: ParsedMail) -> int | None:
    """Return the client of the newest mail of ours that this one answers.

    Only our own mails count: the id of a mail that somebody sent us is known to others.
    """
    keys = thread_keys(parsed)
    if not keys:
        return None
    found = {
        row.rfc_message_id: row.client_id
        for row in session.execute(
            sa.select(EmailMessage.rfc_message_id, EmailMessage.client_id).where(
                EmailMessage.rfc_message_id.in_(keys),
                EmailMessage.direction == Direction.OUTBOUND,
                EmailMessage.client_id.is_not(None),
            )
        )
    }
    return next((found[key] for key in keys if key in found), None)
