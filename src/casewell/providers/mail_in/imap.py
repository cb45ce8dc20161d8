"""Mail from an IMAP server (RFC 3501, RFC 9051)."""

from __future__ import annotations

import binascii
import imaplib
import itertools
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, timedelta
from types import TracebackType
from typing import Self

from imap_tools.imap_utf7 import utf7_decode, utf7_encode

from casewell.providers.errors import Rejected, Unavailable
from casewell.providers.mail_in.fetcher import FetchedMail, Folder, MailAccount
from casewell.providers.mail_in.imap_answers import MONTHS, Fetched, fetched
from casewell.providers.mail_in.imap_connection import (
    ImapConnection,
    connected,
    server_words,
    sign_in,
)
from casewell.providers.wire import cut_after

HEADER_BYTES = 256 * 1024  # of a mail that is too large to be fetched whole
LISTED_FOLDER = re.compile(rb'\((?P<flags>[^)]*)\) (?:"(?:\\.|[^"])*"|NIL) (?P<name>.+)', re.DOTALL)


@dataclass(frozen=True)
class ImapLimits:
    """Seconds, and how much is asked for in one command.

    `command` ends what `step`, the wait for one read, can't: a server that drips. UIDs are asked
    for in ranges, because imaplib refuses a line over 1 MB and a mailbox may hold 300,000 mails;
    a range of 65,536 stays below it.
    """

    step: float = 30.0
    command: float = 240.0
    goodbye: float = 5.0
    uid_range: int = 4_096
    widest_uid_range: int = 65_536
    mails: int = 50
    mails_bytes: int = 1_000_000


class ImapFetcher:
    """Reads by EXAMINE and BODY.PEEK alone, so nothing on the server can change.

    imaplib itself rather than imap-tools' MailBox, which asks for all UIDs in one line and reads
    mails of any size; only its folder names' encoding is used.
    """

    def __init__(self, account: MailAccount, limits: ImapLimits | None = None) -> None:
        self._account = account
        self._limits = limits or ImapLimits()
        self._connection: ImapConnection | None = None
        self._uidnext = 1

    def __enter__(self) -> Self:
        server = self._account.server
        self._connection = connected(server, self._limits.step, self._limits.command)
        try:
            with self._asking() as imap:
                sign_in(imap, self._account.login)
        except BaseException:
            self._connection.drop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        imap = self._imap
        with cut_after(self._limits.goodbye, lambda: imap.sock):
            with suppress(OSError, imaplib.IMAP4.error):
                imap.logout()
            imap.drop()

    def folders(self) -> list[str]:
        with self._asking() as imap:
            _, lines = imap.list()
        return sorted(filter(None, (_folder_name(line) for line in lines)))

    def open(self, folder: str = "INBOX") -> Folder:
        name = utf7_encode(folder).replace(b"\\", b"\\\\").replace(b'"', b'\\"')
        with self._asking() as imap:
            status, said = imap.select(f'"{name.decode("ascii")}"', readonly=True)
            if status != "OK":
                self._no_such_folder(folder, said)
            uidvalidity = _number(imap, "UIDVALIDITY")
            self._uidnext = _number(imap, "UIDNEXT") or self._highest_uid() + 1
        exists = int(said[0] or 0)
        if not uidvalidity:
            raise Rejected(f"The server gives the mails of {folder} no lasting numbers.")
        return Folder(folder, uidvalidity, self._uidnext, exists)

    def uids_since(self, day: date, after: int = 0) -> Iterator[int]:
        eve = day - timedelta(days=1)
        since = f"{eve.day}-{MONTHS[eve.month - 1]}-{eve.year:04d}"
        return self._search(after, "SINCE", since)

    def uids_after(self, uid: int) -> Iterator[int]:
        return self._search(uid)

    def fetch(self, uids: Iterable[int], max_bytes: int) -> Iterator[FetchedMail]:
        pending = iter(uids)
        while batch := list(itertools.islice(pending, self._limits.mails)):
            with self._asking() as imap:
                facts = fetched(imap.uid("FETCH", _set(batch), "(UID RFC822.SIZE INTERNALDATE)")[1])
            present = [facts[uid] for uid in batch if uid in facts]
            for group in _groups(present, max_bytes, self._limits.mails_bytes):
                yield from self._bodies(group, max_bytes)

    def fetch_raw(self, uid: int, max_bytes: int) -> FetchedMail | None:
        return next(self.fetch([uid], max_bytes), None)

    def _bodies(self, group: list[Fetched], max_bytes: int) -> Iterator[FetchedMail]:
        """Fetch what `group` announced; a size announced wrongly does not get past the limit."""
        whole = group[0].size <= max_bytes
        section = f"BODY.PEEK[]<0.{max_bytes + 1}>"
        if not whole:
            section = f"BODY.PEEK[HEADER]<0.{HEADER_BYTES}>"
        with self._asking() as imap:
            imap.largest_literal = max(max_bytes, HEADER_BYTES) + 1
            answer = imap.uid("FETCH", _set([mail.uid for mail in group]), f"(UID {section})")[1]
        bodies = fetched(answer)
        for mail in group:
            body = bodies[mail.uid].body if mail.uid in bodies else None
            if body is None:
                continue
            if len(body) > max_bytes and whole:
                headers = _header_block(body)
                yield FetchedMail(mail.uid, len(body), mail.received_at, headers, whole=False)
            else:
                size = mail.size or len(body)
                yield FetchedMail(mail.uid, size, mail.received_at, body, whole)

    def _search(self, after: int, *criteria: str) -> Iterator[int]:
        """Ask range by range; wider ones across a gap, so that sparse UIDs cost few questions."""
        low, width = after + 1, self._limits.uid_range
        while low < self._uidnext:
            high = min(low + width, self._uidnext) - 1
            with self._asking() as imap:
                _, lines = imap.uid("SEARCH", f"UID {low}:{high}", *criteria)
                found = sorted(int(uid) for uid in b" ".join(filter(None, lines)).split())
            yield from (uid for uid in found if low <= uid <= high)
            sparse = len(found) < self._limits.uid_range // 2
            width = min(width * 2, self._limits.widest_uid_range) if sparse else width
            low = high + 1

    def _highest_uid(self) -> int:
        """For servers that don't announce UIDNEXT, which RFC 3501 lets them leave out."""
        return max(fetched(self._imap.uid("FETCH", "*", "(UID RFC822.SIZE)")[1]), default=0)

    def _no_such_folder(self, folder: str, said: list[bytes | None]) -> None:
        words = b" ".join(line or b"" for line in said)
        for_now = server_words(words)
        if for_now:
            raise for_now
        raise Rejected(f"The mailbox has no folder {folder}.", words)

    @property
    def _imap(self) -> ImapConnection:
        if self._connection is None:
            raise RuntimeError("A mailbox is read inside a `with` block.")
        return self._connection

    @contextmanager
    def _asking(self) -> Iterator[ImapConnection]:
        """Limit a command in time; whatever breaks, the server was left as it is."""
        imap, server = self._imap, self._account.server
        with cut_after(self._limits.command, lambda: imap.sock):
            try:
                yield imap
            except (imaplib.IMAP4.abort, OSError) as error:
                raise server_words(str(error)) or Unavailable(
                    f"The connection to {server} broke off.", str(error)
                ) from error
            except (imaplib.IMAP4.error, ValueError) as error:
                raise server_words(str(error)) or Unavailable(
                    f"{server} did not answer as it should.", str(error)
                ) from error


