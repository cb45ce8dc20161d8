"""A receiver on this machine, and an owner who has named it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from casewell.kernel.runtime import Runtime
from casewell.kernel.signed_bodies import HEADER, is_signed
from casewell.ledger.service import SYSTEM
from casewell.providers.http import WebClient, WebLimits
from casewell.providers.targets import TargetGuard
from casewell.webhooks.forms import WebhookForm
from casewell.webhooks.models import Webhook
from casewell.webhooks.outgoing import KINDS
from casewell.webhooks.service import WebhookService


@dataclass
class Receiver:
    """Answers with `status`; `taken` are the calls it was given."""

    server: HTTPServer
    status: int = 204
    headers: dict[str, str] | None = None

    @property
    def url(self) -> str:
        return self.server.url_for("/hooks")

    def answer(self, _request: Request) -> Response:
        return Response(status=self.status, headers=self.headers)

    @property
    def calls(self) -> list[dict[str, Any]]:
        return [json.loads(request.get_data()) for request, _ in self.server.log]

    def signed_with(self, secret: str, now: Any) -> list[bool]:
        return [
            is_signed([secret], request.get_data(), request.headers[HEADER], now)
            for request, _ in self.server.log
        ]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with HTTPServer(host="127.0.0.1") as server:
        made = Receiver(server)
        server.expect_request("/hooks", method="POST").respond_with_handler(made.answer)
        yield made


@pytest.fixture
def runtime(runtime: Runtime, receiver: Receiver) -> Runtime:
    """May call this one receiver in our own network, as a setting would let it."""
    guard = TargetGuard(private={f"127.0.0.1:{receiver.server.port}"})
    client = WebClient(guard, WebLimits(step=1.0, whole=3.0))
    return replace(runtime, providers={**runtime.providers, WebClient: client})


@pytest.fixture
def add(runtime: Runtime, receiver: Receiver) -> Callable[..., tuple[Webhook, str]]:
    """Adds a webhook for the receiver; returns it and its secret."""

    def make(url: str = "", events: list[str] | None = None) -> tuple[Webhook, str]:
        form = WebhookForm(url=url or receiver.url, events=events or list(KINDS))
        with runtime.database.writing() as session:
            return WebhookService(session, runtime, SYSTEM).add(form)

    return make
