"""SMS as a way out."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from casewell.kernel.runtime import Runtime
from casewell.messages.carriers import Receipt
from casewell.messages.models import UnifiedMessage
from casewell.providers.sms import NumberRefused, SMSSender
from casewell.sms.models import SMSMessage
from casewell.sms.reports import remember_fault

STATUS_PATH = "/hooks/twilio/status"


@dataclass(frozen=True)
class PreparedText:
    to: str
    body: str
    # "" where the carrier could not reach us anyway.
    report_to: str


class SMSCarrier:
    """Takes messages of the channel `sms` to the carrier."""

    def prepare(self, session: Session, runtime: Runtime, message: UnifiedMessage) -> PreparedText:
        assert isinstance(message, SMSMessage)
        settings = runtime.settings
        report_to = settings.public_url + STATUS_PATH if settings.https else ""
        return PreparedText(message.to_number, message.body_text, report_to)

    def send(
        self, runtime: Runtime, prepared: PreparedText, on_handover: Callable[[], None]
    ) -> Receipt:
        """Hand the text over. What the carrier says of the number is remembered."""
        sender = runtime.provider(SMSSender)
        try:
            sent = sender.send(
                prepared.to, prepared.body, report_to=prepared.report_to, on_handover=on_handover
            )
        except NumberRefused as refused:
            with runtime.database.writing() as session:
                remember_fault(session, prepared.to, refused.fault, runtime.now())
            raise
        return Receipt(sent.provider_id)
