"""The pictures of docs/: `make screenshots` walks through the demo firm as its people do.

The firm, its clock and the browser are the same each time, so a picture changes only where the
screen did.
"""

from __future__ import annotations

import base64
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from casewell.demo.build import PASSWORD
from casewell.kernel import jobs
from casewell.migrations import upgrade
from tests.e2e.conftest import CHROMIUM_FLAGS, DESKTOP, PATIENCE, PHONE, find_chromium
from tests.e2e.firm import MADE_AT, firm_runtime, kept_firm
from tests.e2e.live import Live, free_port, serving
from tests.e2e.parts import composer, rows, thread

PROJECT = Path(__file__).parents[2]
QUALITY = 88
SAME_TO_THE_EYE = 64  # of 255, the most that a pixel's red, green or blue may differ
LARGEST_DIFFERENCE = """async (pictures) => {
  const [one, other] = await Promise.all(pictures.map(async (picture) => {
    const answer = await fetch(`data:image/webp;base64,${picture}`);
    const image = await createImageBitmap(await answer.blob());
    const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
    canvas.drawImage(image, 0, 0);
    return canvas.getImageData(0, 0, image.width, image.height).data;
  }));
  if (one.length !== other.length) return 255;
  return one.reduce((most, shade, at) => Math.max(most, Math.abs(shade - other[at])), 0);
}"""
PICTURES = PROJECT / "docs" / "pictures"
CASE_MANAGER = "Dana Whitfield"
MANAGER = "Elaine Brooks"
OWNER = "Joan Pierce"
ANSWER = """Hi Priya,

Yes please, the FTC affidavit too. You can upload it on the same page, it stays open until Friday.

Dana"""


class StandingClock:
    """Always the firm's morning: nothing that waits comes due while a picture is taken."""

    def __call__(self) -> datetime:
        return MADE_AT


@dataclass(frozen=True)
class Picture:
    """One picture: who is signed in (nobody: None), and how they come to what it shows."""

    name: str
    who: str | None
    walk: Callable[[Page, Live], None]
    theme: str = "light"
    size: str = "desk"


def _sign_in(page: Page, live: Live) -> None:
    page.goto("/sign-in")
    page.get_by_label("Email").fill("dana@harborlaw.example")
    page.get_by_label("Password").fill(PASSWORD)


def _inbox(page: Page, live: Live) -> None:
    page.goto("/inbox")
    expect(rows(page).first).to_be_visible()


def _thread(page: Page, live: Live) -> None:
    _inbox(page, live)
    rows(page).filter(has_text="Priya Raman").click()
    expect(page.get_by_role("heading", name="Priya Raman")).to_be_visible()
    expect(rows(page).filter(has_text="Priya Raman").locator(".cw-count")).to_have_count(0)


def _reply(page: Page, live: Live) -> None:
    _thread(page, live)
    composer(page).fill(ANSWER)
    expect(page.get_by_text("Draft saved")).to_be_visible()


def _undo(page: Page, live: Live) -> None:
    _reply(page, live)
    composer(page).press("Control+Enter")
    expect(thread(page)).to_contain_text("FTC affidavit too. You can upload")
    expect(page.locator("#toasts").get_by_role("button", name="Undo")).to_be_visible()


def _search(page: Page, live: Live) -> None:
    page.goto("/inbox?q=utility+bill")
    results = page.get_by_role("list", name="Search results")
    results.get_by_role("link").first.click()
    expect(thread(page)).to_contain_text("utility")


def _palette(page: Page, live: Live) -> None:
    page.goto(f"/inbox/c/{live.client_id('Priya Raman')}")
    page.keyboard.press("Control+k")
    page.keyboard.type("ma")
    expect(page.get_by_role("option", name="Helen Marsh")).to_be_visible()


def _triage(page: Page, live: Live) -> None:
    page.goto("/triage")
    page.get_by_role("link", name="Bruno Keller").click()
    page.get_by_role("searchbox", name="Client").fill("ba")
    expect(page.locator("#choices")).to_contain_text("Leon Baker")


def _clients(page: Page, live: Live) -> None:
    page.goto("/clients")
    expect(page.get_by_role("heading", name="Clients")).to_be_visible()


def _client(page: Page, live: Live) -> None:
    page.goto(f"/clients/{live.client_id('Marisol Vega')}")
    expect(page.get_by_role("heading", name="Recent activity")).to_be_visible()


def _health(page: Page, live: Live) -> None:
    jobs.tick(live.runtime)  # as a worker does, whose sign of life the page looks for
    page.goto("/health")
    free = page.get_by_text(re.compile("GB are free"))
    # This machine's disk is nobody's business, and another one's is another picture.
    free.evaluate("line => { line.textContent = line.textContent.replace(/[0-9]+ GB/, '120 GB'); }")


