"""Answers that leave later, and the way an answer takes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from casewell.clients.models import ClientEmail, PreferredChannel
from casewell.messages.models import Delivery, UnifiedMessage


@pytest.fixture
def world(staff, client, mail_of, sign_in):
    class World:
        dana = staff(name="Dana Whitfield")  # in Chicago
        ana = client("Ana", "Ruiz", main=dana, emails=["ana@example.com", "home@example.net"])
        first = mail_of(ana, "When will it be done?")

    World.person = sign_in(World.dana)
    World.path = f"/inbox/c/{World.ana.id}/reply"
    return World


def reply(world, **given):
    return world.person.api(
        "POST", "/api/inbox/reply", {"client_id": world.ana.id, "body": "By Friday.", **given}
    )


def test_a_message_leaves_at_the_time_it_was_written_for(
    world, clock, run_due, sent_mails, database
):
    at = clock() + timedelta(hours=20)
    answer = reply(world, send_at=at.isoformat())
    assert answer.status_code == 201
    assert datetime.fromisoformat(answer.json["leaves_at"]) == at
    clock.move(hours=19)
    run_due()
    assert sent_mails == []
    clock.move(hours=1, seconds=1)
    run_due()
    assert len(sent_mails) == 1
    with database.reading() as session:
        message = session.get_one(UnifiedMessage, answer.json["message_id"])
        assert message.occurred_at == clock()  # it stands where it left, not where it was written


def test_what_came_meanwhile_stands_before_it(world, clock, run_due, mail_of):
    message = reply(world, send_at=(clock() + timedelta(minutes=20)).isoformat()).json["message_id"]
    clock.move(minutes=10)
    later = mail_of(world.ana, "One more thing")
    clock.move(minutes=15)
    run_due()
    thread = world.person.api("GET", f"/api/inbox/client/{world.ana.id}").json["items"]
    assert [one["id"] for one in thread][:2] == [message, later]
    [row] = world.person.api("GET", "/api/inbox").json["items"]
    assert row["last_message_id"] == message


def test_the_page_takes_the_writers_own_clock_and_says_when(world, database):
    form = {"body": "Hi", "key": "a-key-of-mine", "send_at": "2026-03-12T09:00"}
    page = world.person.post(world.path, form, htmx=True)
    assert "leaves Thursday, March 12, 9:00 AM" in page.text
    assert "Leaves Thursday, March 12, 9:00 AM" in page.text
    with database.reading() as session:
        nine_in_chicago = datetime(2026, 3, 12, 14, tzinfo=UTC)
        assert session.scalar(sa.select(Delivery.due_at)) == nine_in_chicago


def test_another_time_counts_only_where_its_button_was_pressed(world, database):
    form = {"body": "Hi", "key": "a-key-of-mine", "other_time": "2026-03-12T09:00"}
    world.person.post(world.path, form)
    with database.reading() as session:
        assert session.scalar(sa.select(Delivery.scheduled_for)) is None
    world.person.post(world.path, {**form, "key": "another-key", "at_other_time": "1"})
    with database.reading() as session:
        assert session.scalars(sa.select(Delivery.scheduled_for)).all()[1] is not None
    missing = {"body": "Hi", "key": "a-third-key", "at_other_time": "1"}
    assert "Choose a day and a time first" in world.person.post(world.path, missing).text


@pytest.mark.parametrize(
    "at", ["2020-01-01T09:00", "2099-01-01T09:00", "0001-01-01T00:00", "9999-12-31T23:59"]
)
def test_a_time_that_makes_no_sense_is_refused_in_words(world, at):
    form = {"body": "Hi", "key": "a-key-of-mine", "send_at": at}
    page = world.person.post(world.path, form)
    assert page.status_code == 422
    assert "still to come, within a year" in page.text
    assert reply(world, send_at=f"{at}:00Z").status_code == 422


def test_a_scheduled_message_can_be_taken_back_and_sent_now(world, clock, run_due, sent_mails):
    at = (clock() + timedelta(days=2)).isoformat()
    first, second = (reply(world, send_at=at).json["message_id"] for _ in range(2))
    world.person.post(f"/inbox/messages/{first}/undo")
    world.person.post(f"/inbox/messages/{second}/now")
    clock.move(seconds=1)
    run_due()
    assert len(sent_mails) == 1


def test_a_reply_says_which_way_it_goes_and_why(world, database):
    answer = reply(world).json
    assert (answer["channel"], answer["to"]) == ("email", "ana@example.com")
    assert answer["why"] == "Auto: last message was email."
    named = reply(world, channel="email", to="home@example.net").json
    assert (named["to"], named["why"]) == ("home@example.net", "")


def test_an_address_that_bounced_is_passed_over(world, database, clock):
    with database.writing() as session:
        session.execute(
            sa.update(ClientEmail)
            .where(ClientEmail.address == "ana@example.com")
            .values(bounced_at=clock())
        )
    assert reply(world).json["to"] == "home@example.net"


def test_the_same_key_gives_the_same_answer_with_its_reason(world):
    key = {"Idempotency-Key": "once-and-once-only"}
    body = {"client_id": world.ana.id, "body": "By Friday."}
    first = world.person.api("POST", "/api/inbox/reply", body, headers=key)
    again = world.person.api("POST", "/api/inbox/reply", body, headers=key)
    assert first.json == again.json


def test_a_channel_nothing_is_set_up_for_gives_way_and_can_not_be_chosen(
    world, staff, client, sign_in
):
    caller = client(
        "Lena",
        "Fischer",
        main=world.dana,
        emails=["lena@example.com"],
        preferred_channel=PreferredChannel.CALL,
    )
    body = {"client_id": caller.id, "body": "Hello", "subject": "Welcome"}
    answer = world.person.api("POST", "/api/inbox/reply", body)
    assert answer.json["channel"] == "email"
    refused = world.person.api("POST", "/api/inbox/reply", {**body, "channel": "call"})
    assert refused.status_code == 422
