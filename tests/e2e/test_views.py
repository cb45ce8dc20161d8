"""Keeping a list of clients, and walking through it, in the browser."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.parts import toast

OWNER = "Joan Pierce"


@pytest.fixture
def page(enter: Callable[..., Page]) -> Page:
    page = enter(OWNER)
    page.goto("/clients?status=completed")
    return page


def test_a_list_is_kept_and_deleted_and_z_undoes(page: Page) -> None:
    page.get_by_label("Keep this list as").fill("Finished")
    page.keyboard.press("Enter")
    expect(toast(page, 'View "Finished" saved')).to_be_visible()
    tab = page.get_by_role("navigation", name="Views").get_by_role("link", name="Finished")
    expect(tab).to_have_attribute("aria-current", "page")
    number = page.locator("#client-list tbody tr[data-row]").count()
    expect(tab).to_contain_text(str(number))
    page.get_by_role("button", name="Delete this view").click()
    expect(tab).to_have_count(0)
    page.keyboard.press("z")
    expect(tab).to_be_visible()
    page.get_by_role("button", name="Delete this view").click()


def test_j_and_k_walk_from_client_to_client(page: Page) -> None:
    names = page.locator("#client-list tbody tr[data-row] a.cw-w-600").all_inner_texts()
    page.locator("#client-list tbody tr[data-row] a.cw-w-600").first.click()
    head = page.get_by_role("heading", level=1)
    expect(head).to_have_text(names[0])
    for key, name in (("j", names[1]), ("j", names[2]), ("k", names[1])):
        page.wait_for_load_state()  # or the key is pressed before anything listens
        page.keyboard.press(key)
        expect(head).to_have_text(name)
    page.get_by_role("navigation", name="Breadcrumb").get_by_role("link", name="Clients").click()
    expect(page).to_have_url(re.compile(r"/clients\?status=completed$"))
