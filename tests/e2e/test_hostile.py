"""What others write is text: in names, subjects and bodies, wherever Casewell shows it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import FrameLocator, Locator, Page, Request, Route, expect

from tests.e2e.live import Live
from tests.e2e.parts import rows, thread, toast
from tests.e2e.watch import Watch

OWNER = "Joan Pierce"
NAME = "<img src=x onerror=alert(1)>"
LONGEST_NAME = 100
# What the lines of the corpus ask of us, if anybody lets them; other hosts are watched anyway.
ACTS = re.compile(r"/clients/1(/delete)?$|/x$")


@pytest.fixture(scope="module")
def corpus(shared: Path) -> list[str]:
    lines = (shared / "security" / "fixtures" / "html_corpus.txt").read_text().splitlines()
    return [line for line in lines if line.strip()]


@pytest.fixture
def asked(live: Live) -> list[str]:
    return []


@pytest.fixture
def owner(enter: Callable[..., Page], asked: list[str]) -> Page:
    """The owner's window; what it asks any server for is kept in `asked`."""
    page = enter(OWNER)

    def keep(request: Request) -> None:
        if request.method not in ("GET", "HEAD", "PUT") or ACTS.search(request.url):
            asked.append(f"{request.method} {request.url}")

    page.context.on("request", keep)
    return page


def _frame(mail: Locator) -> FrameLocator:
    """Bring a mail's frame into sight: before that it is not even loaded."""
    if mail.get_by_text("Show as sent").count():  # its text says what its HTML says
        mail.get_by_text("Show as sent").click()
    frame = mail.locator("iframe")
    frame.scroll_into_view_if_needed()
    expect(frame).to_have_attribute("sandbox", re.compile("^allow-popups"))
    return mail.frame_locator("iframe")


def test_C01_every_line_of_the_corpus_is_inert_in_names_mails_and_notes(
    corpus: list[str], live: Live, owner: Page, asked: list[str]
) -> None:
    page = owner
    ids = []
    for number, line in enumerate(corpus):
        address = f"line-{number}@example.com"
        ids.append(live.add_client(line[:LONGEST_NAME], f"Line {number}", address))
        live.receive(
            f"Line {number}", address, subject=line, text=line, html=f"<p>Line {number}</p>{line}"
        )
        live.add_note(ids[-1], f"Note {number} {line}")
    stranger = f"{NAME} stranger"
    live.receive(stranger, "stranger@example.org", subject=corpus[0], text=corpus[1])

    page.goto("/clients?sort=newest")
    expect(page.locator("#client-list [data-row]").first).to_contain_text("Line ")
    page.goto("/inbox?scope=all")
    expect(rows(page).filter(has_text=re.compile(r"Line \d"))).not_to_have_count(0)
    for number, client_id in enumerate(ids):
        page.goto(f"/inbox/c/{client_id}?scope=all")
        expect(
            page.get_by_role("heading", level=2).filter(has_text=f"Line {number}")
        ).to_be_visible()
        frame = _frame(thread(page).get_by_role("article"))
        expect(frame.get_by_text(f"Line {number}")).to_be_visible()
        expect(thread(page).locator(".cw-note")).to_contain_text(f"Note {number}")
        page.goto(f"/clients/{client_id}")
        expect(page.get_by_role("heading", name=f"Line {number}")).to_be_visible()
    page.goto("/triage")
    expect(page.get_by_role("link", name=stranger)).to_be_visible()
    page.get_by_role("link", name=stranger).click()
    expect(page.get_by_role("heading", name=stranger)).to_be_visible()
    page.goto("/inbox?scope=all&q=evil.example")
    expect(page.get_by_role("list", name="Search results").locator("mark").first).to_be_visible()
    page.keyboard.press("Control+k")
    page.keyboard.type("Line")
    expect(page.get_by_role("option").filter(has_text="Line ").first).to_be_visible()
    # The palette looks for clients by POST, so that no name stands in an address; an open
    # conversation says that its reader is there.
    own = {f"POST {live.url}/inbox/c/{client_id}/here" for client_id in ids}
    asked = [one for one in asked if not one.endswith("/palette") and one not in own]
    assert not asked, asked


def test_C05_a_remote_picture_waits_until_it_is_asked_for_and_learns_nothing(
    live: Live, enter: Callable[..., Page], watch: Callable[[], Watch]
) -> None:
    seen: list[dict[str, str]] = []

    def picture(route: Route) -> None:
        seen.append(route.request.all_headers())
        route.fulfill(content_type="image/gif", body=b"GIF89a\x01\x00\x01\x00\x00\x00\x00;")

    page = enter(OWNER)
    watch().expect("request to another host: https://pictures.example/")
    page.context.route("https://pictures.example/**", picture)
    client = live.client_id("Bianca Rossi")
    html = '<p>Hello</p><img alt="Our logo" src="https://pictures.example/logo.gif">'
    for subject in ("With a picture", "With another"):
        live.receive("Bianca Rossi", "bianca.rossi@example.com", subject=subject, html=html)
    page.goto(f"/inbox/c/{client}?scope=all")
    mails = thread(page).get_by_role("article", name=re.compile("With a"))
    expect(mails).to_have_count(2)
    for mail in (mails.nth(0), mails.nth(1)):
        expect(_frame(mail).get_by_text("Hello")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert not seen
    with page.expect_request("https://pictures.example/**"):
        mails.nth(0).get_by_role("link", name="Load images").click()
    page.wait_for_load_state("networkidle")
    assert len(seen) == 1, "the other mail asked too"
    assert not {"referer", "cookie", "origin"} & set(seen[0])
    page.reload()
    expect(_frame(mails.nth(0)).get_by_text("Hello")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert len(seen) == 1, "the choice was kept"


def test_C17_a_hostile_name_is_text_in_everything_that_pops_up(
    live: Live, owner: Page, asked: list[str]
) -> None:
    page, client = owner, live.add_client(NAME, "Quill", "quill@example.com")
    whole = f"{NAME} Quill"
    live.receive(NAME, "quill@example.com", subject=NAME, text=NAME)
    page.goto(f"/inbox/c/{client}?scope=all")
    expect(page.get_by_role("heading", name=whole)).to_be_visible()
    page.keyboard.press("e")
    expect(toast(page, f"{whole} marked done.")).to_be_visible()
    page.keyboard.press("z")
    expect(toast(page, f"{whole} reopened.")).to_be_visible()
    page.keyboard.press("a")
    dialog = page.get_by_role("dialog", name=f"Assign {whole}")
    dialog.get_by_label("Who has it in hand").select_option(label="Ruth Abara")
    dialog.get_by_role("button", name="Assign conversation").click()
    expect(toast(page, f"{whole} is with Ruth Abara now.")).to_be_visible()
    page.keyboard.press("Control+k")
    expect(page.locator("[data-palette-context]")).to_have_text(whole)
    page.keyboard.type("Quill")
    expect(page.get_by_role("option", name=whole)).to_be_visible()
    page.keyboard.press("Enter")
    expect(page).to_have_title(re.compile(re.escape(whole)))
    page.get_by_label("More acts").click()
    page.get_by_role("link", name="Merge with another client").click()
    expect(page.get_by_role("dialog", name=f"Merge into {whole}")).to_be_visible()
    page.keyboard.press("Escape")
    assert page.locator("img[src=x]").count() == 0
    posts = [one for one in asked if "evil" in one or one.startswith("DELETE")]
    assert not posts
