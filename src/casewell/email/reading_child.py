"""The child that reads hostile mail: `python -m casewell.email.reading_child MEMORY CPU LIMITS`.

It has no secrets and no database, may write no file, and dies alone: of too much memory, of too
much time, or because its parent is gone.
"""

import contextlib
import resource
import sys
from typing import BinaryIO

from casewell.email.errors import UnreadableMail
from casewell.email.parsed import Limits
from casewell.email.parsing import read_mail
from casewell.email.wire import ANSWERS, LENGTH, LIMITS, Answer, framed


def main(memory: int, cpu_seconds: int, limits: Limits) -> None:
    _limit(resource.RLIMIT_AS, memory)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)
    while (raw := _read_frame(sys.stdin.buffer)) is not None:
        _allow_cpu(cpu_seconds)
        sys.stdout.buffer.write(framed(_answer(raw, limits)))
        sys.stdout.buffer.flush()


def _answer(raw: bytes, limits: Limits) -> bytes:
    try:
        answer = Answer(mail=read_mail(raw, limits))
    except UnreadableMail as error:
        answer = Answer(unreadable=error.reason)
    return ANSWERS.dump_json(answer)


def _read_frame(source: BinaryIO) -> bytes | None:
    head = source.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    return source.read(length)


def _allow_cpu(seconds: int) -> None:
    """Let the next mail have `seconds`: the limit of the system counts since the start."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + seconds + 1)


def _limit(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    with contextlib.suppress(ValueError, OSError):  # not every system knows every limit
        resource.setrlimit(what, (most, hard))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), LIMITS.validate_json(sys.argv[3]))
