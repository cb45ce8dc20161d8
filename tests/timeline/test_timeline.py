"""A client's timeline: the ledger in words, whole, in order, narrowed, and marked."""

from __future__ import annotations

import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from casewell.kernel.access import Role
from casewell.ledger.service import Actor, Event, record_all
from casewell.timeline.models import TimelineMark


@pytest.fixture
def world(staff, client, mail_of, sign_in):
    dana = staff(name="Dana Whitfield")
    ruth = staff(Role.ATTORNEY, name="Ruth Abara")
    marcus = staff(name="Marcus Hill")
    ana = client("Ana", "Ruiz", main=dana, emails=["ana@example.com"])
    first = mail_of(ana, "When will it be done?", "My report")
    return SimpleNamespace(
        dana=dana,
        ruth=ruth,
        marcus=marcus,
        ana=ana,
        first=first,
        person=sign_in(dana),
        attorney=sign_in(ruth),
        stranger=sign_in(marcus),
        path=f"/clients/{ana.id}/timeline",
    )


@pytest.fixture
def happen(database, clock, world):
    """Writes events of the client to the ledger, one second after another."""

    def write(kind, times=1, *, actor=None, data=None, at=None, apart=1):
        actor = actor or Actor.of_staff(world.dana)
        told = []
        for _ in range(times):
            now = clock.move(seconds=apart)
            told.append((Event(world.ana.id, kind, actor, at or now, data or {}), now))
        with database.writing() as session:
            record_all(session, world.ana.id, told)

    return write


def entries(who, world, **query):
    answer = asked(who, world, **query)
    assert answer.status_code == 200, answer.text
    return answer.json["items"]


def asked(who, world, **query):
    return who.get(f"/api/clients/{world.ana.id}/timeline", query_string=query)


def kinds(who, world, **query):
    return [one["kind"] for one in entries(who, world, **query)]


def page(who, world, **query):
    return who.get(world.path, query_string=query).text


def test_what_happened_stands_newest_first(world, happen):
    happen("conversation.done")
    happen("conversation.reopened")
    assert kinds(world.person, world) == [
        "conversation.reopened",
        "conversation.done",
        "message.received",
    ]
    told = page(world.person, world)
    assert told.index("Conversation opened again") < told.index("When will it be done?")


def test_a_message_is_told_of_with_its_words(world):
    one = entries(world.person, world)[0]
    assert one["text"] == "When will it be done?"
    assert one["subject_type"] == "message"
    assert "My report" in page(world.person, world)


def test_a_message_that_left_is_told_of_once(world, run_due, clock):
    body = {"client_id": world.ana.id, "body": "By Friday."}
    world.person.api("POST", "/api/inbox/reply", body)
    clock.move(minutes=1)
    run_due()
    told = [one for one in entries(world.person, world) if one["text"] == "By Friday."]
    assert len(told) == 1


def test_old_and_new_values_are_shown(world):
    world.person.post(f"/clients/{world.ana.id}/status/waiting")
    one = entries(world.person, world)[0]
    assert one["changes"] == [{"what": "Status", "before": "Active", "after": "Waiting on client"}]
    told = page(world.person, world)
    assert "<del>Active</del>" in told
    assert "<ins>Waiting on client</ins>" in told


def test_many_changed_fields_are_counted_and_all_of_them_shown(world, happen):
    fields = ("street", "city", "state", "postal_code", "language")
    happen("client.changed", data={"changes": {name: {"from": "", "to": "x"} for name in fields}})
    one = entries(world.person, world)[0]
    assert one["summary"] == "5 fields changed"
    assert len(one["changes"]) == 5
    assert "ZIP code" in page(world.person, world)


def test_what_is_recorded_late_says_when_and_stands_where_it_happened(world, happen, clock):
    long_ago = clock() - timedelta(days=30)
    happen("call.held", at=long_ago)
    assert kinds(world.person, world)[-1] == "call.held"
    assert len(re.findall(r"recorded \w{3}, ", page(world.person, world))) == 1


@pytest.mark.parametrize(
    ("topic", "kind"),
    [
        ("messages", "message.received"),
        ("calls", "call.held"),
        ("notes", "note.deleted"),
        ("details", "client.changed"),
        ("team", "conversation.done"),
        ("team", "triage.linked"),
        ("portal", "portal.invited"),
    ],
)
def test_it_is_narrowed_by_what_it_is_about(world, happen, topic, kind):
    for one in ("call.held", "note.deleted", "client.changed", "conversation.done"):
        happen(one)
    happen("triage.linked")
    happen("portal.invited")
    found = kinds(world.person, world, topic=topic)
    assert kind in found
    assert {one.partition(".")[0] for one in found} <= (
        {"conversation", "triage"} if topic == "team" else {kind.partition(".")[0]}
    )


def test_it_is_narrowed_by_who_did_it(world, happen):
    happen("conversation.done", actor=Actor.of_staff(world.ruth))
    happen("conversation.reopened")
    assert kinds(world.person, world, person=str(world.ruth.id)) == ["conversation.done"]
    assert kinds(world.person, world, person="client") == ["message.received"]
    assert kinds(world.person, world, person="system") == []


def test_days_are_whole_and_the_readers_own(world, happen, clock):
    happen("conversation.done", at=clock() - timedelta(days=3))
    day = (clock() - timedelta(days=3)).date().isoformat()
    assert kinds(world.person, world, since=day, until=day) == ["conversation.done"]
    assert "conversation.done" not in kinds(world.person, world, since=clock().date().isoformat())


