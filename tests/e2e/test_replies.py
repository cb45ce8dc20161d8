"""Answering a client: undo, drafts, files, and what becomes of a reply."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.live import Live
from tests.e2e.parts import composer, rows, thread, toast
from tests.e2e.watch import Watch

CASE_MANAGER = "Dana Whitfield"
LEAVES = "leaves in a few seconds"


@pytest.fixture
def open_thread(live: Live, enter: Callable[..., Page]) -> Callable[..., Page]:
    """Opens the conversation with a client of the case manager."""

    def open_it(client: str, **options: object) -> Page:
        page = enter(CASE_MANAGER, **options)
        page.goto(f"/inbox/c/{live.client_id(client)}")
        return page

    return open_it


def _reply(page: Page, text: str) -> Locator:
    """Write and send with Ctrl Enter; return the message as it stands in the thread."""
    composer(page).fill(text)
    composer(page).press("Control+Enter")
    message = thread(page).locator("[id^=message-]").filter(has_text=text)
    expect(message).to_be_visible()
    expect(composer(page)).to_have_value("")
    return message


def test_a_reply_can_be_taken_back_from_the_toast(open_thread: Callable[..., Page]) -> None:
    page = open_thread("Priya Raman")
    message = _reply(page, "This was written too soon.")
    expect(message).to_contain_text("Undo")
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(toast(page, "Taken back. Nothing was sent.")).to_be_visible()
    expect(message).to_have_count(0)
    expect(composer(page)).to_have_value("This was written too soon.")
    page.reload()
    expect(message).to_have_count(0)


def test_a_reply_can_be_taken_back_by_z(open_thread: Callable[..., Page]) -> None:
    page = open_thread("Keisha Barnes")
    message = _reply(page, "To be taken back by a key.")
    expect(toast(page, LEAVES)).to_be_visible()
    composer(page).blur()
    page.keyboard.press("z")
    expect(message).to_have_count(0)
    expect(composer(page)).to_have_value("To be taken back by a key.")


def test_a_reply_leaves_when_its_time_to_undo_is_over(
    live: Live, open_thread: Callable[..., Page], enter: Callable[..., Page]
) -> None:
    page = open_thread("Anh Nguyen")
    message = _reply(page, "The bureau has our letter since Monday.")
    expect(rows(page).filter(has_text="Anh Nguyen")).to_contain_text("You: The bureau has")
    live.clock.move(seconds=11)
    expect(message.locator(".cw-send-state")).to_have_text("Sent")
    expect(message.get_by_role("button", name="Undo")).to_have_count(0)

    owner = enter("Joan Pierce")
    owner.goto("/outbox")
    owner.get_by_role("link", name="Local outbox").click()
    owner.get_by_role("link", name="anh.nguyen@example.com").first.click()
    expect(owner.locator("main")).to_contain_text("The bureau has our letter since Monday.")


def test_a_reply_leaves_at_once_when_asked_to(open_thread: Callable[..., Page]) -> None:
    page = open_thread("Owen Callahan")
    message = _reply(page, "Right away, please.")
    message.get_by_role("button", name="Send now").click()
    expect(message.locator(".cw-send-state")).to_have_text("Sent")


def test_a_reply_that_waits_stands_in_the_outbox(open_thread: Callable[..., Page]) -> None:
    page = open_thread("Samir Haddad")
    _reply(page, "It waits a moment.")
    page.goto("/outbox?group=waiting")
    line = page.locator("[data-row]").filter(has_text="Samir Haddad")
    line.get_by_role("button", name="Undo").click()
    expect(toast(page, "Taken back. Nothing was sent.")).to_be_visible()
    expect(composer(page)).to_have_value("It waits a moment.")


def test_a_draft_survives_leaving_and_is_gone_once_sent(open_thread: Callable[..., Page]) -> None:
    page = open_thread("Luis Ortega")
    composer(page).fill("Half a sentence that")
    expect(page.get_by_text("Draft saved")).to_be_visible()
    page.goto("/clients")
    page.go_back()
    expect(composer(page)).to_have_value("Half a sentence that")
    page.reload()
    expect(composer(page)).to_have_value("Half a sentence that")
    expect(page.get_by_text("Draft restored")).to_be_visible()
    _reply(page, "Half a sentence that is whole now.")
    page.reload()
    expect(composer(page)).to_have_value("")


def test_files_are_attached_taken_off_and_sent(
    open_thread: Callable[..., Page], tmp_path: Path
) -> None:
    page = open_thread("Eleanor Fino")
    letter, wrong = tmp_path / "dispute letter.txt", tmp_path / "wrong.txt"
    letter.write_text("To whom it may concern.")
    wrong.write_text("Not this one.")
    files = page.locator("#reply-files")
    page.locator("input[data-upload]").set_input_files([letter, wrong])
    expect(files.locator(".cw-file")).to_have_count(2)
    files.get_by_role("button", name="Remove wrong.txt").click()
    expect(files.locator(".cw-file")).to_have_count(1)
    page.reload()
    expect(files).to_contain_text("dispute letter.txt")
    message = _reply(page, "Here is the letter.")
    expect(files.locator(".cw-file")).to_have_count(0)
    with page.expect_download() as download:
        message.get_by_role("link", name="dispute letter.txt").click()
    assert Path(download.value.path()).read_text() == "To whom it may concern."


def test_one_press_sends_and_marks_done_and_one_takes_both_back(
    open_thread: Callable[..., Page],
) -> None:
    page = open_thread("Nadia Karim")
    row = rows(page).filter(has_text="Nadia Karim")
    composer(page).fill("That settles it.")
    composer(page).press("Control+Shift+Enter")
    expect(toast(page, f"{LEAVES}, marked done")).to_be_visible()
    expect(page.get_by_role("button", name="Reopen")).to_be_visible()
    expect(row).to_have_count(0)
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(composer(page)).to_have_value("That settles it.")
    expect(page.get_by_role("button", name="Done", exact=True)).to_be_visible()
    page.reload()
    expect(row).to_have_count(1)
    page.get_by_label("More ways to send").click()
    composer(page).fill("That settles it now.")
    page.get_by_label("More ways to send").click()
    page.get_by_role("button", name="Send and mark done").click()
    expect(row).to_have_count(0)
    expect(thread(page)).to_contain_text("That settles it now.")


def test_an_empty_reply_is_not_sent(open_thread: Callable[..., Page]) -> None:
    page = open_thread("Fatima Zahra")
    before = thread(page).locator("[id^=message-]").count()
    composer(page).press("Control+Enter")
    expect(composer(page)).to_be_focused()
    expect(thread(page).locator("[id^=message-]")).to_have_count(before)


def test_a_lost_session_keeps_what_was_written(
    live: Live, open_thread: Callable[..., Page], watches: list
) -> None:
    page = open_thread("Priya Raman")
    watches[-1].expect("status of 4")
    composer(page).fill("Written while somebody signed me out")
    expect(page.get_by_text("Draft saved")).to_be_visible()
    page.context.clear_cookies()
    composer(page).press("Control+Enter")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    cookie, token = live.session_cookie(CASE_MANAGER)
    page.context.add_cookies([{"name": cookie, "value": token, "url": live.url}])
    page.goto(f"/inbox/c/{live.client_id('Priya Raman')}")
    expect(composer(page)).to_have_value("Written while somebody signed me out")


def test_E08_an_outside_party_is_copied_only_when_ticked(
    live: Live, enter: Callable[..., Page], watch: Callable[[], Watch]
) -> None:
    client_id = live.add_client("Ines", "Okafor", "ines.okafor@example.com")
    live.receive("Ines Okafor", "ines.okafor@example.com", cc="attorney@example.org")
    page = enter("Joan Pierce")
    watch().expect("the server responded with a status of 422")
    page.goto(f"/inbox/c/{client_id}")
    box = page.get_by_label("attorney@example.org")
    expect(box).not_to_be_checked()
    expect(page.get_by_text("Whoever you copy reads all of it")).to_be_visible()
    expect(_reply(page, "This is for you alone.")).not_to_contain_text("attorney@example.org")
    box.check()
    composer(page).fill("This is for both.")
    composer(page).press("Control+Enter")
    expect(page.get_by_role("alert")).to_contain_text(
        "attorney@example.org is not on the file of Ines Okafor"
    )
    page.get_by_role("button", name="Send anyway").click()
    expect(thread(page)).to_contain_text("copy to attorney@example.org")
    expect(box).not_to_be_checked()
