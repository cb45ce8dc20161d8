"""Twilio's Messages resource: https://www.twilio.com/docs/messaging/api/message-resource"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

from casewell.providers.errors import (
    ProviderError,
    Rejected,
    SignInRefused,
    Unavailable,
    Unconfirmed,
)
from casewell.providers.http import Answer, WebClient
from casewell.providers.sms.sender import (
    ListedFile,
    ListedText,
    NumberFault,
    NumberRefused,
    SentText,
    TextPage,
)

SERVICE_PREFIX = "MG"
PAGE = 100
MOST_FILES = 10
# Twilio's error codes that are about the number alone; they come with an answer or a callback.
FAULTS: Mapping[int, NumberFault] = {
    21211: NumberFault.UNKNOWN,
    21610: NumberFault.OPTED_OUT,
    21614: NumberFault.NOT_MOBILE,
    30005: NumberFault.UNKNOWN,
    30006: NumberFault.NOT_MOBILE,
}
WORDS: Mapping[NumberFault, str] = {
    NumberFault.OPTED_OUT: "This number has opted out of texts.",
    NumberFault.NOT_MOBILE: "This number is a landline or can't take texts.",
    NumberFault.UNKNOWN: "This number does not exist.",
}


@dataclass(frozen=True)
class TwilioSender:
    """Sends from one number, or from a messaging service (`MG...`)."""

    http: WebClient
    url: str
    account_sid: str
    auth_token: str = field(repr=False)
    sender: str
    kind: str = field(default="twilio", init=False)

    def send(
        self,
        to: str,
        body: str,
        *,
        report_to: str = "",
        on_handover: Callable[[], None] | None = None,
    ) -> SentText:
        who = "MessagingServiceSid" if self.sender.startswith(SERVICE_PREFIX) else "From"
        form: dict[str, str | list[str]] = {"To": to, who: self.sender, "Body": body}
        if report_to:
            form["StatusCallback"] = report_to
        if on_handover:
            on_handover()
        answer = self._asked("POST", "Messages.json", form)
        if answer.status >= 500:
            raise Unconfirmed("Twilio answered with an error of its own.", str(answer.status))
        if not answer.ok:
            raise _refusal(answer)
        sid = answer.json.get("sid") if isinstance(answer.json, dict) else None
        if not isinstance(sid, str) or not sid:
            raise Unconfirmed("Twilio took the text without naming it.")
        return SentText(sid)

    def check(self) -> None:
        """Ask for the newest text: it takes the same credentials as sending."""
        self._read("Messages.json?PageSize=1")

    def list_texts(self, since: date, after: str = "") -> TextPage:
        first = urlencode({"DateSent>": since.isoformat(), "PageSize": PAGE})
        told = self._read(after or f"Messages.json?{first}")
        listed = [_listed(one) for one in _objects(told.get("messages"))]
        return TextPage([one for one in listed if one is not None], self._next(told))

    def files_of(self, provider_id: str) -> Sequence[ListedFile]:
        told = self._read(f"Messages/{provider_id}/Media.json?PageSize={MOST_FILES}")
        return [
            ListedFile(f"{self.url}{uri.removesuffix('.json')}", str(one.get("content_type", "")))
            for one in _objects(told.get("media_list"))
            if (uri := str(one.get("uri", ""))).startswith(f"{self._account}Messages/")
        ]

    @property
    def _account(self) -> str:
        return f"/2010-04-01/Accounts/{self.account_sid}/"

    def _next(self, told: Mapping[str, Any]) -> str:
        """Return what leads on, if it leads on in our own account's list."""
        uri = str(told.get("next_page_uri") or "")
        return uri.removeprefix(self._account) if uri.startswith(f"{self._account}Messages") else ""

    def _read(self, path: str) -> dict[str, Any]:
        answer = self._asked("GET", path)
        if answer.status >= 500:
            raise Unavailable("Twilio answered with an error of its own.", str(answer.status))
        if not answer.ok:
            raise _refusal(answer)
        if not isinstance(answer.json, dict):
            raise Unavailable("Twilio's answer could not be read.")
        return answer.json

    def _asked(
        self, method: str, path: str, form: Mapping[str, str | list[str]] | None = None
    ) -> Answer:
        return self.http.send(
            method,
            f"{self.url}{self._account}{path}",
            form=form,
            auth=(self.account_sid, self.auth_token),
        )


def _objects(told: Any) -> list[dict[str, Any]]:
    return [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []


def _listed(one: dict[str, Any]) -> ListedText | None:
    """Return a text of the list; None for what has no name."""
    sid = one.get("sid")
    if not isinstance(sid, str) or not (sid.isascii() and sid.isalnum()) or len(sid) > 64:
        return None
    code = one.get("error_code")
    return ListedText(
        sid,
        one.get("direction") == "inbound",
        str(one.get("from") or ""),
        str(one.get("to") or ""),
        str(one.get("body") or ""),
        _time(one.get("date_sent") or one.get("date_created")),
        str(one.get("status") or "")[:40],
        code if isinstance(code, int) else None,
        _count(one.get("num_segments"), 1),
        _count(one.get("num_media"), 0),
    )


def _time(told: Any) -> datetime | None:
    try:
        at = parsedate_to_datetime(told)
    except (TypeError, ValueError):
        return None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _count(told: Any, default: int) -> int:
    text = str(told or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else default


def _refusal(answer: Answer) -> ProviderError:
    told = answer.json if isinstance(answer.json, dict) else {}
    code = told.get("code")
    detail = f"{code or answer.status} {told.get('message', '')}".strip()
    if answer.status == 429:
        return Unavailable("Twilio asks for time.", detail, retry_after=answer.retry_after)
    if answer.status in (401, 403):
        return SignInRefused("Twilio refused the account's credentials.", detail)
    fault = FAULTS.get(code) if isinstance(code, int) else None
    if fault is not None:
        return NumberRefused(WORDS[fault], detail, fault)
    return Rejected("Twilio refused the text.", detail)
