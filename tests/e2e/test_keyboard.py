"""Casewell by keys alone: the palette, the help, and focus that is never lost."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from casewell.demo.build import PASSWORD
from tests.e2e.live import Live
from tests.e2e.parts import composer, rows, thread, toast

CASE_MANAGER = "Dana Whitfield"
OWNER = "Joan Pierce"
LOST = "document.activeElement === null || document.activeElement === document.body"


def _palette(page: Page) -> Locator:
    page.keyboard.press("Control+k")
    palette = page.get_by_role("dialog", name="Command palette")
    expect(palette.get_by_role("combobox")).to_be_focused()
    return palette


def test_the_palette_finds_a_client_and_goes_there(live: Live, enter: Callable[..., Page]) -> None:
    page = enter(OWNER)
    page.goto("/inbox")
    palette = _palette(page)
    page.keyboard.type("bapt")
    found = palette.get_by_role("option", name="Noel Baptiste")
    expect(found).to_have_attribute("aria-selected", "true")
    expect(found.locator("mark")).to_have_text("Bapt")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Noel Baptiste")).to_be_visible()
    expect(page).to_have_url(re.compile(f"/clients/{live.client_id('Noel Baptiste')}$"))


def test_the_palette_goes_to_pages_and_searches_messages(enter: Callable[..., Page]) -> None:
    page = enter(OWNER)
    page.goto("/clients")
    palette = _palette(page)
    page.keyboard.type("outb")
    expect(palette.get_by_role("option", name="Outbox")).to_contain_text("G")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Outbox")).to_be_visible()
    _palette(page)
    page.keyboard.type("utility bill")
    expect(palette.get_by_role("option", name="Search messages")).to_be_visible()
    page.keyboard.press("ArrowUp")  # from the first one around to the last
    page.keyboard.press("Enter")
    expect(page.get_by_role("list", name="Search results")).to_contain_text("utility")


def test_the_palette_offers_what_the_page_can_do_and_shows_its_keys(
    live: Live, enter: Callable[..., Page]
) -> None:
    page = enter(CASE_MANAGER)
    page.goto(f"/inbox/c/{live.client_id('Nadia Karim')}")
    palette = _palette(page)
    acts = palette.get_by_role("group", name="Nadia Karim")
    expect(acts.get_by_role("option")).to_contain_text(
        ["Assign", "Snooze", "unread", "done", "note", "Reply"]
    )
    page.keyboard.type("mark done")
    page.keyboard.press("Enter")
    expect(toast(page, "Nadia Karim marked done.")).to_be_visible()
    page.keyboard.press("z")
    expect(toast(page, "Nadia Karim reopened.")).to_be_visible()
    _palette(page)
    page.keyboard.press("Backspace")
    expect(acts).to_have_count(0)
    page.keyboard.press("Escape")
    expect(palette).to_be_hidden()


def test_the_palette_finds_what_stands_in_menus(live: Live, enter: Callable[..., Page]) -> None:
    page = enter(CASE_MANAGER)
    page.goto(f"/inbox/c/{live.client_id('Nadia Karim')}")
    palette = _palette(page)
    expect(palette.get_by_role("option", name="Follow")).to_have_count(0)
    page.keyboard.type("follow")
    expect(palette.get_by_role("option", name="Follow")).to_be_visible()
    page.keyboard.press("Enter")
    expect(toast(page, "You follow Nadia Karim.")).to_be_visible()
    _palette(page)
    page.keyboard.type("unread only")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"unread=1"))


def test_ctrl_n_writes_a_note_where_it_arrives(live: Live, enter: Callable[..., Page]) -> None:
    page = enter(CASE_MANAGER)
    page.goto(f"/inbox/c/{live.client_id('Nadia Karim')}")
    page.keyboard.press("r")
    page.keyboard.press("Control+n")
    expect(page.locator("#note-body")).to_be_focused()


def test_the_help_lists_only_places_that_its_keys_reach(enter: Callable[..., Page]) -> None:
    page = enter(OWNER)
    page.goto("/inbox")
    page.keyboard.press("?")
    help_of = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(help_of.get_by_role("heading", name="Go to")).to_be_visible()
    keys = help_of.locator("section").last.locator(".cw-shortcut")
    wanted = {
        line.locator("span").first.inner_text(): line.locator("kbd").last.inner_text().lower()
        for line in keys.all()
    }
    assert {"Inbox", "Triage", "Outbox", "Clients", "Health", "Settings"} <= set(wanted)
    page.keyboard.press("Escape")
    expect(help_of).to_be_hidden()
    navigation = page.get_by_role("navigation", name="Primary", exact=True)
    for label, key in wanted.items():
        page.keyboard.press("g")
        page.keyboard.press(key)
        place = navigation.get_by_role("link", name=label)
        expect(place).to_have_attribute("aria-current", "page")
        page.wait_for_load_state()  # or the next G is pressed before anything listens
    page.keyboard.press("c")
    expect(page.get_by_role("heading", name="New message")).to_be_visible()


def test_single_keys_can_be_switched_off_and_the_rest_stays(enter: Callable[..., Page]) -> None:
    page = enter(CASE_MANAGER)
    page.goto("/inbox")
    page.keyboard.press("?")
    switch = page.get_by_role("switch", name="Single-key shortcuts")
    switch.press("Space")
    expect(switch).not_to_be_checked()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(rows(page).first).not_to_be_focused()
    page.reload()
    page.keyboard.press("j")
    _palette(page)
    expect(rows(page).first).not_to_be_focused()


def test_from_sign_in_to_an_answer_without_a_mouse(
    live: Live, open_browser: Callable[..., Page]
) -> None:
    page = open_browser(live)
    page.goto("/inbox")
    page.keyboard.type("dana@harborlaw.example")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(rows(page).first).to_be_visible()
    # While it still loads, the browser goes to where the skip link leads a second time.
    page.wait_for_load_state()

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("j")
    name = rows(page).nth(1).locator(".cw-name").inner_text()
    expect(rows(page).nth(1)).to_be_focused()
    expect(rows(page).nth(1)).to_have_css("outline-style", "solid")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    expect(rows(page).nth(1)).to_be_focused()

    page.keyboard.press("r")
    page.keyboard.type("Written by keys alone, with j and e in it.")
    page.keyboard.press("Control+Enter")
    expect(thread(page)).to_contain_text("Written by keys alone")
    expect(composer(page)).to_be_focused()
    expect(composer(page)).to_have_value("")
    page.keyboard.press("Tab")
    assert not page.evaluate(LOST)
    composer(page).blur()
    page.keyboard.press("z")
    expect(composer(page)).to_have_value("Written by keys alone, with j and e in it.")

    page.keyboard.press("e")
    expect(toast(page, f"{name} marked done.")).to_be_visible()
    expect(page.get_by_role("button", name="Reopen")).to_be_focused()
    page.keyboard.press("e")
    expect(toast(page, f"{name} reopened.")).to_be_visible()
    expect(page.get_by_role("button", name="Done")).to_be_focused()

    page.keyboard.press("a")
    dialog = page.get_by_role("dialog", name=f"Assign {name}")
    expect(dialog.get_by_label("Who has it in hand")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert not page.evaluate(LOST)


def test_menus_are_walked_by_arrows_and_left_by_escape(
    live: Live, enter: Callable[..., Page]
) -> None:
    page = enter(OWNER)
    page.goto(f"/clients/{live.client_id('Joyce Tanaka')}")
    status = page.get_by_text("Status", exact=True)
    status.press("Enter")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name="Lead")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Lead")).to_be_hidden()
    expect(page.locator("summary").filter(has_text="Status")).to_be_focused()
