"""Having an evidence bundle made, in the browser."""

from __future__ import annotations

import zipfile
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.live import Live
from tests.e2e.parts import toast
from tests.e2e.watch import Watch

OWNER, ATTORNEY = "Joan Pierce", "Ruth Abara"


@pytest.fixture
def open_page(live: Live, enter: Callable[..., Page]) -> Callable[..., Page]:
    def opened(name: str = OWNER, **options: object) -> Page:
        page = enter(name, **options)
        page.goto(f"/clients/{live.client_id('Marisol Vega')}/timeline")
        return page

    return opened


def test_a_key_leads_there_and_a_bundle_is_made_and_fetched(
    open_page: Callable[..., Page], live: Live, tmp_path
) -> None:
    page = open_page()
    page.keyboard.press("b")
    expect(page.get_by_role("heading", name="New bundle")).to_be_visible()
    expect(page.get_by_label("Cover SSNs and account numbers")).to_be_checked()
    page.get_by_role("button", name="Make bundle").click()
    expect(toast(page, "The bundle is being made")).to_be_visible()
    link = page.get_by_role("link", name="Download")
    expect(link).to_be_visible(timeout=15_000)
    with page.expect_download() as began:
        link.click()
    path = tmp_path / "bundle.zip"
    began.value.save_as(path)
    assert began.value.suggested_filename.startswith("evidence-marisol-vega-")
    names = zipfile.ZipFile(path).namelist()
    assert {"bundle.pdf", "verify.py", "manifest.sha256"} <= set(names)


def test_days_in_the_wrong_order_are_told_of_beside_the_field(
    open_page: Callable[..., Page], watch: Callable[[], Watch]
) -> None:
    page = open_page()
    watch().expect("status of 422")
    page.keyboard.press("b")
    page.get_by_label("From optional").fill("2026-03-02")
    page.get_by_label("To optional").fill("2026-03-01")
    page.get_by_role("button", name="Make bundle").click()
    expect(page.get_by_role("alert")).to_contain_text("before the first")
    expect(page.get_by_label("From optional")).to_have_value("2026-03-02")


def test_an_attorney_alone_is_offered_privileged_notes(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.keyboard.press("b")
    expect(page.get_by_label("Let privileged notes in")).to_have_count(0)
    page = open_page(ATTORNEY)
    page.keyboard.press("b")
    expect(page.get_by_label("Let privileged notes in")).not_to_be_checked()


def test_it_is_cancelled_on_a_phone(open_page: Callable[..., Page]) -> None:
    page = open_page(viewport={"width": 390, "height": 844})
    page.get_by_role("link", name="Evidence bundle").click()
    page.get_by_role("button", name="Make bundle").click()
    page.get_by_role("button", name="Cancel").click()
    expect(toast(page, "Bundle cancelled")).to_be_visible()
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
