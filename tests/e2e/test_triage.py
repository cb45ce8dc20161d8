"""Triage: mail that matches nobody, or several, until a person decides."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.e2e.live import Live
from tests.e2e.parts import thread, toast

MANAGER = "Elaine Brooks"


def test_a_sender_is_linked_to_a_client_and_remembered(
    live: Live, enter: Callable[..., Page]
) -> None:
    page = enter(MANAGER)
    page.goto("/triage")
    page.get_by_role("link", name="Records Desk").click()
    page.get_by_role("searchbox", name="Client").press_sequentially("Lena")
    page.locator("#choices").get_by_role("button", name="Link").click()
    expect(toast(page, "Linked to Lena Fischer.")).to_be_visible()
    expect(page).to_have_url(re.compile(f"/inbox/c/{live.client_id('Lena Fischer')}"))
    expect(thread(page)).to_contain_text("Your request of last week")
    live.receive("Records Desk", "records@tri-county.example", subject="Once more", text="Hello.")
    page.reload()
    expect(thread(page)).to_contain_text("Once more")
    page.goto("/triage")
    expect(page.get_by_role("link", name="Records Desk")).to_have_count(0)


def test_a_client_is_made_of_a_sender_and_taken_back(enter: Callable[..., Page]) -> None:
    page = enter(MANAGER)
    page.goto("/triage")
    page.get_by_role("link", name="Bruno Keller").click()
    expect(page.get_by_label("First name")).to_have_value("Bruno")
    page.get_by_role("button", name="Create client").click()
    expect(toast(page, "Bruno Keller created.")).to_be_visible()
    expect(thread(page)).to_contain_text("Do you take identity theft cases?")
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(toast(page, "Taken back. It waits in triage again.")).to_be_visible()
    page.goto("/triage")
    expect(page.get_by_role("link", name="Bruno Keller")).to_be_visible()


def test_a_sender_is_set_aside_and_taken_back(live: Live, enter: Callable[..., Page]) -> None:
    live.receive("Loan Offers", "offers@example.org", subject="Rates from 3 %", text="Act now.")
    page = enter(MANAGER)
    page.goto("/triage")
    page.get_by_role("link", name="Loan Offers").click()
    expect(page.get_by_role("heading", name="Loan Offers")).to_be_visible()
    page.keyboard.press("a")
    expect(toast(page, "Set aside.")).to_be_visible()
    expect(page.get_by_role("link", name="Loan Offers")).to_have_count(0)
    page.keyboard.press("z")
    expect(toast(page, "Taken back. It waits in triage again.")).to_be_visible()
    page.goto("/triage?state=set_aside")
    expect(page.get_by_role("link", name="Loan Offers")).to_have_count(0)
