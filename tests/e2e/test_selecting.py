"""Several conversations at once, in the browser and by its keys."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.live import Live
from tests.e2e.parts import rows, toast
from tests.e2e.test_accessibility import OPTIONS, SERIOUS

OWNER = "Joan Pierce"


@pytest.fixture
def page(live: Live, enter: Callable[..., Page]) -> Page:
    page = enter(OWNER)
    page.goto("/inbox?scope=all")
    expect(rows(page).nth(3)).to_be_visible()
    return page


def bar(page: Page):
    return page.get_by_role("form", name="Acts on the selected conversations")


def names(page: Page) -> list[str]:
    return page.locator(".cw-conv .cw-name").all_inner_texts()


def test_keys_tick_a_range_mark_it_done_and_undo_that(page: Page) -> None:
    before = names(page)
    expect(bar(page)).to_be_hidden()
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(bar(page)).to_contain_text("1 selected")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Shift+X")
    expect(bar(page)).to_contain_text("3 selected")
    page.keyboard.press("e")
    expect(toast(page, "3 conversations marked done.")).to_be_visible()
    assert names(page)[:2] == before[3:5]
    page.keyboard.press("z")
    expect(rows(page).first).to_contain_text(before[0])
    assert names(page)[:3] == before[:3]


def test_x_takes_a_row_off_again_and_escape_all_of_them(page: Page) -> None:
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("x")
    expect(bar(page)).to_be_hidden()
    for _ in range(2):
        page.keyboard.press("j")
        page.keyboard.press("x")
    expect(bar(page)).to_contain_text("2 selected")
    page.keyboard.press("Escape")
    expect(bar(page)).to_be_hidden()
    expect(rows(page).nth(2)).to_be_focused()


def test_the_mouse_ticks_one_and_with_shift_all_up_to_another(page: Page) -> None:
    ticks = page.get_by_role("checkbox", name="Select ")
    ticks.nth(1).click()
    ticks.nth(4).click(modifiers=["Shift"])
    expect(bar(page)).to_contain_text("4 selected")
    bar(page).get_by_role("button", name="Clear the selection").click()
    expect(bar(page)).to_be_hidden()


def test_some_are_snoozed_beside_an_open_thread(page: Page) -> None:
    rows(page).nth(0).click()
    expect(page.locator("#thread[data-client]")).to_be_visible()
    address = page.url
    chosen = names(page)[2]
    page.get_by_role("checkbox", name=f"Select {chosen}").click()
    page.keyboard.press("h")
    page.get_by_role("button", name="Until they answer").first.click()
    expect(toast(page, "1 conversation snoozed until they answer.")).to_be_visible()
    assert page.url == address
    expect(rows(page).filter(has_text=chosen)).to_have_count(0)


def test_some_are_given_to_a_colleague(page: Page) -> None:
    chosen = names(page)[:2]
    for name in chosen:
        page.get_by_role("checkbox", name=f"Select {name}").click()
    page.keyboard.press("a")
    bar(page).get_by_role("button", name="Ruth Abara").click()
    expect(toast(page, "2 conversations with Ruth Abara now.")).to_be_visible()
    for name in chosen:
        expect(rows(page).filter(has_text=name)).to_contain_text("Assigned to Ruth Abara")


def test_the_palette_acts_on_what_is_selected(page: Page) -> None:
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").fill("selected done")
    page.keyboard.press("Enter")
    expect(toast(page, "1 conversation marked done.")).to_be_visible()


def test_a_selection_outlives_new_mail_in_the_list(page: Page) -> None:
    page.get_by_role("checkbox", name="Select ").nth(2).click()
    chosen = names(page)[2]
    page.get_by_label("Which conversations").click()
    page.evaluate("htmx.ajax('GET', '/inbox?scope=all', {target: '#list-pane', swap: 'outerHTML'})")
    expect(page.get_by_role("checkbox", name=f"Select {chosen}")).to_be_checked()
    expect(bar(page)).to_contain_text("1 selected")


def test_all_that_are_listed_are_ticked_on_a_phone(live: Live, enter: Callable[..., Page]) -> None:
    page = enter(OWNER)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/inbox?scope=all")
    page.get_by_label("Which conversations").click()
    page.get_by_role("button", name="Select all that are listed").click()
    expect(bar(page)).to_contain_text(f"{len(names(page))} selected")
    box = bar(page).bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_while_rows_are_ticked(
    theme: str, live: Live, enter: Callable[..., Page]
) -> None:
    page = enter(OWNER, color_scheme=theme, bypass_csp=True)
    page.goto("/inbox?scope=all")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("h")
    page.evaluate("Promise.all(document.getAnimations().map(one => one.finished))")
    found = Axe().run(page, context="#list-pane", options=OPTIONS).response["violations"]
    assert not [one for one in found if one["impact"] in SERIOUS], found
