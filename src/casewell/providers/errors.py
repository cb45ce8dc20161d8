"""How a provider can fail, told apart by what the caller may do next."""

from __future__ import annotations

from datetime import timedelta

DETAIL_LENGTH = 300


class ProviderError(Exception):
    """`message` is our own sentence, fit for staff; `detail` is what the other side said.

    The other side's words are hostile until proven otherwise: one printable line, cut.
    """

    def __init__(self, message: str, detail: str | bytes = "") -> None:
        self.message = message
        self.detail = one_line(detail)
        super().__init__(f"{message} ({self.detail})" if self.detail else message)


class Rejected(ProviderError):
    """It never will. Trying again is useless."""


class Unavailable(ProviderError):
    """It did nothing. Try again, not before `retry_after` where the provider named one."""

    def __init__(
        self, message: str, detail: str | bytes = "", *, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(message, detail)
        self.retry_after = retry_after


class SignInRefused(Unavailable):
    """The account is not let in. Stop the channel and tell a person: retries lock accounts."""


class Insecure(Unavailable):
    """The connection can't be trusted, so nothing was said over it, least of all in plain text."""


class Unconfirmed(ProviderError):
    """It may have acted. Don't repeat it; look it up, or let a person decide."""


def one_line(words: str | bytes) -> str:
    """Return foreign words as one printable line of at most 300 characters."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    printable = "".join(char if char.isprintable() else " " for char in text[: DETAIL_LENGTH * 2])
    return " ".join(printable.split())[:DETAIL_LENGTH]
