"""Twilio as a browser test has it: a server that takes texts, and a hand that calls us back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from pytest_httpserver import HTTPServer
from werkzeug import Request as Asked
from werkzeug import Response

from casewell.providers.sms.signature import sign
from tests.e2e.live import Live

ACCOUNT = "AC" + "0" * 32
TOKEN = "a-token-of-twilio-for-tests"
OURS = "+13125550100"


@dataclass
class Carrier:
    """Keeps what it was handed; `refusing` is what it says of a number instead of taking a text."""

    server: HTTPServer
    texts: list[dict[str, str]] = field(default_factory=list)
    refusing: dict[str, int] = field(default_factory=dict)
    told: int = 0

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "sms": "twilio",
            "twilio_account_sid": ACCOUNT,
            "twilio_auth_token": TOKEN,
            "twilio_sender": OURS,
            "twilio_url": self.server.url_for(""),
            "private_targets": f"127.0.0.1:{self.server.port}",
        }

    def take(self, asked: Asked) -> Response:
        form = asked.form.to_dict()
        if code := self.refusing.get(form["To"]):
            return Response(f'{{"code": {code}, "message": "No"}}', 400)
        self.texts.append(form)
        return Response(f'{{"sid": "{self.sid_of(form["To"], form["Body"])}"}}', 201)

    def sid_of(self, to: str, body: str) -> str:
        """Return how Twilio names a text that it took."""
        place = [(one["To"], one["Body"]) for one in self.texts].index((to, body))
        return f"SM{place:032d}"

    def report(self, live: Live, sid: str, status: str, **fields: str) -> None:
        """Tell what became of a text."""
        self._call(live, "/hooks/twilio/status", MessageSid=sid, MessageStatus=status, **fields)

    def text(self, live: Live, sender: str, body: str) -> None:
        """Let somebody write to the firm."""
        self.told += 1
        self._call(
            live,
            "/hooks/twilio/sms",
            MessageSid=f"SM{self.told:032x}",
            From=sender,
            To=OURS,
            Body=body,
            NumMedia="0",
            NumSegments="1",
        )

    def _call(self, live: Live, path: str, **fields: str) -> None:
        fields = {"AccountSid": ACCOUNT, **fields}
        url = live.url + path
        signature = sign(TOKEN, url, {name: [value] for name, value in fields.items()})
        headers = {"X-Twilio-Signature": signature}
        request = Request(url, urlencode(fields).encode(), headers)
        with urlopen(request, timeout=10) as answer:
            assert answer.status in (200, 204)


@contextmanager
def twilio() -> Iterator[Carrier]:
    with HTTPServer(host="127.0.0.1") as server:
        carrier = Carrier(server)
        path = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
        server.expect_request(path, method="POST").respond_with_handler(carrier.take)
        yield carrier
