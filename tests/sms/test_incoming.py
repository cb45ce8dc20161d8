"""Texts that come in: whose they are, what they ask for, and that each comes once."""

from __future__ import annotations

import time

import pytest
import sqlalchemy as sa

from casewell.clients import consent
from casewell.clients.models import ConsentState, ContactConsent
from casewell.kernel.jobs import sweep
from casewell.ledger.models import ActivityEvent
from casewell.ledger.service import verify
from casewell.messages.models import MessageStatus, TriageSender, UnifiedMessage
from casewell.sms.models import SMSMessage
from tests.sms.conftest import OURS, THEIRS

PATH = "/hooks/twilio/sms"


@pytest.fixture
def rows(database):
    def read(statement):
        with database.reading() as session:
            return session.scalars(statement).all()

    return read


def standing(database, client):
    with database.reading() as session:
        return consent.standing(session, client.id, THEIRS)


def test_a_text_goes_to_its_client(comes, ana, rows):
    assert comes("When will you write to them?\nAna").status_code == 204
    (message,) = rows(sa.select(SMSMessage))
    assert (message.client_id, message.body_text) == (ana.id, "When will you write to them?\nAna")
    assert (message.from_number, message.to_number) == (THEIRS, OURS)
    assert message.status is MessageStatus.RECEIVED


def test_a_number_that_nobody_has_goes_to_the_tray(comes, ana, rows):
    comes("Who is this?", sender="+13125550199")
    (sender,) = rows(sa.select(TriageSender))
    assert (sender.address, sender.name) == ("+13125550199", "(312) 555-0199")


def test_E10_a_number_of_two_clients_goes_to_the_tray(comes, ana, client, rows):
    client("Bruno", "Ruiz", phones=[THEIRS])
    comes("It is me")
    (message,) = rows(sa.select(SMSMessage))
    assert message.client_id is None


def test_a_text_that_is_told_twice_is_kept_once(comes, ana, rows):
    for _ in range(3):
        assert comes("Hello", MessageSid="SMtwice").status_code == 204
    assert len(rows(sa.select(UnifiedMessage.id))) == 1


@pytest.mark.parametrize("sender", ["32665", "Equifax", "+999", "", "+1 (312) 555-0148"])
def test_H09_whatever_a_sender_is_called_it_is_kept(comes, ana, rows, sender):
    assert comes("Hello", sender=sender).status_code == 204
    assert len(rows(sa.select(UnifiedMessage.id))) == 1


def test_H11_characters_that_nobody_sees_are_left_out(comes, ana, rows):
    comes("a\u202eb\u0000c\nd at 9\u202fAM\ton\u00a0Monday 👩\u200d👧")
    assert rows(sa.select(SMSMessage.body_text)) == ["abc\nd at 9 AM on Monday 👩\u200d👧"]


def test_H01_stop_ends_all_texts_at_once(comes, ana, text, database, delivery, sms, runtime):
    waiting = text(ana)
    comes("STOP")
    assert delivery(waiting).status is MessageStatus.FAILED
    assert "opted out" in delivery(waiting).last_error
    found = standing(database, ana)
    assert (found.state, found.by_number, found.latest.words) == (
        ConsentState.WITHDRAWN,
        True,
        "STOP",
    )
    runtime.now.move(minutes=5)
    sweep(runtime)
    assert sms.texts == []


def test_H01_stop_is_confirmed_once_where_the_carrier_does_not(comes, ana):
    first = comes("please stop texting me")
    assert first.mimetype == "text/xml"
    assert "Harbor Law Group" in first.get_data(as_text=True)
    assert comes("please stop texting me").status_code == 204
    assert comes("STOP").status_code == 204


def test_H01_start_lets_texts_go_again(comes, ana, text, database):
    comes("Stop.")
    comes("start")
    assert standing(database, ana).is_granted
    text(ana)


