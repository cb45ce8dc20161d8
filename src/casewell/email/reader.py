"""Reading mail from strangers in a process that may die of it."""

import os
import selectors
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import casewell
from casewell.email.errors import UnreadableMail
from casewell.email.parsed import Limits, ParsedMail
from casewell.email.wire import LENGTH, LIMITS, framed, read_answer

CHUNK = 262_144
MAILS_PER_CHILD = 2_000  # a fresh one now and then, should a library under it leak


class MailReader:
    """Reads one mail at a time in a child that lives on from mail to mail.

    A child that takes longer than `timeout` seconds, more than `memory` bytes, or that crashes,
    costs the mail that did it an `UnreadableMail`; the next mail gets a fresh child. Safe to
    share between threads, which then wait for each other. Close it, or use it in a `with`.
    """

    def __init__(
        self,
        *,
        timeout: float = 20.0,
        memory: int = 1_000_000_000,
        limits: Limits | None = None,
    ) -> None:
        self._timeout = timeout
        self._memory = memory
        self._limits = limits or Limits()
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._mails_read = 0

    def read(self, raw: bytes) -> ParsedMail:
        """Raises UnreadableMail."""
        if len(raw) > self._limits.raw_bytes:
            raise UnreadableMail(f"it is larger than {self._limits.raw_bytes // 1_000_000} MB")
        with self._lock:
            content = self._ask(raw)
        answer = read_answer(content)
        if answer is None:
            raise UnreadableMail("the reader's answer made no sense")
        if answer.mail is None:
            raise UnreadableMail(answer.unreadable)
        return answer.mail

    def close(self) -> None:
        with self._lock:
            self._end_child()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _ask(self, raw: bytes) -> bytes:
        child = self._living_child()
        try:
            content = _exchange(child, framed(raw), time.monotonic() + self._timeout, len(raw))
        except _Died as death:
            self._end_child()
            raise UnreadableMail(str(death)) from None
        except BaseException:
            self._end_child()  # its next answer would belong to this mail
            raise
        self._mails_read += 1
        if self._mails_read >= MAILS_PER_CHILD:
            self._end_child()
        return content

    def _living_child(self) -> subprocess.Popen[bytes]:
        if self._child is not None and self._child.poll() is None:
            return self._child
        self._end_child()
        limits = LIMITS.dump_json(self._limits).decode()
        seconds = str(max(1, int(self._timeout)))
        module = "casewell.email.reading_child"
        self._child = subprocess.Popen(
            [sys.executable, "-P", "-m", module, str(self._memory), seconds, limits],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env={"PYTHONPATH": str(Path(casewell.__file__).parent.parent)},
        )
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)
        return self._child

    def _end_child(self) -> None:
        child, self._child, self._mails_read = self._child, None, 0
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()


class _Died(Exception):
    """The child is gone or has to go, for the reason given."""


def _exchange(
    child: subprocess.Popen[bytes], question: bytes, deadline: float, raw_size: int
) -> bytes:
    """Write the question and read the answer, both at once, until the deadline."""
    if child.stdin is None or child.stdout is None:
        raise _Died("the reader has no pipes")
    to_child, from_child = child.stdin.fileno(), child.stdout.fileno()
    unsent, answer = memoryview(question), bytearray()
    most = raw_size * 8 + 32_000_000  # base64, JSON escapes, and text beside its HTML
    with selectors.DefaultSelector() as ready:
        ready.register(to_child, selectors.EVENT_WRITE)
        ready.register(from_child, selectors.EVENT_READ)
        while True:
            events = ready.select(max(0.0, deadline - time.monotonic()))
            if not events:
                raise _Died("it took too long")
            for key, _ in events:
                if key.fd == to_child:
                    unsent = unsent[_write(to_child, unsent) :]
                    if not unsent:
                        ready.unregister(to_child)
                else:
                    answer += _read(from_child)
            if len(answer) > most:
                raise _Died("the reader's answer made no sense")
            if len(answer) >= LENGTH.size:
                (length,) = LENGTH.unpack_from(answer)
                if len(answer) - LENGTH.size >= length:
                    return bytes(answer[LENGTH.size : LENGTH.size + length])


def _write(descriptor: int, content: memoryview) -> int:
    try:
        return os.write(descriptor, content[:CHUNK])
    except BlockingIOError:
        return 0
    except BrokenPipeError:
        raise _Died("reading it made the reader crash") from None


def _read(descriptor: int) -> bytes:
    try:
        content = os.read(descriptor, CHUNK)
    except BlockingIOError:
        return b""
    if not content:
        raise _Died("reading it made the reader crash")
    return content
