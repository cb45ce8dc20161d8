"""Internal notes in the browser: unmistakable, by keyboard, kept until they are saved."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.live import Live
from tests.e2e.parts import composer, thread, toast

CASE_MANAGER, OWNER = "Dana Whitfield", "Joan Pierce"
A_POLL = 25_000  # milliseconds: an open inbox asks every 15 seconds


@pytest.fixture
def page(live: Live, enter: Callable[..., Page]) -> Page:
    page = enter(CASE_MANAGER)
    page.goto(f"/inbox/c/{live.client_id('Priya Raman')}")
    return page


def note(page: Page) -> Locator:
    return page.locator("#note-body")


def test_a_note_is_written_by_keyboard_and_looks_like_no_message(page: Page) -> None:
    composer(page).press("Control+/")
    expect(note(page)).to_be_focused()
    expect(composer(page)).not_to_be_visible()
    expect(page.locator("#note-form")).to_contain_text("Internal, never shown in the portal")
    page.keyboard.type("Prefers to be called after five.")
    page.keyboard.press("Control+Enter")
    card = thread(page).locator(".cw-note").filter(has_text="called after five")
    expect(card).to_contain_text("Internal, never shown in the portal")
    expect(toast(page, "Note saved")).to_be_visible()
    expect(note(page)).to_have_value("")
    page.keyboard.press("Control+/")
    expect(composer(page)).to_be_focused()


def test_n_and_the_switch_open_the_note(page: Page) -> None:
    expect(thread(page)).to_be_visible()
    page.keyboard.press("n")
    expect(note(page)).to_be_focused()
    page.get_by_role("link", name="Reply", exact=True).locator("visible=true").click()
    expect(composer(page)).to_be_focused()
    page.keyboard.press("Alt+n")
    expect(note(page)).to_be_focused()


def test_a_note_is_kept_through_a_reload_apart_from_the_answer(page: Page) -> None:
    composer(page).fill("An answer begun")
    page.keyboard.press("Control+/")
    note(page).fill("A note begun")
    expect(page.locator("#note-form [data-draft-state]")).to_contain_text("Draft saved")
    page.reload()
    expect(composer(page)).to_have_value("An answer begun")
    page.keyboard.press("Control+/")
    expect(note(page)).to_have_value("A note begun")
    note(page).fill("")
    page.keyboard.press("Control+/")
    composer(page).fill("")


def test_a_colleague_is_named_by_keyboard(page: Page) -> None:
    page.keyboard.press("Control+/")
    page.keyboard.type("Ask @ru")
    expect(page.get_by_role("option", name="Ruth Abara")).to_be_visible()
    expect(note(page)).to_have_attribute("aria-activedescendant", "note-body-colleagues-0")
    page.keyboard.press("Enter")
    expect(note(page)).to_have_value("Ask @Ruth Abara ")
    page.keyboard.type("about Oak St.")
    page.keyboard.press("Control+Enter")
    expect(thread(page)).to_contain_text("Ask @Ruth Abara about Oak St.")


def test_its_writer_changes_and_deletes_a_note(page: Page) -> None:
    page.keyboard.press("Control+/")
    page.keyboard.type("Written too soon")
    page.keyboard.press("Control+Enter")
    card = thread(page).locator(".cw-note").filter(has_text="Written too soon")
    card.get_by_text("Change", exact=True).click()
    card.get_by_label("Note", exact=True).fill("Written with care")
    card.get_by_role("button", name="Save note").click()
    card = thread(page).locator(".cw-note").filter(has_text="Written with care")
    expect(card).to_contain_text("edited")
    card.get_by_text("Change", exact=True).click()
    card.get_by_role("button", name="Delete note").click()
    expect(card).to_have_count(0)
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(thread(page)).to_contain_text("Written with care")


def test_a_note_without_scripts(live: Live, enter: Callable[..., Page]) -> None:
    page = enter(CASE_MANAGER, java_script_enabled=False)
    page.goto(f"/inbox/c/{live.client_id('Keisha Barnes')}")
    page.get_by_role("link", name="Note", exact=True).locator("visible=true").click()
    note(page).fill("Written without scripts")
    page.get_by_role("button", name="Save note").locator("visible=true").first.click()
    expect(thread(page)).to_contain_text("Written without scripts")


def test_who_is_named_is_told_at_once_and_led_to_the_note(
    live: Live, page: Page, enter: Callable[..., Page]
) -> None:
    theirs = enter(OWNER)
    theirs.goto("/inbox?scope=all")
    badge = theirs.locator("#nav-notifications")
    before = badge.evaluate("badge => Number(badge.firstChild.textContent)")
    page.keyboard.press("n")
    page.keyboard.type("Look at this one, @Joan Pierce")
    page.keyboard.press("Control+Enter")
    expect(toast(page, "Note saved")).to_be_visible()
    expect(badge).to_contain_text(str(before + 1), timeout=A_POLL)
    theirs.goto("/notifications")
    row = theirs.get_by_role("listitem").filter(has_text="Dana Whitfield named you").first
    row.get_by_role("button", name="Dana Whitfield named you").first.click()
    note = thread(theirs).locator(".cw-sought")
    expect(note).to_contain_text("Look at this one, @Joan Pierce")
    expect(note).to_be_in_viewport()
    expect(badge).to_have_text(re.compile(f"^{before} "))


def test_a_colleagues_note_arrives_in_an_open_thread(
    live: Live, enter: Callable[..., Page]
) -> None:
    address = f"/inbox/c/{live.client_id('Tom Lindqvist')}"
    mine, theirs = enter(OWNER), enter("Elaine Brooks")
    mine.goto(address)
    theirs.goto(address)
    composer(mine).fill("Half an answer")
    theirs.keyboard.press("n")
    theirs.keyboard.type("He called me about this.")
    theirs.keyboard.press("Control+Enter")
    card = thread(mine).locator(".cw-note").filter(has_text="He called me about this.")
    expect(card).to_be_visible(timeout=A_POLL)
    expect(card).to_contain_text("Elaine Brooks")
    expect(card.get_by_text("Change", exact=True)).to_have_count(0)
    expect(composer(mine)).to_be_focused()
    expect(composer(mine)).to_have_value("Half an answer")
    composer(mine).fill("")


def test_only_who_may_read_a_privileged_note_is_offered(
    live: Live, enter: Callable[..., Page]
) -> None:
    page = enter(OWNER)
    page.goto(f"/inbox/c/{live.client_id('Priya Raman')}")
    composer(page).press("Control+/")
    page.keyboard.type("For @")
    expect(page.get_by_role("option", name="Dana Whitfield")).to_be_visible()
    note(page).fill("")
    page.get_by_label("Kind of note").select_option(label="Privileged")
    note(page).focus()
    page.keyboard.type("For @")
    expect(page.get_by_role("option", name="Ruth Abara")).to_be_visible()
    expect(page.get_by_role("option", name="Dana Whitfield")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox", name="Colleagues")).to_be_hidden()
    note(page).fill("")


def test_notifications_are_read_one_by_one_and_all_at_once(enter: Callable[..., Page]) -> None:
    page = enter("Ruth Abara")
    page.goto("/notifications")
    unread = page.locator("li.cw-unread")
    expect(unread.first).to_be_visible()
    number = unread.count()
    page.get_by_role("button", name="Mark read: ").first.click()
    expect(unread).to_have_count(number - 1)
    page.get_by_role("button", name="Mark all read").click()
    expect(unread).to_have_count(0)
    expect(page.locator("#nav-notifications")).to_be_hidden()
