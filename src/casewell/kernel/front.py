"""Between the server and the application: a slow client holds no thread.

Granian gives a WSGI application a thread for as long as its client takes to send what it asks and
to read the answer, and knows no time limit for either: a handful of clients that send a byte a
second would be all it takes to keep everybody out. Here a request waits outside until it is whole,
and the threads are free again once the answer is made.
"""

import asyncio
import io
import os
import socket
import stat
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import structlog
from werkzeug.exceptions import ClientDisconnected, RequestTimeout

# What is longer waits in a thread of its own kind, so that the application judges first who sends
# it and how much may come: nobody fills the disk without having signed in.
WHOLE = 2_000_000
LONG_AT_ONCE = 16
LONG_FROM_ONE_SOURCE = 8
IN_MEMORY = 256_000
NEXT_PIECE_WITHIN = 20.0
WHOLE_WITHIN = 60.0
SLOWEST = 20_000  # bytes a second of what is longer
# A client that takes nothing more of its answer for so long is cut off, by the system itself.
TAKEN_WITHIN = 60.0
OPENED_WITHIN = 30.0
OPEN_FILES = Path("/proc/self/fd")

log = structlog.get_logger()


class Front:
    """Serves a WSGI application by Granian's own interface, RSGI."""

    def __init__(self, app: Any, *, threads: int, proxies: int) -> None:
        self._app = app
        self._proxies = proxies
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="request")
        self._long = ThreadPoolExecutor(LONG_AT_ONCE, thread_name_prefix="long-request")
        self._long_from: Counter[str] = Counter()
        self._limited = False

    async def __rsgi__(self, scope: Any, proto: Any) -> None:
        if not self._limited:  # the first request is the first moment at which the server listens
            self._limited = True
            _drop_who_reads_nothing()
        environ = environ_of(scope)
        body = _Body(proto, environ)
        try:
            first = await body.up_to(WHOLE) if body.comes else b""
        except RequestTimeout:
            _refuse(proto, HTTPStatus.REQUEST_TIMEOUT)
        except ClientDisconnected:
            _refuse(proto, HTTPStatus.BAD_REQUEST)
        else:
            if body.comes and not body.ended:
                await self._answer_long(environ, first, body, proto)
            else:
                environ["wsgi.input"] = io.BytesIO(first)
                await self._answer(environ, proto, self._threads)

    async def _answer_long(
        self, environ: dict[str, Any], first: bytes, body: "_Body", proto: Any
    ) -> None:
        source = self._source(environ)
        if self._long_from[source] >= LONG_FROM_ONE_SOURCE:
            _refuse(proto, HTTPStatus.TOO_MANY_REQUESTS)
            return
        self._long_from[source] += 1
        try:
            loop = asyncio.get_running_loop()
            environ["wsgi.input"] = io.BufferedReader(_Coming(first, body, loop))
            await self._answer(environ, proto, self._long)
        finally:
            self._long_from[source] -= 1
            self._long_from += Counter()  # forgets those with none

    def _source(self, environ: dict[str, Any]) -> str:
        """Return whom an address stands for: the last hop that is not a proxy of ours."""
        told = [part.strip() for part in environ.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        if self._proxies and len(told) >= self._proxies:
            return str(told[-self._proxies])
        return str(environ["REMOTE_ADDR"])

    async def _answer(self, environ: dict[str, Any], proto: Any, pool: ThreadPoolExecutor) -> None:
        """Have a thread answer. It does so by itself: the way back through the loop would take
        as long as many an answer. The server waits for this call to end, and calls what ends
        without an answer a failure."""
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[None] = loop.create_future()
        pool.submit(self._respond, environ, proto, answered)
        await answered

    def _respond(self, environ: dict[str, Any], proto: Any, answered: asyncio.Future[None]) -> None:
        loop = answered.get_loop()
        try:
            status, headers, content = self._ask(environ)
        except Exception:
            log.exception("request_lost", path=environ["PATH_INFO"])
            _refuse(proto, HTTPStatus.INTERNAL_SERVER_ERROR)
        else:
            if not isinstance(content, bytes):
                # The server opens it for itself, in a moment, and takes what its client reads.
                proto.response_file(status, headers, f"/dev/fd/{content.fileno()}")
                loop.call_soon_threadsafe(loop.call_later, OPENED_WITHIN, content.close)
            elif content:
                proto.response_bytes(status, headers, content)
            else:
                proto.response_empty(status, headers)
        finally:
            with suppress(RuntimeError):  # the loop is closed: the server has ended
                loop.call_soon_threadsafe(_end, answered)

    def _ask(self, environ: dict[str, Any]) -> tuple[int, list[tuple[str, str]], Any]:
        """Return status, headers and the content: bytes, or where it is much an unnamed file."""
        began: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
            began[:] = [int(status.split(" ", 1)[0]), headers]

        pieces: Iterable[bytes] = self._app(environ, start_response)
        kept: list[bytes] = []
        file: Any = None
        size = 0
        try:
            for piece in pieces:
                size += len(piece)
                if file is None and size > IN_MEMORY:
                    file = TemporaryFile()  # noqa: SIM115 outlives this
                    file.writelines(kept)
                if file is None:
                    kept.append(piece)
                else:
                    file.write(piece)
        finally:
            if hasattr(pieces, "close"):
                pieces.close()
        status, headers = began
        if file is None:
            return status, headers, b"".join(kept)
        file.seek(0)
        return status, headers, file


class _Body:
    """What a client sends after its headers, with an eye on the time it takes."""

    def __init__(self, proto: Any, environ: dict[str, Any]) -> None:
        said = environ.get("CONTENT_LENGTH")
        self._length = int(said) if said else None
        self.comes = bool(self._length) or "HTTP_TRANSFER_ENCODING" in environ
        self.ended = not self.comes
        self._pieces: AsyncIterator[bytes] | None = aiter(proto) if self.comes else None
        self._taken = 0
        self._began = time.monotonic()

    async def up_to(self, most: int) -> bytes:
        """Return it whole; or of one that is longer what shows that it is."""
        if self._length is not None and self._length > most:
            return b""
        found = bytearray()
        while not self.ended and len(found) <= most:
            found += await self.piece()
        return bytes(found)

    async def piece(self) -> bytes:
        """Return the next part, empty at the end. Raises RequestTimeout, ClientDisconnected."""
        if self.ended or self._pieces is None:
            return b""
        left = self._began + WHOLE_WITHIN + self._taken / SLOWEST - time.monotonic()
        try:
            piece = await asyncio.wait_for(anext(self._pieces), min(left, NEXT_PIECE_WITHIN))
        except TimeoutError:
            raise RequestTimeout from None
        except StopAsyncIteration:
            piece = b""
        self._taken += len(piece)
        if not piece and self._length is not None and self._taken < self._length:
            raise ClientDisconnected
        self.ended = not piece or self._taken == self._length
        return piece


class _Coming(io.RawIOBase):
    """The same for a thread, which waits where nothing has come yet."""

    def __init__(self, first: bytes, body: _Body, loop: asyncio.AbstractEventLoop) -> None:
        self._ready, self._body, self._loop = first, body, loop

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._ready:
            coming: Future[bytes] = asyncio.run_coroutine_threadsafe(self._body.piece(), self._loop)
            self._ready = coming.result()
        size = min(len(buffer), len(self._ready))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size


def environ_of(scope: Any) -> dict[str, Any]:
    """Return what PEP 3333 asks for, without the body."""
    host, _, port = scope.server.rpartition(":")
    environ = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.errors": sys.stderr,
        "wsgi.input_terminated": True,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in scope.headers.items():
        if "_" in name:
            continue  # it would pass for the one with a hyphen, which a proxy has cleaned
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        between = "; " if key == "HTTP_COOKIE" else ","
        environ[key] = f"{environ[key]}{between}{value}" if key in environ else value
    return environ


def _end(answered: asyncio.Future[None]) -> None:
    if not answered.done():  # nor given up meanwhile by a client that went away
        answered.set_result(None)


def _refuse(proto: Any, status: HTTPStatus) -> None:
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Connection", "close")]
    if status is HTTPStatus.TOO_MANY_REQUESTS:
        headers.append(("Retry-After", "10"))
    proto.response_bytes(status.value, headers, f"{status.phrase}\n".encode())


def _drop_who_reads_nothing() -> None:
    """Set the limit on the socket that listens: those it accepts inherit it.

    The server has no such setting and makes the socket by itself; on systems without this option
    such a client holds its connection and a file, and nothing else.
    """
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is None or not OPEN_FILES.is_dir():
        return
    for path in OPEN_FILES.iterdir():
        with suppress(OSError):
            if stat.S_ISSOCK(path.stat().st_mode):
                with socket.socket(fileno=os.dup(int(path.name))) as found:
                    if found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                        found.setsockopt(socket.IPPROTO_TCP, option, int(TAKEN_WITHIN * 1000))
