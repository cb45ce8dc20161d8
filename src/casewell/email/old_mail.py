"""Reading mails out of files: an mbox, a Maildir, a folder of .eml files, a single mail."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import BinaryIO, Protocol

LINE_BYTES = 1 << 16
HEADER_BYTES = 256 * 1024
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
MAIL_FILES = (".eml", ".mail")
MAILDIR_FOLDERS = ("cur", "new")
HEAD_BYTES = 1024
# "From ana@example.com Tue Mar 10 15:00:00 2026": a time and a year, in either order.
SEPARATOR = re.compile(rb"From (?=.*\d\d:\d\d)(?=.*\b\d{4}\b)")
HEADER_LINE = re.compile(rb"[!-9;-~]+[ \t]*:")


@dataclass(frozen=True)
class OldMail:
    """One mail, and the position from which those after it are read.

    Not `whole`: of a mail larger than the limit, `raw` is the beginning.
    """

    raw: bytes
    size: int
    whole: bool
    then: int


class OldMails(Protocol):
    """Mails in a fixed order. `total` and positions are bytes, or files of a folder."""

    @property
    def total(self) -> int: ...

    def read(self, position: int, max_bytes: int) -> Iterator[OldMail]:
        """Give the mails from a position on, which is 0 or was `then` of a mail."""


@contextmanager
def mails_at(path: Path) -> Iterator[OldMails]:
    """Give the mails of a folder or a file. Raises OSError."""
    if path.is_dir():
        yield FolderMails(path)
        return
    with path.open("rb") as file:
        yield mails_in(file)


def mails_in(file: BinaryIO) -> OldMails:
    """Return the mails of an open file: an mbox, or one mail."""
    first_line = _head(file).partition(b"\n")[0]
    total = file.seek(0, 2)
    if not first_line.startswith(b"From "):
        return SingleMail(file, total)
    return MboxMails(file, total, dated=SEPARATOR.match(first_line) is not None)


def looks_like_mail(file: BinaryIO) -> bool:
    """Whether a file begins as an mbox or a mail does; it is left at its beginning."""
    head = _head(file)
    file.seek(0)
    return head.startswith(b"From ") or HEADER_LINE.match(head) is not None


def _head(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read(HEAD_BYTES).lstrip(b"\r\n")


@dataclass(frozen=True)
class SingleMail:
    file: BinaryIO
    total: int

    def read(self, position: int, max_bytes: int) -> Iterator[OldMail]:
        if position == 0 and self.total:
            self.file.seek(0)
            yield _cut(self.file.read(max_bytes + 1), self.total, max_bytes, self.total)


@dataclass(frozen=True)
class MboxMails:
    """An mbox, read once and in order, so that a large one costs no memory and no index.

    `dated`: its separating lines tell a time, so that a sentence which begins with "From" and
    follows an empty line is none.
    """

    file: BinaryIO
    total: int
    dated: bool = False

    def read(self, position: int, max_bytes: int) -> Iterator[OldMail]:
        self.file.seek(position)
        at, kept, kept_bytes, size = position, list[bytes](), 0, 0
        begun, line_start, after_blank = False, True, True
        while line := self.file.readline(LINE_BYTES):
            if line_start and after_blank and self._separates(line):
                if begun:
                    yield _from_mbox(kept, size, max_bytes, then=at)
                begun, kept, kept_bytes, size = True, [], 0, 0
                after_blank = False
            else:
                size += len(line)
                if kept_bytes <= max_bytes:
                    kept.append(_unquoted(line) if line_start else line)
                    kept_bytes += len(line)
                after_blank = line_start and line in (b"\n", b"\r\n")
            line_start = line.endswith(b"\n")
            at += len(line)
        if begun:
            yield _from_mbox(kept, size, max_bytes, then=at)

    def _separates(self, line: bytes) -> bool:
        return line.startswith(b"From ") and (not self.dated or SEPARATOR.match(line) is not None)


class FolderMails:
    """A folder of .eml files, or a Maildir with its subfolders."""

    def __init__(self, folder: Path) -> None:
        self._files = sorted(
            path
            for path in folder.rglob("*")
            if (path.suffix.lower() in MAIL_FILES or path.parent.name in MAILDIR_FOLDERS)
            and path.is_file()
        )
        self.total = len(self._files)

    def read(self, position: int, max_bytes: int) -> Iterator[OldMail]:
        for number, path in enumerate(self._files[position:], position + 1):
            with path.open("rb") as file:
                raw = file.read(max_bytes + 1)
            yield _cut(raw, path.stat().st_size, max_bytes, number)


def received_at(raw: bytes, now: datetime) -> datetime:
    """Return when an old mail was received: by its topmost Received, else by its Date.

    A header is enough here; the mail itself is read in the child like any other.
    """
    head = raw[:LINE_BYTES].replace(b"\r\n", b"\n").partition(b"\n\n")[0].decode("latin-1")
    lines = head.replace("\n ", " ").replace("\n\t", " ").split("\n")
    for name in ("received:", "date:"):
        line = next((line for line in lines if line.lower().startswith(name)), "")
        text = line.rpartition(";")[2] if name == "received:" else line[len(name) :]
        at = _date(text)
        if at is not None and EARLIEST < at <= now:
            return at
    return now


def _date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text.strip())
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _from_mbox(lines: list[bytes], size: int, max_bytes: int, then: int) -> OldMail:
    raw = b"".join(lines)
    for blank in (b"\r\n\r\n", b"\n\n"):
        if raw.endswith(blank):
            raw = raw[: -len(blank) // 2]  # the empty line before the next one is the mbox's
            break
    return _cut(raw, size, max_bytes, then)


def _cut(raw: bytes, size: int, max_bytes: int, then: int) -> OldMail:
    whole = len(raw) <= max_bytes
    return OldMail(raw if whole else raw[:HEADER_BYTES], size, whole, then)


def _unquoted(line: bytes) -> bytes:
    """Take back the mark that an mbox puts before lines that begin with "From "."""
    return line[1:] if line.lstrip(b">").startswith(b"From ") and line[:1] == b">" else line
