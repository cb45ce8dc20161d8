"""Two people in one conversation at once see each other."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, Route, expect

from tests.e2e.live import Live
from tests.e2e.parts import composer, rows
from tests.e2e.watch import Watch

A_BEAT, A_POLL = 20_000, 25_000  # milliseconds: a thread asks every 10 seconds, a list every 15


def test_two_who_have_it_open_see_each_other_come_and_write(
    live: Live, enter: Callable[..., Page]
) -> None:
    address = f"/inbox/c/{live.client_id('Keisha Barnes')}"
    mine, theirs = enter("Dana Whitfield"), enter("Joan Pierce")
    mine.goto(address)
    expect(mine.locator("#presence")).to_be_hidden()
    theirs.goto(address)
    expect(theirs.get_by_text("Dana Whitfield is here")).to_be_visible()
    expect(mine.get_by_text("Joan Pierce is here")).to_be_visible()

    composer(mine).fill("Mine, ")
    composer(theirs).press_sequentially("I am on it")
    expect(mine.get_by_text("Joan Pierce is writing")).to_be_visible()
    expect(composer(mine)).to_be_focused()
    expect(composer(mine)).to_have_value("Mine, ")


def test_who_leaves_is_gone_soon(live: Live, enter: Callable[..., Page]) -> None:
    address = f"/inbox/c/{live.client_id('Anh Nguyen')}"
    mine, theirs = enter("Joan Pierce"), enter("Elaine Brooks")
    theirs.goto(address)
    mine.goto(address)
    expect(mine.get_by_text("Elaine Brooks is here")).to_be_visible()
    theirs.goto("/clients")
    live.clock.move(seconds=26)
    expect(mine.get_by_text("Elaine Brooks is here")).to_be_hidden(timeout=A_BEAT)
    expect(mine.locator("#presence")).to_be_hidden()


def test_the_list_says_where_a_colleague_is(live: Live, enter: Callable[..., Page]) -> None:
    mine, theirs = enter("Joan Pierce"), enter("Elaine Brooks")
    mine.goto("/inbox?scope=all")
    row = rows(mine).filter(has_text="Grace Mbeki")
    expect(row).to_be_visible()
    theirs.goto(f"/inbox/c/{live.client_id('Grace Mbeki')}")
    expect(row).to_contain_text("Elaine Brooks is here", timeout=A_POLL)
    composer(theirs).press_sequentially("Dear")
    expect(row).to_contain_text("Elaine Brooks is writing", timeout=A_POLL)
    composer(theirs).fill("")
    theirs.goto("/clients")
    live.clock.move(seconds=26)
    expect(row).not_to_contain_text("Elaine Brooks", timeout=A_POLL)


def test_p03_a_page_that_is_told_to_wait_waits_and_says_nothing(
    live: Live, enter: Callable[..., Page], watch: Callable[[], Watch]
) -> None:
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=429, headers={"Retry-After": "2"}, body="Too many requests")

    page = enter("Joan Pierce")
    watch().expect("429")
    page.goto(f"/inbox/c/{live.client_id('Keisha Barnes')}")
    expect(page.locator("#presence")).to_be_attached()
    page.wait_for_load_state("networkidle")
    page.route("**/here", refuse)
    beat = "window.htmx.trigger(document.getElementById('presence'), 'beat')"
    with page.expect_response("**/here"):
        page.evaluate(beat)
    for _ in range(3):
        page.evaluate(beat)
    expect(page.locator("[data-toast-item]")).to_have_count(0)
    assert len(asked) == 1
    page.unroute("**/here")
    page.wait_for_timeout(3_100)  # the two seconds, and up to half as much again
    with page.expect_response("**/here"):
        page.evaluate(beat)
