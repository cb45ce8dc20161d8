"""The health page in a browser: what does not agree is said, and repaired by a button."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from playwright.sync_api import Page, expect

from casewell.messages.models import Readership
from tests.e2e.live import Live
from tests.e2e.parts import toast

OWNER = "Joan Pierce"


def test_counts_that_went_wrong_are_repaired_by_a_button(
    live: Live, enter: Callable[..., Page]
) -> None:
    with live.runtime.database.writing() as session:
        session.execute(sa.update(Readership).values(unread=77))
    page = enter(OWNER)
    page.goto("/health")
    row = page.get_by_role("table", name="Channels").get_by_role("row")
    lists = row.filter(has_text="Lists and unread counts")
    expect(lists).to_contain_text("is not what the messages say")
    page.get_by_role("button", name="Repair Lists and unread counts").press("Enter")
    expect(toast(page, "made anew")).to_be_visible()
    expect(lists).to_contain_text("Nothing")
    expect(row.filter(has_text="E-mail")).to_be_visible()
