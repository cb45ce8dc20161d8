"""The capability of sending one finished mail."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from casewell.providers.errors import Rejected


@dataclass(frozen=True)
class Sent:
    """The mail is in the provider's hands for every recipient not named here.

    `refused` never will get it; `deferred` may be tried again, alone. Both give the server's words
    by address.
    """

    provider_id: str
    refused: Mapping[str, str] = field(default_factory=dict)
    deferred: Mapping[str, str] = field(default_factory=dict)


class AllRefused(Rejected):
    """No recipient is accepted, each for good. Nobody got the mail."""

    def __init__(self, refused: Mapping[str, str]) -> None:
        super().__init__("No recipient was accepted.", next(iter(refused.values()), ""))
        self.refused = dict(refused)


class MailSender(Protocol):
    """Hands one mail to a mail server."""

    @property
    def kind(self) -> str:
        """`smtp`, or `console` where mail only goes to the local outbox."""

    def send(
        self,
        envelope_from: str,
        recipients: Sequence[str],
        raw: bytes,
        *,
        on_handover: Callable[[], None] | None = None,
    ) -> Sent:
        """Send `raw`, an RFC 5322 mail, as it is. An empty `envelope_from` is the null sender `<>`.

        `on_handover` is called once, right before the one act that can't be taken back: killed
        before it, nothing was sent; killed after it, nobody knows. If it raises, nothing is sent.
        Raises Rejected, Unavailable or Unconfirmed.
        """

    def check(self) -> None:
        """Do all but send. Raises Unavailable, with what is wrong."""
