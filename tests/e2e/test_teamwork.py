"""The team's work on a conversation, in the browser and by its keys."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.live import Live
from tests.e2e.parts import rows, toast

CASE_MANAGER, OWNER = "Dana Whitfield", "Joan Pierce"


@pytest.fixture
def page(live: Live, enter: Callable[..., Page]) -> Page:
    page = enter(OWNER)
    page.goto(f"/inbox/c/{live.client_id('Hector Ruiz')}?scope=all")
    return page


def test_a_conversation_is_snoozed_and_brought_back_by_undo(page: Page) -> None:
    expect(page.get_by_role("heading", name="Hector Ruiz")).to_be_visible()
    page.keyboard.press("h")
    page.get_by_role("button", name="Tomorrow, 9:00 AM").click()
    expect(toast(page, "Hector Ruiz snoozed until Wed, 9:00 AM")).to_be_visible()
    page.goto("/inbox?scope=all&state=snoozed")
    expect(rows(page).filter(has_text="Hector Ruiz")).to_contain_text("Until Wed, 9:00 AM")
    rows(page).filter(has_text="Hector Ruiz").click()
    expect(page.get_by_text("Snoozed until Wed, 9:00 AM")).to_be_visible()


def test_a_conversation_is_given_away_with_a_word(
    page: Page, live: Live, enter: Callable[..., Page]
) -> None:
    expect(page.get_by_role("heading", name="Hector Ruiz")).to_be_visible()
    page.keyboard.press("a")
    page.get_by_label("Who has it in hand").select_option(label="Ruth Abara")
    page.get_by_label("A word for them").fill("Asks about a claim")
    page.get_by_role("button", name="Assign conversation").click()
    expect(toast(page, "Hector Ruiz is with Ruth Abara now.")).to_be_visible()
    theirs = enter("Ruth Abara")
    theirs.goto("/notifications")
    theirs.get_by_role("button", name="Joan Pierce assigned Hector Ruiz to you").first.click()
    expect(theirs.get_by_role("heading", name="Hector Ruiz")).to_be_visible()
    theirs.goto("/inbox?scope=assigned&state=any")
    expect(rows(theirs).filter(has_text="Hector Ruiz")).to_be_visible()


def test_taking_it_oneself_and_undoing_that(page: Page) -> None:
    page.get_by_label("More actions").click()
    page.get_by_role("button", name="Take it in hand").click()
    expect(toast(page, "Hector Ruiz is with you now.")).to_be_visible()
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(toast(page, "Undone.")).to_be_visible()


def test_who_follows_reads_along_and_stops(page: Page) -> None:
    page.get_by_label("More actions").click()
    page.get_by_role("button", name="Follow", exact=True).click()
    expect(toast(page, "You follow Hector Ruiz.")).to_be_visible()
    page.get_by_label("More actions").click()
    page.get_by_role("button", name="Stop following").click()
    expect(toast(page, "You no longer follow Hector Ruiz.")).to_be_visible()


def test_the_filters_are_in_the_address_and_can_be_left(
    live: Live, enter: Callable[..., Page]
) -> None:
    page = enter(OWNER)
    page.goto("/inbox?scope=all")
    page.keyboard.press("f")
    page.get_by_role("link", name="Waiting for an answer").click()
    page.wait_for_url("**waiting=1**")
    expect(page.get_by_text("Waiting for an answer", exact=True).last).to_be_visible()
    expect(rows(page).first).to_contain_text("Waiting")
    page.get_by_role("link", name="Show all open").click()
    page.wait_for_url(lambda url: "waiting" not in url)


def test_on_a_phone_all_of_it_is_in_reach(live: Live, enter: Callable[..., Page]) -> None:
    page = enter(CASE_MANAGER, viewport={"width": 390, "height": 844})
    page.goto(f"/inbox/c/{live.client_id('Keisha Barnes')}")
    page.get_by_label("Snooze", exact=True).click()
    page.get_by_role("button", name="Until they answer").click()
    expect(toast(page, "Keisha Barnes snoozed until they answer")).to_be_visible()
    page.goto("/inbox?state=snoozed")
    expect(rows(page).filter(has_text="Keisha Barnes")).to_contain_text("Until they answer")