def test_it_is_paged_without_losing_or_repeating_any(world, happen):
    happen("conversation.done", 7)
    seen, cursor = [], None
    while True:
        given = {"limit": 3, **({"cursor": cursor} if cursor else {})}
        answer = asked(world.person, world, **given).json
        seen += [one["seq"] for one in answer["items"]]
        if (cursor := answer["next"]) is None:
            break
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == len(seen) == 8


def test_earlier_entries_are_loaded_on(world, happen):
    happen("conversation.done", 5)
    first = page(world.person, world, limit=3)
    more = re.search(r'class="cw-more"><a class="btn" href="([^"]+)"', first)
    assert more is not None
    rest = world.person.get(more[1].replace("&amp;", "&"), htmx=True).text
    assert "<html" not in rest
    assert "When will it be done?" in rest


def test_the_same_done_again_and_again_is_folded(world, happen):
    happen("conversation.done", 4)
    told = page(world.person, world)
    assert "Conversation marked done, 4 times" in told
    assert told.count('id="entry-') == 5  # nothing is lost


def test_what_lies_apart_or_is_by_another_is_not_folded(world, happen, clock):
    happen("conversation.done", 2)
    happen("conversation.done", 2, actor=Actor.of_staff(world.ruth))
    for hours in (3, 2, 1):
        happen("conversation.done", at=clock() - timedelta(hours=hours))
    told = page(world.person, world)
    assert told.count("Conversation marked done") == 7
    assert "cw-burst" not in told


def test_who_has_looked_is_told_what_is_new(world, happen):
    newest = entries(world.person, world)[0]["seq"]
    assert "New" not in re.findall(r'class="badge[^"]*">([^<]*)<', page(world.person, world))
    assert world.person.post(f"{world.path}/seen", {"seq": newest}).status_code == 303
    happen("conversation.done")
    told = page(world.person, world)
    assert "<strong>1 new</strong> since you last looked" in told
    assert re.findall(r'class="badge[^"]*">([^<]*)<', told).count("New") == 1
    assert "since you last looked" not in page(world.attorney, world)


def test_a_mark_never_goes_back_nor_beyond_the_end(world, happen, database):
    happen("conversation.done", 3)
    for seq in (2, 10**15, 1):
        world.person.post(f"{world.path}/seen", {"seq": seq})
    with database.reading() as session:
        assert session.scalars(sa.select(TimelineMark.seq)).all() == [4]


def test_reading_marks_nothing(world, dump):
    page(world.person, world)
    assert dump()["timeline_marks"] == []


def test_entries_outlive_what_they_tell_of(world):
    body = {"client_id": world.ana.id, "text": "Old address on Oak St."}
    note = world.person.api("POST", "/api/notes", body).json["id"]
    assert world.person.post(f"/inbox/notes/{note}/delete").status_code == 303
    assert kinds(world.person, world)[:2] == ["note.deleted", "note.added"]
    told = page(world.person, world)
    assert "Note written" in told
    assert "Old address" not in told


def test_a_note_says_its_words_once(world):
    made = world.person.api(
        "POST", "/api/notes", {"client_id": world.ana.id, "text": "Old address on Oak St."}
    )
    assert made.status_code == 201
    assert page(world.person, world).count("Old address on Oak St.") == 1


def test_B16_a_privileged_note_is_no_entry_for_who_may_not_read_it(world):
    body = {"client_id": world.ana.id, "text": "Settle at 4,000", "kind": "privileged"}
    assert world.attorney.api("POST", "/api/notes", body).status_code == 201
    assert "note.added" in kinds(world.attorney, world)
    assert "note.added" not in kinds(world.person, world)
    assert "Settle at" in page(world.attorney, world)
    assert "Settle at" not in page(world.person, world)


def test_B04_anothers_client_has_no_timeline(world):
    absent = world.stranger.get("/clients/999999/timeline")
    answer = world.stranger.get(world.path)
    assert answer.status_code == absent.status_code == 404
    assert world.stranger.post(f"{world.path}/seen", {"seq": 1}).status_code == 404
    api = f"/api/clients/{world.ana.id}/timeline"
    assert world.stranger.api("GET", api).status_code == 404


def test_B10_an_ssn_is_never_in_it(world):
    world.person.post(f"/clients/{world.ana.id}/ssn", {"ssn": "900-12-3456"})
    answer = world.person.api("GET", f"/api/clients/{world.ana.id}/timeline")
    for text in (answer.text, page(world.person, world)):
        assert "900-12" not in text
        assert "900123456" not in text


def test_C01_what_others_wrote_is_text(world, happen):
    bad = "<img src=x onerror=alert(1)>"
    happen("client.changed", data={"changes": {bad: {"from": bad, "to": [bad]}}})
    happen(
        "triage.linked",
        data={"address": bad},
        actor=Actor.of_staff(SimpleNamespace(id=world.dana.id, name=bad)),
    )
    told = page(world.person, world)
    assert "<img src=x" not in told
    assert "&lt;img src=x" in told


@pytest.mark.parametrize(
    "query",
    [
        {"topic": "ssn"},
        {"person": "0"},
        {"person": "1 or 1=1"},
        {"person": "9" * 30},
        {"since": "yesterday"},
        {"since": "9999-99-99"},
        {"limit": "100000000"},
        {"cursor": "x"},
        {"cursor": "é" * 300},
    ],
    ids=str,
)
def test_B15_nonsense_is_refused_plainly(world, query):
    api = asked(world.person, world, **query)
    assert api.status_code in (400, 422)
    assert world.person.get(world.path, query_string=query).status_code in (200, 400, 422)


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_first_and_the_last_day_there_are(world, day):
    assert len(entries(world.person, world, since="0001-01-01", until="9999-12-31")) == 1
    assert isinstance(entries(world.person, world, since=day, until=day), list)
