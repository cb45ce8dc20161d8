"""The capability of reading a mailbox without leaving a trace in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from types import TracebackType
from typing import Protocol, Self

from casewell.providers.wire import Login, Server


@dataclass(frozen=True)
class MailAccount:
    """Where a mailbox is and how to get in."""

    server: Server
    login: Login


@dataclass(frozen=True)
class Folder:
    """A folder as it was when opened.

    Another `uidvalidity` than last time means that every UID remembered of it is void.
    """

    name: str
    uidvalidity: int
    uidnext: int
    exists: int


@dataclass(frozen=True)
class FetchedMail:
    """One mail. `received_at` is when the server got it, or None if it doesn't say.

    Not `whole`: the mail, of `size` bytes, is over the limit, and `raw` is its headers alone.
    """

    uid: int
    size: int
    received_at: datetime | None
    raw: bytes
    whole: bool = True


class MailFetcher(Protocol):
    """One connection to a mailbox, signed in while entered; never sets a flag, never deletes.

    Every call may raise Unavailable: the server said goodbye, hung, or could not be trusted.
    Entering raises SignInRefused where the password is wrong.
    """

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    def folders(self) -> list[str]:
        """The names of the folders that hold mail."""

    def open(self, folder: str = "INBOX") -> Folder:
        """Turn to a folder, read-only. Raises Rejected if there is no such folder."""

    def uids_since(self, day: date, after: int = 0) -> Iterator[int]:
        """UIDs above `after`, ascending, of mail received on `day` or later.

        A server counts days in its own zone, so some of the day before may be among them.
        """

    def uids_after(self, uid: int) -> Iterator[int]:
        """UIDs above `uid`, ascending, up to the last one there was on opening."""

    def fetch(self, uids: Iterable[int], max_bytes: int) -> Iterator[FetchedMail]:
        """Fetch mails lazily, in this order, without those expunged meanwhile."""

    def fetch_raw(self, uid: int, max_bytes: int) -> FetchedMail | None:
        """Fetch one mail; None if it was expunged meanwhile."""


class MailFetchers(Protocol):
    """Gives what fetches the mail of an account, whichever server that is on."""

    def __call__(self, account: MailAccount) -> MailFetcher: ...