def test_H01_yes_starts_only_what_was_stopped(comes, ana, client, database):
    other = client("Bruno", "Salas", phones=["+13125550149"])
    comes("STOP")
    comes("yes")
    assert standing(database, ana).is_granted
    with database.reading() as session:
        assert consent.standing(session, other.id, "+13125550149").state is None


def test_H01_help_names_the_firm_and_is_answered_once(comes, ana):
    answer = comes("HELP", MessageSid="SMhelp")
    assert "Harbor Law Group: write to" in answer.get_data(as_text=True)
    assert comes("HELP", MessageSid="SMhelp").status_code == 204
    assert comes("HELP", OptOutType="HELP").status_code == 204


def test_H01_what_may_be_a_stop_is_for_a_person(comes, ana, database, rows):
    comes("stop the dispute with Experian")
    assert standing(database, ana).is_granted
    assert rows(sa.select(SMSMessage.may_ask_to_stop)) == [True]


def test_H01_an_opt_out_is_the_numbers_even_where_nobody_has_it(comes, client, database):
    comes("STOP")
    late = client("Late", "Comer", phones=[THEIRS])
    assert standing(database, late).by_number


def test_H07_who_agreed_when_and_in_what_words_is_kept_for_good(comes, ana, rows, database):
    comes("STOP")
    comes("START")
    told = rows(sa.select(ContactConsent).where(ContactConsent.client_id == ana.id))
    assert [(one.state.value, one.source.value, one.words) for one in told] == [
        ("granted", "staff", "Signed the intake form."),
        ("withdrawn", "text", "STOP"),
        ("granted", "text", "START"),
    ]
    kinds = rows(
        sa.select(ActivityEvent.kind)
        .where(ActivityEvent.kind.like("client.texts%"))
        .order_by(ActivityEvent.id)
    )
    assert kinds == ["client.texts_allowed", "client.texts_stopped", "client.texts_allowed"]
    with database.reading() as session:
        assert not list(verify(session))


def test_who_writes_first_may_be_answered(comes, client, database, rows):
    new = client("New", "Comer", phones=[THEIRS])
    comes("Can you help me with a report?")
    assert standing(database, new).is_granted
    assert rows(sa.select(ContactConsent.source)) == ["wrote"]


def test_H08_consent_does_not_follow_a_number(comes, ana, client, database):
    other = client("Bruno", "Salas", phones=[THEIRS])
    assert standing(database, other).state is None


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"given": ""}, 403),
        ({"given": "AAAA"}, 403),
        ({"sign_with": "another-token"}, 403),
        ({"AccountSid": "AC" + "1" * 32}, 403),
        ({"MessageSid": ""}, 400),
        ({"MessageSid": "../x"}, 400),
    ],
)
def test_I01_what_is_not_signed_by_our_account_leaves_nothing(comes, ana, dump, fields, status):
    before = dump()
    assert comes("Hello", **fields).status_code == status
    assert dump() == before


def test_I01_without_twilio_there_is_no_such_door(runtime, firm, dump):
    from dataclasses import replace

    from casewell.app import create_app

    for name in ("off", "console"):
        made = replace(runtime, settings=runtime.settings.model_copy(update={"sms": name}))
        http = create_app(made).test_client()
        assert http.post(PATH, data={"MessageSid": "SM1"}).status_code == 404
        assert http.post("/hooks/twilio/status", data={}).status_code == 404


def test_a_body_that_is_too_large_is_refused(comes, ana, dump):
    before = dump()
    assert comes("x" * 200_000).status_code == 413
    assert dump() == before


def test_I07_where_nothing_can_be_kept_twilio_is_told(comes, ana, database, rows):
    with database.writing() as session:
        session.execute(sa.text("SELECT 1" if database.is_sqlite else "LOCK TABLE messages"))
        begun = time.monotonic()
        assert comes("Hello").status_code == 503
        assert time.monotonic() - begun < 5
    assert rows(sa.select(UnifiedMessage.id)) == []
    assert comes("Hello").status_code == 204
