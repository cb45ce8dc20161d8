"""axe on what opens on a screen: menus, dialogs, questions, errors and empty lists.

Each state is opened on a desk and on a phone, and looked at in the light and in the dark theme.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from casewell.demo.build import PASSWORD
from casewell.messages.models import TriageSender
from tests.e2e.conftest import DESKTOP, PHONE
from tests.e2e.live import Live
from tests.e2e.parts import composer
from tests.e2e.test_accessibility import OPTIONS, SERIOUS
from tests.e2e.watch import Watch

CASE_MANAGER, MANAGER, OWNER = "Dana Whitfield", "Elaine Brooks", "Joan Pierce"
LETTER = {"name": "letter.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 letter"}
TOO_MUCH = "x" * 2_200_000


@dataclass(frozen=True)
class State:
    """What is opened on the page at `path`; who None: nobody signed in, "client": in the portal."""

    path: str
    walk: Callable[[Page], object] = lambda page: None
    who: str | None = OWNER
    shows: str = "main"


def _press(*keys: str) -> Callable[[Page], None]:
    def walk(page: Page) -> None:
        for key in keys:
            page.keyboard.press(key)

    return walk


def _menu(label: str) -> Callable[[Page], None]:
    """Open the menu of that name, on a phone as well."""

    def walk(page: Page) -> None:
        page.locator(
            f'summary[aria-label="{label}"]:visible, summary:text-is("{label}")'
        ).first.click()

    return walk


def _account(page: Page) -> None:
    if (more := page.get_by_role("link", name="More", exact=True)).is_visible():
        more.click()
    page.locator("summary.cw-me").click()


def _details(page: Page) -> None:
    if not page.locator("#rail").is_visible():
        _menu("More actions")(page)
        page.get_by_role("link", name="Client details").click()


def _button(name: str, *, exact: bool = True) -> Callable[[Page], None]:
    return lambda page: page.get_by_role("button", name=name, exact=exact).first.click()


def _note(text: str) -> Callable[[Page], None]:
    def walk(page: Page) -> None:
        page.locator("[data-compose-as=note]:visible").click()
        page.locator("#note-body").press_sequentially(text)

    return walk


def _send(text: str) -> Callable[[Page], None]:
    def walk(page: Page) -> None:
        composer(page).fill(text)
        composer(page).press("Control+Enter")

    return walk


def _copy_in(page: Page) -> None:
    page.locator(".cw-cc > summary").click()
    page.get_by_label("Cc", exact=True).fill("nobody's address")
    _send("With a copy.")(page)


def _hover_search(page: Page) -> None:
    page.get_by_role("searchbox", name="Search messages").click()


def _search(text: str) -> Callable[[Page], None]:
    def walk(page: Page) -> None:
        page.get_by_role("searchbox").first.press_sequentially(text)

    return walk


def _sign_in(email: str, password: str) -> Callable[[Page], None]:
    def walk(page: Page) -> None:
        page.get_by_label("mail").first.fill(email)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in", exact=True).click()

    return walk


def _too_much(page: Page) -> None:
    page.get_by_label("Name", exact=True).evaluate(
        "(field, text) => { field.removeAttribute('maxlength'); field.value = text; }", TOO_MUCH
    )
    page.get_by_role("button", name="Save profile").click()


def _too_often(page: Page) -> None:
    while page.get_by_text("Too many attempts").count() == 0:
        page.get_by_label("Email").fill("ruth@harborlaw.example")
        page.get_by_label("Password").fill("a guess that is wrong")
        page.get_by_role("button", name="Sign in", exact=True).click()


def _forged(page: Page) -> None:
    page.locator("[name=csrf_token]").first.evaluate_all(
        "all => all.forEach(one => one.value = '')"
    )
    page.evaluate("document.querySelectorAll('[name=csrf_token]').forEach(one => one.value = 'no')")
    page.get_by_role("button", name="Save profile").click()


def _empty_form(button: str) -> Callable[[Page], None]:
    def walk(page: Page) -> None:
        page.evaluate(
            "document.querySelectorAll('form').forEach(one => { one.noValidate = true; })"
        )
        page.get_by_role("button", name=button, exact=True).first.click()

    return walk


def _filled(page: Page) -> None:
    page.get_by_label("Attach files").set_input_files([LETTER])
    page.get_by_label("Message to").fill("With a letter")


STATES = {
    "the account's menu": State("/inbox", _account, shows=".dropdown-menu:visible"),
    "the client beside a conversation": State("/inbox/c/{Priya Raman}", _details, shows="#rail"),
    "which conversations": State("/inbox", _menu("Which conversations")),
    "what search understands": State("/inbox?scope=all", _hover_search),
    "a search that is not understood": State(
        "/inbox?scope=all", _search("before:yesterdayish"), shows="#search-problem span"
    ),
    "a search without hits": State("/inbox?scope=all&q=nowhere-said"),
    "nothing snoozed": State("/inbox?scope=all&state=snoozed"),
    "nothing unread": State("/inbox?scope=mine&unread=1"),
    "an answer by mail": State("/inbox/c/{Priya Raman}", lambda page: composer(page).fill("Yes.")),
    "a bad copy": State("/inbox/c/{Priya Raman}", _copy_in, shows="#reply-error [role=alert]"),
    "a question first": State(
        "/inbox/c/{Priya Raman}",
        _send("Helen Marsh sent hers on Monday."),
        shows="#reply-error [role=alert]",
    ),
    "ways to send": State("/inbox/c/{Priya Raman}", _menu("More ways to send")),
    "an undo": State("/inbox/c/{Owen Callahan}", _send("On Friday."), shows="#toasts button"),
    "a note": State("/inbox/c/{Priya Raman}", _note("Look at ")),
    "a colleague named": State("/inbox/c/{Priya Raman}", _note("Ask @"), shows=".cw-mentions"),
    "a note changed": State(
        "/inbox/c/{Tom Lindqvist}",
        lambda page: (
            _note("Mine to change")(page),
            page.keyboard.press("Control+Enter"),
            page.locator(".cw-note-edit > summary").last.click(),
        ),
        shows=".cw-note-edit[open]",
    ),
    "snooze": State("/inbox/c/{Priya Raman}", _menu("Snooze")),
    "more acts of a conversation": State("/inbox/c/{Priya Raman}", _menu("More actions")),
    "assign": State("/inbox/c/{Priya Raman}/assign"),
    "the palette": State("/inbox/c/{Priya Raman}", _press("Control+k"), shows="#palette"),
    "the palette without an answer": State(
        "/clients",
        lambda page: (_press("Control+k")(page), page.keyboard.type("zzzz")),
        shows="#palette",
    ),
    "the keys": State("/inbox", _press("?"), shows="#shortcuts"),
    "a client's status": State("/clients/{Marisol Vega}", _menu("Status")),
    "more acts of a client": State("/clients/{Marisol Vega}", _menu("More acts")),
    "who is responsible": State("/clients/{Marisol Vega}", _press("a"), shows="#assign"),
    "a merge": State("/clients/{Marisol Vega}/merge", _search("mar")),
    "a client without a name": State(
        "/clients/new", _empty_form("Create client"), shows=".cw-error-summary"
    ),
    "no client of that name": State("/clients?q=nobody-of-that-name"),
    "a stranger's mail": State("/triage/{stranger}", _search("ba"), shows="#choices li"),
    "an outbox without trouble": State("/outbox?group=bounced"),
    "acts for a colleague": State("/settings/users", _menu("Acts for Dana Whitfield")),
    "a colleague's role": State(
        "/settings/users",
        lambda page: (
            _menu("Acts for Dana Whitfield")(page),
            page.locator(".dropdown-menu:visible").get_by_text("Change role").click(),
        ),
        shows="dialog[open]",
    ),
    "an invitation without a name": State(
        "/settings/users", _empty_form("Send invitation"), shows=".cw-error-summary"
    ),
    "a mailbox without a server": State("/settings/channels/new", _empty_form("Connect mailbox")),
    "a webhook without an address": State("/settings/webhooks", _empty_form("Add webhook")),
    "a token that was made": State(
        "/settings/security",
        lambda page: (
            page.get_by_label("What it is for").fill("The report"),
            page.get_by_label("Password").fill(PASSWORD),
            _button("Make token")(page),
        ),
    ),
    "not allowed (403)": State("/health", who=CASE_MANAGER, shows=".cw-error"),
    "not found (404)": State("/clients/999999", shows=".cw-error"),
    "not found by a visitor (404)": State("/no-such-page", who=None),
    "too much (413)": State("/settings/profile", _too_much, shows=".cw-error"),
    "a form of another session (400)": State("/settings/profile", _forged, shows=".cw-error"),
    "a wrong password": State(
        "/sign-in", _sign_in("joan@harborlaw.example", "not hers"), who=None, shows="[role=alert]"
    ),
    "too often (429)": State("/sign-in", _too_often, who=None, shows="[role=alert]"),
    "a reset asked for": State(
        "/sign-in/reset",
        lambda page: (
            page.get_by_label("Email").fill("joan@harborlaw.example"),
            page.get_by_role("button").last.click(),
        ),
        who=None,
    ),
    "a link that is used up": State("/reset/no-such-token", who=None),
    "the portal's home": State("/portal/", who="client"),
    "a file in the portal": State("/portal/messages", _filled, who="client", shows="[data-chosen]"),
    "a short password in the portal": State(
        "/portal/password",
        lambda page: (
            page.get_by_label("Present password").fill(PASSWORD),
            page.get_by_label("New password").fill("short"),
            _empty_form("Save password")(page),
        ),
        who="client",
        shows=".cw-field-error",
    ),
    "a wrong password in the portal": State(
        "/portal/sign-in",
        _sign_in("marisol.vega@example.com", "not hers"),
        who=None,
        shows="[role=alert]",
    ),
    "a link asked for in the portal": State(
        "/portal/sign-in",
        lambda page: (
            page.get_by_label("mail").first.fill("nobody@example.com"),
            page.get_by_role("button", name="Send me a link instead").click(),
        ),
        who=None,
    ),
    "a portal link that is used up": State("/portal/enter/no-such-token", who=None),
    "not found in the portal (404)": State("/portal/messages/none/files/1", who="client"),
}


@pytest.mark.slow
@pytest.mark.parametrize("width", [DESKTOP, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_axe_finds_nothing_serious_in_what_opens(
    state: State,
    width: dict[str, int],
    live: Live,
    enter: Callable[..., Page],
    open_browser: Callable[..., Page],
    watch: Callable[[], Watch],
) -> None:
    looks: dict[str, Any] = {"viewport": width, "bypass_csp": True, "reduced_motion": "reduce"}
    signed_in = state.who not in (None, "client")
    page = enter(state.who, **looks) if signed_in else open_browser(live, **looks)
    watch().expect("status of 4")
    if state.who == "client":
        page.goto("/portal/sign-in")
        _sign_in("marisol.vega@example.com", PASSWORD)(page)
        page.wait_for_url("**/portal/messages")
    page.goto(_address(state.path, live))
    state.walk(page)
    expect(page.locator(state.shows).first).to_be_visible()
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        # Colours in the middle of fading are nobody's.
        page.evaluate("Promise.allSettled(document.getAnimations().map(one => one.finished))")
        found = Axe().run(page, options=OPTIONS).response["violations"]
        serious = [one for one in found if one["impact"] in SERIOUS]
        told = [
            (one["id"], one["help"], [node["target"] for node in one["nodes"]]) for one in serious
        ]
        assert not told, (theme, told)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "scrolls sideways"


def _address(path: str, live: Live) -> str:
    before, _, rest = path.partition("{")
    name, _, after = rest.partition("}")
    if not name:
        return path
    number = _stranger(live) if name == "stranger" else live.client_id(name)
    return f"{before}{number}{after}"


def _stranger(live: Live) -> int:
    with live.runtime.database.reading() as session:
        return session.scalars(sa.select(TriageSender.id).order_by(TriageSender.id)).first() or 0
