"""What every way to answer a client has in common: where it may go, and the message it makes."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar

from sqlalchemy.orm import Session

from casewell.clients.models import Client
from casewell.inbox.errors import NoAddress, RecipientUnknown
from casewell.kernel.access import Identity
from casewell.kernel.runtime import Runtime
from casewell.messages import gate
from casewell.messages.models import Channel, UnifiedMessage

# Holds every channel alike, so it is no reason to prefer another one.
PAUSED = "sending_paused"


@dataclass(frozen=True)
class ReplyDraft:
    """An answer as it was written. None: as the conversation suggests.

    `seen` is the newest message its writer knew of, `confirmed` the codes of the questions they
    have answered with "send anyway", and `send_at` when it leaves, unless at once.
    """

    client_id: int
    body: str
    subject: str | None = None
    to: str | None = None
    cc: Sequence[str] = ()
    attachments: Sequence[int] = ()
    channel: Channel | None = None
    send_at: datetime | None = None
    seen: int | None = None
    confirmed: frozenset[str] = field(default=frozenset())


@dataclass(frozen=True)
class Destination:
    """One place an answer can go to: an address, a number, or the client's portal ("").

    `blocked` says why nothing may go there, `waits` why nothing leaves for there just now.
    """

    channel: Channel
    address: str
    shown: str
    label: str = ""
    blocked: str = ""
    waits: str = ""

    @property
    def via(self) -> str:
        """Name it in a form: channel and address in one."""
        return f"{self.channel.value}:{self.address}"

    @property
    def is_free(self) -> bool:
        return not (self.blocked or self.waits)


class Writer(ABC):
    """Writes to one client over one channel."""

    channel: ClassVar[Channel]

    def __init__(self, session: Session, runtime: Runtime, client: Client) -> None:
        self.session = session
        self.runtime = runtime
        self.client = client

    @classmethod
    def is_set_up(cls, runtime: Runtime) -> bool:
        """Whether this installation can send over the channel at all."""
        return True

    @property
    @abstractmethod
    def destinations(self) -> Sequence[Destination]:
        """Where an answer can go, the best first; the gate has said of that one whether it may."""

    @abstractmethod
    def write(self, draft: ReplyDraft, to: Destination, viewer: Identity) -> UnifiedMessage:
        """Make the message. Raises InvalidInput where the draft lacks what the channel needs."""

    @abstractmethod
    def probe(self) -> UnifiedMessage:
        """Make an empty message of the channel, to ask the gate about."""

    def recipient(self, to: Destination) -> str:
        """Return what the outbox keeps in order: the same for every spelling of one address."""
        return to.address

    def chosen(self, wanted: str | None) -> Destination:
        """Return the destination with an address. Raises RecipientUnknown or NoAddress."""
        if wanted is None:
            if not self.destinations:
                raise NoAddress(self.channel)
            return self.destinations[0]
        for one in self.destinations:
            if self.same(one.address, wanted):
                return one
        raise RecipientUnknown(wanted)

    def same(self, one: str, other: str) -> bool:
        return one == other

    def asked(self, to: Destination) -> Destination:
        """Return a destination with what the gate says about writing there."""
        message = self.probe()
        message.client_id, message.channel, message.body_text = self.client.id, self.channel, "…"
        decision = gate.may_send(
            self.session,
            self.runtime,
            message,
            recipient=self.recipient(to),
            attachments=(),
            now=self.runtime.now(),
        )
        told = [one for one in decision.reasons if one.code != PAUSED]
        return replace(
            to,
            blocked=" ".join(one.text for one in told if not one.holds),
            waits=" ".join(one.text for one in told if one.holds),
        )