def _groups(mails: list[Fetched], max_bytes: int, together: int) -> Iterator[list[Fetched]]:
    """Split into runs small enough to be fetched at once; too large mails stand alone."""
    group: list[Fetched] = []
    size = 0
    for mail in mails:
        if group and (size + mail.size > together or mail.size > max_bytes):
            yield group
            group, size = [], 0
        group.append(mail)
        size += mail.size
        if mail.size > max_bytes:
            yield group
            group, size = [], 0
    if group:
        yield group


def _set(uids: Iterable[int]) -> str:
    return ",".join(map(str, uids))


def _header_block(raw: bytes) -> bytes:
    end = re.search(rb"\r?\n\r?\n", raw[:HEADER_BYTES])
    return raw[: end.end() if end else HEADER_BYTES]


def _number(imap: ImapConnection, code: str) -> int:
    """The number in a response code such as [UIDNEXT 5], or 0 where the server sent none."""
    values = imap.response(code)[1]
    return int(values[-1]) if values and values[-1] else 0


def _folder_name(line: bytes | tuple[bytes, bytes] | None) -> str | None:
    """The name in one line of LIST, unless it is only a node of the tree and holds no mail."""
    literal = line[1] if isinstance(line, tuple) else None
    listed = LISTED_FOLDER.match(line[0] if isinstance(line, tuple) else line or b"")
    if not listed or b"\\noselect" in listed["flags"].lower():
        return None
    name = listed["name"] if literal is None else literal
    if literal is None and name.startswith(b'"'):
        name = re.sub(rb"\\(.)", rb"\1", name[1:-1])
    try:
        return utf7_decode(name)
    except (binascii.Error, UnicodeDecodeError):
        return name.decode("utf-8", "replace")
