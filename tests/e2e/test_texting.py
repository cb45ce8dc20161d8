"""Texting a client from the inbox: what it costs, what speaks against it, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from casewell.clients import consent
from casewell.clients.models import ConsentSource
from casewell.ledger.service import SYSTEM
from tests.e2e.carrier import Carrier, twilio
from tests.e2e.conftest import DESKTOP, PHONE
from tests.e2e.live import Live
from tests.e2e.parts import composer, thread, toast
from tests.e2e.test_accessibility import OPTIONS, SERIOUS
from tests.e2e.watch import Watch

OWNER = "Joan Pierce"
# An open page asks for news each quarter of a minute.
NEWS = 30_000
NOT_MOBILE = "30006"
PAGE = {"name": "page.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 page"}


@pytest.fixture(scope="module")
def carrier() -> Iterator[Carrier]:
    with twilio() as made:
        yield made


@pytest.fixture(scope="module")
def live_settings(carrier: Carrier) -> dict[str, Any]:
    return carrier.settings


@pytest.fixture
def texter(live: Live) -> Callable[..., int]:
    """Adds a client who agrees to texts at a number; returns their id."""

    def added(first: str, last: str, number: str, **more: Any) -> int:
        place = {"state": "IL", "time_zone": "America/Chicago", **more}
        email = f"{first}.{last}@example.com".lower()
        client_id = live.add_client(first, last, email, phones=[number], **place)
        with live.runtime.database.writing() as session:
            consent.grant(
                session,
                client_id,
                number,
                source=ConsentSource.STAFF,
                words="Signed the intake form.",
                actor=SYSTEM,
                now=live.clock(),
            )
        return client_id

    return added


@pytest.fixture
def open_thread(enter: Callable[..., Page]) -> Callable[..., Page]:
    def opened(client_id: int, **options: Any) -> Page:
        page = enter(OWNER, **options)
        page.goto(f"/inbox/c/{client_id}")
        expect(composer(page)).to_be_visible()
        return page

    return opened


def _by(page: Page, way: str) -> None:
    page.get_by_label("Send by").select_option(label=way)


def _chosen(page: Page) -> Locator:
    return page.get_by_label("Send by").locator("option:checked")


def _counter(page: Page) -> Locator:
    return page.locator(".cw-counter")


def _against(page: Page) -> Locator:
    return page.locator("#reply-against")


def _message(page: Page, text: str) -> Locator:
    return thread(page).locator("[id^=message-]").filter(has_text=text)


def _send(page: Page, text: str) -> Locator:
    composer(page).fill(text)
    composer(page).press("Control+Enter")
    message = _message(page, text)
    expect(message).to_be_visible()
    return message


SIZES = {
    "a" * 160: "160 of 160 · 1 segment · GSM-7",
    "a" * 161: "161 of 306 · 2 segments · GSM-7",
    "a" * 307: "307 of 459 · 3 segments · GSM-7",
    "€" * 80: "160 of 160 · 1 segment · GSM-7",
    "a" * 152 + "€" * 77: "306 of 459 · 3 segments · GSM-7",
    "’" + "a" * 69: "70 of 70 · 1 segment · UCS-2",
    "’" + "a" * 70: "71 of 134 · 2 segments · UCS-2",
    "👋" * 35: "70 of 70 · 1 segment · UCS-2",
    "👋" * 67: "134 of 201 · 3 segments · UCS-2",
}


def test_H11_segments_are_counted_as_one_writes(
    texter: Callable[..., int], open_thread: Callable[..., Page]
) -> None:
    page = open_thread(texter("Nora", "Blum", "+13125550101"))
    expect(_counter(page)).to_be_hidden()
    composer(page).fill("By e-mail this costs nothing.")
    expect(_counter(page)).to_be_hidden()
    _by(page, "SMS to (312) 555-0101")
    for text, says in SIZES.items():
        composer(page).fill(text)
        expect(_counter(page).locator("[data-parts]")).to_have_text(says)
    composer(page).fill("")
    expect(_counter(page)).to_be_hidden()


def test_H11_what_makes_a_text_dear_is_named_and_replaced_by_one_click(
    texter: Callable[..., int], open_thread: Callable[..., Page]
) -> None:
    page = open_thread(texter("Omar", "Blum", "+13125550102"))
    _by(page, "SMS to (312) 555-0102")
    composer(page).fill("It’s here – á la “carte”…")
    expect(_counter(page)).to_contain_text("UCS-2 because of ’ – á “ (160 without them)")
    page.get_by_role("button", name="Replace").click()
    expect(composer(page)).to_have_value('It\'s here - a la "carte"...')
    expect(_counter(page)).to_contain_text("GSM-7")
    expect(_counter(page)).not_to_contain_text("UCS-2")
    composer(page).fill("Done 👍🏽")
    expect(_counter(page)).to_contain_text("UCS-2 because of 👍 🏽 (160 without them)")
    page.get_by_role("button", name="Remove").click()
    expect(composer(page)).to_have_value("Done ")
    composer(page).fill("Добрый день")
    expect(_counter(page)).to_contain_text("UCS-2")
    expect(_counter(page).get_by_role("button")).to_have_count(0)


def test_a_text_comes_in_is_answered_and_its_delivery_shown_without_a_reload(
    live: Live,
    carrier: Carrier,
    texter: Callable[..., int],
    open_thread: Callable[..., Page],
) -> None:
    page = open_thread(texter("Paula", "Blum", "+13125550103"))
    carrier.text(live, "+13125550103", "Did the letter go out?")
    expect(_message(page, "Did the letter go out?")).to_be_visible(timeout=NEWS)
    page.reload()
    expect(_chosen(page)).to_have_text("SMS to (312) 555-0103")
    expect(page.get_by_text("Auto: last message was SMS")).to_be_visible()
    mine = _send(page, "It went out on Monday.")
    expect(mine).to_contain_text("Sending in")
    live.clock.move(seconds=11)
    expect(mine).to_contain_text("Sent")
    carrier.report(live, carrier.sid_of("+13125550103", "It went out on Monday."), "delivered")
    expect(mine).to_contain_text("Delivered", timeout=NEWS)


def test_a_text_that_did_not_arrive_says_why_and_the_next_way_is_taken(
    live: Live,
    carrier: Carrier,
    texter: Callable[..., int],
    open_thread: Callable[..., Page],
) -> None:
    page = open_thread(texter("Quinn", "Blum", "+13125550104", preferred_channel="sms"))
    expect(page.get_by_text("Auto: Quinn prefers SMS")).to_be_visible()
    mine = _send(page, "Please call us today.")
    live.clock.move(seconds=11)
    expect(mine).to_contain_text("Sent")
    sid = carrier.sid_of("+13125550104", "Please call us today.")
    carrier.report(live, sid, "undelivered", ErrorCode=NOT_MOBILE)
    expect(mine).to_contain_text("Not delivered", timeout=NEWS)
    expect(mine).to_contain_text("is a landline or can't take texts")
    page.reload()
    expect(_chosen(page)).to_have_text("Email to quinn.blum@example.com")
    expect(_against(page)).to_contain_text("(312) 555-0104 is a landline or can't take texts")


def test_H04_who_has_opted_out_is_refused_with_the_reason_and_the_text_is_kept(
    live: Live,
    carrier: Carrier,
    texter: Callable[..., int],
    open_thread: Callable[..., Page],
    watch: Callable[[], Watch],
) -> None:
    client_id = texter("Ravi", "Blum", "+13125550105")
    carrier.text(live, "+13125550105", "STOP")
    page = open_thread(client_id)
    watch().expect("the server responded with a status of 422")
    reason = "(312) 555-0105 has opted out of texts. Only a START from that number ends it."
    expect(_chosen(page)).to_have_text("Email to ravi.blum@example.com")
    expect(_against(page)).to_have_text(reason)
    _by(page, "SMS to (312) 555-0105 (can't be written to)")
    expect(_against(page)).to_have_text(reason)
    composer(page).fill("One more thing.")
    composer(page).press("Control+Enter")
    expect(page.get_by_role("alert")).to_contain_text(reason)
    expect(composer(page)).to_have_value("One more thing.")
    expect(_message(page, "One more thing.")).to_have_count(0)


def test_H05_before_dawn_the_next_way_is_taken_and_a_text_waits_for_the_morning(
    live: Live,
    carrier: Carrier,
    texter: Callable[..., int],
    open_thread: Callable[..., Page],
) -> None:
    place = {"state": "HI", "time_zone": "Pacific/Honolulu"}  # 5 AM there
    client_id = texter("Sina", "Blum", "+18085550106", **place)
    carrier.text(live, "+18085550106", "I could not sleep. Any news?")
    page = open_thread(client_id)
    expect(_chosen(page)).to_have_text("Email to sina.blum@example.com")
    why = "It is too early or too late for texts where Sina Blum is. It leaves at 8:00 AM there."
    expect(_against(page)).to_have_text(why)
    _by(page, "SMS to (808) 555-0106")
    expect(_against(page)).to_have_text(why)
    mine = _send(page, "Good morning, Sina.")
    live.clock.move(seconds=11)
    expect(mine).to_contain_text("Waits: it is too early or too late where the client is")
    assert "Good morning, Sina." not in [one["Body"] for one in carrier.texts]


def test_files_go_another_way_and_the_composer_says_so_before_it_sends(
    texter: Callable[..., int],
    open_thread: Callable[..., Page],
    watch: Callable[[], Watch],
) -> None:
    page = open_thread(texter("Tessa", "Blum", "+13125550107"))
    watch().expect("the server responded with a status of 422")
    no_files = "A text carries no files. Send them by email or in the portal."
    said = page.get_by_role("status").filter(has_text=no_files)
    page.get_by_label("Attach files").set_input_files(PAGE)
    expect(page.locator("#reply-files")).to_contain_text("page.pdf")
    expect(said).to_be_hidden()
    _by(page, "SMS to (312) 555-0107")
    expect(said).to_be_visible()
    expect(page.get_by_label("Attach files")).to_be_hidden()
    composer(page).fill("Here is the page.")
    composer(page).press("Control+Enter")
    expect(page.get_by_role("alert")).to_contain_text(no_files)
    page.get_by_role("button", name="Remove page.pdf").click()
    expect(said).to_be_hidden()
    page.evaluate(
        """() => {
          const data = new DataTransfer();
          data.items.add(new File(["%PDF"], "dropped.pdf", { type: "application/pdf" }));
          document.getElementById("composer").dispatchEvent(
            new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
        }"""
    )
    expect(toast(page, no_files)).to_be_visible()
    _send(page, "Here is the page.")


@pytest.mark.parametrize(
    ("theme", "size", "number"),
    [
        ("light", DESKTOP, "+13125550110"),
        ("dark", DESKTOP, "+13125550111"),
        ("light", PHONE, "+13125550112"),
        ("dark", PHONE, "+13125550113"),
    ],
)
def test_a_dear_text_fits_its_composer_and_axe_finds_nothing_serious(
    theme: str,
    size: dict[str, int],
    number: str,
    texter: Callable[..., int],
    open_thread: Callable[..., Page],
) -> None:
    client_id = texter("Uma", f"Blum{number[-2:]}", number)
    page = open_thread(client_id, viewport=size, color_scheme=theme, bypass_csp=True)
    page.get_by_label("Send by").select_option(index=1)
    composer(page).fill("It’s here " * 40)
    send = page.get_by_role("button", name="Send", exact=False).first
    form = page.locator("#composer").bounding_box()
    for part in (_counter(page), page.get_by_role("button", name="Replace"), send):
        box = part.bounding_box()
        assert form is not None
        assert box is not None
        assert form["x"] <= box["x"]
        assert box["x"] + box["width"] <= form["x"] + form["width"]
    found = Axe().run(page, options=OPTIONS).response["violations"]
    assert not [one for one in found if one["impact"] in SERIOUS], found
