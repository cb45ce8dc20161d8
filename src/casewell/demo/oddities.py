"""What goes wrong in a real firm, once each: so that every screen has something true to show."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from casewell.clients.models import Client
from casewell.demo.moments import Moment
from casewell.demo.scripts import Line
from casewell.demo.writing import OFFICE, Writer
from casewell.email.models import EmailMessage
from casewell.email.parsed import MailKind
from casewell.email.senders import SenderStanding
from casewell.kernel.addresses import normal_form
from casewell.messages.conversations import conversation_of, rebuild_moved
from casewell.messages.deliveries import mark_bounced
from casewell.messages.intake import match, take_in
from casewell.messages.models import (
    Channel,
    Delivery,
    Direction,
    MessageStatus,
    preview_of,
)

BOUNCED = "24-0198"
UNCONFIRMED = "24-0189"
CLAIMED = "24-0191"


def add(session: Session, writer: Writer, now: datetime) -> None:
    _came_back(session, writer, now - timedelta(days=2, hours=3))
    _may_not_have_arrived(session, writer, now - timedelta(hours=4))
    _strangers(session, now)
    _somebody_who_claims_to_be(session, now - timedelta(minutes=200))


def _came_back(session: Session, writer: Writer, at: datetime) -> None:
    client = _client(session, BOUNCED)
    text = (
        f"Hi {client.first_name}, the bureau's answer is here: two of three items are deleted. "
        "The letter is on its way to you by mail as well."
    )
    _send(session, writer, client, "Good news on your file", text, MessageStatus.BOUNCED, at)
    mark_bounced(session, client.id, _address(client), at)


def _may_not_have_arrived(session: Session, writer: Writer, at: datetime) -> None:
    client = _client(session, UNCONFIRMED)
    text = (
        f"Hi {client.first_name}, thank you for the pages. I will compare them with what we sent "
        "and write to you before the weekend."
    )
    status = MessageStatus.UNCONFIRMED
    _send(session, writer, client, "Your letter from the bureau", text, status, at)


REASONS = {
    MessageStatus.BOUNCED: "550 5.1.1 The mailbox does not exist.",
    MessageStatus.UNCONFIRMED: "The mail server did not answer after the mail was handed over.",
}


def _send(
    session: Session,
    writer: Writer,
    client: Client,
    subject: str,
    text: str,
    status: MessageStatus,
    at: datetime,
) -> None:
    assert client.main_responsible_id is not None
    line = Line(by_client=False, channel=Channel.EMAIL, subject=subject, text=text)
    moment = Moment(at, line, subject, text, subject, client.main_responsible_id, status)
    conversation = conversation_of(session, client.id)
    [message_id] = writer.write(client, _address(client), conversation.id, [moment])
    session.add(
        Delivery(
            message_id=message_id,
            channel=Channel.EMAIL,
            status=status,
            recipient=_address(client),
            queued_at=at,
            sent_at=at,
            attempts=1,
            last_error=REASONS[status],
        )
    )
    rebuild_moved(session, conversation.id)


def _client(session: Session, reference: str) -> Client:
    query = sa.select(Client).where(Client.reference == reference)
    return session.scalars(
        query.options(selectinload(Client.emails), selectinload(Client.phones))
    ).one()


def _address(client: Client) -> str:
    return client.emails[0].address


def _strangers(session: Session, now: datetime) -> None:
    """Two mails that match nobody, so that the tray has something to decide."""
    for minutes, name, address, subject, text in (
        (
            95,
            "Bruno Keller",
            "bruno.keller@example.net",
            "Do you take identity theft cases?",
            "Good morning, somebody opened two cards in my name and the bank will not help. "
            "A friend gave me your address. What would it cost to talk to you?",
        ),
        (
            310,
            "Records Desk",
            "records@tri-county.example",
            "Your request of last week",
            "We received your letter about account ending 4471. Please tell us for whom you write "
            "and enclose the authorization.",
        ),
    ):
        mail = _mail(now - timedelta(minutes=minutes), name, address, subject, text)
        _arrive(session, mail, verified=None)


def _somebody_who_claims_to_be(session: Session, at: datetime) -> None:
    """A mail under a client's address that nothing proves to be from there."""
    client = _client(session, CLAIMED)
    text = (
        "I changed banks. Send my refund to the account in the attached form today, please, and "
        "do not call, I am travelling."
    )
    mail = _mail(at, client.name, _address(client), "New account for my refund", text)
    mail.sender_verified = False
    mail.sender_check = SenderStanding.UNVERIFIED
    host = mail.from_address.partition("@")[2]
    mail.sender_note = f"nothing proves that {host} sent this mail"
    _arrive(session, mail, verified=False)


def _mail(at: datetime, name: str, address: str, subject: str, text: str) -> EmailMessage:
    return EmailMessage(
        channel=Channel.EMAIL,
        direction=Direction.INBOUND,
        status=MessageStatus.RECEIVED,
        subject=subject,
        preview=preview_of(text),
        body_text=text,
        occurred_at=at,
        recorded_at=at,
        rfc_message_id=f"<demo-{at:%H%M}@{address.partition('@')[2]}>",
        references=[],
        from_name=name,
        from_address=address,
        to=[OFFICE],
        cc=[],
        reply_to=[],
        reply_text=text,
        kind=MailKind.MAIL,
        defects=[],
    )


def _arrive(session: Session, mail: EmailMessage, *, verified: bool | None) -> None:
    address = normal_form(mail.from_address)
    found = match(session, Channel.EMAIL, address, verified=verified)
    take_in(session, mail, found, address=address, name=mail.from_name, now=mail.occurred_at)
