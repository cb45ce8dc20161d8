"""Documents of a client in the browser."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.live import Live
from tests.e2e.parts import toast

OWNER = "Joan Pierce"
PDF = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4"
    "890000000d49444154789c6360f8cf500f0003860180a5e4a8e70000000049454e44ae426082"
)


@pytest.fixture
def page(live: Live, enter: Callable[..., Page]) -> Page:
    page = enter(OWNER)
    page.goto(f"/clients/{live.client_id('Marisol Vega')}")
    page.keyboard.press("4")
    expect(page.get_by_role("heading", name="File a document")).to_be_visible()
    return page


def upload(page: Page, *files: dict[str, object], kind: str = "Other") -> None:
    page.get_by_label("Files").set_input_files(list(files))
    page.locator("#upload").get_by_label("Kind").select_option(label=kind)
    page.get_by_role("button", name="File", exact=True).last.click()


def picture(name: str = "id.png") -> dict[str, object]:
    return {"name": name, "mimeType": "image/png", "buffer": PNG}


def test_several_files_are_filed_and_one_is_seen(page: Page) -> None:
    paper = {"name": "lease of oak.pdf", "mimeType": "application/pdf", "buffer": PDF}
    upload(page, picture("passport.png"), paper, kind="Identity")
    expect(toast(page, "2 documents filed")).to_be_visible()
    page.get_by_role("link", name="passport.png", exact=True).click()
    shown = page.get_by_role("img", name="passport.png")
    expect(shown).to_be_visible()
    assert shown.evaluate("(one) => one.naturalWidth") == 1


def test_they_are_found_by_name_without_a_reload(page: Page) -> None:
    upload(page, picture("zebra crossing.png"))
    expect(toast(page, "Document filed")).to_be_visible()
    page.evaluate("window.stayed = true")
    page.get_by_label("Search documents").fill("zebra")
    expect(page).to_have_url(re.compile("q=zebra"))
    expect(page.locator("#documents tbody tr")).to_have_count(1)
    assert page.evaluate("window.stayed")


def test_a_version_joins_and_the_first_stays(page: Page) -> None:
    upload(page, picture("card.png"))
    page.get_by_role("link", name="card.png", exact=True).click()
    page.get_by_label("File", exact=True).set_input_files([picture("card-2.png")])
    page.get_by_role("button", name="Add version").click()
    expect(toast(page, "Version 2 added")).to_be_visible()
    page.get_by_role("link", name="Version 1", exact=True).click()
    expect(page.get_by_role("heading", name="card.png, version 1")).to_be_visible()


def test_what_is_withdrawn_is_back_by_undo(page: Page) -> None:
    upload(page, picture("stray.png"))
    page.get_by_role("link", name="stray.png", exact=True).click()
    page.get_by_role("button", name="Withdraw").click()
    expect(toast(page, "stray.png withdrawn")).to_be_visible()
    expect(page.get_by_role("link", name="stray.png", exact=True)).to_have_count(0)
    page.keyboard.press("z")
    expect(page.get_by_role("heading", name="stray.png").first).to_be_visible()


def test_a_file_of_a_message_is_filed_by_one_press(page: Page) -> None:
    page.get_by_label("Everything").select_option(label="Not filed yet")
    rows = page.locator("#documents tbody tr")
    expect(rows.first).to_contain_text("Not filed")
    before = rows.count()
    rows.first.get_by_role("button", name=re.compile("^File ")).click()
    expect(page.get_by_role("heading", name="Versions")).to_be_visible()
    page.go_back()
    page.reload()
    expect(rows).to_have_count(before - 1)


def test_it_works_on_a_phone(live: Live, enter: Callable[..., Page]) -> None:
    page = enter(OWNER, viewport={"width": 390, "height": 844})
    page.goto(f"/clients/{live.client_id('Marisol Vega')}/documents")
    upload(page, picture("phone.png"))
    page.get_by_role("link", name="phone.png", exact=True).click()
    expect(page.get_by_role("img", name="phone.png")).to_be_visible()
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
