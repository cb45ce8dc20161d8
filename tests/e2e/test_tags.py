"""Tags in the browser: on a client, in the list, on many clients at once."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.live import Live
from tests.e2e.parts import toast
from tests.e2e.test_accessibility import OPTIONS, SERIOUS

OWNER = "Joan Pierce"


@pytest.fixture
def page(live: Live, enter: Callable[..., Page]) -> Page:
    page = enter(OWNER)
    page.goto("/clients")
    expect(listed(page).nth(3)).to_be_visible()
    return page


def listed(page: Page):
    return page.locator("#client-list tbody tr[data-row]")


def bar(page: Page):
    return page.get_by_role("form", name="Acts on the selected clients")


def test_a_key_opens_the_tags_of_a_client_and_z_undoes(page: Page, live: Live) -> None:
    page.goto(f"/clients/{live.client_id('Marisol Vega')}")
    page.keyboard.press("l")
    dialog = page.get_by_role("dialog", name="Tags of Marisol Vega")
    expect(dialog.get_by_label("Add a tag")).to_be_focused()
    page.keyboard.type("Prefers fax")
    page.keyboard.press("Enter")
    expect(toast(page, 'Tag "Prefers fax" added')).to_be_visible()
    expect(page.locator(".cw-subject-tags")).to_contain_text("Prefers fax")
    page.keyboard.press("z")
    expect(page.locator(".cw-subject-tags")).not_to_contain_text("Prefers fax")


def test_a_tag_is_taken_off_again(page: Page, live: Live) -> None:
    page.goto(f"/clients/{live.client_id('Marisol Vega')}/tags")
    page.get_by_label("Add a tag").fill("VIP")
    page.get_by_role("button", name="Add tag").click()
    expect(page.locator(".cw-subject-tags")).to_contain_text("VIP")
    page.get_by_role("link", name="Change tags").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove VIP").click()
    expect(toast(page, 'Tag "VIP" removed')).to_be_visible()
    expect(page.locator(".cw-subject-tags")).not_to_contain_text("VIP")


def test_the_list_is_narrowed_without_a_reload(page: Page) -> None:
    page.evaluate("window.stayed = true")
    page.locator("summary", has_text="Tags").click()
    page.get_by_role("checkbox", name="Identity theft").check()
    expect(page).to_have_url(re.compile(r"tag=\d+"))
    for row in listed(page).all():
        expect(row).to_contain_text("Identity theft")
    page.get_by_role("checkbox", name="Round 1").check()
    expect(page).to_have_url(re.compile(r"tag=\d+&tag=\d+"))
    page.get_by_role("radio", name="All of them").check()
    expect(page).to_have_url(re.compile(r"tags=all"))
    assert page.evaluate("window.stayed")


def test_a_tag_is_found_among_many(page: Page) -> None:
    page.locator("summary", has_text="Tags").click()
    page.get_by_label("Find a tag").fill("litig")
    choices = page.locator("#tag-choices .form-check")
    expect(choices).to_have_count(1)
    expect(choices.first).to_contain_text("Litigation")


def test_keys_tick_clients_and_tag_them_all_and_z_undoes(page: Page) -> None:
    expect(bar(page)).to_be_hidden()
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Shift+X")
    expect(bar(page)).to_contain_text("3 selected")
    page.keyboard.press("l")
    dialog = page.get_by_role("dialog", name="Tags of 3 clients")
    expect(dialog.get_by_label("Add a tag")).to_be_focused()
    page.keyboard.type("Year-end letter")
    page.keyboard.press("Enter")
    expect(toast(page, "Tags of 3 clients changed")).to_be_visible()
    expect(page.locator("tbody .cw-tags", has_text="Year-end letter")).to_have_count(3)
    page.keyboard.press("z")
    expect(page.locator("tbody .cw-tags", has_text="Year-end letter")).to_have_count(0)


def test_a_whole_result_is_tagged(page: Page) -> None:
    page.goto("/clients?status=completed")
    number = listed(page).count()
    listed(page).first.get_by_role("checkbox").check()
    bar(page).get_by_role("button", name=f"Tags of all {number}").click()
    dialog = page.get_by_role("dialog", name=f"Tags of {number} clients")
    dialog.get_by_label("Add a tag").fill("To archive")
    dialog.get_by_role("button", name=f"Apply to {number} clients").click()
    expect(toast(page, f"Tags of {number} clients changed")).to_be_visible()
    assert page.url.endswith("/clients?status=completed")


def test_some_have_it_and_it_is_taken_from_them(page: Page) -> None:
    page.goto("/tags")
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="VIP", exact=True))
    row.get_by_role("link").nth(1).click()
    listed(page).first.get_by_role("checkbox").check()
    bar(page).get_by_role("button", name="Tags", exact=True).click()
    dialog = page.get_by_role("dialog", name="Tags of 1 client")
    dialog.get_by_label("Remove: VIP").check()
    dialog.get_by_role("button", name="Apply to 1 client").click()
    expect(toast(page, "Tags of 1 client changed")).to_be_visible()


def test_a_tag_is_made_renamed_merged_and_deleted(page: Page) -> None:
    page.goto("/tags")
    for name in ("Fast lane", "Slow lane"):
        page.get_by_role("textbox", name="Name").fill(name)
        page.get_by_role("radio", name="Teal").check()
        page.get_by_role("button", name="Make tag").click()
        expect(page.get_by_role("link", name=name)).to_be_visible()
    page.get_by_role("link", name="Fast lane").click()
    page.get_by_role("textbox", name="Name").fill("Express lane")
    page.get_by_role("button", name="Save tag").click()
    page.get_by_role("link", name="Express lane").click()
    page.get_by_label("Clients with this tag get").select_option(label="Slow lane")
    page.get_by_role("button", name="Preview the merge").click()
    expect(page.get_by_text("The tag Express lane")).to_be_visible()
    page.get_by_role("button", name="Merge tags").click()
    expect(page.get_by_role("link", name="Express lane")).to_have_count(0)
    page.get_by_role("link", name="Slow lane").click()
    page.get_by_role("button", name="Delete tag").click()
    expect(toast(page, 'Tag "Slow lane" deleted')).to_be_visible()


def test_the_inbox_is_narrowed_by_a_tag_of_the_rail(page: Page, live: Live) -> None:
    page.goto(f"/clients/{live.client_id('Marisol Vega')}/tags")
    page.get_by_label("Add a tag").fill("Litigation")
    page.get_by_role("button", name="Add tag").click()
    expect(page.locator(".cw-subject-tags")).to_contain_text("Litigation")
    page.goto(f"/inbox/c/{live.client_id('Marisol Vega')}?scope=all")
    page.locator("#rail").get_by_role("link", name="Litigation").click()
    expect(page.locator(".cw-list-narrowed")).to_contain_text("Tagged Litigation")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_the_filter_and_the_dialog(page: Page, theme: str) -> None:
    page.emulate_media(color_scheme=theme)
    page.locator("summary", has_text="Tags").click()
    assert not _serious(page)
    page.keyboard.press("Escape")
    listed(page).first.get_by_role("checkbox").check()
    bar(page).get_by_role("button", name="Tags", exact=True).click()
    expect(page.get_by_role("dialog", name="Tags of 1 client")).to_be_visible()
    assert not _serious(page)


def _serious(page: Page) -> list[str]:
    found = Axe().run(page, options=OPTIONS).response["violations"]
    return [one["id"] for one in found if one["impact"] in SERIOUS]


def test_it_works_on_a_phone(live: Live, enter: Callable[..., Page]) -> None:
    page = enter(OWNER, viewport={"width": 390, "height": 844})
    page.goto("/clients")
    listed(page).first.get_by_role("checkbox").check()
    bar(page).get_by_role("button", name="Tags", exact=True).click()
    expect(page.get_by_role("dialog", name="Tags of 1 client")).to_be_visible()
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert not wide
