"""Clients that send and read slowly, or ask without end, beside people who want to work."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from casewell.bootstrap import make_runtime
from casewell.clients.models import Client, ClientStatus
from casewell.kernel.access import Role
from casewell.kernel.clock import utc_now
from casewell.kernel.crypto import new_token, token_hash
from casewell.kernel.settings import Settings
from casewell.kernel.web import cookie_name
from casewell.messages.files import store_attachment
from casewell.migrations import upgrade
from casewell.staff.models import Firm, Staff, StaffSession
from tests.rigs.installation import ENCRYPTION_KEYS, SECRET_KEY
from tests.rigs.served import serving

IN_TIME = 3.0  # seconds; the machine may be busy with the other tests, and a starved one waits 60
LARGE = 10_000_000
CONTENT = bytes(range(256)) * (LARGE // 256)
FORM = "Content-Type: application/x-www-form-urlencoded"
LONG_FORM = "Content-Type: multipart/form-data; boundary=b"


@dataclass
class Served:
    """One served firm: Dana, who does as she should not, and Ben, who works."""

    port: int
    dana: str
    ben: str
    file_id: int

    def open(self, *lines: str, source: str = "127.0.0.1") -> socket.socket:
        """Connect and send a request's headers."""
        wire = socket.create_connection(("127.0.0.1", self.port), 20, (source, 0))
        wire.sendall(("\r\n".join([*lines, "Host: localhost", "", ""])).encode())
        return wire

    def get(self, path: str, cookie: str) -> tuple[int, str | None, bytes]:
        """Return status, Retry-After and content."""
        asking = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with contextlib.closing(asking):
            asking.request("GET", path, headers={"Cookie": cookie, "HX-Request": "true"})
            answer = asking.getresponse()
            return answer.status, answer.getheader("Retry-After"), answer.read()

    def ben_works(self) -> None:
        """Read pages as somebody at work does; each must come in time."""
        for path in ("/inbox?scope=all", "/clients", "/inbox/changes?seen=0&scope=all"):
            began = time.monotonic()
            assert self.get(path, self.ben)[0] in (200, 204), path
            assert time.monotonic() - began < IN_TIME, path


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("served")
    cookies, file_id = _fill(home)
    with serving(home) as port:
        yield Served(port, *cookies, file_id)


def _fill(home: Path) -> tuple[list[str], int]:
    settings = Settings(home=home, secret_key=SECRET_KEY, encryption_keys=ENCRYPTION_KEYS)
    runtime = make_runtime(settings, with_hints=False)
    upgrade(runtime.database)
    now, cookies = utc_now(), []
    with runtime.database.writing() as session:
        session.add(
            Firm(
                id=1,
                name="Harbor Law Group",
                time_zone="UTC",
                second_factor_required=False,
                second_factor_off_reason="The test suite signs in with a password alone.",
                created_at=now,
            )
        )
        session.flush()
        for name in ("Dana Whitfield", "Ben Osei"):
            person = Staff(
                role=Role.MANAGER,
                name=name,
                email=f"{name.split()[0].lower()}@firm.example",
                time_zone="UTC",
                created_at=now,
                preferences={},
            )
            session.add(person)
            session.flush()
            token = new_token()
            session.add(
                StaffSession(
                    staff_id=person.id,
                    token_hash=token_hash(token),
                    finished=True,
                    created_at=now,
                    last_seen_at=now,
                )
            )
            cookies.append(f"{cookie_name(settings.https, 'session')}={token}")
        client = Client(created_at=now, updated_at=now, status=ClientStatus.ACTIVE)
        client.rename("Marisol", "Vega")
        session.add(client)
        session.flush()
        file = store_attachment(
            session,
            runtime,
            content=CONTENT,
            name="scan.pdf",
            content_type="application/pdf",
            staff_id=1,
            client_id=client.id,
            now=now,
        )
    runtime.database.close()
    return cookies, file.id


