"""Parts of the page that tests of several subjects look at."""

from __future__ import annotations

from playwright.sync_api import Locator, Page


def toast(page: Page, text: str) -> Locator:
    return page.locator("#toasts").get_by_text(text)


def thread(page: Page) -> Locator:
    return page.get_by_role("log", name="Messages")


def composer(page: Page) -> Locator:
    return page.locator("#composer-body")


def rows(page: Page) -> Locator:
    """The conversations of the inbox's list."""
    return page.locator("#conv-list .cw-conv")
