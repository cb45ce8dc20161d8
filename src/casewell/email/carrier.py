"""E-mail as a way out: a queued message becomes a mail with real threading headers."""

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.email.composing import OutgoingFile, OutgoingMail, compose
from casewell.email.models import EmailMessage
from casewell.email.parsed import Address
from casewell.email.threading import references_for_reply, reply_address
from casewell.email.threads import REPLY_KEY
from casewell.kernel.crypto import process_key
from casewell.kernel.runtime import Runtime
from casewell.messages.carriers import Receipt
from casewell.messages.files import read_attachment
from casewell.messages.models import Attachment, UnifiedMessage
from casewell.providers.mail_out import MailSender
from casewell.staff.models import Firm


@dataclass(frozen=True)
class PreparedMail:
    """A mail ready for the wire."""

    envelope_from: str
    recipients: tuple[str, ...]
    raw: bytes


class EmailCarrier:
    """Takes messages of the channel `email` to the mail server."""

    def prepare(self, session: Session, runtime: Runtime, message: UnifiedMessage) -> PreparedMail:
        """Return the whole mail. Raises Rejected's like where an attachment is gone."""
        assert isinstance(message, EmailMessage)
        settings = runtime.settings
        firm_name = session.scalar(sa.select(Firm.name)) or ""
        files = session.scalars(
            sa.select(Attachment)
            .where(Attachment.message_id == message.id)
            .order_by(Attachment.position)
        )
        assert message.conversation_id is not None
        answer_to = reply_address(
            process_key(REPLY_KEY), settings.mail_from, message.conversation_id
        )
        raw = compose(
            OutgoingMail(
                from_=Address(settings.mail_from_name or firm_name, settings.mail_from),
                to=tuple(Address(one["name"], one["email"]) for one in message.to),
                cc=tuple(Address(one["name"], one["email"]) for one in message.cc),
                reply_to=(Address(firm_name, answer_to),),
                subject=message.subject,
                text=message.body_text,
                message_id=message.rfc_message_id or "",
                in_reply_to=message.in_reply_to,
                references=tuple(message.references),
                date=message.occurred_at,
                attachments=tuple(
                    OutgoingFile(one.shown_name, one.content_type, read_attachment(runtime, one))
                    for one in files
                ),
            )
        )
        recipients = [one["email"] for one in (*message.to, *message.cc)]
        return PreparedMail(settings.mail_from, tuple(dict.fromkeys(recipients)), raw)

    def send(
        self, runtime: Runtime, prepared: PreparedMail, on_handover: Callable[[], None]
    ) -> Receipt:
        """Hand the mail over. Raises what `providers.errors` names."""
        sent = runtime.provider(MailSender).send(
            prepared.envelope_from, prepared.recipients, prepared.raw, on_handover=on_handover
        )
        return Receipt(sent.provider_id, {**sent.refused, **sent.deferred})


def threaded(message: EmailMessage, answered: EmailMessage | None) -> None:
    """Give an outbound mail the headers that put it below the mail it answers."""
    if answered is not None and answered.rfc_message_id:
        message.in_reply_to = answered.rfc_message_id
        message.references = list(
            references_for_reply(answered.references, answered.rfc_message_id)
        )
