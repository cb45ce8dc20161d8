"""`casewell serve` as people run it: a process of its own, on a port of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.rigs.installation import ENCRYPTION_KEYS, SECRET_KEY

STARTED_WITHIN = 60


@contextlib.contextmanager
def serving(home: Path) -> Iterator[int]:
    """Serve the installation in `home` on SQLite, and give its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    environment = {
        **os.environ,
        "CASEWELL_HOME": str(home),
        "CASEWELL_SECRET_KEY": SECRET_KEY,
        "CASEWELL_ENCRYPTION_KEYS": ENCRYPTION_KEYS,
        "CASEWELL_DATABASE_URL": "",
        "CASEWELL_EMBEDDED_WORKER": "0",
        "CASEWELL_LOG_LEVEL": "error",
    }
    command = [sys.executable, "-m", "casewell", "serve", "--port", str(port)]
    process = subprocess.Popen(command, env=environment, cwd=home)
    try:
        deadline = time.monotonic() + STARTED_WITHIN
        while not _answers(port):
            assert process.poll() is None, "the server ended"
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.1)
        yield port
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as wire:
        wire.sendall(b"GET /sign-in HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return wire.recv(64).startswith(b"HTTP/1.1 ")
    return False
