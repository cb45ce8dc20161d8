"""Twilio's Messages resource: https://www.twilio.com/docs/messaging/api/message-resource"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from casewell.providers.errors import (
    ProviderError,
    Rejected,
    SignInRefused,
    Unavailable,
    Unconfirmed,
)
from casewell.providers.http import Answer, WebClient
from casewell.providers.sms.sender import NumberFault, NumberRefused, SentText

SERVICE_PREFIX = "MG"
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
        answer = self._asked("GET", "Messages.json?PageSize=1")
        if answer.status >= 500:
            raise Unavailable("Twilio answered with an error of its own.", str(answer.status))
        if not answer.ok:
            raise _refusal(answer)

    def _asked(
        self, method: str, path: str, form: Mapping[str, str | list[str]] | None = None
    ) -> Answer:
        return self.http.send(
            method,
            f"{self.url}/2010-04-01/Accounts/{self.account_sid}/{path}",
            form=form,
            auth=(self.account_sid, self.auth_token),
        )


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
