"""SMS as tests use it: a carrier that keeps texts, and Twilio's own requests, signed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from casewell.app import create_app
from casewell.clients import consent
from casewell.clients.models import Client, ConsentSource
from casewell.kernel.runtime import Runtime
from casewell.ledger.service import SYSTEM
from casewell.messages import outbox
from casewell.messages.models import Channel, Delivery, UnifiedMessage, preview_of
from casewell.providers.sms import ListedFile, ListedText, SentText, SMSSender, TextPage
from casewell.providers.sms.signature import sign
from casewell.sms.models import SMSMessage

ACCOUNT = "AC" + "0" * 32
TOKEN = "a-token-of-twilio-for-tests"
OURS = "+13125550100"
THEIRS = "+13125550148"
PUBLIC = "https://crm.example.org"


@dataclass
class FakeSMS:
    """A carrier at our own door; `then` says what happens to the next text."""

    kind: str = "test"
    texts: list[tuple[str, str]] = field(default_factory=list)
    reports_to: list[str] = field(default_factory=list)
    script: list[Exception | Callable[[str], None]] = field(default_factory=list)
    listed: list[ListedText] = field(default_factory=list)
    files: dict[str, list[ListedFile]] = field(default_factory=dict)
    list_fails: Exception | None = None

    def then(self, *steps: Exception | Callable[[str], None]) -> None:
        self.script.extend(steps)

    def send(self, to: str, body: str, *, report_to: str = "", on_handover: Any = None) -> SentText:
        on_handover()
        step = self.script.pop(0) if self.script else None
        if isinstance(step, Exception):
            raise step
        self.texts.append((to, body))
        self.reports_to.append(report_to)
        sid = f"SM{len(self.texts):032d}"
        if step is not None:
            step(sid)
        return SentText(sid)

    def check(self) -> None:
        return None

    def list_texts(self, since: Any, after: str = "") -> TextPage:
        """Two at a time, newest first."""
        if self.list_fails is not None:
            raise self.list_fails
        newest = [one for one in self.listed[::-1] if one.at is None or one.at.date() >= since]
        start = int(after or 0)
        more = start + 2 < len(newest)
        return TextPage(newest[start : start + 2], str(start + 2) if more else "")

    def files_of(self, provider_id: str) -> list[ListedFile]:
        return self.files.get(provider_id, [])


@pytest.fixture
def sms() -> FakeSMS:
    return FakeSMS()


@pytest.fixture
def runtime(runtime: Runtime, sms: FakeSMS) -> Runtime:
    """An installation that sends texts by Twilio, behind a proxy."""
    settings = runtime.settings.model_copy(
        update={
            "sms": "twilio",
            "twilio_account_sid": ACCOUNT,
            "twilio_auth_token": TOKEN,
            "twilio_sender": OURS,
            "public_url": PUBLIC,
        }
    )
    return replace(runtime, settings=settings, providers={**runtime.providers, SMSSender: sms})


@pytest.fixture
def agree(runtime: Runtime) -> Callable[..., None]:
    """Records that a client agrees to texts."""

    def agreed(client: Client, number: str = THEIRS) -> None:
        with runtime.database.writing() as session:
            consent.grant(
                session,
                client.id,
                number,
                source=ConsentSource.STAFF,
                words="Signed the intake form.",
                actor=SYSTEM,
                now=runtime.now(),
            )

    return agreed


@pytest.fixture
def ana(client: Callable[..., Client], agree: Callable[..., None]) -> Client:
    """A client in Chicago who agrees to texts."""
    made = client("Ana", "Ruiz", phones=[THEIRS], state="IL", time_zone="America/Chicago")
    agree(made)
    return made


@pytest.fixture
def text(runtime: Runtime) -> Callable[..., int]:
    """Queues a text to a client; returns the delivery's id."""

    def queued(client: Client, body: str = "Your letter came.", number: str = THEIRS) -> int:
        message: UnifiedMessage = SMSMessage(
            client_id=client.id,
            channel=Channel.SMS,
            body_text=body,
            preview=preview_of(body),
            to_number=number,
        )
        with runtime.database.writing() as session:
            made = outbox.queue(session, runtime, message, recipient=number, now=runtime.now())
            return made.id

    return queued


@pytest.fixture
def delivery(runtime: Runtime) -> Callable[[int], Delivery]:
    def found(delivery_id: int) -> Delivery:
        with runtime.database.reading() as session:
            return session.get_one(Delivery, delivery_id)

    return found


@pytest.fixture
def twilio(runtime: Runtime, firm: Any) -> Callable[..., Any]:
    """Tells Casewell something as Twilio does; keywords are fields, `sign_with` a token."""
    http = create_app(runtime).test_client()

    def told(path: str, *, sign_with: str = TOKEN, given: str | None = None, **fields: str) -> Any:
        fields = {"AccountSid": ACCOUNT, **fields}
        made = sign(sign_with, PUBLIC + path, {name: [v] for name, v in fields.items()})
        headers = {"X-Twilio-Signature": made if given is None else given}
        return http.post(path, data=fields, headers=headers)

    return told


@pytest.fixture
def comes(twilio: Callable[..., Any]) -> Callable[..., Any]:
    """A text comes in."""
    count = 0

    def came(body: str, sender: str = THEIRS, **fields: str) -> Any:
        nonlocal count
        count += 1
        given = {"MessageSid": f"SM{count:04d}", "NumMedia": "0", "NumSegments": "1", **fields}
        return twilio("/hooks/twilio/sms", From=sender, To=OURS, Body=body, **given)

    return came