@contextlib.contextmanager
def trickling(wires: list[socket.socket], piece: bytes) -> Iterator[None]:
    """Send a piece on each connection now and then, meanwhile."""
    done = threading.Event()

    def send() -> None:
        while not done.wait(0.5):
            for wire in wires:
                with contextlib.suppress(OSError):
                    wire.sendall(piece)

    sending = threading.Thread(target=send)
    sending.start()
    try:
        yield
    finally:
        done.set()
        sending.join()
        for wire in wires:
            wire.close()


SLOW_WRITERS: dict[str, tuple[int, Callable[[Served], socket.socket]]] = {
    "a header that comes by the byte": (
        300,
        lambda served: socket.create_connection(("127.0.0.1", served.port), 20),
    ),
    "more connections than a server takes by default": (
        1200,
        lambda served: socket.create_connection(("127.0.0.1", served.port), 20),
    ),
    "a form that comes by the byte": (
        60,
        lambda served: served.open("POST /sign-in HTTP/1.1", FORM, "Content-Length: 1000"),
    ),
    "a form of no known length": (
        60,
        lambda served: served.open("POST /sign-in HTTP/1.1", FORM, "Transfer-Encoding: chunked"),
    ),
    "a file that comes by the byte": (
        60,
        lambda served: served.open(
            "POST /sign-in HTTP/1.1",
            LONG_FORM,
            f"Content-Length: {LARGE}",
            f"Cookie: {served.dana}",
        ),
    ),
}


@pytest.mark.parametrize("what", SLOW_WRITERS)
def test_p03_who_writes_slowly_keeps_nobody_waiting(served: Served, what: str) -> None:
    count, begin = SLOW_WRITERS[what]
    wires = [begin(served) for _ in range(count)]
    with trickling(wires, b"G" if "header" in what else b"a"):
        for _ in range(3):
            served.ben_works()
            time.sleep(0.3)


def test_p03_who_reads_nothing_keeps_nobody_waiting(served: Served) -> None:
    path = f"GET /inbox/attachments/{served.file_id} HTTP/1.1"
    wires = [served.open(path, f"Cookie: {served.dana}") for _ in range(30)]
    with trickling(wires, b""):
        for _ in range(3):
            served.ben_works()
        whole = served.get(f"/inbox/attachments/{served.file_id}", served.dana)[2]
        assert hashlib.sha256(whole).digest() == hashlib.sha256(CONTENT).digest()


def test_p03_one_source_sends_only_so_many_files_at_once(served: Served) -> None:
    lines = ("POST /sign-in/reset HTTP/1.1", LONG_FORM, "Transfer-Encoding: chunked")
    piece = b"%x\r\n" % 400_100 + b"x" * 400_100 + b"\r\n"  # five are just more than a form
    with contextlib.ExitStack() as opened:
        wires = [opened.enter_context(served.open(*lines)) for _ in range(12)]
        for wire in wires:
            for _ in range(5):
                wire.sendall(piece)
        answers = []
        for wire in wires:
            wire.settimeout(1)
            with contextlib.suppress(OSError):
                answers.append(wire.recv(300).decode())
        refused = [answer for answer in answers if answer.startswith("HTTP/1.1 429")]
        assert len(refused) == 4
        assert all("retry-after: 10" in answer.lower() for answer in refused)
        elsewhere = opened.enter_context(served.open(*lines, source="127.0.0.2"))
        for _ in range(5):
            elsewhere.sendall(piece)
        elsewhere.settimeout(1)
        with pytest.raises(TimeoutError):  # it is taken, and the rest of it waited for
            elsewhere.recv(300)


def test_p03_the_pages_of_one_account_ask_only_so_often(served: Served) -> None:
    def ask(_: int) -> tuple[int, str | None]:
        return served.get("/inbox/changes?seen=0&scope=all", served.dana)[:2]

    with ThreadPoolExecutor(20) as tabs:
        asked = tabs.map(ask, range(200))
        served.ben_works()
        answers = list(asked)
    statuses = Counter(status for status, _ in answers)
    assert set(statuses) == {200, 429} or set(statuses) == {204, 429}, statuses
    assert statuses[429] >= 80, statuses  # 60 in each 15 seconds, whichever two of them these were
    waits = [int(after) for status, after in answers if status == 429 and after]
    assert len(waits) == statuses[429]
    assert all(1 <= wait <= 15 for wait in waits)
