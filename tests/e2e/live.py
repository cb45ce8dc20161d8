"""A running Casewell: a web server on a free port of this machine, and a worker beside it."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, formataddr, make_msgid
from typing import Any

import sqlalchemy as sa
from werkzeug.serving import WSGIRequestHandler, make_server

from casewell.app import create_app
from casewell.clients.forms import NewClient
from casewell.clients.models import Client
from casewell.clients.service import ClientService
from casewell.email.arrival import Arrived, keep_raw, register
from casewell.email.models import InboundMail, InboundState, Source
from casewell.kernel import jobs
from casewell.kernel.access import Identity, Role
from casewell.kernel.crypto import new_token, token_hash
from casewell.kernel.runtime import Runtime
from casewell.kernel.web import cookie_name
from casewell.ledger.service import Actor
from casewell.notes.service import NoteService
from casewell.staff.models import Staff, StaffSession
from tests.e2e.firm import MADE_AT

SWEEP_EVERY = 0.2
PATIENCE = 20.0


@dataclass
class RunningClock:
    """Runs on from the firm's morning; a test may skip ahead, never back."""

    started: float = field(default_factory=time.monotonic)
    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return MADE_AT + timedelta(seconds=time.monotonic() - self.started) + self.ahead

    def move(self, **by: float) -> None:
        self.ahead += timedelta(**by)


@dataclass
class Live:
    """The running installation as tests see it."""

    runtime: Runtime
    clock: RunningClock
    url: str

    def client_id(self, name: str) -> int:
        first, _, last = name.partition(" ")
        with self.runtime.database.reading() as session:
            return session.scalars(
                sa.select(Client.id).where(Client.first_name == first, Client.last_name == last)
            ).one()

    def add_client(self, first_name: str, last_name: str, email: str, **more: Any) -> int:
        """Add a client by the door of every client; return their id."""
        with self.runtime.database.writing() as session:
            owner = session.scalars(sa.select(Staff).where(Staff.role == Role.OWNER)).one()
            viewer = Identity(owner.id, owner.role, "session")
            service = ClientService(session, viewer, Actor.of_staff(owner), self.clock)
            return service.create(
                NewClient(first_name=first_name, last_name=last_name, emails=[email], **more)
            ).id

    def add_note(self, client_id: int, text: str) -> None:
        """Write a note of the owner about a client."""
        with self.runtime.database.writing() as session:
            owner = session.scalars(sa.select(Staff).where(Staff.role == Role.OWNER)).one()
            viewer = Identity(owner.id, owner.role, "session")
            service = NoteService(session, viewer, Actor.of_staff(owner), self.clock)
            service.write(client_id, text)

    def receive(
        self,
        name: str,
        address: str,
        *,
        subject: str = "Question",
        text: str = "",
        html: str | None = None,
        cc: str | None = None,
    ) -> int:
        """Let a mail come in by the door of every mail; return the id of its message."""
        mail = EmailMessage()
        mail["From"] = formataddr((name, address))
        mail["To"] = self.runtime.settings.mail_from
        if cc is not None:
            mail["Cc"] = cc
        mail["Subject"] = subject
        mail["Date"] = format_datetime(self.clock())
        mail["Message-ID"] = make_msgid(domain="example.com")
        mail.set_content(text)
        if html is not None:
            mail.add_alternative(html, subtype="html")
        raw = mail.as_bytes()
        arrived = Arrived(raw, len(raw), self.clock())
        kept = keep_raw(self.runtime, [arrived])
        with self.runtime.database.writing() as session:
            (inbound_id,) = register(session, self.runtime, kept, source=Source.WEBHOOK)
        return self._taken_in(inbound_id)

    def _taken_in(self, inbound_id: int) -> int:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with self.runtime.database.reading() as session:
                row = session.get_one(InboundMail, inbound_id)
                if row.state is InboundState.TAKEN_IN and row.message_id is not None:
                    return row.message_id
                assert row.state is InboundState.STORED, row.reason
            time.sleep(0.05)
        raise AssertionError("the mail was not taken in")

    def session_cookie(self, name: str) -> tuple[str, str]:
        """Sign a staff member in; return the name and the value of their cookie."""
        token, now = new_token(), self.clock()
        with self.runtime.database.writing() as session:
            staff_id = session.scalars(sa.select(Staff.id).where(Staff.name == name)).one()
            session.add(
                StaffSession(
                    staff_id=staff_id,
                    token_hash=token_hash(token),
                    finished=True,
                    created_at=now,
                    last_seen_at=now,
                    user_agent="Chromium",
                    address="127.0.0.1",
                )
            )
        return cookie_name(self.runtime.settings.https, "session"), token


class _QuietHandler(WSGIRequestHandler):
    """Keeps connections open as a real server does, and logs nothing."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:
        pass


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


@contextlib.contextmanager
def serving(runtime: Runtime, clock: RunningClock, port: int) -> Iterator[Live]:
    """Serve `runtime` and do its work until the block ends."""
    server = make_server(
        "127.0.0.1", port, create_app(runtime), threaded=True, request_handler=_QuietHandler
    )
    server.daemon_threads = True  # a browser keeps connections open past the end
    stopping = threading.Event()

    def work() -> None:
        while not stopping.wait(SWEEP_EVERY):
            jobs.sweep(runtime)

    threads = [
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}),
        threading.Thread(target=work),
    ]
    for thread in threads:
        thread.start()
    try:
        yield Live(runtime, clock, f"http://127.0.0.1:{port}")
    finally:
        stopping.set()
        server.shutdown()
        for thread in threads:
            thread.join()
        server.server_close()
        runtime.database.close()
