"""System mail: what it says it is, and what becomes of it when it can't be sent."""

from email import message_from_bytes, policy

import pytest

from casewell.providers.errors import Rejected, Unavailable
from casewell.staff.models import SystemMail


@pytest.fixture
def waiting(visitor, staff):
    ana = staff()
    assert visitor.post("/sign-in/reset", {"email": ana.email}).status_code == 200
    return ana


def test_it_says_that_no_person_wrote_it(waiting, run_due, sent_mails):
    run_due()
    sender, recipients, raw = sent_mails[0]
    mail = message_from_bytes(raw, policy=policy.default)
    assert sender == "office@firm.example"
    assert recipients == [waiting.email]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert mail["From"] == "Harbor Law Group <office@firm.example>"
    assert mail["Date"]
    assert mail["Message-ID"]


def test_it_is_sent_once(waiting, run_due, sent_mails, clock, row):
    assert run_due() == 1
    clock.move(hours=1)
    assert run_due() == 0
    assert len(sent_mails) == 1
    assert row(SystemMail, 1).sent_at is not None


def failing(outbox, error):
    def send(*_args, **_named):
        raise error

    outbox.send = send


def test_an_absent_server_is_tried_again(waiting, run_due, outbox, clock, row):
    send = outbox.send
    failing(outbox, Unavailable("The mail server did not answer."))
    run_due()
    assert row(SystemMail, 1).last_error == "The mail server did not answer."
    del outbox.send
    assert outbox.send.__func__ is send.__func__
    clock.move(hours=1)
    run_due()
    assert len(outbox.mails) == 1


def test_a_refused_mail_is_given_up(waiting, run_due, outbox, clock, row):
    failing(outbox, Rejected("No such mailbox."))
    run_due()
    clock.move(hours=2)
    assert run_due() == 0
    assert row(SystemMail, 1).last_error == "No such mailbox."
