"""Mail that comes in, in a browser: a mailbox is connected and watched, old mail is imported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from casewell.email import history, polling
from tests.e2e.live import Live
from tests.e2e.parts import rows, toast
from tests.e2e.watch import Watch
from tests.rigs.dovecot import DovecotRig, MailUser
from tests.rigs.mail_in import mail

OWNER = "Joan Pierce"
SEPARATOR = b"From marisol@example.com Tue Mar 10 15:00:00 2026\n"


def _fill(page: Page, dovecot: DovecotRig, user: MailUser) -> None:
    page.get_by_label("Name", exact=True).fill("Front desk")
    page.get_by_label("Email address").fill(user.address)
    page.get_by_label("IMAP server").fill(dovecot.host)
    page.get_by_label("Port").fill(str(dovecot.port))
    page.get_by_label("Encryption").select_option("plain")
    page.get_by_label("User name").fill(user.address)
    page.get_by_label("Mail since").fill("2026-01-01")


def test_a_mailbox_is_connected_and_its_mail_comes(
    live: Live,
    enter: Callable[..., Page],
    watch: Callable[[], Watch],
    dovecot: DovecotRig,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(polling, "SLICE_SECONDS", -1)
    user = dovecot.user()
    stranger = "Ivo Brandt <ivo.brandt@example.net>"
    for number in range(30):
        dovecot.deliver(user, mail(f"e2e-{number}", sender=stranger), received_at=live.clock())
    dovecot.deliver(user, b"\r\n\r\n", received_at=live.clock())
    page = enter(OWNER)
    watch().expect("status of 422")
    page.goto("/settings/profile")
    page.get_by_role("link", name="Channels").click()
    page.get_by_role("link", name="Connect mailbox").click()
    _fill(page, dovecot, user)
    page.get_by_label("Password").fill("a wrong one")
    page.get_by_role("button", name="Connect mailbox").click()
    expect(page.get_by_role("alert")).to_contain_text("refused the sign-in")
    expect(page.get_by_label("Password")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Password")).to_have_value("")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Front desk")
    page.get_by_label("Password").fill(user.password)
    page.get_by_role("button", name="Connect mailbox").click()
    expect(page.get_by_role("heading", name="Front desk", level=1)).to_be_visible()
    card = page.get_by_role("region", name="Front desk")
    expect(card).to_contain_text("Connected")
    expect(page.get_by_text("On the server", exact=True).locator("..")).to_contain_text("31")
    became = page.get_by_role("table", name="What became of the mails of this mailbox")
    expect(became).to_contain_text("30")
    page.get_by_role("link", name="It is empty").click()
    expect(page.get_by_label("The mail as text")).to_be_visible()
    page.goto("/triage")
    expect(page.get_by_text("Ivo Brandt").first).to_be_visible()


def test_it_is_paused_resumed_and_removed(
    live: Live, enter: Callable[..., Page], dovecot: DovecotRig
) -> None:
    user = dovecot.user()
    page = enter(OWNER)
    page.goto("/settings/channels/new")
    _fill(page, dovecot, user)
    page.get_by_label("Name", exact=True).fill("Side door")
    page.get_by_label("Password").fill(user.password)
    page.get_by_role("button", name="Connect mailbox").click()
    expect(page.get_by_role("heading", name="Side door", level=1)).to_be_visible()
    page.goto("/settings/channels")
    card = page.get_by_role("region", name="Side door")
    expect(card).to_contain_text("Connected")
    card.get_by_label("Acts for Side door").click()
    card.get_by_role("button", name="Pause").click()
    expect(toast(page, "Side door paused")).to_be_visible()
    expect(card).to_contain_text("Paused")
    card.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("region", name="Side door")).to_contain_text("Connected")
    page.get_by_label("Acts for Side door").click()
    page.get_by_role("button", name="Remove", exact=True).click()
    dialog = page.get_by_role("dialog", name="Remove Side door?")
    expect(dialog.get_by_role("button", name="Keep mailbox")).to_be_focused()
    dialog.get_by_role("button", name="Remove mailbox").click()
    expect(toast(page, "Side door removed. What came in stays.")).to_be_visible()
    expect(page.get_by_role("region", name="Side door")).to_have_count(0)


def test_an_mbox_is_imported_with_its_progress(
    live: Live, enter: Callable[..., Page], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A batch for each turn of the worker, so that the bar is seen on its way.
    monkeypatch.setattr(history, "SLICE_SECONDS", -1)
    path = tmp_path / "old-office.mbox"
    sender = "Priya Raman <priya.raman@example.com>"
    path.write_bytes(
        b"".join(
            SEPARATOR + mail(f"old-{number}", f"Page {number} of the file", sender=sender) + b"\n"
            for number in range(300)
        )
    )
    page = enter(OWNER)
    page.goto("/clients/import")
    page.get_by_role("main").get_by_role("link", name="Settings, Mail import").click()
    page.get_by_label("File", exact=True).set_input_files(path)
    page.get_by_role("button", name="Import mail").click()
    expect(page.get_by_role("heading", name="Import old-office.mbox")).to_be_visible()
    bar = page.get_by_role("progressbar")
    expect(page.get_by_text("Done: old-office.mbox")).to_be_visible(timeout=60_000)
    assert bar.evaluate("bar => bar.position") == 1
    page.get_by_role("link", name="Import another file").click()
    expect(page.get_by_role("link", name="old-office.mbox")).to_be_visible()


def test_an_import_under_way_is_cancelled(
    live: Live, enter: Callable[..., Page], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "SLICE_SECONDS", -1)
    path = tmp_path / "huge.mbox"
    text = "x" * 20_000
    path.write_bytes(
        b"".join(SEPARATOR + mail(f"huge-{number}", text) + b"\n" for number in range(1_500))
    )
    page = enter(OWNER)
    page.goto("/settings/mail-import")
    page.get_by_label("File", exact=True).set_input_files(path)
    page.get_by_role("button", name="Import mail").click()
    bar = page.get_by_role("progressbar")
    expect(bar).not_to_have_attribute("value", "0")
    page.get_by_role("button", name="Cancel import").click()
    expect(page.get_by_text("The import was cancelled.")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel import")).to_have_count(0)
    assert bar.evaluate("bar => bar.position") < 1


def test_old_mail_leaves_the_inbox_as_it_was(
    live: Live, enter: Callable[..., Page], tmp_path: Path
) -> None:
    page = enter(OWNER)
    page.goto("/inbox?scope=all")
    expect(rows(page).first).to_be_visible()
    before = rows(page).all_inner_texts()
    path = tmp_path / "one.eml"
    old = mail("quiet", sender="Priya Raman <priya.raman@example.com>")
    path.write_bytes(old.replace(b"10 Mar 2026", b"10 Feb 2026"))
    page.goto("/settings/mail-import")
    page.get_by_label("File", exact=True).set_input_files(path)
    page.get_by_role("button", name="Import mail").click()
    expect(page.get_by_text("Done: one.eml")).to_be_visible()
    page.goto("/inbox?scope=all")
    expect(rows(page).first).to_be_visible()
    assert rows(page).all_inner_texts() == before


def test_the_check_of_mail_out_tells_its_outcome(live: Live, enter: Callable[..., Page]) -> None:
    page = enter(OWNER)
    page.goto("/settings/channels")
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text("The check went well.")).to_be_visible()
