"""The pages of a mail import, from the upload to what became of each mail."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
import sqlalchemy as sa

from casewell.app import create_app
from casewell.email import history
from casewell.email.models import MailImport, MailImportState
from casewell.kernel.access import Role
from casewell.providers.files import FileStore
from tests.rigs.installation import Person
from tests.rigs.mail_in import mail

SEPARATOR = b"From ana@example.com Tue Mar 10 15:00:00 2026\n"


@pytest.fixture
def manager(sign_in, staff):
    return sign_in(staff(Role.MANAGER))


def mbox(count):
    return b"".join(SEPARATOR + mail(number) + b"\n" for number in range(count))


def upload(me, content, name="old.mbox"):
    return me.post("/settings/mail-import", {"file": (io.BytesIO(content), name)})


def imports(database):
    with database.reading() as session:
        return session.scalars(sa.select(MailImport)).all()


def test_a_file_is_uploaded_watched_and_its_outcome_told(
    manager, client, run_due, monkeypatch, database
):
    client(emails=["marisol@example.com"])
    monkeypatch.setattr(history, "SLICE_SECONDS", -1)
    stranger = mail("s", sender="Stranger <nobody@example.net>")
    answer = upload(manager, mbox(30) + SEPARATOR + stranger + b"\n" + SEPARATOR + b"\n")
    assert answer.status_code == 303
    address = answer.headers["Location"]
    page = manager.get(address).text
    assert "Waiting: old.mbox" in page
    assert "every 2s" in page
    run_due()
    part = manager.get(f"{address}/progress", htmx=True).text
    assert "<html" not in part
    assert "Reading: old.mbox" in part
    assert "Cancel import" in part
    assert "7 of 8 kB read" in part
    while run_due():
        pass
    part = manager.get(f"{address}/progress", htmx=True).text
    assert "every 2s" not in part
    assert "Done: old.mbox" in part
    assert 'value="8" max="8"' in part
    for words in ("In conversations", "In triage", "Could not be read"):
        assert words in part
    assert 'href="/triage"' in part
    assert 'href="/settings/channels/unreadable"' in part
    assert "old.mbox" in manager.get("/settings/mail-import").text
    assert imports(database)[0].staff_id == manager.staff.id


def test_it_can_be_cancelled(manager, run_due, database):
    address = upload(manager, mbox(3)).headers["Location"]
    assert manager.post(f"{address}/cancel").status_code == 303
    assert "The import was cancelled." in manager.get(address).text
    run_due()
    assert imports(database)[0].state is MailImportState.CANCELLED
    assert manager.post(f"{address}/cancel").status_code == 303


def test_a_file_without_mails_says_so(manager, run_due):
    address = upload(manager, SEPARATOR).headers["Location"]
    run_due()
    page = manager.get(address).text
    assert "There was no mail in this file." in page or "Could not be read" in page


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "neither an mbox file nor a mail"), (b"PK\x03\x04", "neither an mbox file nor a mail")],
)
def test_K06_a_file_that_holds_no_mail_is_told(manager, database, content, words):
    answer = upload(manager, content)
    assert answer.status_code == 422
    assert words in answer.text
    assert imports(database) == []


def test_R5_a_form_without_a_file_is_told(manager):
    answer = manager.post("/settings/mail-import", {})
    assert answer.status_code == 422
    assert "Choose a file." in answer.text


def test_P02_a_file_over_the_limit_is_told_with_the_limit(
    manager, runtime, settings_of, firm, database
):
    small = replace(runtime, settings=settings_of(mail_import_max_bytes=1_000_000))
    me = Person(create_app(small), manager.staff)
    me.http.set_cookie("casewell-session", manager.http.get_cookie("casewell-session").value)
    answer = upload(me, mail(1, "x" * 1_050_000), "one.eml")
    assert answer.status_code == 413
    assert "more than 1 MB" in answer.text
    answer = upload(me, mail(1, "x" * 2_000_000), "one.eml")
    assert answer.status_code == 413
    assert "more than 1 MB" in answer.text
    assert upload(me, mail(1, "x" * 900_000), "one.eml").status_code == 303
    assert len(imports(database)) == 1


def test_P02_a_file_beyond_what_other_requests_may_hold_is_taken(manager, database, runtime):
    answer = upload(manager, mail(1, "x" * 50_000_000), "large.eml")
    assert answer.status_code == 303
    assert len(list(runtime.provider(FileStore).keys())) == 1


@pytest.mark.parametrize("role", [Role.ATTORNEY, Role.CASE_MANAGER, Role.VIEWER])
def test_R3_only_managers_import(sign_in, staff, role):
    me = sign_in(staff(role))
    assert me.get("/settings/mail-import").status_code == 403
    assert upload(me, mbox(1)).status_code == 403
    assert me.get("/settings/mail-import/1").status_code == 403


def test_R2_an_absent_import_is_not_found(manager):
    for number in (99, 2**63, 2**70):
        path = f"/settings/mail-import/{number}"
        assert manager.get(path).status_code == 404
        assert manager.get(f"{path}/progress").status_code == 404
        assert manager.post(f"{path}/cancel").status_code in (404, 405)


def test_C17_a_hostile_name_is_shown_as_text(manager):
    evil = "<img src=x onerror=alert(1)>.mbox"
    address = upload(manager, mbox(1), evil).headers["Location"]
    assert evil not in manager.get(address).text
    assert evil not in manager.get("/settings/mail-import").text


def test_both_imports_point_to_each_other(manager):
    assert 'href="/settings/mail-import"' in manager.get("/clients/import").text
    assert 'href="/clients/import"' in manager.get("/settings/mail-import").text
