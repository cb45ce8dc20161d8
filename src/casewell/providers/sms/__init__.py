"""Sending texts: over Twilio, into a file, or not at all until somebody sets it up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from casewell.kernel.settings import Settings
from casewell.providers.errors import Rejected
from casewell.providers.http import WebClient
from casewell.providers.sms.sender import (
    LONGEST_TEXT,
    ListedFile,
    ListedText,
    NumberFault,
    NumberRefused,
    SentText,
    SMSSender,
    TextPage,
)

__all__ = [
    "LONGEST_TEXT",
    "ListedFile",
    "ListedText",
    "NoSMS",
    "NumberFault",
    "NumberRefused",
    "SMSSender",
    "SentText",
    "TextPage",
    "sms_sender",
]

NOT_SET_UP = "SMS is not set up."


@dataclass(frozen=True)
class NoSMS:
    """SMS is off, as it is until somebody sets it up."""

    kind: str = field(default="off", init=False)

    def send(
        self,
        to: str,
        body: str,
        *,
        report_to: str = "",
        on_handover: Callable[[], None] | None = None,
    ) -> SentText:
        raise Rejected(NOT_SET_UP)

    def check(self) -> None:
        raise Rejected(NOT_SET_UP)

    def list_texts(self, since: date, after: str = "") -> TextPage:
        return TextPage()

    def files_of(self, provider_id: str) -> Sequence[ListedFile]:
        return ()


def sms_sender(settings: Settings, http: WebClient) -> SMSSender:
    """Return the sender this installation is set up for."""
    if settings.sms == "twilio":
        from casewell.providers.sms.twilio import TwilioSender

        return TwilioSender(
            http,
            settings.twilio_url,
            settings.twilio_account_sid,
            settings.twilio_auth_tokens[0],
            settings.twilio_sender,
        )
    if settings.sms == "console":
        from casewell.providers.sms.console import ConsoleSMS

        return ConsoleSMS(settings.home / "outbox" / "texts.jsonl")
    return NoSMS()
