"""What the team does with a conversation: in whose hands it is, put off, done, waited for."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from casewell.kernel.access import Role
from casewell.ledger.models import ActivityEvent
from casewell.messages.models import Conversation, Snooze


@pytest.fixture
def world(staff, client, mail_of, sign_in):
    class World:
        dana = staff(name="Dana Whitfield")
        ben = staff(Role.MANAGER, name="Ben Osei")
        marcus = staff(name="Marcus Hill")
        ana = client("Ana", "Ruiz", main=dana, emails=["ana@example.com"])
        first = mail_of(ana, "When will it be done?")

    World.person, World.colleague = sign_in(World.dana), sign_in(World.ben)
    World.path = f"/inbox/c/{World.ana.id}"
    return World


def talk(database):
    with database.reading() as session:
        return session.scalars(sa.select(Conversation)).one()


def kinds(database):
    with database.reading() as session:
        found = session.scalars(sa.select(ActivityEvent.kind).order_by(ActivityEvent.seq))
        return [kind for kind in found if kind.startswith("conversation.")]


def listed(person, **query):
    answer = person.get("/inbox", query_string=query)
    return re.findall(r'id="conv-(\d+)"', answer.text)


def reply(person, world, **given):
    body = {"client_id": world.ana.id, "body": "By Friday.", **given}
    return person.api("POST", "/api/inbox/reply", body).json["message_id"]


def test_a_new_conversation_is_with_whoever_is_responsible(world, database):
    assert talk(database).assignee_id == world.dana.id
    assert listed(world.person, scope="assigned") == [str(world.ana.id)]


def test_a_conversation_is_given_to_a_colleague_with_a_word(world, database):
    form = {"assignee_id": world.ben.id, "words": "Asks about fees"}
    assert world.person.post(f"{world.path}/assign", form).status_code == 303
    assert talk(database).assignee_id == world.ben.id
    assert kinds(database) == ["conversation.assigned"]
    assert "Dana Whitfield assigned Ana Ruiz to you" in world.colleague.get("/notifications").text
    assert listed(world.colleague, scope="assigned") == [str(world.ana.id)]
    assert listed(world.person, scope="assigned") == []


def test_whoever_gets_it_reads_along_from_then_on(world, mail_of):
    assert world.colleague.api("GET", "/api/inbox/unread").json["all"] == 0
    world.person.post(f"{world.path}/assign", {"assignee_id": world.ben.id})
    mail_of(world.ana, "One more thing")
    assert world.colleague.api("GET", "/api/inbox/unread").json["all"] == 1
    assert listed(world.colleague, scope="mine") == [str(world.ana.id)]


def test_nobody_gets_a_client_they_may_not_see(world, database):
    page = world.person.post(f"{world.path}/assign", {"assignee_id": world.marcus.id})
    assert page.status_code == 422
    assert "This colleague can't see the client" in page.text.replace("&#39;", "'")
    assert talk(database).assignee_id == world.dana.id
    assert "Marcus Hill" not in world.person.get(f"{world.path}/assign").text


def test_an_assignment_is_undone(world, database):
    world.person.post(f"{world.path}/assign", {"assignee_id": ""})
    assert talk(database).assignee_id is None
    assert listed(world.person, scope="unassigned") == [str(world.ana.id)]
    world.person.post(f"{world.path}/assign-back?to={world.dana.id}")
    assert talk(database).assignee_id == world.dana.id
    assert listed(world.person, scope="unassigned") == []


def test_one_takes_it_oneself(world, database):
    world.colleague.post(f"{world.path}/take")
    assert talk(database).assignee_id == world.ben.id
    world.colleague.post(f"{world.path}/take")
    assert kinds(database) == ["conversation.assigned"]
    assert "Nothing new" in world.colleague.get("/notifications").text


def test_who_is_no_longer_responsible_lets_it_go(world, database, sign_in, staff):
    owner = sign_in(staff(Role.OWNER))
    form = {"main_responsible_id": world.marcus.id}
    assert owner.post(f"/clients/{world.ana.id}/responsible", form).status_code == 303
    assert talk(database).assignee_id == world.marcus.id


def test_a_follower_reads_along_until_they_stop(world, mail_of):
    world.colleague.post(f"{world.path}/follow")
    mail_of(world.ana, "One more thing")
    assert world.colleague.api("GET", "/api/inbox/unread").json["all"] == 1
    world.colleague.post(f"{world.path}/unfollow")
    assert world.colleague.api("GET", "/api/inbox/unread").json["all"] == 0
    mail_of(world.ana, "And another")
    assert world.colleague.api("GET", "/api/inbox/unread").json["all"] == 0


def test_what_one_has_read_a_follower_has_still_to_read(world, mail_of):
    world.colleague.post(f"{world.path}/follow")
    last = mail_of(world.ana, "One more thing")
    world.person.api("PUT", f"/api/inbox/{last}/read")
    assert world.person.api("GET", "/api/inbox/unread").json["all"] == 0
    assert world.colleague.api("GET", "/api/inbox/unread").json["all"] == 1


def test_a_snoozed_one_is_out_of_sight_until_its_time(world, database, clock, run_due):
    world.person.post(f"{world.path}/snooze", {"until": "later"})
    assert listed(world.person) == []
    assert listed(world.person, state="snoozed") == [str(world.ana.id)]
    clock.move(hours=2)
    run_due()
    assert talk(database).state == "snoozed"
    clock.move(hours=1, seconds=1)
    run_due()
    assert talk(database).state == "open"
    assert kinds(database) == ["conversation.snoozed", "conversation.woken"]


def test_waking_twice_happens_once_and_is_told_to_who_snoozed(
    world, database, clock, run_due, sign_in
):
    world.person.post(f"{world.path}/snooze", {"until": "later"})
    clock.move(hours=3, seconds=1)
    run_due()
    with database.writing() as session:
        session.execute(sa.update(Snooze).values(due_at=clock()))
    run_due()
    assert kinds(database) == ["conversation.snoozed", "conversation.woken"]
    assert "the time you snoozed it for is over" in sign_in(world.dana).get("/notifications").text


def test_the_clients_next_words_end_a_snooze_at_once(world, database, mail_of, clock, run_due):
    world.person.post(f"{world.path}/snooze", {"until": "answer"})
    assert listed(world.person) == []
    clock.move(days=1)
    run_due()
    assert talk(database).state == "snoozed"
    mail_of(world.ana, "Here I am")
    now = talk(database)
    assert (now.state, now.snoozed_until) == ("open", None)


def test_what_was_opened_by_hand_is_not_woken_again(world, database, clock, run_due):
    world.person.post(f"{world.path}/snooze", {"until": "later"})
    world.person.post(f"{world.path}/reopen")
    world.person.post(f"{world.path}/done")
    clock.move(hours=4)
    run_due()
    assert talk(database).state == "done"


@pytest.mark.parametrize(
    ("until", "at"),
    [("time", ""), ("time", "2020-01-01T09:00"), ("time", "0001-01-01T00:00"), ("never", "")],
)
def test_a_snooze_that_makes_no_sense_is_refused(world, database, until, at):
    assert world.person.post(f"{world.path}/snooze", {"until": until, "at": at}).status_code == 422
    assert talk(database).state == "open"


def test_a_snooze_ends_on_the_clock_of_who_pressed_it(world, database):
    world.person.post(f"{world.path}/snooze", {"until": "time", "at": "2026-03-20T08:30"})
    assert talk(database).snoozed_until.isoformat() == "2026-03-20T13:30:00+00:00"
    assert "Until Mar 20, 8:30 AM" in world.person.get("/inbox?state=snoozed").text


def test_a_client_waits_from_their_first_words_until_they_are_answered(world, database, mail_of):
    since = talk(database).waiting_since
    assert since is not None
    mail_of(world.ana, "Hello?")
    assert talk(database).waiting_since == since
    reply(world.person, world)
    assert talk(database).waiting_since is None
    mail_of(world.ana, "Thank you, but when?")
    assert talk(database).waiting_since > since


def test_an_answer_that_is_taken_back_was_none(world, database):
    since = talk(database).waiting_since
    message = reply(world.person, world)
    world.person.post(f"/inbox/messages/{message}/undo")
    assert talk(database).waiting_since == since


def test_done_ends_the_waiting_and_an_automatic_mail_begins_none(world, database, mail_of):
    world.person.post(f"{world.path}/done")
    assert talk(database).waiting_since is None
    mail_of(world.ana, "I am away", kind="auto-reply")
    assert talk(database).waiting_since is None


def test_the_list_tells_who_waits_and_since_when(world, clock, mail_of, client):
    other = client("Lena", "Fischer", main=world.dana, emails=["lena@example.com"])
    mail_of(other, out=True)
    clock.move(minutes=20)
    assert listed(world.person, waiting=1) == [str(world.ana.id)]
    assert re.search(r"Waiting 20 min", world.person.get("/inbox").text)


def test_one_client_alone_is_listed(world, client, mail_of):
    other = client("Lena", "Fischer", main=world.dana, emails=["lena@example.com"])
    mail_of(other)
    assert len(listed(world.person)) == 2
    assert listed(world.person, client=other.id) == [str(other.id)]
    assert listed(world.person, client=999_999) == []


def test_filters_stand_in_the_address_and_go_along(world):
    page = world.person.get("/inbox?waiting=1&scope=assigned").text
    assert f"/inbox/c/{world.ana.id}?scope=assigned&amp;waiting=1" in page


def test_fifty_conversations_take_no_more_statements_than_one(
    world, client, mail_of, count_queries
):
    world.person.get("/inbox?scope=assigned")
    with count_queries() as one:
        world.person.get("/inbox?scope=assigned")
    for number in range(20):
        mail_of(
            client(f"Client{number}", "Moss", main=world.dana, emails=[f"c{number}@example.com"])
        )
    with count_queries() as twenty:
        world.person.get("/inbox?scope=assigned")
    assert len(twenty) == len(one)


def test_a_reader_may_follow_and_decide_nothing(world, staff, sign_in):
    viewer = sign_in(staff(Role.VIEWER))
    assert viewer.post(f"{world.path}/follow").status_code == 303
    for act in ("snooze", "assign", "take", "done"):
        assert viewer.post(f"{world.path}/{act}").status_code == 403
