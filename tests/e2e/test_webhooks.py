"""Webhooks in a browser: added, tried out, told of a message, and removed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from pytest_httpserver import HTTPServer

from casewell.providers.http import WebClient
from casewell.providers.targets import TargetGuard
from casewell.webhooks.models import CallState, WebhookCall
from tests.e2e.conftest import DESKTOP, PHONE
from tests.e2e.live import PATIENCE, Live
from tests.e2e.parts import toast
from tests.e2e.test_accessibility import OPTIONS
from tests.e2e.watch import Watch

OWNER = "Joan Pierce"


@pytest.fixture
def receiver(live: Live, monkeypatch: pytest.MonkeyPatch) -> Iterator[HTTPServer]:
    """A receiver on this machine, which the firm's settings let be called."""
    with HTTPServer(host="127.0.0.1") as server:
        server.expect_request("/hooks").respond_with_data(status=204)
        guard = TargetGuard(private={f"127.0.0.1:{server.port}"})
        monkeypatch.setitem(live.runtime.providers, WebClient, WebClient(guard))  # type: ignore[arg-type]
        yield server


def _wait_until_taken(live: Live, event: str) -> None:
    deadline = time.monotonic() + PATIENCE
    taken = sa.select(WebhookCall.id).where(
        WebhookCall.event == event, WebhookCall.state == CallState.TAKEN
    )
    while time.monotonic() < deadline:
        with live.runtime.database.reading() as session:
            if session.scalar(taken) is not None:
                return
        time.sleep(0.05)
    raise AssertionError("the call was not taken")


def test_a_webhook_is_added_tried_out_and_told_of_a_message(
    live: Live, enter: Callable[..., Page], watch: Callable[[], Watch], receiver: HTTPServer
) -> None:
    page = enter(OWNER, bypass_csp=True)
    watch().expect("status of 422")
    page.goto("/settings/profile")
    page.get_by_role("link", name="Webhooks").click()
    page.get_by_label("Address").fill("https://127.0.0.1/hooks")
    page.get_by_role("button", name="Add webhook").click()
    expect(page.get_by_role("alert")).to_contain_text("private or reserved network")
    expect(page.get_by_label("Address")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Address").fill(receiver.url_for("/hooks"))
    page.get_by_role("button", name="Add webhook").click()
    expect(page.get_by_text("whsec_")).to_be_visible()
    page.get_by_role("link", name="I have copied it").click()
    page.get_by_role("button", name="Send a test call").click()
    expect(toast(page, "The test call was taken")).to_be_visible()
    live.add_client("Noor", "Haddad", "noor.haddad@example.com")
    live.receive("Noor Haddad", "noor.haddad@example.com", text="Has it come?")
    calls = page.get_by_role("table", name="Recent calls")
    expect(calls).to_contain_text("204")
    _wait_until_taken(live, "message.received")
    page.reload()
    expect(calls.get_by_role("row").nth(1)).to_contain_text("Taken")
    for size in (DESKTOP, PHONE):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        found = Axe().run(page, options=OPTIONS).response["violations"]
        assert not [one["id"] for one in found if one["impact"] in ("serious", "critical")]
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    page.get_by_role("button", name="Pause").click()
    expect(toast(page, "Webhook paused")).to_be_visible()
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Remove webhook").click()
    expect(toast(page, "Webhook removed")).to_be_visible()