def _note(page: Page, live: Live) -> None:
    _thread(page, live)
    page.get_by_role("link", name="Note", exact=True).click()
    page.locator("#note-body").press_sequentially(
        "Old address came from her sister's file. Ask @Ru"
    )
    expect(page.get_by_role("option", name="Ruth Abara")).to_be_visible()


def _snooze(page: Page, live: Live) -> None:
    _thread(page, live)
    page.keyboard.press("h")
    expect(page.get_by_role("button", name="Until they answer")).to_be_visible()


def _portal(page: Page, live: Live) -> None:
    page.goto("/portal/sign-in")
    page.get_by_label("mail").fill("marisol.vega@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_label("Message to")).to_be_visible()


WALK = (
    Picture("sign-in", None, _sign_in),
    Picture("inbox", CASE_MANAGER, _reply),
    Picture("inbox-dark", CASE_MANAGER, _reply, theme="dark"),
    Picture("undo", CASE_MANAGER, _undo),
    Picture("note", CASE_MANAGER, _note),
    Picture("snooze", CASE_MANAGER, _snooze),
    Picture("search", CASE_MANAGER, _search),
    Picture("palette", CASE_MANAGER, _palette),
    Picture("triage", MANAGER, _triage),
    Picture("clients", OWNER, _clients),
    Picture("client", OWNER, _client),
    Picture("health", OWNER, _health),
    Picture("phone-inbox", CASE_MANAGER, _inbox, size="phone"),
    Picture("phone-thread", CASE_MANAGER, _thread, theme="dark", size="phone"),
    Picture("phone-client", OWNER, _client, size="phone"),
    Picture("phone-portal", None, _portal, size="phone"),
)


@contextmanager
def _firm(kept: Path) -> Iterator[Live]:
    """Serve a copy of the demo firm at its standing hour."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        shutil.copytree(kept, home)
        port = free_port()
        clock: Any = StandingClock()
        runtime = firm_runtime(home, now=clock, public_url=f"http://127.0.0.1:{port}")
        upgrade(runtime.database)
        with serving(runtime, clock, port) as live:
            yield live


def _take(picture: Picture, browser: Browser, live: Live, folder: Path) -> int:
    """Take one picture; return how many bytes it has."""
    phone = picture.size == "phone"
    context = browser.new_context(
        base_url=live.url,
        viewport=PHONE if phone else DESKTOP,
        device_scale_factor=2 if phone else 1,
        color_scheme="dark" if picture.theme == "dark" else "light",
        reduced_motion="reduce",
        locale="en-US",
        timezone_id="America/Chicago",
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    # The browser's own clock stands too: "Sending in 10 s", "Draft saved 9:00 AM".
    page.clock.set_fixed_time(MADE_AT)
    if picture.who is not None:
        cookie, token = live.session_cookie(picture.who)
        context.add_cookies([{"name": cookie, "value": token, "url": live.url}])
    picture.walk(page, live)
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready")
    page.evaluate("document.documentElement.style.caretColor = 'transparent'")
    # Straight from the browser, because Playwright knows no WebP: a third of the same as PNG.
    shot = context.new_cdp_session(page).send(
        "Page.captureScreenshot", {"format": "webp", "quality": QUALITY}
    )
    file = folder / f"{picture.name}.webp"
    if _shows_something_else(browser, file, shot["data"]):
        file.write_bytes(base64.b64decode(shot["data"]))
    context.close()
    return file.stat().st_size


def _shows_something_else(browser: Browser, file: Path, fresh: str) -> bool:
    """Whether a picture differs by more than the shades that edges have from one run to the next.

    The browser compares: it reads WebP, and nothing else here does.
    """
    if not file.exists():
        return True
    page = browser.new_page()
    pictures = [fresh, base64.b64encode(file.read_bytes()).decode()]
    most: int = page.evaluate(LARGEST_DIFFERENCE, pictures)
    page.close()
    return most > SAME_TO_THE_EYE


def main(wanted: list[str]) -> int:
    program = find_chromium()
    if program is None:
        sys.stderr.write("The pictures need Chromium: install it (Debian: apt install chromium).\n")
        return 1
    expect.set_options(timeout=PATIENCE)
    PICTURES.mkdir(parents=True, exist_ok=True)
    kept = kept_firm(PROJECT / ".pytest_cache" / "d" / "casewell")
    total = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
        for picture in WALK:
            if wanted and picture.name not in wanted:
                continue
            with _firm(kept) as live:  # each sees the firm untouched
                size = _take(picture, browser, live, PICTURES)
            total += size
            sys.stdout.write(f"{picture.name:<14} {size / 1000:>6.0f} kB\n")
        browser.close()
    sys.stdout.write(f"{total / 1000:,.0f} kB in {PICTURES.relative_to(PROJECT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
