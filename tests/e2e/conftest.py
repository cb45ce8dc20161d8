"""A running Casewell with the demo firm, and browsers in the hands of its staff."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.firm import firm_runtime, kept_firm
from tests.e2e.live import Live, RunningClock, free_port, serving
from tests.e2e.watch import Watch
from tests.rigs.absent import absent

# No traffic of the browser's own; a sandbox needs rights that a container may lack.
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
PATIENCE = 15_000  # milliseconds; the machine may be busy with the other tests

expect.set_options(timeout=PATIENCE)


def find_chromium() -> str | None:
    return next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker("browser")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Drive the Chromium that is installed; skips where none is."""
    program = find_chromium()
    if program is None:
        absent("Chromium is not installed (Debian: chromium)")
    return {**browser_type_launch_args, "executable_path": program, "args": CHROMIUM_FLAGS}


@pytest.fixture(scope="session")
def base_url() -> str | None:
    """None: each window is told on which Casewell it opens."""
    return None


@pytest.fixture(scope="session")
def firm_home(pytestconfig: pytest.Config) -> Path:
    """The home of the demo firm, to be copied; kept between runs while the code stays."""
    return kept_firm(pytestconfig.cache.mkdir("casewell"))


@pytest.fixture(scope="module")
def live_settings() -> dict[str, Any]:
    """Settings of `live` beside its own; a module overrides this."""
    return {}


@pytest.fixture(scope="module")
def live(
    firm_home: Path, tmp_path_factory: pytest.TempPathFactory, live_settings: dict[str, Any]
) -> Iterator[Live]:
    """Casewell with the demo firm, running. One for the tests of a module: take other clients."""
    home = tmp_path_factory.mktemp("live") / "home"
    shutil.copytree(firm_home, home)
    yield from _serve(home, live_settings)


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Live]:
    """Casewell as it is before anybody has set it up."""
    yield from _serve(tmp_path / "home", {})


def _serve(home: Path, settings: dict[str, Any]) -> Iterator[Live]:
    from casewell.migrations import upgrade

    port, clock = free_port(), RunningClock()
    url = f"http://127.0.0.1:{port}"
    runtime = firm_runtime(home, now=clock, public_url=url, **settings)
    upgrade(runtime.database)
    with serving(runtime, clock, port) as running:
        yield running


@pytest.fixture
def watches() -> Iterator[list[Watch]]:
    """What the browsers of this test are watched for; the test fails on any offence."""
    kept: list[Watch] = []
    yield kept
    for watch in kept:
        watch.check()


@pytest.fixture
def open_browser(
    new_context: Callable[..., BrowserContext], watches: list[Watch]
) -> Callable[..., Page]:
    """Opens a browser window on a running Casewell, watched; keywords are Playwright's."""

    def open_window(on: Live, **options: Any) -> Page:
        given = {"viewport": DESKTOP, "locale": "en-US", "timezone_id": "America/Chicago"}
        context = new_context(base_url=on.url, **{**given, **options})
        context.set_default_timeout(PATIENCE)
        watch = Watch(on.url)
        watch.over(context)
        watches.append(watch)
        return context.new_page()

    return open_window


@pytest.fixture
def watch(watches: list[Watch]) -> Callable[[], Watch]:
    """Gives the watch over the browser that was opened last."""
    return lambda: watches[-1]


@pytest.fixture
def enter(live: Live, open_browser: Callable[..., Page]) -> Callable[..., Page]:
    """Opens a browser window in which a member of the demo firm is signed in."""

    def sign_in(name: str = "Joan Pierce", **options: Any) -> Page:
        page = open_browser(live, **options)
        cookie, token = live.session_cookie(name)
        page.context.add_cookies([{"name": cookie, "value": token, "url": live.url}])
        return page

    return sign_in
