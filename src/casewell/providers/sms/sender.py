"""The capability of sending one text message."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from casewell.providers.errors import Rejected

LONGEST_TEXT = 1600


class NumberFault(StrEnum):
    """Why a number takes no text from us, now or ever."""

    OPTED_OUT = "opted_out"
    NOT_MOBILE = "not_mobile"
    UNKNOWN = "unknown"


class NumberRefused(Rejected):
    """The number itself is why: it is of no use to write there again as things are."""

    def __init__(self, message: str, detail: str, fault: NumberFault) -> None:
        super().__init__(message, detail)
        self.fault = fault


@dataclass(frozen=True)
class SentText:
    """The provider has it; `provider_id` is how it names it in what it tells later."""

    provider_id: str


@dataclass(frozen=True)
class ListedFile:
    url: str
    content_type: str


@dataclass(frozen=True)
class ListedText:
    """A text as the provider has it on its list. `status` is the provider's own word."""

    provider_id: str
    is_inbound: bool
    sender: str
    recipient: str
    body: str
    at: datetime | None
    status: str
    error_code: int | None = None
    segments: int = 1
    files: int = 0


@dataclass(frozen=True)
class TextPage:
    """Part of the list, newest first. `next` asks for the part after it; "": this was the last."""

    texts: Sequence[ListedText] = ()
    next: str = ""


class SMSSender(Protocol):
    """Hands one text to a carrier."""

    @property
    def kind(self) -> str:
        """`twilio`, `console` where texts only go to the local outbox, or `off`."""

    def send(
        self,
        to: str,
        body: str,
        *,
        report_to: str = "",
        on_handover: Callable[[], None] | None = None,
    ) -> SentText:
        """Send a text. `to` is E.164; `body` has at most 1,600 characters.

        `report_to` is where the carrier tells what became of it. `on_handover` is called once,
        right before the act that can't be taken back; if it raises, nothing is sent. Raises
        Rejected (NumberRefused), Unavailable (SignInRefused) or Unconfirmed.
        """

    def check(self) -> None:
        """Do all but send. Raises what `send` does."""

    def list_texts(self, since: date, after: str = "") -> TextPage:
        """Return what came and left since a day; nothing where no list is kept.

        `after` is the `next` of the part before. Raises what `send` does.
        """

    def files_of(self, provider_id: str) -> Sequence[ListedFile]:
        """Return the files of a text that came. Raises what `send` does."""
