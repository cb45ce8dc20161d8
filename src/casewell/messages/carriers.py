"""The ways out: what takes a message of a channel to its provider."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy.orm import Session

from casewell.kernel.runtime import Runtime
from casewell.messages.errors import NoWayOut
from casewell.messages.models import Channel, UnifiedMessage


@dataclass(frozen=True)
class Receipt:
    """The provider has the message, but for the recipients in `refused`, each with its words."""

    provider_id: str
    refused: Mapping[str, str] = field(default_factory=dict)


class Carrier(Protocol):
    """Takes messages of one channel to a provider."""

    def prepare(self, session: Session, runtime: Runtime, message: UnifiedMessage) -> Any:
        """Make the whole of what will be sent, without telling anyone outside.

        Raises Rejected or a CasewellError where it can't be made, Unavailable where it can't be
        made now.
        """

    def send(self, runtime: Runtime, prepared: Any, on_handover: Callable[[], None]) -> Receipt:
        """Send it. `on_handover` is called once, right before what can't be taken back; where it
        raises, nothing is sent. Raises Rejected, Unavailable or Unconfirmed.
        """


class _Wiring:
    carriers: Mapping[Channel, Carrier] = {}


def use_carriers(carriers: Mapping[Channel, Carrier]) -> None:
    """Say which carrier takes each channel; the one table is in `casewell.wiring`."""
    _Wiring.carriers = carriers


def carrier_of(channel: Channel) -> Carrier:
    """Raises NoWayOut."""
    try:
        return _Wiring.carriers[channel]
    except KeyError:
        raise NoWayOut(channel.value) from None
