"""Mails that could not be read: looked at as text, downloaded, tried again."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from casewell.email.arrival import Arrived, keep_raw, register
from casewell.email.models import InboundMail, InboundState, Source
from casewell.kernel.access import Role
from casewell.ledger.models import AuditEvent
from casewell.providers.files import FileStore
from tests.rigs.mail_in import mail

EVIL = b"Subject: <script>alert(1)</script>\r\n\r\n<img src=x onerror=alert(1)>\x00\xff\r\n"


@pytest.fixture
def manager(sign_in, staff):
    return sign_in(staff(Role.MANAGER))


@pytest.fixture
def quarantined(runtime, clock):
    """Keeps mails as such that could not be read; returns their ids."""

    def keep(*raws, reason="it has too many parts"):
        arrived = keep_raw(runtime, [Arrived(raw, len(raw), clock()) for raw in raws])
        with runtime.database.writing() as session:
            ids = register(session, runtime, arrived, source=Source.WEBHOOK)
            session.execute(
                sa.update(InboundMail)
                .where(InboundMail.id.in_(ids))
                .values(state=InboundState.QUARANTINED, reason=reason, due_at=None)
            )
        return ids

    return keep


def test_they_stand_in_a_list_with_the_reason(manager, quarantined):
    quarantined(EVIL)
    page = manager.get("/settings/channels/unreadable").text
    assert "It has too many parts" in page
    assert "by webhook" in page
    assert "Try again" in page
    assert "1 unreadable mail" in manager.get("/settings/channels").text


def test_none_is_said_too(manager):
    assert "Every mail could be read" in manager.get("/settings/channels/unreadable").text


def test_C17_a_mail_is_shown_as_text_and_nothing_in_it_acts(manager, quarantined, database):
    (one,) = quarantined(EVIL)
    answer = manager.get(f"/settings/channels/unreadable/{one}")
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert "<img src=x" not in answer.text
    assert "&lt;script&gt;alert(1)" in answer.text
    with database.reading() as session:
        entry = session.scalars(sa.select(AuditEvent)).one()
    assert (entry.kind, entry.staff_id) == ("mail.raw_read", manager.staff.id)


def test_K02_it_is_downloaded_as_it_came_and_never_opened_here(manager, quarantined, database):
    (one,) = quarantined(EVIL)
    answer = manager.get(f"/settings/channels/unreadable/{one}.eml")
    assert answer.data == EVIL
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.mimetype == "application/octet-stream"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    with database.reading() as session:
        assert session.scalars(sa.select(AuditEvent.kind)).all() == ["mail.raw_read"]


def test_of_a_large_one_the_beginning_is_shown(manager, quarantined):
    (one,) = quarantined(b"Subject: x\r\n\r\n" + b"y" * 300_000 + b"the end")
    page = manager.get(f"/settings/channels/unreadable/{one}").text
    assert "Only its beginning is shown" in page
    assert "the end" not in page


def test_it_is_read_again_when_asked(manager, quarantined, run_due, database):
    (one,) = quarantined(mail(1))
    assert manager.post(f"/settings/channels/unreadable/{one}/try-again").status_code == 303
    run_due()
    with database.reading() as session:
        row = session.get_one(InboundMail, one)
        assert (row.state, row.reason) == (InboundState.TAKEN_IN, "")
    assert manager.post(f"/settings/channels/unreadable/{one}/try-again").status_code == 409


def test_one_that_still_cannot_be_read_comes_back(manager, quarantined, run_due, database):
    (one,) = quarantined(b"\r\n")
    manager.post(f"/settings/channels/unreadable/{one}/try-again")
    run_due()
    with database.reading() as session:
        row = session.get_one(InboundMail, one)
    assert (row.state, row.reason) == (InboundState.QUARANTINED, "it is empty")


def test_bytes_that_are_gone_are_no_error_of_ours(manager, quarantined, runtime, database):
    (one,) = quarantined(EVIL)
    with database.reading() as session:
        runtime.provider(FileStore).delete(session.get_one(InboundMail, one).file_key)
    for path in (
        f"/settings/channels/unreadable/{one}",
        f"/settings/channels/unreadable/{one}.eml",
    ):
        assert manager.get(path).status_code == 404


def test_many_come_page_by_page(manager, quarantined):
    ids = quarantined(*(mail(number) for number in range(60)))
    page = manager.get("/settings/channels/unreadable").text
    (more,) = re.findall(r'href="([^"]*after=[^"]*)"', page)
    rest = manager.get(more.replace("&amp;", "&"), htmx=True).text
    shown = re.findall(r'unreadable/(\d+)"', page) + re.findall(r'unreadable/(\d+)"', rest)
    assert sorted(map(int, shown)) == sorted(ids)
    assert manager.get("/settings/channels/unreadable?after=nonsense").status_code == 400


def test_R2_a_mail_that_was_read_is_not_found_here(manager, quarantined, run_due):
    (one,) = quarantined(mail(1))
    manager.post(f"/settings/channels/unreadable/{one}/try-again")
    run_due()
    for number in (one, 99, 2**63, 2**70):
        path = f"/settings/channels/unreadable/{number}"
        assert manager.get(path).status_code == 404
        assert manager.get(f"{path}.eml").status_code == 404
    for number in (99, 2**70):
        path = f"/settings/channels/unreadable/{number}/try-again"
        assert manager.post(path).status_code in (404, 405)
    assert manager.get("/settings/channels/unreadable?mailbox=99").status_code == 404
    for number in ("x", 2**70, -1):
        assert manager.get(f"/settings/channels/unreadable?mailbox={number}").status_code == 200


@pytest.mark.parametrize("role", [Role.ATTORNEY, Role.CASE_MANAGER, Role.VIEWER])
def test_R3_they_are_for_those_who_see_every_client_and_manage(sign_in, staff, quarantined, role):
    (one,) = quarantined(EVIL)
    me = sign_in(staff(role))
    for path in ("", f"/{one}", f"/{one}.eml"):
        assert me.get(f"/settings/channels/unreadable{path}").status_code == 403
    assert me.post(f"/settings/channels/unreadable/{one}/try-again").status_code == 403
