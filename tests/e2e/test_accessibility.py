"""axe on every screen, light and dark, on a desk and on a phone: nothing serious."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.e2e.conftest import DESKTOP, PHONE
from tests.e2e.live import Live
from tests.e2e.screens import all_screens
from tests.e2e.watch import Watch

OWNER = "Joan Pierce"
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OPTIONS = {"runOnly": STANDARDS, "resultTypes": ["violations"]}
SERIOUS = ("serious", "critical")


@pytest.fixture
def axe() -> Axe:
    return Axe()


@pytest.mark.slow
@pytest.mark.parametrize("width", [DESKTOP, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_screen(
    theme: str,
    width: dict[str, int],
    axe: Axe,
    live: Live,
    enter: Callable[..., Page],
    watch: Callable[[], Watch],
) -> None:
    # axe is put into the page as a script of its own, which the strict CSP would refuse.
    looks: dict[str, Any] = {"viewport": width, "color_scheme": theme, "bypass_csp": True}
    person = enter(OWNER, **looks)
    watch().expect("status of 4")
    visitor = enter(OWNER, **looks)
    watch().expect("status of 4")
    visitor.context.clear_cookies()
    serious, others = [], []
    for screen in all_screens(live):
        page = person if screen.signed_in else visitor
        page.goto(screen.path)
        # Colours in the middle of fading are nobody's.
        page.evaluate("Promise.all(document.getAnimations().map(one => one.finished))")
        for found in axe.run(page, options=OPTIONS).response["violations"]:
            places = [node["target"] for node in found["nodes"]][:3]
            line = f"{screen.path}: {found['id']} ({found['impact']}): {found['help']} {places}"
            (serious if found["impact"] in SERIOUS else others).append(line)
    print("Less than serious:", *others, sep="\n")
    assert not serious, "\n".join(serious)


@pytest.mark.parametrize("width", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing_serious_in_dialogs(
    width: dict[str, int], axe: Axe, live: Live, enter: Callable[..., Page]
) -> None:
    page = enter(OWNER, viewport=width, bypass_csp=True)
    page.goto(f"/clients/{live.client_id('Marisol Vega')}")
    for opened_by, dialog in (("Control+k", "#palette"), ("?", "#shortcuts"), ("a", "#assign")):
        page.keyboard.press(opened_by)
        page.locator(dialog).wait_for()
        found = axe.run(page, context=dialog, options=OPTIONS).response["violations"]
        serious = [one["id"] for one in found if one["impact"] in SERIOUS]
        assert not serious, (dialog, found)
        page.keyboard.press("Escape")
        page.locator(dialog).wait_for(state="hidden")
