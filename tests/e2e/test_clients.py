"""Clients: finding, adding, editing, merging, the SSN, and taking them out of the house."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.e2e.live import Live
from tests.e2e.parts import toast
from tests.e2e.watch import Watch

OWNER = "Joan Pierce"


def _rows(page: Page) -> Locator:
    return page.locator("#client-list [data-row]")


def test_the_list_is_narrowed_while_one_types_and_the_address_keeps_it(
    enter: Callable[..., Page],
) -> None:
    page = enter(OWNER)
    page.goto("/clients")
    expect(page.get_by_role("heading", name="Clients")).to_be_visible()
    search = page.get_by_role("searchbox", name="Search clients")
    search.press_sequentially("okaf")
    expect(_rows(page)).to_have_count(1)
    expect(_rows(page)).to_contain_text("Dwayne Okafor")
    expect(search).to_be_focused()
    expect(page.get_by_role("status").filter(has_text="1 client")).to_be_attached()
    expect(page).to_have_url(re.compile("/clients[?]"))
    page.reload()
    expect(_rows(page)).to_have_count(1)
    expect(search).to_have_value("okaf")
    search.fill("nobody of that name")
    expect(page.get_by_role("heading", name="No client matches")).to_be_visible()


def test_filters_and_order_are_in_the_address(enter: Callable[..., Page]) -> None:
    page = enter(OWNER)
    page.goto("/clients")
    page.get_by_role("combobox", name="Any status").select_option("waiting")
    expect(page).to_have_url(re.compile("status=waiting"))
    for row in _rows(page).all():
        expect(row).to_contain_text("Waiting")
    page.get_by_role("link", name="Client", exact=True).click()
    expect(page.locator("th[aria-sort=ascending]")).to_have_text("Client")
    expect(page).to_have_url(re.compile("status=waiting"))


def test_more_clients_load_at_the_end_of_the_list(enter: Callable[..., Page]) -> None:
    page = enter(OWNER)
    page.goto("/clients")
    expect(_rows(page).first).to_be_visible()
    first = _rows(page).count()
    page.get_by_role("link", name="Load more clients").click()
    expect(_rows(page)).not_to_have_count(first)
    names = _rows(page).get_by_role("link").all_inner_texts()
    assert len(names) == len(set(names)) == 60


def test_a_new_client_is_refused_with_words_and_then_made(
    enter: Callable[..., Page], watch: Callable[[], Watch]
) -> None:
    page = enter("Dana Whitfield")
    watch().expect("status of 422")
    page.goto("/clients")
    page.get_by_role("link", name="New client").click()
    page.get_by_label("First name").fill("Ines")
    page.get_by_label("Last name").fill("Calder")
    page.get_by_label("Email").first.fill("ines.calder")
    page.get_by_label("Phone").first.fill("12")
    page.locator("form.cw-form").first.evaluate("form => form.noValidate = true")
    page.get_by_role("button", name="Create client").click()
    expect(page.get_by_role("alert")).to_contain_text("Check 2 fields")
    email = page.get_by_label("Email").first
    expect(email).to_have_attribute("aria-invalid", "true")
    expect(email).to_have_value("ines.calder")
    email.fill("ines.calder@example.com")
    page.get_by_label("Phone").first.fill("(312) 555-0143")
    page.get_by_role("button", name="Create client").click()
    expect(toast(page, "Client created")).to_be_visible()
    expect(page.get_by_role("heading", name="Ines Calder")).to_be_visible()
    expect(page.get_by_text("ines.calder@example.com").first).to_be_visible()


def test_a_client_who_may_be_known_already_is_pointed_out(
    enter: Callable[..., Page], watch: Callable[[], Watch]
) -> None:
    page = enter(OWNER)
    watch().expect("status of 422")
    page.goto("/clients/new")
    page.get_by_label("First name").fill("Priya")
    page.get_by_label("Last name").fill("Raman")
    page.get_by_role("button", name="Create client").click()
    expect(page.get_by_role("alert")).to_contain_text("You may have this client already")
    expect(page.get_by_role("alert").get_by_role("link", name="Priya Raman")).to_be_visible()
    expect(page.get_by_label("First name")).to_have_value("Priya")


def test_details_are_edited(live: Live, enter: Callable[..., Page]) -> None:
    page = enter(OWNER)
    page.goto(f"/clients/{live.client_id('Tom Lindqvist')}")
    page.keyboard.press("e")
    page.get_by_label("Street").fill("12 Harbor Street")
    page.get_by_role("button", name="Save changes").click()
    expect(toast(page, "Changes saved")).to_be_visible()
    expect(
        page.get_by_role("region", name="Contact").get_by_text("12 Harbor Street")
    ).to_be_visible()
    expect(page.locator(".cw-timeline").get_by_text("Joan Pierce").first).to_be_visible()


def test_two_people_edit_and_the_second_is_told(
    live: Live, enter: Callable[..., Page], watch: Callable[[], Watch]
) -> None:
    address = f"/clients/{live.client_id('Samir Haddad')}/edit"
    first, second = enter(OWNER), enter("Elaine Brooks")
    watch().expect("status of 409")
    for page in (first, second):
        page.goto(address)
    first.get_by_label("City").fill("Springfield")
    first.get_by_role("button", name="Save changes").click()
    expect(toast(first, "Changes saved")).to_be_visible()
    second.get_by_label("City").fill("Riverton")
    second.get_by_role("button", name="Save changes").click()
    expect(second.get_by_role("alert")).to_be_visible()
    expect(second.get_by_label("City")).to_have_value("Riverton")
    expect(second.get_by_text("Springfield")).to_be_visible()


def test_a_changed_status_can_be_taken_back(live: Live, enter: Callable[..., Page]) -> None:
    page = enter(OWNER)
    page.goto(f"/clients/{live.client_id('Marisol Vega')}")
    page.get_by_text("Status", exact=True).click()
    page.get_by_role("button", name="Waiting on client").click()
    expect(toast(page, "Status changed to Waiting on client")).to_be_visible()
    page.keyboard.press("z")
    expect(toast(page, "Status changed to Active")).to_be_visible()


def test_two_clients_are_merged_and_taken_apart_again(
    live: Live, enter: Callable[..., Page]
) -> None:
    page = enter(OWNER)
    page.goto(f"/clients/{live.client_id('Grace Mbeki')}")
    page.get_by_label("More acts").click()
    page.get_by_role("link", name="Merge with another client").click()
    dialog = page.get_by_role("dialog", name="Merge into Grace Mbeki")
    dialog.get_by_role("searchbox").fill("Owen Callahan")
    dialog.get_by_role("button", name="Search").click()
    dialog.get_by_role("link", name="Compare").click()
    expect(dialog).to_contain_text("owen.callahan@example.com")
    dialog.get_by_role("button", name="Merge clients").click()
    expect(toast(page, "Owen Callahan merged into this client")).to_be_visible()
    expect(page.get_by_text("owen.callahan@example.com").first).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(toast(page, "Merge undone")).to_be_visible()
    expect(page.get_by_text("owen.callahan@example.com")).to_have_count(0)
    page.goto("/clients?q=Owen")
    expect(_rows(page)).to_have_count(1)


def test_the_ssn_is_masked_until_a_reason_is_given(live: Live, enter: Callable[..., Page]) -> None:
    page = enter(OWNER)
    page.goto(f"/clients/{live.client_id('Dwayne Okafor')}")
    whole = re.compile(r"\d{3}-\d{2}-\d{4}")
    expect(page.get_by_text(re.compile(r"•••-••-\d{4}"))).to_be_visible()
    expect(page.get_by_text(whole)).to_have_count(0)
    page.get_by_role("link", name="Show SSN").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Why do you need it?").fill("Identity check on the phone")
    dialog.get_by_role("button", name="Show SSN").click()
    expect(dialog.get_by_text(whole)).to_be_visible()
    dialog.get_by_role("link", name="Close").click()
    expect(page.get_by_text(whole)).to_have_count(0)
    page.reload()
    expect(page.get_by_text(whole)).to_have_count(0)
    expect(page.locator(".cw-timeline")).to_contain_text("SSN")


def test_the_list_is_exported_as_it_is_filtered(enter: Callable[..., Page], tmp_path: Path) -> None:
    page = enter(OWNER)
    page.goto("/clients?status=waiting")
    shown = _rows(page).count()
    page.get_by_text("Export", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV, for any program").click()
    file = tmp_path / "clients.csv"
    download.value.save_as(file)
    with file.open(encoding="utf-8-sig", newline="") as opened:
        assert len(list(csv.DictReader(opened))) == shown > 0


def test_a_case_manager_sees_their_own_clients_alone(
    live: Live, enter: Callable[..., Page], watch: Callable[[], Watch]
) -> None:
    page = enter("Dana Whitfield")
    watch().expect("status of 404")
    page.goto("/clients?q=Dwayne")
    expect(page.get_by_role("heading", name="No client matches")).to_be_visible()
    page.goto(f"/clients/{live.client_id('Dwayne Okafor')}")
    expect(page.get_by_role("heading", name="Dwayne Okafor")).to_have_count(0)
    expect(page.locator(".cw-error")).to_be_visible()


def test_a_note_is_begun_from_the_clients_page(live: Live, enter: Callable[..., Page]) -> None:
    page = enter("Joan Pierce")
    page.goto(f"/clients/{live.client_id('Marisol Vega')}")
    page.keyboard.press("n")
    expect(page.locator("#note-body")).to_be_focused()
