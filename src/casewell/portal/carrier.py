"""The portal as a way out: a message is delivered as it becomes visible to its client."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from casewell.kernel.runtime import Runtime
from casewell.messages.carriers import Receipt
from casewell.messages.models import UnifiedMessage
from casewell.portal.models import ClientMessage


class PortalCarrier:
    """Takes messages of the channel `portal` nowhere: that they are `sent` is all there is.

    What is queued, undone or in doubt stands in no page of the portal.
    """

    def prepare(self, session: Session, runtime: Runtime, message: UnifiedMessage) -> str:
        assert isinstance(message, ClientMessage)
        return message.public_id

    def send(self, runtime: Runtime, prepared: str, on_handover: Callable[[], None]) -> Receipt:
        on_handover()
        return Receipt(prepared)
