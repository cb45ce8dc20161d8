"""Which way an answer goes unless its writer says otherwise, and why."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients.models import Client
from casewell.inbox.email_reply import EmailWriter
from casewell.inbox.errors import ChannelNotSetUp
from casewell.inbox.portal_reply import PortalWriter
from casewell.inbox.queries import messages
from casewell.inbox.sms_reply import SMSWriter
from casewell.inbox.writers import Destination, Writer
from casewell.kernel.runtime import Runtime
from casewell.messages.models import Channel, Direction, MessageStatus

# In the order in which they stand in for each other.
WRITERS: Sequence[type[Writer]] = (EmailWriter, SMSWriter, PortalWriter)
NAMES = {
    Channel.EMAIL: "email",
    Channel.SMS: "SMS",
    Channel.PORTAL: "the portal",
    Channel.CALL: "a call",
}
NOWHERE = {
    Channel.EMAIL: "There is no e-mail address on file.",
    Channel.SMS: "There is no number on file.",
    Channel.PORTAL: "There is no portal account.",
}


@dataclass(frozen=True)
class Choice:
    """Where an answer goes, and why; `passed_over` are the sentences of what speaks against the
    ways that would have come first. None: there is no way at all."""

    to: Destination | None
    why: str
    passed_over: Sequence[str] = ()


class Ways:
    """Every way there is to write to one client."""

    def __init__(self, session: Session, runtime: Runtime, client: Client) -> None:
        self._session = session
        self._client = client
        self._writers = {
            one.channel: one(session, runtime, client) for one in WRITERS if one.is_set_up(runtime)
        }

    @cached_property
    def destinations(self) -> Sequence[Destination]:
        return [one for writer in self._writers.values() for one in writer.destinations]

    @property
    def mail(self) -> EmailWriter:
        writer = self._writers[Channel.EMAIL]
        assert isinstance(writer, EmailWriter)
        return writer

    def writer(self, channel: Channel) -> Writer:
        """Raises ChannelNotSetUp."""
        try:
            return self._writers[channel]
        except KeyError:
            raise ChannelNotSetUp(channel.value) from None

    @cached_property
    def best(self) -> Choice:
        """Return the channel of the client's last message, else the one they prefer, else the
        last one used, else e-mail; of these the first over which a message may leave now.

        Where none is free, one that has to wait a while is better than one that is refused.
        """
        passed: dict[Channel, str] = {}
        waiting: tuple[Destination, str] | None = None
        for channel, why in self._wanted():
            if channel in passed or channel not in self._writers:
                continue
            to = next(iter(self._writers[channel].destinations), None)
            if to is None:
                passed[channel] = NOWHERE[channel]
            elif to.is_free:
                return Choice(to, why, list(passed.values()))
            else:
                passed[channel] = to.blocked or to.waits
                if not to.blocked and waiting is None:
                    waiting = to, why
        if waiting is not None:
            return Choice(*waiting, [text for text in passed.values() if text != waiting[0].waits])
        blocked = next(iter(self.destinations), None)
        return Choice(blocked, "", list(passed.values()))

    def _wanted(self) -> Iterator[tuple[Channel, str]]:
        """Yield the channels in the order in which they are tried, each with its reason."""
        if last := self._newest(Direction.INBOUND):
            yield last, f"Auto: last message was {NAMES[last]}"
        if preferred := self._client.preferred_channel:
            first_name = self._client.first_name or "the client"
            channel = Channel(preferred.value)
            yield channel, f"Auto: {first_name} prefers {NAMES[channel]}"
        if used := self._newest(Direction.OUTBOUND):
            yield used, f"Auto: {NAMES[used]} was used last"
        for channel in self._writers:
            yield channel, ""

    def _newest(self, direction: Direction) -> Channel | None:
        return self._session.scalar(
            sa.select(messages.c.channel)
            .where(
                messages.c.client_id == self._client.id,
                messages.c.direction == direction,
                messages.c.status != MessageStatus.UNDONE,
            )
            .order_by(messages.c.occurred_at.desc(), messages.c.id.desc())
            .limit(1)
        )
