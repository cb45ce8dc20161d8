"""Idempotency keys: a call that is made again, whenever and by however many, sends once (Q10)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from casewell.messages.models import UnifiedMessage

KEY = {"Idempotency-Key": "letter-of-march-10"}


@pytest.fixture
def dana(staff):
    return staff(name="Dana Whitfield")


@pytest.fixture
def ana(client, dana, mail_of):
    made = client("Ana", "Ruiz", main=dana, emails=["ana@example.com"])
    mail_of(made)
    return made


def reply(person, ana, headers=KEY, **more):
    body = {"client_id": ana.id, "body": "By Friday.", **more}
    return person.api("POST", "/api/inbox/reply", body, headers=headers)


@pytest.fixture
def queued(database):
    def count():
        with database.reading() as session:
            ours = UnifiedMessage.direction == "outbound"
            return session.scalar(sa.select(sa.func.count(UnifiedMessage.id)).where(ours))

    return count


def test_Q10_calls_at_the_same_moment_are_one_message(dana, ana, sign_in, queued):
    people = [sign_in(dana) for _ in range(6)]
    for person in people:
        person.csrf()
    with ThreadPoolExecutor(len(people)) as pool:
        answers = list(pool.map(lambda person: reply(person, ana), people))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json["message_id"] for answer in answers}) == 1
    assert queued() == 1


def test_Q10_a_key_still_holds_when_its_message_has_long_left(
    dana, ana, sign_in, clock, run_due, queued, sent_mails
):
    first = reply(sign_in(dana), ana).json
    clock.move(minutes=1)
    run_due()
    clock.move(days=30)
    again = reply(sign_in(dana), ana)
    clock.move(minutes=1)
    run_due()
    assert again.json == {**first, "status": "sent", "leaves_at": None}
    assert (queued(), len(sent_mails)) == (1, 1)


def test_Q10_a_key_is_its_callers_own(dana, ana, staff, sign_in, queued):
    other = sign_in(staff("owner"))
    mine = reply(sign_in(dana), ana).json["message_id"]
    theirs = reply(other, ana, confirm=["answered_meanwhile"])
    assert theirs.status_code == 201
    assert theirs.json["message_id"] != mine
    assert queued() == 2


def test_Q10_a_call_that_was_refused_has_not_used_its_key_up(dana, ana, sign_in, queued):
    person = sign_in(dana)
    assert reply(person, ana, to="stranger@example.org").status_code == 422
    assert reply(person, ana, channel="sms").status_code == 422
    assert queued() == 0
    assert reply(person, ana).status_code == 201
    assert queued() == 1


def test_Q10_without_a_key_each_call_is_a_message(dana, ana, sign_in, queued):
    person = sign_in(dana)
    for _ in range(2):
        assert reply(person, ana, headers=None).status_code == 201
    assert queued() == 2


def test_Q10_a_key_shows_nobody_a_client_they_may_not_see(dana, ana, staff, sign_in):
    """Not even through the answer to an earlier call."""
    reply(sign_in(dana), ana)
    assert reply(sign_in(staff("case_manager")), ana).status_code == 404
