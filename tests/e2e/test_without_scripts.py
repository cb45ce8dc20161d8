"""Reading, answering and finding with JavaScript switched off."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.live import Live
from tests.e2e.parts import composer, rows, thread

CASE_MANAGER = "Dana Whitfield"


@pytest.fixture
def page(enter: Callable[..., Page]) -> Page:
    return enter(CASE_MANAGER, java_script_enabled=False)


def test_conversations_are_read_searched_and_filtered(live: Live, page: Page) -> None:
    page.goto("/inbox")
    row = rows(page).filter(has_text="Priya Raman")
    expect(row).to_have_class(re.compile("cw-unread"))
    row.click()
    expect(page.get_by_role("heading", name="Priya Raman")).to_be_visible()
    expect(thread(page)).to_contain_text("police report")
    page.get_by_role("button", name="Mark read").click()
    expect(rows(page).filter(has_text="Priya Raman")).not_to_have_class(re.compile("cw-unread"))
    page.get_by_role("link", name="Earlier messages").click()
    expect(thread(page).locator("[id^=message-]").first).to_be_visible()
    page.goto("/inbox")
    page.get_by_role("navigation", name="Channel").get_by_role("link", name="SMS").click()
    expect(page).to_have_url(re.compile("lane=sms"))
    page.get_by_role("searchbox", name="Search messages").fill("utility bill")
    page.get_by_role("searchbox", name="Search messages").press("Enter")
    expect(page.get_by_role("list", name="Search results")).to_contain_text("utility")


def test_an_answer_is_written_taken_back_and_sent(live: Live, page: Page) -> None:
    page.goto(f"/inbox/c/{live.client_id('Eleanor Fino')}")
    composer(page).fill("Written without a script.")
    page.get_by_role("button", name="Send", exact=False).first.click()
    expect(thread(page)).to_contain_text("Written without a script.")
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(composer(page)).to_have_value("Written without a script.")
    page.get_by_role("button", name="Send", exact=False).first.click()
    page.get_by_role("button", name="Send now").first.click()
    expect(thread(page)).to_contain_text("Written without a script.")
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_role("button", name="Reopen")).to_be_visible()


def test_clients_are_found_and_edited(live: Live, page: Page) -> None:
    page.goto("/clients")
    page.get_by_role("searchbox", name="Search clients").fill("Keisha")
    page.get_by_role("button", name="Apply").click()
    page.get_by_role("link", name="Keisha Barnes").click()
    expect(page.get_by_role("heading", name="Keisha Barnes")).to_be_visible()
    page.get_by_role("link", name="Edit", exact=False).first.click()
    page.get_by_label("City").fill("Pasadena")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_text("Pasadena, CA 90026")).to_be_visible()
    page.get_by_label("More acts").click()
    page.get_by_role("link", name="Change who is responsible").first.click()
    expect(page.get_by_label("Second responsible")).to_be_visible()


def test_several_are_marked_done_and_that_is_undone(page: Page) -> None:
    page.goto("/inbox")
    names = page.locator(".cw-conv .cw-name").all_inner_texts()[:2]
    for name in names:
        page.get_by_role("checkbox", name=f"Select {name}").check()
    bar = page.get_by_role("form", name="Acts on the selected conversations")
    bar.get_by_role("button", name="Done").click()
    expect(page.locator("#toasts")).to_contain_text("2 conversations marked done.")
    expect(rows(page).filter(has_text=names[0])).to_have_count(0)
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(rows(page).filter(has_text=names[0])).to_be_visible()


def test_a_timeline_is_narrowed_and_marked_as_seen(live: Live, page: Page) -> None:
    page.goto(f"/clients/{live.client_id('Keisha Barnes')}/timeline")
    page.get_by_role("button", name="I have seen all of this").click()
    expect(page.get_by_role("button", name="I have seen all of this")).to_have_count(0)
    page.get_by_label("Anybody").select_option("Casewell itself")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page).to_have_url(re.compile("person=system"))


def test_settings_are_read_and_saved(page: Page) -> None:
    page.goto("/settings/profile")
    page.get_by_label("Dark").check()
    page.get_by_role("button", name="Save theme").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.get_by_role("link", name="Security").click()
    expect(page.get_by_text("This browser")).to_be_visible()
