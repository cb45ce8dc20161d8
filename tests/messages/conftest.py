"""Messages, as tests of this package make them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from casewell.clients.models import Client
from casewell.email.models import EmailMessage
from casewell.email.threading import make_message_id
from casewell.kernel.db import Database
from casewell.kernel.runtime import Runtime
from casewell.messages import intake
from casewell.messages import outbox as outbox_of_casewell
from casewell.messages.models import (
    Attachment,
    Channel,
    Delivery,
    Direction,
    MessageStatus,
    UnifiedMessage,
    preview_of,
)
from casewell.providers.errors import Unconfirmed
from tests.rigs.installation import MovableClock, Outbox


def message_of(
    at: datetime,
    *,
    channel: Channel = Channel.EMAIL,
    direction: Direction = Direction.INBOUND,
    text: str = "When will you write to the bureau?",
    **columns: Any,
) -> UnifiedMessage:
    """Return a message that is stored nowhere yet."""
    inbound = direction is Direction.INBOUND
    kind = EmailMessage if channel is Channel.EMAIL else UnifiedMessage
    columns.setdefault("status", MessageStatus.RECEIVED if inbound else MessageStatus.SENT)
    return kind(
        channel=channel,
        direction=direction,
        subject="Your letter",
        preview=preview_of(text),
        body_text=text,
        occurred_at=at,
        recorded_at=at,
        **columns,
    )


@pytest.fixture
def write(database: Database, clock: MovableClock) -> Callable[..., UnifiedMessage]:
    """A client writes (or, outbound, is written to); returns the message that was taken in."""

    def taken_in(client: Client, *, at: datetime | None = None, **columns: Any) -> UnifiedMessage:
        message = message_of(at or clock(), **columns)
        with database.writing() as session:
            intake.take_in(
                session,
                message,
                intake.Match(client_id=client.id),
                address="marisol@example.com",
                name="Marisol Vega",
                now=clock(),
            )
        return message

    return taken_in


@pytest.fixture
def arrive(database: Database, clock: MovableClock) -> Callable[..., UnifiedMessage]:
    """A message comes from an address; whose it is, intake finds out."""

    def arrived(
        address: str,
        *,
        name: str = "",
        at: datetime | None = None,
        verified: bool | None = None,
        **columns: Any,
    ) -> UnifiedMessage:
        message = message_of(at or clock(), sender_verified=verified, **columns)
        with database.writing() as session:
            match = intake.match(session, message.channel, address, verified=verified)
            intake.take_in(session, message, match, address=address, name=name, now=clock())
        return message

    return arrived


@dataclass
class ScriptedOutbox(Outbox):
    """Takes mails, but for the next ones: `then` says what happens to those."""

    script: list[Exception | Callable[[], None]] = field(default_factory=list)
    asked: int = 0

    def then(self, *steps: Exception | Callable[[], None]) -> None:
        self.script.extend(steps)

    def send(self, envelope_from: str, recipients: Any, raw: bytes, **options: Any) -> Any:
        self.asked += 1
        step = self.script.pop(0) if self.script else None
        if isinstance(step, Unconfirmed):
            options["on_handover"]()
            raise step
        if isinstance(step, Exception):
            raise step
        if step is not None:
            step()
        return super().send(envelope_from, recipients, raw, **options)


@pytest.fixture
def outbox() -> ScriptedOutbox:
    return ScriptedOutbox()


@pytest.fixture
def queue(database: Database, runtime: Runtime, clock: MovableClock) -> Callable[..., Delivery]:
    """Writes a mail to a client and lets it wait in the outbox."""

    def queued(
        client: Client,
        text: str = "We wrote to the bureau today.",
        *,
        to: str | None = None,
        files: Sequence[Attachment] = (),
        **columns: Any,
    ) -> Delivery:
        address = client.emails[0].address if to is None else to
        message = message_of(
            clock(),
            direction=Direction.OUTBOUND,
            text=text,
            client_id=client.id,
            status=MessageStatus.QUEUED,
            rfc_message_id=make_message_id("firm.example"),
            to=[{"name": client.name, "email": address}],
            cc=[],
            **columns,
        )
        with database.writing() as session:
            files = [session.merge(file) for file in files]
            return outbox_of_casewell.queue(
                session, runtime, message, recipient=address, attachments=files, now=clock()
            )

    return queued


@pytest.fixture
def status_of(database: Database) -> Callable[[Delivery], MessageStatus]:
    """What a delivery and its message say, which is always the same."""

    def status(delivery: Delivery) -> MessageStatus:
        with database.reading() as session:
            found = session.get_one(Delivery, delivery.id)
            message = session.get_one(UnifiedMessage, found.message_id)
            assert found.status is message.status
            return found.status

    return status
