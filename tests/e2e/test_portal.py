"""The portal in the hands of a client, on a phone; beside it a member of the firm at a desk."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from casewell.clients.models import Client
from casewell.demo.build import PASSWORD
from casewell.portal import links
from casewell.portal.models import ClientAccount, ClientLinkKind
from tests.e2e.conftest import PHONE
from tests.e2e.live import Live
from tests.e2e.parts import composer, thread
from tests.e2e.test_accessibility import OPTIONS, SERIOUS
from tests.e2e.watch import Watch

# The page asks for news each quarter of a minute.
NEWS = 30_000
SMALLEST = 48
LETTER = {"name": "letter.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 letter"}


@pytest.fixture
def phone(live: Live, open_browser: Callable[..., Page]) -> Callable[..., Page]:
    """Opens the portal on a phone, with somebody of the demo firm's clients signed in."""

    def opened(name: str, **options: object) -> Page:
        page = open_browser(live, **{"viewport": PHONE, **options})
        page.goto("/portal/sign-in")
        page.get_by_label("E-mail").fill(f"{name.replace(' ', '.').lower()}@example.com")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page).to_have_url(re.compile("/portal/messages$"))
        return page

    return opened


@pytest.fixture
def link_for(live: Live) -> Callable[[str], str]:
    def made(name: str) -> str:
        with live.runtime.database.writing() as session:
            first = name.split()[0]
            account_id = session.scalars(
                sa.select(ClientAccount.id)
                .join(Client, Client.id == ClientAccount.client_id)
                .where(Client.first_name == first)
            ).one()
            kind = ClientLinkKind.SIGN_IN
            return f"/portal/enter/{links.issue(session, account_id, kind, live.clock())}"

    return made


def _write(page: Page, text: str, *files: object) -> None:
    page.get_by_label("Message to").fill(text)
    if files:
        page.get_by_label("Attach files").set_input_files(list(files))
    page.get_by_role("button", name="Send message").click()
    expect(thread(page).get_by_text(text)).to_be_visible()


def test_a_link_signs_in_by_its_button(
    live: Live, open_browser: Callable[..., Page], link_for: Callable[[str], str]
) -> None:
    page = open_browser(live, viewport=PHONE)
    page.goto(link_for("Dwayne Okafor"))
    page.reload()
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile("/portal/messages$"))
    expect(thread(page)).to_be_visible()


def test_client_and_firm_write_to_each_other_without_a_reload(
    live: Live, phone: Callable[..., Page], enter: Callable[..., Page]
) -> None:
    client = phone("Marisol Vega")
    _write(client, "Is this the right letter?", LETTER)
    expect(thread(client).get_by_role("link", name="letter.pdf").last).to_be_visible()
    with client.expect_download() as saved:
        thread(client).get_by_role("link", name="letter.pdf").last.click()
    assert saved.value.suggested_filename == "letter.pdf"
    staff = enter("Joan Pierce")
    staff.goto(f"/inbox/c/{live.client_id('Marisol Vega')}")
    expect(thread(staff).get_by_text("Is this the right letter?")).to_be_visible()
    client.get_by_label("Message to").fill("What I am writing stays")
    composer(staff).fill("Yes, that is the one we need.")
    composer(staff).press("Control+Enter")
    expect(thread(staff).get_by_text("that is the one we need")).to_be_visible()
    expect(thread(client).get_by_text("that is the one we need")).to_have_count(0)
    live.clock.move(seconds=11)
    arrived = thread(client).get_by_text("that is the one we need")
    expect(arrived).to_be_visible(timeout=NEWS)
    expect(client.get_by_label("Message to")).to_have_value("What I am writing stays")
    staff.reload()
    expect(thread(staff).get_by_text(re.compile(r"Seen in the portal \d")).last).to_be_visible()


def test_it_works_without_javascript(phone: Callable[..., Page]) -> None:
    page = phone("Dwayne Okafor", java_script_enabled=False)
    _write(page, "Written without a script")
    page.get_by_role("link", name="Home").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto("/portal/messages")
    expect(page).to_have_url(re.compile("/portal/sign-in$"))


def test_on_a_phone_everything_is_large_enough_to_be_hit(phone: Callable[..., Page]) -> None:
    page = phone("Marisol Vega")
    _write(page, "A file to hit", LETTER)
    for path in ("/portal/messages", "/portal/", "/portal/password"):
        page.goto(path)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"], f"{path} scrolls sideways"
        for target in page.locator("button:visible, .btn:visible, .cw-file:visible").all():
            box = target.bounding_box()
            assert box is not None
            assert box["height"] >= SMALLEST, (path, target.inner_text(), box)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_the_portal(
    theme: str, phone: Callable[..., Page], link_for: Callable[[str], str]
) -> None:
    page = phone("Marisol Vega", color_scheme=theme, bypass_csp=True)
    paths = ("/portal/messages", "/portal/", "/portal/password", link_for("Dwayne Okafor"))
    for path in paths:
        page.goto(path)
        found = Axe().run(page, options=OPTIONS).response["violations"]
        assert not [one for one in found if one["impact"] in SERIOUS], (path, found)


def test_an_error_in_the_portal_leads_back_into_it(
    phone: Callable[..., Page], watch: Callable[[], Watch]
) -> None:
    page = phone("Marisol Vega")
    watch().expect("status of 404")
    page.goto("/portal/messages/none/files/1")
    expect(page.get_by_role("alert")).to_contain_text("Write to us")
    page.get_by_role("link", name="Go to the start page").click()
    expect(page.get_by_role("heading", name="Hello, Marisol")).to_be_visible()
