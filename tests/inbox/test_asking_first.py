"""Questions before an answer leaves: is it this client's, and is it still needed."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from casewell.kernel.access import Role
from casewell.messages.models import UnifiedMessage


@pytest.fixture
def world(staff, client, mail_of, sign_in):
    class World:
        dana = staff(name="Dana Whitfield", role=Role.MANAGER)
        ben = staff(name="Ben Osei", role=Role.MANAGER)
        ana = client("Ana", "Ruiz", main=dana, emails=["ana@example.com"])
        tom = client("Tomás", "de la Cruz", main=ben, emails=["tom@example.com"])
        first = mail_of(ana, "When will it be done?")

    World.person, World.colleague = sign_in(World.dana), sign_in(World.ben)
    World.path = f"/inbox/c/{World.ana.id}/reply"
    return World


def reply(person, world, **given):
    return person.api(
        "POST", "/api/inbox/reply", {"client_id": world.ana.id, "body": "By Friday.", **given}
    )


def count(database):
    with database.reading() as session:
        sent = sa.select(sa.func.count()).where(UnifiedMessage.direction == "outbound")
        return session.scalar(sent)


def test_an_answer_that_a_colleague_gave_meanwhile_stops_a_second_one(world, database):
    assert reply(world.colleague, world).status_code == 201
    asked = reply(world.person, world, seen=world.first)
    assert asked.status_code == 409
    assert asked.json["code"] == "needs_confirmation"
    assert "Ben Osei answered Ana Ruiz while you wrote" in asked.json["detail"]
    assert count(database) == 1
    assert (
        reply(world.person, world, seen=world.first, confirm=["answered_meanwhile"]).status_code
        == 201
    )


def test_what_one_has_seen_or_written_oneself_asks_nothing(world):
    seen = reply(world.colleague, world).json["message_id"]
    assert reply(world.person, world, seen=seen).status_code == 201
    assert reply(world.person, world, seen=seen).status_code == 201


def test_an_answer_that_was_taken_back_asks_nothing(world):
    message = reply(world.colleague, world).json["message_id"]
    world.colleague.post(f"/inbox/messages/{message}/undo")
    assert reply(world.person, world, seen=world.first).status_code == 201


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("As we told Tomás de la Cruz, it takes 30 days.", True),
        ("As we told TOMAS DE LA CRUZ it takes 30 days.", True),
        ("Tomás de la Cruz", True),
        ("Hello Tomás. De la Cruz is a street.", False),
        ("Dear Ana Ruiz, by Friday.", False),
        ("tomás de la cruz in a quote", False),
        ("Yes", False),
    ],
)
def test_another_clients_name_in_the_words_asks_first(world, database, words, named):
    answer = reply(world.person, world, body=words)
    assert answer.status_code == (409 if named else 201)
    if named:
        assert "It names Tomás de la Cruz, but goes to Ana Ruiz." in answer.json["detail"]
        assert count(database) == 0


def test_a_name_one_may_not_see_is_not_given_away(world, staff, client, sign_in, mail_of):
    paralegal = staff(name="Noor Haddad")
    mine = client("Lena", "Fischer", main=paralegal, emails=["lena@example.com"])
    mail_of(mine)
    answer = sign_in(paralegal).api(
        "POST", "/api/inbox/reply", {"client_id": mine.id, "body": "Ask Ana Ruiz."}
    )
    assert answer.status_code == 201


def test_the_page_keeps_the_words_and_offers_to_send_anyway(world, database):
    form = {"body": "As for Tomás de la Cruz", "key": "a-key-of-mine", "done": "1"}
    page = world.person.post(world.path, form)
    assert page.status_code == 422
    assert "As for Tomás de la Cruz" in page.text
    assert 'name="anyway" value="confirm=another_client_named done=1"' in page.text
    del form["done"]
    anyway = {**form, "anyway": "confirm=another_client_named done=1"}
    assert world.person.post(world.path, anyway).status_code == 303
    assert count(database) == 1
    listed = world.person.api("GET", "/api/inbox?status=done").json["items"]
    assert [one["client_id"] for one in listed] == [world.ana.id]


def test_questions_add_up_until_all_are_answered(world, database):
    reply(world.colleague, world)
    form = {
        "body": "As for Tomás de la Cruz",
        "key": "a-key-of-mine",
        "seen": world.first,
        "anyway": "confirm=another_client_named",
    }
    page = world.person.post(world.path, form)
    assert page.status_code == 422
    assert "Ben Osei answered" in page.text
    assert 'value="confirm=another_client_named confirm=answered_meanwhile"' in page.text
    assert count(database) == 1


@pytest.mark.parametrize("anyway", ["", "=", "confirm", "done=maybe", "send_at=never", "x" * 5000])
def test_a_button_that_says_nonsense_is_no_fault(world, anyway):
    form = {"body": "By Friday", "key": "a-key-of-mine", "anyway": anyway}
    assert world.person.post(world.path, form).status_code in (303, 422)
