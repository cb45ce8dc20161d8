"""What a page brings along, and what the browser lets it do."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Page, Response, expect

from tests.e2e.live import Live
from tests.e2e.watch import Watch

CASE_MANAGER = "Dana Whitfield"
OWNER = "Joan Pierce"
MOST_BYTES = 150_000


@dataclass
class Wire:
    """What really comes over the wire, as the browser's own tools count it."""

    page: Page
    addresses: dict[str, str] = field(default_factory=dict)
    bytes_of: dict[str, float] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        tools = self.page.context.new_cdp_session(self.page)
        tools.send("Network.enable")
        tools.on("Network.responseReceived", self._begun)
        tools.on("Network.requestServedFromCache", lambda e: self.kept.add(e["requestId"]))
        tools.on("Network.loadingFinished", self._ended)

    def _begun(self, event: dict[str, Any]) -> None:
        if event["requestId"] not in self.kept and not event["response"].get("fromDiskCache"):
            self.addresses[event["requestId"]] = event["response"]["url"]

    def _ended(self, event: dict[str, Any]) -> None:
        if address := self.addresses.get(event["requestId"]):
            self.bytes_of[address] = event["encodedDataLength"]


@pytest.mark.parametrize("whole", ["list", "thread"])
def test_a_first_visit_of_the_inbox_loads_less_than_150_kb(
    whole: str, live: Live, enter: Callable[..., Page]
) -> None:
    page = enter(CASE_MANAGER)
    wire = Wire(page)
    page.goto("/inbox" if whole == "list" else f"/inbox/c/{live.client_id('Priya Raman')}")
    page.wait_for_load_state("networkidle")
    for part in ("tabler.css", "casewell.css", "inter.woff2", "icons.svg", "htmx.js", "app.js"):
        assert any(part in address for address in wire.bytes_of), f"{part} was not measured"
    total = sum(wire.bytes_of.values())
    print(f"{total:,.0f} bytes in {len(wire.bytes_of)} answers")
    assert total < MOST_BYTES, wire.bytes_of


def test_a_second_page_loads_no_asset_again(enter: Callable[..., Page]) -> None:
    page = enter(CASE_MANAGER)
    page.goto("/inbox")
    page.wait_for_load_state("networkidle")
    wire = Wire(page)
    page.goto("/clients")
    page.wait_for_load_state("networkidle")
    assert any(address.endswith("/clients") for address in wire.bytes_of)
    assert not [address for address in wire.bytes_of if "/static/" in address]


def test_the_chosen_theme_is_there_before_anything_is_painted(enter: Callable[..., Page]) -> None:
    page = enter(CASE_MANAGER, color_scheme="light")
    page.goto("/inbox")
    page.locator("summary.cw-me").click()
    with page.expect_response(lambda answer: answer.request.method == "POST"):  # it is kept
        page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    expect(page.locator("body")).to_have_css("background-color", "rgb(15, 17, 22)")
    # Every theme that the next page ever has, from its first byte on.
    page.add_init_script("""
        window.themes = [];
        new MutationObserver(() => {
          const theme = document.documentElement?.dataset.bsTheme;
          if (theme && window.themes.at(-1) !== theme) window.themes.push(theme);
        }).observe(document, { attributes: true, childList: true, subtree: true });
    """)
    page.goto("/clients")
    expect(page.locator("body")).to_have_css("background-color", "rgb(15, 17, 22)")
    assert page.evaluate("window.themes") == ["dark"]


def test_C12_the_browser_runs_no_script_of_a_page_itself(
    enter: Callable[..., Page], watch: Callable[[], Watch]
) -> None:
    page = enter(OWNER)
    watch().expect("Content Security Policy")
    page.goto("/clients")
    page.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "window.ran = 'inline'";
        document.body.append(script);
        document.body.insertAdjacentHTML("beforeend", "<img src='/no' onerror='window.ran = 1'>");
        document.body.insertAdjacentHTML("beforeend", "<a id='js' href='javascript:ran=2'>x</a>");
        document.getElementById("js").click();
    }""")
    watch().expect("status of 404")
    expect(page.locator("img[src='/no']")).to_have_count(1)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.ran") is None


def test_C12_every_answer_of_a_walk_guards_itself(
    live: Live, enter: Callable[..., Page], watch: Callable[[], Watch]
) -> None:
    page = enter(OWNER)
    watch().expect("status of 404")
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto("/")  # a redirect, a page
    page.goto(f"/inbox/c/{live.client_id('Marisol Vega')}")
    page.get_by_role("link", name="Email", exact=False).first.click()  # a fragment
    page.goto("/no-such-page")
    page.goto("/clients?status=waiting")
    page.get_by_text("Export", exact=True).click()
    with page.expect_download():
        page.get_by_role("button", name="CSV, for any program").click()
    kinds = set()
    for answer in answers:
        headers = answer.all_headers()
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert not re.search("unsafe-(inline|eval)", policy.partition("style-src")[0]), answer.url
        assert headers["x-content-type-options"] == "nosniff", answer.url
        assert headers["referrer-policy"] in ("same-origin", "no-referrer"), answer.url
        if "/static/" not in answer.url:
            assert headers["cache-control"] == "no-store", answer.url
            kinds.add(answer.status)
    assert {200, 302, 404} <= kinds


def test_C16_no_other_site_can_frame_a_page(
    live: Live, enter: Callable[..., Page], watch: Callable[[], Watch]
) -> None:
    page = enter(OWNER)
    watch().expect("localhost")
    watch().expect("frame-ancestors|X-Frame-Options")
    other = live.url.replace("127.0.0.1", "localhost")
    page.route(
        f"{other}/frames", lambda route: route.fulfill(body=f"<iframe src='{live.url}/clients'>")
    )
    page.goto(f"{other}/frames")
    page.wait_for_load_state("networkidle")
    framed = page.frames[-1]
    assert framed is not page.main_frame
    assert framed.get_by_role("heading", name="Clients").count() == 0
