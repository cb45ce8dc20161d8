"""The composer: its questions, the time a message leaves, and what it keeps."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.live import Live
from tests.e2e.parts import composer, thread, toast
from tests.e2e.watch import Watch

CASE_MANAGER, OWNER = "Dana Whitfield", "Joan Pierce"


@pytest.fixture
def open_thread(live: Live, enter: Callable[..., Page]) -> Callable[..., Page]:
    def open_it(client: str, who: str = CASE_MANAGER, **options: object) -> Page:
        page = enter(who, **options)
        page.goto(f"/inbox/c/{live.client_id(client)}")
        return page

    return open_it


def _send(page: Page, text: str) -> None:
    composer(page).fill(text)
    composer(page).press("Control+Enter")


def test_a_colleague_who_was_quicker_stops_the_second_answer(
    open_thread: Callable[..., Page], watch: Callable[[], Watch]
) -> None:
    mine = open_thread("Keisha Barnes")
    watch().expect("the server responded with a status of 422")
    composer(mine).press_sequentially("It is on its ")
    theirs = open_thread("Keisha Barnes", who=OWNER)
    _send(theirs, "Your letter went out this morning.")
    expect(thread(theirs)).to_contain_text("went out this morning")

    composer(mine).press_sequentially("way.")
    mine.keyboard.press("Control+Enter")
    expect(mine.get_by_role("alert")).to_contain_text("Joan Pierce answered Keisha Barnes")
    expect(composer(mine)).to_have_value("It is on its way.")
    expect(thread(mine)).not_to_contain_text("It is on its way.")
    mine.get_by_role("button", name="Send anyway").click()
    expect(thread(mine)).to_contain_text("It is on its way.")
    expect(mine.get_by_role("alert")).to_have_count(0)


def test_what_a_colleague_wrote_before_one_began_asks_nothing(
    open_thread: Callable[..., Page],
) -> None:
    mine = open_thread("Priya Raman")
    theirs = open_thread("Priya Raman", who=OWNER)
    _send(theirs, "I have asked the bureau again.")
    expect(thread(theirs)).to_contain_text("asked the bureau again")
    expect(thread(mine)).to_contain_text("asked the bureau again", timeout=25_000)
    _send(mine, "And I will call you tomorrow.")
    expect(thread(mine)).to_contain_text("I will call you tomorrow")


def test_a_message_for_tomorrow_says_so_and_can_be_taken_back(
    open_thread: Callable[..., Page],
) -> None:
    page = open_thread("Keisha Barnes")
    composer(page).fill("Good morning, Keisha.")
    page.get_by_label("More ways to send").click()
    page.get_by_role("button", name="Send tomorrow, 9:00 AM").click()
    expect(toast(page, "leaves Wednesday, March 11, 9:00 AM")).to_be_visible()
    message = thread(page).locator("[id^=message-]").filter(has_text="Good morning, Keisha.")
    page.wait_for_timeout(1500)  # a second in which a clock that is wrong would count down
    expect(message).to_contain_text("Leaves Wednesday, March 11, 9:00 AM")
    message.get_by_role("button", name="Undo").click()
    expect(message).to_have_count(0)
    expect(composer(page)).to_have_value("Good morning, Keisha.")


def test_another_clients_name_asks_before_it_leaves(
    open_thread: Callable[..., Page], watch: Callable[[], Watch]
) -> None:
    page = open_thread("Hector Ruiz", who=OWNER)
    watch().expect("the server responded with a status of 422")
    _send(page, "As we wrote to Keisha Barnes, it takes 30 days.")
    expect(page.get_by_role("alert")).to_contain_text("It names Keisha Barnes")
    composer(page).fill("It takes 30 days.")
    composer(page).press("Control+Enter")
    expect(thread(page)).to_contain_text("It takes 30 days.")
