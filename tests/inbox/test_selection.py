"""Several conversations at once: the bar under the list."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from casewell.kernel.access import Role
from casewell.ledger.models import ActivityEvent
from casewell.messages.models import Conversation


@pytest.fixture
def world(staff, client, mail_of, sign_in):
    dana = staff(name="Dana Whitfield")
    ben = staff(Role.MANAGER, name="Ben Osei")
    marcus = staff(name="Marcus Hill")
    clients = [
        client(name, "Ruiz", main=dana, emails=[f"{name.lower()}@example.com"])
        for name in ("Ana", "Bea", "Cleo")
    ]
    foreign = client("Dora", "Vale", main=marcus, emails=["dora@example.com"])
    for one in (*clients, foreign):
        mail_of(one, "When will it be done?")
    return SimpleNamespace(
        dana=dana,
        ben=ben,
        marcus=marcus,
        foreign=foreign,
        ids=[one.id for one in clients],
        person=sign_in(dana),
        colleague=sign_in(ben),
    )


@pytest.fixture
def talks(database):
    def read():
        with database.reading() as session:
            return {one.client_id: one for one in session.scalars(sa.select(Conversation))}

    return read


def act(person, name, clients, **given):
    return person.post(f"/inbox/selected/{name}", {"clients": clients, **given})


def listed(person, **query):
    return re.findall(r'id="conv-(\d+)"', person.get("/inbox", query_string=query).text)


def said(person):
    page = person.get("/inbox").text
    return [text for text in re.findall(r"data-toast-text>([^<]*)<", page) if text][-1]


def undo(person):
    """Press Undo in the toast of the next page, as its form does."""
    page = person.get("/inbox").text
    addresses = re.findall(r'action="([^"]*)"[^>]*data-toast-undo', page)
    address = [one for one in addresses if "selected" in one][-1]
    return person.post(address.replace("&amp;", "&"), {})


def without_tokens(page):
    return re.sub(r'(csrf[-_]token" (?:content|value)=")[^"]*', r"\1", page)


def told(database, client_id):
    query = sa.select(ActivityEvent.kind).where(ActivityEvent.client_id == client_id)
    with database.reading() as session:
        kinds = session.scalars(query.order_by(ActivityEvent.seq))
        return [kind for kind in kinds if kind.startswith("conversation.")]


def test_some_are_done_at_once_and_each_ledger_says_so(world, talks, database):
    assert act(world.person, "done", world.ids[:2]).status_code == 303
    states = {client_id: talk.state for client_id, talk in talks().items()}
    assert [states[one] for one in world.ids] == ["done", "done", "open"]
    assert told(database, world.ids[0]) == told(database, world.ids[1]) == ["conversation.done"]
    assert told(database, world.ids[2]) == []


def test_undo_opens_those_that_were_changed_and_no_others(world, talks, database):
    act(world.person, "done", [world.ids[0]])
    act(world.person, "done", world.ids)
    assert undo(world.person).status_code == 303
    states = {client_id: talk.state for client_id, talk in talks().items()}
    assert [states[one] for one in world.ids] == ["done", "open", "open"]


def test_the_toast_tells_how_many(world):
    act(world.person, "done", world.ids)
    assert said(world.person) == "3 conversations marked done."
    act(world.person, "reopen", world.ids[:1])
    assert said(world.person) == "1 conversation reopened."


def test_pressing_twice_changes_nothing_more(world, database):
    for _ in range(2):
        act(world.person, "done", world.ids)
    assert told(database, world.ids[0]) == ["conversation.done"]


def test_some_are_snoozed_until_a_usual_time(world, talks, clock):
    act(world.person, "snooze", world.ids[:2], until="later")
    found = talks()
    assert {found[one].state for one in world.ids[:2]} == {"snoozed"}
    assert found[world.ids[0]].snoozed_until > clock()
    act(world.person, "snooze", [world.ids[2]], until="answer")
    assert talks()[world.ids[2]].snoozed_until is None


def test_what_is_done_is_not_put_off(world, talks, database):
    act(world.person, "done", world.ids[:1])
    for _ in range(2):
        act(world.person, "snooze", world.ids, until="answer")
    found = talks()
    assert [found[one].state for one in world.ids] == ["done", "snoozed", "snoozed"]
    assert told(database, world.ids[1]) == ["conversation.snoozed"]
    undo(world.person)
    found = talks()
    assert [found[one].state for one in world.ids] == ["done", "open", "open"]


def test_no_conversation_costs_more_statements_than_one_alone(world, database):
    def asked(act_on):
        count = 0

        def add(*_):
            nonlocal count
            count += 1

        sa.event.listen(database.engine, "before_cursor_execute", add)
        try:
            act_on()
        finally:
            sa.event.remove(database.engine, "before_cursor_execute", add)
        return count

    one = asked(lambda: world.person.post(f"/inbox/c/{world.ids[0]}/done"))
    three = asked(lambda: act(world.person, "done", world.ids))
    assert three <= 3 * one


def test_some_are_given_to_a_colleague_and_back(world, talks):
    act(world.colleague, "take", [world.ids[0]])
    act(world.person, "assign", world.ids, assignee_id=world.ben.id, words="While I am away")
    assert {talks()[one].assignee_id for one in world.ids} == {world.ben.id}
    undo(world.person)
    had = [talks()[one].assignee_id for one in world.ids]
    assert had == [world.ben.id, world.dana.id, world.dana.id]


def test_B04_whoever_may_not_see_a_client_is_not_given_their_conversation(world, talks):
    both = [world.ids[0], world.foreign.id]
    act(world.colleague, "assign", both, assignee_id=world.marcus.id)
    assert said(world.colleague).endswith("1 stayed: Marcus Hill may not see it.")
    found = talks()
    assert found[world.foreign.id].assignee_id == world.marcus.id
    assert found[world.ids[0]].assignee_id == world.dana.id


def test_B04_others_clients_are_as_if_they_were_not_named(world, talks):
    act(world.person, "done", [*world.ids, world.foreign.id, 999_999])
    assert talks()[world.foreign.id].state == "open"
    assert said(world.person) == "3 conversations marked done."
    alone = act(world.person, "done", [world.foreign.id])
    absent = act(world.person, "done", [999_999])
    assert alone.status_code == absent.status_code == 404
    assert without_tokens(alone.text) == without_tokens(absent.text)


def test_reading_is_each_ones_own(world):
    assert world.person.api("GET", "/api/inbox/unread").json["all"] == 3
    act(world.person, "read", world.ids[:2])
    assert world.person.api("GET", "/api/inbox/unread").json["all"] == 1
    act(world.person, "unread", [world.ids[0]])
    assert world.person.api("GET", "/api/inbox/unread").json["all"] == 2


def test_B02_a_viewer_neither_ticks_nor_acts(world, staff, sign_in):
    viewer = sign_in(staff(Role.VIEWER))
    assert act(viewer, "done", world.ids).status_code == 403
    assert "data-tick" not in viewer.get("/inbox?scope=all").text


def test_B09_what_the_form_does_not_know_is_refused(world, talks):
    act(world.person, "done", world.ids, state="open", staff_id=1)
    assert {talks()[one].state for one in world.ids} == {"open"}


@pytest.mark.parametrize(
    "clients",
    [[], ["x"], ["-1"], ["0"], [str(10**30)], ["1\x00"], list(range(1, 102))],
    ids=["none", "word", "negative", "zero", "huge", "NUL", "too many"],
)
def test_nonsense_is_refused_and_changes_nothing(world, talks, clients):
    answer = act(world.person, "done", clients)
    assert answer.status_code in (303, 404)
    assert {talk.state for talk in talks().values()} == {"open"}


def test_C08_it_comes_back_to_a_page_of_this_site_only(world):
    answer = act(world.person, "read", world.ids, next="https://evil.example/inbox")
    assert answer.headers["Location"].startswith("/inbox")
    thread = f"/inbox/c/{world.ids[0]}"
    assert act(world.person, "read", world.ids, next=thread).headers["Location"] == thread


def test_an_unknown_act_is_no_address(world):
    assert act(world.person, "delete", world.ids).status_code == 404


def test_the_list_is_kept_as_it_was_narrowed(world):
    answer = world.person.post("/inbox/selected/done?lane=email&unread=1", {"clients": world.ids})
    assert answer.headers["Location"] == "/inbox?lane=email&unread=1"
