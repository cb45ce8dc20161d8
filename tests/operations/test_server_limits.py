"""The server people really run, at the wire: what is beyond reason is refused, soon, and alone."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest

from tests.rigs.served import serving

ANSWERED_WITHIN = 20
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a `casewell serve` with an empty installation."""
    with serving(tmp_path_factory.mktemp("served")) as port:
        yield port


def _status(port: int, *pieces: bytes) -> int:
    """Send pieces until the server has had enough; return its status, 0 where it only hung up."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)) as wire:
        wire.settimeout(ANSWERED_WITHIN)
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                wire.sendall(piece)
        answer = wire.recv(64)
        return int(answer.split()[1]) if answer.startswith(b"HTTP/1.1 ") else 0
    return 0


def _post(content_type: str, length: int) -> bytes:
    return (
        "POST /sign-in HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


MULTIPART = "multipart/form-data; boundary=b"
PART = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
BEYOND_REASON = {
    "a header of a megabyte": [
        b"GET /sign-in HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"x" * MEGABYTE + b"\r\n\r\n"
    ],
    "ten thousand headers": [
        b"GET /sign-in HTTP/1.1\r\nHost: localhost\r\n" + b"X-Many: 1\r\n" * 10_000 + b"\r\n"
    ],
    "a form of ten thousand fields": [
        _post("application/x-www-form-urlencoded", 40_000),
        b"a=1&" * 10_000,
    ],
    "a form of a hundred megabytes": [
        _post("application/x-www-form-urlencoded", 100 * MEGABYTE),
        *[b"a=1&" * (MEGABYTE // 4)] * 100,
    ],
    "a million parts": [_post(MULTIPART, len(PART) * MEGABYTE), *[PART * 1000] * 1000],
    "parts that begin with line breaks alone": [
        _post(MULTIPART, 10 * MEGABYTE),
        *[b"\r\n" * (MEGABYTE // 2)] * 10,
    ],
    "a length that is no number": [
        b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1e309\r\n\r\n"
    ],
    "two lengths": [
        b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
        b"Content-Length: 6\r\n\r\nabcdef"
    ],
    "no HTTP": [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500],
}


@pytest.mark.parametrize("what", BEYOND_REASON)
def test_P02_what_is_beyond_reason_is_refused_soon(port: int, what: str) -> None:
    started = time.monotonic()
    status = _status(port, *BEYOND_REASON[what])
    assert status == 0 or 400 <= status < 500, what
    assert time.monotonic() - started < ANSWERED_WITHIN
    assert _status(port, b"GET /sign-in HTTP/1.1\r\nHost: localhost\r\n\r\n") in (200, 302)
