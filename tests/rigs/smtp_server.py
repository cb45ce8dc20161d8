"""A real SMTP server on a free port of this machine that counts what it takes, and can misbehave.

def test_...(smtp):
    smtp.refuse("someone@example.com", "550 5.1.1 no such user")
    smtp.then(Misbehaviour.CLOSE_AFTER_DATA)      # the next mail only
    ...
    assert smtp.count("<id@firm.example>") == 1
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from casewell.providers.wire import Login, Security, Server
from tests.rigs.certificates import Certificates, make_certificates

LOGIN = Login("casewell", "correct horse battery staple")


class Misbehaviour(Enum):
    """What happens to one mail instead of being accepted politely."""

    HANG_AFTER_DATA = auto()  # takes the mail, never says so
    CLOSE_AFTER_DATA = auto()  # takes the mail, hangs up without a word
    CLOSE_DURING_DATA = auto()  # hangs up after 354, takes nothing
    NONSENSE_AFTER_DATA = auto()  # takes the mail and answers what no SMTP server says
    CLOSE_AT_RCPT = auto()
    SLOW = auto()  # takes the mail and says so half a second later


@dataclass(frozen=True)
class Delivery:
    """One mail the server made itself responsible for."""

    message_id: str
    envelope_from: str
    recipients: tuple[str, ...]
    raw: bytes

    @property
    def message(self) -> email.message.EmailMessage:
        return email.message_from_bytes(self.raw, policy=email.policy.default)


@dataclass
class SmtpRig:
    """The server as tests see it. Every script given is for the next mail, unless `refuse`d."""

    host: str = "localhost"
    port: int = 0
    security: Security = Security.PLAIN
    certificates: Certificates | None = None
    login: Login | None = None
    deliveries: list[Delivery] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    replies: dict[str, list[str]] = field(default_factory=dict)
    misbehaviours: list[Misbehaviour] = field(default_factory=list)
    sign_ins: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    on_delivery: Callable[[Delivery], None] | None = None

    @property
    def server(self) -> Server:
        tls = self.certificates.for_client() if self.certificates else None
        return Server(self.host, self.port, self.security, tls)

    def count(self, message_id: str) -> int:
        """How often a mail was delivered, whoever it went to."""
        return sum(delivery.message_id == message_id for delivery in self.deliveries)

    def refuse(self, recipient: str, reply: str = "550 5.1.1 No such user") -> None:
        """Answer `reply` to this recipient from now on."""
        self.refused[recipient] = reply

    def reply(self, command: str, *replies: str) -> None:
        """Answer the next occurrences of MAIL, RCPT, DATA, DOT, AUTH or STARTTLS with these."""
        self.replies.setdefault(command, []).extend(replies)

    def then(self, *misbehaviours: Misbehaviour) -> None:
        """Misbehave with the next mails, one after the other."""
        self.misbehaviours.extend(misbehaviours)

    def forget(self) -> None:
        """Behave well again, and know nothing of what came before."""
        for memory in (self.deliveries, self.misbehaviours, self.sign_ins, self.commands):
            memory.clear()
        self.refused.clear()
        self.replies.clear()
        self.on_delivery = None

    def scripted(self, command: str) -> str | None:
        replies = self.replies.get(command)
        return replies.pop(0) if replies else None

    def misbehaves(self, *kinds: Misbehaviour) -> Misbehaviour | None:
        if self.misbehaviours and self.misbehaviours[0] in kinds:
            return self.misbehaviours.pop(0)
        return None

    def deliver(self, delivery: Delivery) -> None:
        if self.on_delivery:
            self.on_delivery(delivery)
        self.deliveries.append(delivery)

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.sign_ins.append(data.login.decode())
        known = self.login and (self.login.username, self.login.password)
        return AuthResult(
            success=(data.login.decode(), data.password.decode()) == known, handled=False
        )


class _Dialogue(SMTP):
    """aiosmtpd, with the scripted replies before its own."""

    def __init__(self, rig: SmtpRig, **options: Any) -> None:
        self.rig = rig
        super().__init__(_Taker(rig), **options)

    async def smtp_AUTH(self, arg: str) -> None:
        if reply := self.rig.scripted("AUTH"):
            await self.push(reply)
        else:
            await super().smtp_AUTH(arg)

    async def smtp_MAIL(self, arg: str | None) -> None:
        self.rig.commands.append(f"MAIL {arg}")
        if reply := self.rig.scripted("MAIL"):
            await self.push(reply)
        else:
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:
        self.rig.commands.append(f"RCPT {arg}")
        if self.rig.misbehaves(Misbehaviour.CLOSE_AT_RCPT):
            self.transport.abort()
        elif reply := self.rig.scripted("RCPT"):
            await self.push(reply)
        else:
            await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:
        self.rig.commands.append("DATA")
        if reply := self.rig.scripted("DATA"):
            await self.push(reply)
        elif self.rig.misbehaves(Misbehaviour.CLOSE_DURING_DATA):
            await self.push("354 Go ahead")
            await self._reader.read(1)
            self.transport.abort()
        else:
            await super().smtp_DATA(arg)

    async def smtp_STARTTLS(self, arg: str) -> None:
        if reply := self.rig.scripted("STARTTLS"):
            await self.push(reply)
        else:
            await super().smtp_STARTTLS(arg)


class _Taker:
    """The hooks aiosmtpd calls."""

    def __init__(self, rig: SmtpRig) -> None:
        self.rig = rig

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.rig.refused:
            return self.rig.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if reply := self.rig.scripted("DOT"):
            return reply
        raw = envelope.original_content or b""
        message_id = email.message_from_bytes(raw).get("Message-ID", "")
        delivery = Delivery(
            str(message_id), envelope.mail_from or "", tuple(envelope.rcpt_tos), raw
        )
        await asyncio.to_thread(self.rig.deliver, delivery)
        misbehaviour = self.rig.misbehaves(*Misbehaviour)
        if misbehaviour is Misbehaviour.HANG_AFTER_DATA:
            await asyncio.sleep(3600)
        if misbehaviour is Misbehaviour.CLOSE_AFTER_DATA:
            server.transport.abort()
        if misbehaviour is Misbehaviour.NONSENSE_AFTER_DATA:
            return "I'm a teapot"
        if misbehaviour is Misbehaviour.SLOW:
            await asyncio.sleep(0.5)
        return f"250 2.0.0 Ok: queued as {len(self.rig.deliveries):08X}"


@contextmanager
def serving(rig: SmtpRig) -> Iterator[SmtpRig]:
    """Serve `rig` on a port of its own, in a thread of its own."""
    listening = socket.create_server(("127.0.0.1", 0))
    rig.port = listening.getsockname()[1]
    context = rig.certificates.for_server() if rig.certificates else None
    loop = asyncio.new_event_loop()
    stop, started = asyncio.Event(), threading.Event()

    async def serve() -> None:
        server = await loop.create_server(
            lambda: _dialogue(rig, context, loop),
            sock=listening,
            ssl=context if rig.security is Security.TLS else None,
        )
        started.set()
        await stop.wait()
        server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:  # the ones that hang on purpose
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert started.wait(10), "the SMTP server did not start"
    try:
        yield rig
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()
        listening.close()


def _dialogue(
    rig: SmtpRig, context: ssl.SSLContext | None, loop: asyncio.AbstractEventLoop
) -> _Dialogue:
    return _Dialogue(
        rig,
        loop=loop,
        hostname="mx.test",
        enable_SMTPUTF8=True,
        tls_context=context if rig.security is Security.STARTTLS else None,
        require_starttls=rig.security is Security.STARTTLS,
        authenticator=rig.authenticate,
        auth_required=rig.login is not None and rig.security is Security.STARTTLS,
        auth_require_tls=rig.security is Security.STARTTLS,
    )


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def smtp() -> Iterator[SmtpRig]:
    """Plain SMTP without sign-in, as a relay on this machine."""
    with serving(SmtpRig()) as rig:
        yield rig


@pytest.fixture
def smtp_tls(certificates: Certificates) -> Iterator[SmtpRig]:
    """TLS from the first byte, and a sign-in."""
    with serving(SmtpRig(security=Security.TLS, certificates=certificates, login=LOGIN)) as rig:
        yield rig


@pytest.fixture
def smtp_starttls(certificates: Certificates) -> Iterator[SmtpRig]:
    """STARTTLS and sign-in required, as at a mail provider."""
    rig = SmtpRig(security=Security.STARTTLS, certificates=certificates, login=LOGIN)
    with serving(rig):
        yield rig
