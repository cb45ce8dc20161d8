"""A client's timeline in the browser."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.live import Live
from tests.e2e.parts import toast

OWNER = "Joan Pierce"


@pytest.fixture
def page(live: Live, enter: Callable[..., Page]) -> Page:
    page = enter(OWNER)
    page.goto(f"/clients/{live.client_id('Marisol Vega')}")
    return page


def entries(page: Page):
    return page.locator("#entries .cw-timeline > li[id]")


def test_a_digit_leads_there_and_a_chip_narrows_it(page: Page) -> None:
    page.keyboard.press("3")
    expect(page.get_by_role("link", name="Timeline")).to_have_attribute("aria-current", "page")
    everything = entries(page).count()
    page.get_by_role("navigation", name="What about").get_by_role("link", name="Details").click()
    expect(page).to_have_url(re.compile(r"topic=details"))
    expect(page.get_by_role("link", name="Details", exact=True)).to_have_attribute(
        "aria-current", "true"
    )
    assert 0 < entries(page).count() < everything


def test_a_person_narrows_it_without_a_reload_and_the_address_keeps_that(page: Page) -> None:
    page.keyboard.press("3")
    expect(entries(page).first).to_be_visible()
    page.evaluate("window.stayed = true")
    page.get_by_label("Anybody").select_option(label="The client")
    expect(page).to_have_url(re.compile(r"person=client"))
    assert page.evaluate("window.stayed")
    page.reload()
    expect(page.get_by_label("Anybody")).to_have_value("client")
    for title in page.locator("#entries .cw-timeline-box .cw-w-600").all_inner_texts():
        assert title.endswith("from Marisol Vega")


def test_days_that_leave_nothing_say_so_and_lead_back(page: Page) -> None:
    page.keyboard.press("3")
    page.get_by_role("textbox", name="to").fill("2001-01-01")
    expect(page.get_by_text("Nothing like this happened")).to_be_visible()
    page.get_by_role("link", name="Show everything").click()
    expect(entries(page).first).to_be_visible()


def test_what_came_since_one_looked_is_marked(page: Page) -> None:
    page.keyboard.press("3")
    with page.expect_response("**/timeline/seen"):
        expect(entries(page).first).to_be_visible()
    page.keyboard.press("1")
    page.get_by_text("Status", exact=True).first.click()
    page.get_by_role("button", name="Waiting on client").click()
    expect(toast(page, "Status changed to Waiting on client")).to_be_visible()
    page.keyboard.press("3")
    expect(page.get_by_text("1 new since you last looked")).to_be_visible()
    expect(entries(page).first).to_contain_text("Status changed to Waiting on client")
    expect(entries(page).first.get_by_text("New", exact=True)).to_be_visible()
    with page.expect_response("**/timeline/seen"):
        pass
    page.reload()
    expect(page.get_by_text("since you last looked")).to_have_count(0)


def test_it_fits_a_phone(live: Live, enter: Callable[..., Page]) -> None:
    page = enter(OWNER)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"/clients/{live.client_id('Marisol Vega')}/timeline")
    expect(entries(page).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def _consent(page: Page):
    """Open the details alone, once their scripts listen; return the line about texts."""
    page.goto(f"{page.url}/timeline?topic=details", wait_until="load")
    return entries(page).filter(has_text="Texts allowed")


def test_an_entry_is_shown_to_its_client_and_taken_back_by_undo(page: Page) -> None:
    line = _consent(page)
    line.hover()
    line.get_by_role("button", name="Show to client").click()
    expect(line.get_by_role("button", name="Client sees this")).to_be_visible()
    expect(toast(page, 'The client reads now: "Texts to you are allowed"')).to_be_visible()
    page.keyboard.press("z")
    expect(toast(page, "The client no longer reads")).to_be_visible()
    expect(line.get_by_role("button", name="Show to client")).to_have_count(1)


def test_keys_alone_show_an_entry_and_the_focus_stays(page: Page) -> None:
    line = _consent(page)
    line.get_by_role("button", name="Show to client").focus()
    page.keyboard.press("Enter")
    shown = line.get_by_role("button", name="Client sees this")
    expect(toast(page, "The client reads now")).to_be_visible()
    expect(shown).to_be_focused()
    page.keyboard.press("Enter")
    expect(line.get_by_role("button", name="Show to client")).to_be_focused()


def test_on_a_phone_chips_are_one_row_that_shows_the_chosen_one(
    live: Live, enter: Callable[..., Page]
) -> None:
    page = enter(OWNER)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"/clients/{live.client_id('Marisol Vega')}/timeline?topic=evidence")
    chosen = page.get_by_role("link", name="Evidence", exact=True)
    expect(chosen).to_be_in_viewport(ratio=1)
    row = page.get_by_role("navigation", name="What about").bounding_box()
    assert row
    assert row["height"] < 60


def test_j_leads_to_the_next_client_s_timeline(enter: Callable[..., Page]) -> None:
    page = enter(OWNER)
    page.goto("/clients")
    page.locator("[data-row] a[href*='within=']").first.click()
    page.wait_for_url(re.compile(r"/clients/\d+\?within="), wait_until="load")
    page.keyboard.press("3")
    page.wait_for_url(re.compile(r"/clients/\d+/timeline\?within="), wait_until="load")
    first, head = page.url, page.locator("h1").inner_text()
    page.keyboard.press("j")
    page.wait_for_url(lambda url: "/timeline?within=" in url and url != first, wait_until="load")
    expect(page.locator("h1")).not_to_have_text(head)
    page.keyboard.press("k")
    page.wait_for_url(first, wait_until="load")
    expect(page.locator("h1")).to_have_text(head)
