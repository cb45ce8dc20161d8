"""Every screen in the hand: nothing scrolls sideways, and a thumb hits what it means."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import PHONE
from tests.e2e.live import Live
from tests.e2e.screens import all_screens
from tests.e2e.watch import Watch

OWNER = "Joan Pierce"
# WCAG 2.2: 1.4.10 names a width of 320, 2.5.8 a side of 24; the controls of a phone are larger.
NARROWEST = 320
LEAST, COMFORTABLE = 24, 44
# What can be pressed, with the label where that is pressed too. A link in a sentence is exempt.
TARGETS = """(least) => {
  const all = "a[href], button, summary, select, textarea, input:not([type=hidden])";
  const controls = ".btn, .cw-ib, .form-control, .form-select, .dropdown-item, .cw-conv, nav a";
  const out_of_sight = ".visually-hidden, .cw-skip-link, [inert]";
  const wrapped = "p, span, dd, td, div, li";
  const shown = (one) => !one.closest(out_of_sight)
    && one.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const inSentence = (one) => one.matches("a") && getComputedStyle(one).display === "inline"
    && one.closest(wrapped)?.textContent.trim() !== one.textContent.trim();
  const small = ([one, box]) => box.width > 0 && (box.width < least.any
    || box.height < (one.matches(controls) ? least.comfortable : least.any));
  return [...document.querySelectorAll(all)]
    .filter((one) => shown(one) && !inSentence(one))
    .map((one) => [one, (one.closest("label") ?? one).getBoundingClientRect()])
    .filter(small)
    .map(([one, box]) => `${one.outerHTML.slice(0, 90)} ${box.width} x ${box.height}`);
}"""


@pytest.fixture
def screens(
    live: Live, enter: Callable[..., Page], watch: Callable[[], Watch]
) -> Callable[[dict[str, int]], object]:
    """Yields each screen's path and the page that shows it, in a window of a size."""

    def shown(size: dict[str, int]) -> object:
        person = enter(OWNER, viewport=size)
        watch().expect("status of 4")
        visitor = enter(OWNER, viewport=size)
        watch().expect("status of 4")
        visitor.context.clear_cookies()
        for screen in all_screens(live):
            page = person if screen.signed_in else visitor
            page.goto(screen.path)
            yield screen.path, page

    return shown


@pytest.mark.slow
@pytest.mark.parametrize("width", [PHONE["width"], NARROWEST])
def test_no_screen_scrolls_sideways(width: int, screens: Callable[..., object]) -> None:
    wide = [
        f"{path}: {is_wide}"
        for path, page in screens({"width": width, "height": PHONE["height"]})
        if (is_wide := page.evaluate("document.documentElement.scrollWidth")) > width
    ]
    assert not wide, "\n".join(wide)


@pytest.mark.slow
def test_everything_is_large_enough_to_be_hit(screens: Callable[..., object]) -> None:
    least = {"any": LEAST, "comfortable": COMFORTABLE}
    small = [
        f"{path}: {target}"
        for path, page in screens(PHONE)
        for target in page.evaluate(TARGETS, least)
    ]
    assert not small, "\n".join(small)
