"""The inbox: the list, opening, reading, searching, and the keys that walk it."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.e2e.live import Live
from tests.e2e.parts import composer, rows, thread, toast

CASE_MANAGER = "Dana Whitfield"


def test_opening_a_conversation_shows_it_and_marks_it_read(enter: Callable[..., Page]) -> None:
    page = enter(CASE_MANAGER)
    page.goto("/inbox")
    expect(page).to_have_title(re.compile(r"Inbox \(\d+ unread\)"))
    row = rows(page).filter(has_text="Priya Raman")
    expect(row).to_have_class(re.compile("cw-unread"))
    row.click()
    expect(page).to_have_url(re.compile(r"/inbox/c/\d+"))
    expect(page.get_by_role("heading", name="Priya Raman")).to_be_visible()
    expect(row).to_have_attribute("aria-current", "true")
    expect(row).not_to_have_class(re.compile("cw-unread"))
    expect(page.locator("#rail")).to_contain_text("priya.raman@example.com")
    expect(row.locator(".cw-count")).to_have_count(0)
    page.reload()
    expect(row).not_to_have_class(re.compile("cw-unread"))
    page.go_back()
    expect(page).to_have_url(re.compile(r"/inbox$"))


def test_a_thread_opens_at_its_first_unread_line(live: Live, enter: Callable[..., Page]) -> None:
    page = enter(CASE_MANAGER)
    with page.expect_response(re.compile(r"/\d+/read$")):
        page.goto(f"/inbox/c/{live.client_id('Keisha Barnes')}")
    expect(page.locator("#first-unread")).to_be_in_viewport()
    page.reload()
    expect(page.locator("#first-unread")).to_have_count(0)
    expect(thread(page).locator("article, .cw-msg, .cw-call-card").last).to_be_in_viewport()


def test_earlier_messages_load_above(live: Live, enter: Callable[..., Page]) -> None:
    page = enter("Ruth Abara")
    page.goto(f"/inbox/c/{live.client_id('Marisol Vega')}")
    shown = thread(page).locator("[id^=message-]")
    before = shown.count()
    page.get_by_role("link", name="Earlier messages").click()
    expect(shown).not_to_have_count(before)
    ids = shown.evaluate_all("all => all.map(one => one.id)")
    assert len(ids) == len(set(ids)) > before


def test_tabs_filter_by_channel(enter: Callable[..., Page]) -> None:
    page = enter(CASE_MANAGER)
    page.goto("/inbox")
    channels = page.get_by_role("navigation", name="Channel")
    channels.get_by_role("link", name="SMS").click()
    expect(channels.get_by_role("link", name="SMS")).to_have_attribute("aria-current", "page")
    expect(page).to_have_url(re.compile("lane=sms"))
    for row in rows(page).all():
        expect(row).to_contain_text("SMS")
    page.keyboard.press("[")
    expect(page).to_have_url(re.compile("lane=email"))


def test_search_finds_words_and_marks_them(enter: Callable[..., Page]) -> None:
    page = enter(CASE_MANAGER)
    page.goto("/inbox")
    page.keyboard.press("/")
    search = page.get_by_role("searchbox", name="Search messages")
    expect(search).to_be_focused()
    search.press_sequentially("utility bill")
    results = page.get_by_role("list", name="Search results")
    expect(results.locator("mark").first).to_have_text(re.compile("utility|bill", re.IGNORECASE))
    expect(search).to_be_focused()
    expect(page).to_have_url(re.compile("q=utility"))
    results.get_by_role("link").first.click()
    expect(thread(page)).to_contain_text(re.compile("utility", re.IGNORECASE))
    search.fill("words nobody ever wrote")
    expect(page.get_by_text("No message holds these words")).to_be_visible()


def test_operators_are_offered_while_one_searches(enter: Callable[..., Page]) -> None:
    page = enter(CASE_MANAGER)
    page.goto("/inbox")
    hints = page.get_by_role("group", name="Narrow the search")
    expect(hints).to_be_hidden()
    page.keyboard.press("/")
    search = page.get_by_role("searchbox", name="Search messages")
    search.press_sequentially("bill")
    expect(hints).to_be_visible()
    hints.get_by_role("button", name="channel:").first.press("Enter")
    expect(search).to_be_focused()
    expect(search).to_have_value("bill channel:")
    search.press_sequentially("email")
    results = page.get_by_role("list", name="Search results")
    expect(results.locator("mark").first).to_have_text(re.compile("bill", re.IGNORECASE))
    expect(results.locator(".cw-hit").first).to_contain_text("Email")
    search.fill("bill before:someday")
    expect(page.get_by_role("status").filter(has_text="is not a date")).to_be_visible()
    expect(search).to_be_focused()
    search.fill("")
    hints.get_by_role("button", name="“ ”").press("Enter")
    search.press_sequentially("utility bill")
    expect(search).to_have_value('"utility bill"')
    expect(results.locator("mark").first).to_have_text(re.compile("utility", re.IGNORECASE))


def test_keys_walk_open_finish_and_answer(enter: Callable[..., Page]) -> None:
    page = enter(CASE_MANAGER)
    page.goto("/inbox")
    page.keyboard.press("j")
    expect(rows(page).nth(0)).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("j")
    expect(rows(page).nth(1)).to_be_focused()
    name = rows(page).nth(1).locator(".cw-name").inner_text()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    page.keyboard.press("e")
    expect(toast(page, f"{name} marked done.")).to_be_visible()
    expect(page.get_by_role("button", name="Reopen")).to_be_visible()
    page.keyboard.press("z")
    expect(toast(page, f"{name} reopened.")).to_be_visible()
    page.keyboard.press("r")
    expect(composer(page)).to_be_focused()
    page.keyboard.type("je")  # letters are text now
    expect(composer(page)).to_have_value("je")


def test_a_conversation_is_marked_unread_again(live: Live, enter: Callable[..., Page]) -> None:
    page = enter(CASE_MANAGER)
    page.goto(f"/inbox/c/{live.client_id('Anh Nguyen')}")
    row = rows(page).filter(has_text="Anh Nguyen")
    expect(row).not_to_have_class(re.compile("cw-unread"))
    page.keyboard.press("Shift+U")
    expect(toast(page, "Marked unread.")).to_be_visible()
    expect(row).to_have_class(re.compile("cw-unread"))


def test_done_conversations_leave_the_list(live: Live, enter: Callable[..., Page]) -> None:
    page = enter(CASE_MANAGER)
    page.goto(f"/inbox/c/{live.client_id('Owen Callahan')}")
    page.get_by_role("button", name="Done").click()
    expect(toast(page, "Owen Callahan marked done.")).to_be_visible()
    expect(rows(page).filter(has_text="Owen Callahan")).to_have_count(0)
    page.goto("/inbox")
    expect(rows(page).filter(has_text="Owen Callahan")).to_have_count(0)
    page.get_by_label("Which conversations").click()
    page.get_by_role("link", name="Done", exact=True).click()
    expect(rows(page).filter(has_text="Owen Callahan")).to_have_count(1)


def test_a_mail_that_comes_in_stands_at_the_top(live: Live, enter: Callable[..., Page]) -> None:
    live.receive(
        "Luis Ortega",
        "luis.ortega@example.com",
        subject="The letter arrived",
        text="It came this morning.\n\n"
        "On Mon, Mar 9, 2026 at 4:00 PM the office wrote:\n> Let us know.\n",
    )
    page = enter(CASE_MANAGER)
    page.goto("/inbox")
    first = rows(page).first
    expect(first).to_contain_text("Luis Ortega")
    first.click()
    mail = thread(page).get_by_role("article", name="The letter arrived")
    expect(mail.get_by_text("It came this morning.")).to_be_visible()
    expect(mail.get_by_text("Let us know.")).to_be_hidden()
    mail.get_by_text("Show quoted text").click()
    expect(mail.get_by_text("Let us know.")).to_be_visible()
