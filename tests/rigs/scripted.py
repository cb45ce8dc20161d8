"""A server that says a script: for what no real mail server can be talked into.

A script is a list of steps, run for each connection: bytes are sent; a string is waited for, a
regular expression the client's next line must match in any case (its tag is put in place of
`{tag}` in what is sent afterwards); a callable is called with the connection.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import pytest

Step = bytes | str | Callable[[socket.socket], None]


@dataclass
class ScriptedServer:
    """`heard` are the lines clients said, `problems` what they said out of script."""

    port: int
    host: str = "127.0.0.1"
    heard: list[bytes] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    connections: int = 0


@contextmanager
def scripted(*scripts: Sequence[Step]) -> Iterator[ScriptedServer]:
    """Serve the scripts, one per connection; the last one again and again."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = ScriptedServer(listening.getsockname()[1])
    stopping = threading.Event()

    def serve() -> None:
        while not stopping.is_set():
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            if stopping.is_set():
                connection.close()
                return
            script = scripts[min(server.connections, len(scripts) - 1)]
            server.connections += 1
            with connection, suppress(OSError):
                connection.settimeout(10)
                _play(server, connection, script)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        stopping.set()
        with suppress(OSError):  # wakes accept()
            socket.create_connection((server.host, server.port), 1).close()
        listening.close()
        thread.join(15)
    assert not server.problems, server.problems


def silence(seconds: float = 5.0) -> Callable[[socket.socket], None]:
    """Say nothing until the client gives up, or for so long."""

    def wait(connection: socket.socket) -> None:
        connection.settimeout(seconds)
        with suppress(OSError):
            while connection.recv(1024):
                pass

    return wait


def drip(piece: bytes, pause: float, times: int) -> Callable[[socket.socket], None]:
    """Send `piece` every `pause` seconds: always alive, never done."""

    def send(connection: socket.socket) -> None:
        stopped = threading.Event()
        with suppress(OSError):
            for _ in range(times):
                connection.sendall(piece)
                stopped.wait(pause)

    return send


def _play(server: ScriptedServer, connection: socket.socket, script: Sequence[Step]) -> None:
    tag = b""
    with connection.makefile("rb") as lines:
        for step in script:
            if isinstance(step, bytes):
                connection.sendall(step.replace(b"{tag}", tag))
            elif isinstance(step, str):
                line = lines.readline()
                server.heard.append(line)
                tag = line.split(b" ", 1)[0]
                if not line:  # the client hung up, as it may
                    return
                if not re.search(step.encode(), line, re.IGNORECASE):
                    server.problems.append(f"expected {step!r}, heard {line!r}")
                    return
            else:
                step(connection)


@pytest.fixture
def script() -> Callable[..., object]:
    """The `scripted` context manager."""
    return scripted
