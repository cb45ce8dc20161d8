"""A list of clients comes in: upload, preview, mapping, progress, report, and once more."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

MANAGER = "Elaine Brooks"
LIST = """Given name,Last name,Email,Phone,State,Shoe size
Nia,Falk,nia.falk@example.com,(312) 555-0161,IL,38
Omri,Pell,omri.pell@example.com,(312) 555-0162,Ohio,44
Zoe,Hart,not an address,(312) 555-0163,TX,40
"""


@pytest.fixture
def upload(enter: Callable[..., Page], tmp_path: Path) -> Callable[[], Page]:
    """Uploads the list as a manager does, and opens its preview."""
    file = tmp_path / "our clients.csv"
    file.write_text(LIST)

    def it() -> Page:
        page = enter(MANAGER)
        page.goto("/clients")
        page.get_by_role("link", name="Import").click()
        page.get_by_label("File", exact=True).set_input_files(file)
        page.get_by_role("button", name="Upload file").click()
        expect(page.get_by_role("heading", name="What each column is")).to_be_visible()
        return page

    return it


def _start(page: Page) -> None:
    page.get_by_role("button", name="Import 3 rows").click()
    expect(page.get_by_text("Done: our clients.csv")).to_be_visible()


def _figures(page: Page) -> dict[str, str]:
    figures = page.locator(".cw-stat")
    return dict(
        zip(
            figures.locator(".cw-stat-label").all_inner_texts(),
            figures.locator(".cw-stat-value").all_inner_texts(),
            strict=True,
        )
    )


def test_a_list_is_previewed_mapped_taken_in_and_reported(
    upload: Callable[[], Page], tmp_path: Path
) -> None:
    page = upload()
    preview = page.get_by_role("table", name="First rows of the file")
    expect(preview.get_by_role("row").filter(has_text="Zoe")).to_contain_text("e-mail address")
    expect(page.get_by_label("Last name")).to_have_value("last_name")
    expect(page.get_by_label("Shoe size")).to_have_value("")
    given = page.get_by_label("Given name")
    expect(given).to_have_value("first_name")
    given.focus()
    given.select_option("")
    expect(preview.get_by_role("row").filter(has_text="Nia")).to_contain_text("Good")
    given.select_option("first_name")
    expect(given).to_be_focused()

    _start(page)
    assert _figures(page) == {"Created": "2", "Updated": "0", "Unchanged": "0", "Refused": "1"}
    expect(page.get_by_role("table").filter(has_text="e-mail address")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download report").click()
    report = tmp_path / "report.csv"
    download.value.save_as(report)
    with report.open(encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [row["Outcome"] for row in rows] == ["created", "created", "refused"]
    page.goto("/clients?q=Nia")
    expect(page.locator("#client-list [data-row]")).to_contain_text("nia.falk@example.com")


def test_the_same_list_creates_nobody_twice(upload: Callable[[], Page]) -> None:
    _start(upload())  # whether it was here before or not
    page = upload()
    _start(page)
    assert _figures(page)["Created"] == "0"
    page.goto("/clients?q=Falk")
    expect(page.locator("#client-list [data-row]").filter(has_text="Nia Falk")).to_have_count(1)


def test_an_import_is_cancelled_before_it_begins(upload: Callable[[], Page]) -> None:
    page = upload()
    page.get_by_role("button", name="Cancel import").click()
    expect(page.get_by_text("The import was cancelled.")).to_be_visible()
