"""Signing in and out, the second factor, and setting Casewell up."""

from __future__ import annotations

import re
from collections.abc import Callable

import pyotp
import pytest
from playwright.sync_api import Page, expect

from casewell.demo.build import PASSWORD
from tests.e2e.live import Live
from tests.e2e.watch import Watch

INBOX = re.compile(r"/inbox")


@pytest.fixture
def visitor(live: Live, open_browser: Callable[..., Page]) -> Page:
    return open_browser(live)


def _fill_sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def _sign_out(page: Page) -> None:
    page.locator("summary.cw-me").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def _scan(page: Page) -> pyotp.TOTP:
    """Do what an authenticator app does with the QR code: keep the key beside it."""
    return pyotp.TOTP(page.locator("figcaption code").inner_text().replace(" ", ""))


def _code(totp: pyotp.TOTP, live: Live) -> str:
    """Return the code the phone shows now. Each is taken once, so time goes on a little before."""
    live.clock.move(seconds=61)
    return totp.at(live.clock())


def test_a_person_signs_in_and_out(visitor: Page) -> None:
    visitor.goto("/inbox")
    expect(visitor.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(visitor.get_by_label("Email")).to_be_focused()
    _fill_sign_in(visitor, "dana@harborlaw.example")
    expect(visitor).to_have_url(INBOX)
    expect(visitor.get_by_role("navigation", name="Primary", exact=True)).to_be_visible()
    _sign_out(visitor)
    visitor.goto("/inbox")
    expect(visitor).to_have_url(re.compile(r"/sign-in"))


def test_a_wrong_password_is_told_without_telling_who_exists(
    visitor: Page, watch: Callable[[], Watch]
) -> None:
    watch().expect("status of 4")
    said = []
    for email in ("joan@harborlaw.example", "nobody@harborlaw.example"):
        visitor.goto("/sign-in")
        _fill_sign_in(visitor, email, "not her password at all")
        said.append(visitor.get_by_role("alert").inner_text())
        expect(visitor.get_by_label("Email")).to_have_value(email)
        expect(visitor.get_by_label("Password")).to_have_value("")
    assert said[0] == said[1]


def test_the_password_field_takes_what_a_password_manager_fills(visitor: Page) -> None:
    visitor.goto("/sign-in")
    expect(visitor.get_by_label("Email")).to_have_attribute("autocomplete", "username")
    expect(visitor.get_by_label("Password")).to_have_attribute("autocomplete", "current-password")


def test_a_second_factor_is_set_up_and_asked_for(
    live: Live, enter: Callable[..., Page], watch: Callable[[], Watch]
) -> None:
    page = enter("Marcus Hill")
    page.goto("/settings/security")
    page.get_by_role("link", name="Set up second factor").click()
    totp = _scan(page)
    page.get_by_label("Code that the app shows").fill(_code(totp, live))
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Set up").click()
    codes = page.get_by_role("list", name="Recovery codes").get_by_role("listitem")
    expect(codes).to_have_count(10)
    recovery_code = codes.first.inner_text()

    _sign_out(page)
    _fill_sign_in(page, "marcus@harborlaw.example")
    expect(page.get_by_role("heading", name="Enter your code")).to_be_visible()
    page.goto("/inbox")  # half signed in opens nothing
    expect(page.get_by_role("heading", name="Enter your code")).to_be_visible()
    watch().expect("status of 422")
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_label("Code")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Code").fill(_code(totp, live))
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page).to_have_url(INBOX)

    _sign_out(page)
    _fill_sign_in(page, "marcus@harborlaw.example")
    page.get_by_role("link", name="Use a recovery code").click()
    page.get_by_label("Recovery code").fill(recovery_code)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page).to_have_url(INBOX)
    expect(page.get_by_text("9 recovery codes left")).to_be_visible()


def test_an_owner_sets_casewell_up_once(
    empty: Live, open_browser: Callable[..., Page], watch: Callable[[], Watch]
) -> None:
    page = open_browser(empty)
    page.goto("/")
    expect(page.get_by_role("heading", name="Set up Casewell")).to_be_visible()
    page.get_by_label("Name of the firm").fill("Lakeside Credit Law")
    page.get_by_label("Your name").fill("Nora Field")
    page.get_by_label("Your email").fill("nora@lakeside.example")
    page.get_by_label("New password", exact=True).fill("short")
    page.get_by_label("New password again").fill("short")
    watch().expect("status of 422")
    page.get_by_role("button", name="Set up Casewell").click()
    expect(page.get_by_label("New password", exact=True)).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Name of the firm")).to_have_value("Lakeside Credit Law")
    page.get_by_label("New password", exact=True).fill("four quiet words in a row")
    page.get_by_label("New password again").fill("four quiet words in a row")
    page.get_by_role("button", name="Set up Casewell").click()

    expect(page.get_by_role("heading", name="Set up your second factor")).to_be_visible()
    page.get_by_label("Code that the app shows").fill(_code(_scan(page), empty))
    page.get_by_role("button", name="Set up").click()
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("navigation", name="Primary", exact=True)).to_be_visible()
    expect(page.get_by_text("Lakeside Credit Law").first).to_be_visible()

    other = open_browser(empty)
    watch().expect("status of 4")
    other.goto("/set-up")
    expect(other.get_by_label("Name of the firm")).to_have_count(0)


def test_signing_out_one_browser_ends_the_other_at_its_next_step(
    enter: Callable[..., Page],
) -> None:
    at_the_desk, at_home = enter("Elaine Brooks"), enter("Elaine Brooks")
    at_home.goto("/settings/profile")
    at_the_desk.goto("/settings/security")
    at_the_desk.get_by_role("button", name="Sign out all others").click()
    expect(at_the_desk.get_by_text("All other browsers signed out")).to_be_visible()
    at_home.reload()
    expect(at_home.get_by_role("heading", name="Sign in")).to_be_visible()
