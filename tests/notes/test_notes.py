"""Internal notes: written, named in, changed by their writer alone, in the thread at their time."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from casewell.clients.models import ClientMerge
from casewell.kernel.access import Role
from casewell.ledger.models import ActivityEvent
from casewell.notes.models import READERS_OF_PRIVILEGED, CaseNote, NoteMention


@pytest.fixture
def world(staff, client, mail_of, sign_in):
    class World:
        dana = staff(name="Dana Whitfield")
        ruth = staff(Role.ATTORNEY, name="Ruth Abara")
        marcus = staff(name="Marcus Hill")
        ana = client("Ana", "Ruiz", main=dana, emails=["ana@example.com"])
        first = mail_of(ana, "When will it be done?")

    World.person, World.attorney = sign_in(World.dana), sign_in(World.ruth)
    World.path = f"/inbox/c/{World.ana.id}/notes"
    return World


def write(person, world, text="Old address on Oak St.", **given):
    body = {"client_id": world.ana.id, "text": text, **given}
    return person.api("POST", "/api/notes", body)


def listed(person, world):
    return person.api("GET", f"/api/notes/client/{world.ana.id}").json["items"]


def thread(person, world, **query):
    return person.get(f"/inbox/c/{world.ana.id}", query_string=query).text


def shown(page):
    return re.findall(r'id="((?:note|message)-\d+)"', page)


def test_a_note_stands_in_the_thread_and_says_what_it_is(world, mail_of):
    note = write(world.person, world).json
    after = mail_of(world.ana, "Another question")
    page = thread(world.person, world)
    assert "Internal, never shown in the portal" in page
    assert "Old address on Oak St." in page
    assert shown(page) == [f"message-{world.first}", f"note-{note['id']}", f"message-{after}"]


def test_a_note_is_no_message(world, dump):
    before = {name: rows for name, rows in dump().items() if name in ("messages", "deliveries")}
    world.person.post(world.path, {"text": "Not to be sent", "kind": "general"})
    after = dump()
    assert after["case_notes"]
    assert {name: after[name] for name in before} == before
    assert world.person.api("GET", "/api/inbox/search?q=sent").json["items"] == []


def test_the_ledger_tells_of_a_note_without_its_words(world, database):
    write(world.person, world, "A secret of the client")
    with database.reading() as session:
        event = session.scalars(
            sa.select(ActivityEvent).where(ActivityEvent.kind == "note.added")
        ).one()
    assert event.data == {"kind": "general", "mentions": []}
    assert event.actor_name == "Dana Whitfield"


def test_privileged_notes_are_for_attorneys_and_managers(world):
    note = write(world.attorney, world, "Possible claim", kind="privileged").json
    assert listed(world.person, world) == []
    assert "Possible claim" not in thread(world.person, world)
    assert "Possible claim" in thread(world.attorney, world)
    refused = write(world.person, world, kind="privileged")
    assert refused.status_code == 422
    assert refused.json["code"] == "note_kind_not_allowed"
    form = {"text": "x"}
    assert world.person.post(f"/inbox/notes/{note['id']}/edit", form).status_code == 404


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("place", ["/inbox/c/{}", "/clients/{}"])
def test_what_happened_tells_of_a_note_only_who_may_read_it(role, place, world, staff, sign_in):
    """The rail and the client's page; each act is an entry: written, changed, deleted, restored."""
    acts = {"note written", "note changed", "note deleted", "note restored"}
    reader = world.person if role is Role.CASE_MANAGER else sign_in(staff(role))
    address = place.format(world.ana.id)

    def told(kind):
        note = write(world.attorney, world, kind=kind).json["id"]
        world.attorney.post(f"/inbox/notes/{note}/edit", {"text": "Other words"})
        world.attorney.post(f"/inbox/notes/{note}/delete")
        world.attorney.post(f"/inbox/notes/{note}/restore")
        page = reader.get(address).text.lower()
        return {act for act in acts if act in page}

    readable = role in READERS_OF_PRIVILEGED
    assert told("privileged") == (acts if readable else set())
    assert told("billing") == acts


def test_only_its_writer_changes_a_note_and_the_change_is_told(world, database):
    note = write(world.person, world).json["id"]
    assert world.attorney.post(f"/inbox/notes/{note}/edit", {"text": "Mine"}).status_code == 422
    assert world.attorney.post(f"/inbox/notes/{note}/delete").status_code == 422
    world.person.post(f"/inbox/notes/{note}/edit", {"text": "New address on Elm St."})
    [row] = listed(world.attorney, world)
    assert row["text"] == "New address on Elm St."
    assert row["edited_at"]
    assert "edited" in thread(world.person, world)


def test_a_deleted_note_is_gone_and_comes_back(world):
    note = write(world.person, world).json["id"]
    world.person.post(f"/inbox/notes/{note}/delete")
    assert listed(world.person, world) == []
    assert "Oak St." not in thread(world.person, world)
    world.person.post(f"/inbox/notes/{note}/restore")
    assert "Oak St." in thread(world.person, world)
    assert world.person.post(f"/inbox/notes/{note}/restore").status_code == 404


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Ask @Ruth Abara about it", {"Ruth Abara"}),
        ("Ask @ruth, please", {"Ruth Abara"}),
        ("@Ruth", {"Ruth Abara"}),
        ("Write to ruth@firm.example", set()),
        ("@Ruthless words", set()),
        ("@Marcus may not see this client", set()),
        ("@Dana Whitfield is me", set()),
    ],
)
def test_a_colleague_is_named_who_may_see_the_client(world, database, text, named):
    write(world.person, world, text)
    ids = {"Ruth Abara": world.ruth.id}
    with database.reading() as session:
        found = set(session.scalars(sa.select(NoteMention.staff_id)))
    assert found == {ids[name] for name in named}


def test_a_change_of_a_note_changes_whom_it_names(world, database):
    note = write(world.person, world, "Ask @Ruth").json["id"]
    world.person.post(f"/inbox/notes/{note}/edit", {"text": "Ask nobody"})
    with database.reading() as session:
        assert session.scalars(sa.select(NoteMention.staff_id)).all() == []


def test_who_may_not_read_a_note_is_not_named_in_it(world, database, client, sign_in):
    """A case manager who sees the client, and never a privileged note about them."""
    other = client("Bo", "Lee", main=world.dana, second=world.marcus)
    body = {"client_id": other.id, "text": "@Marcus and @Dana Whitfield", "kind": "privileged"}
    note = world.attorney.api("POST", "/api/notes", body).json["id"]
    with database.reading() as session:
        assert session.scalars(sa.select(NoteMention.staff_id)).all() == []
    body |= {"kind": "general"}
    assert world.attorney.api("POST", "/api/notes", body).json["id"] != note
    with database.reading() as session:
        named = set(session.scalars(sa.select(NoteMention.staff_id)))
    assert named == {world.marcus.id, world.dana.id}


def test_a_note_can_be_changed_for_a_day(world, clock, sign_in):
    note = write(world.person, world).json["id"]
    clock.move(hours=23, minutes=59)
    person = sign_in(world.dana)
    assert "Delete note" in thread(person, world)
    assert person.post(f"/inbox/notes/{note}/edit", {"text": "In time"}).status_code == 303
    clock.move(minutes=1)
    assert "Delete note" not in thread(person, world)
    late = person.post(f"/inbox/notes/{note}/edit", {"text": "Too late"})
    assert late.status_code == 422
    assert "for a day" in late.text
    assert person.post(f"/inbox/notes/{note}/delete").status_code == 422
    assert [row["text"] for row in listed(person, world)] == ["In time"]


def walk_back(person, world, page):
    """Return what a page shows and all that lies before it, part by part."""
    parts = [shown(page)]
    while more := re.search(r'[?;&]before=([^"&]+)"', page):
        page = person.get(f"/inbox/c/{world.ana.id}?before={more[1]}", htmx=True).text
        parts.insert(0, shown(page))
    return parts


def walk_on(person, world, page):
    parts = []
    while more := re.search(r'after_message=([^"&]+)"', page):
        page = person.get(f"/inbox/c/{world.ana.id}?after_message={more[1]}", htmx=True).text
        parts.append(shown(page))
    return parts


@pytest.fixture
def crowd(world, database, clock, mail_of):
    """Messages with hundreds of notes between them, some in bulk at one instant."""
    expected = [f"message-{world.first}"]

    def notes(count, *, step):
        with database.writing() as session:
            for _ in range(count):
                clock.move(microseconds=step)
                row = CaseNote(
                    client_id=world.ana.id, staff_id=world.dana.id, text="x", created_at=clock()
                )
                session.add(row)
                session.flush()
                expected.append(f"note-{row.id}")

    notes(250, step=1000)
    expected.append(f"message-{mail_of(world.ana, 'Second')}")
    clock.move(seconds=1)
    notes(130, step=0)
    expected.append(f"message-{mail_of(world.ana, 'Third')}")
    notes(120, step=1000)
    return expected


def test_hundreds_of_notes_stand_on_bounded_pages_each_once(world, crowd):
    parts = walk_back(world.person, world, thread(world.person, world))
    assert [one for part in parts for one in part] == crowd
    assert max(map(len, parts)) < 140  # the notes of one instant stay together
    assert len(parts) > 4


@pytest.mark.parametrize("place", [0, 100, 251, 300, 381, 382, 450, -1])
def test_a_thread_opens_around_any_note_and_leads_to_all_of_it(world, crowd, place):
    kind, number = crowd[place].split("-")
    page = thread(world.person, world, **{kind: number})
    assert f'data-sought="{crowd[place]}"' in page
    assert crowd[place] in shown(page)
    before, after = walk_back(world.person, world, page), walk_on(world.person, world, page)
    assert [one for part in before + after for one in part] == crowd


def test_a_note_that_one_may_not_read_opens_the_thread_at_its_end(world):
    note = write(world.attorney, world, "Claim", kind="privileged").json["id"]
    page = thread(world.person, world, note=note)
    assert "Claim" not in page
    assert shown(page) == [f"message-{world.first}"]


def test_every_note_stands_on_exactly_one_page_of_a_long_thread(world, mail_of, clock):
    expected = [f"message-{world.first}"]
    for number in range(75):
        clock.move(seconds=1)
        if number % 4 == 0:
            expected.append(f"note-{write(world.person, world, f'Note {number}').json['id']}")
        expected.append(f"message-{mail_of(world.ana, f'Message {number}', out=True)}")
    clock.move(seconds=1)
    expected.append(f"note-{write(world.person, world, 'The last one').json['id']}")
    page = thread(world.person, world)
    found = shown(page)
    while more := re.search(r'before=([^"&]+)"[^>]*>', page):
        page = world.person.get(
            f"/inbox/c/{world.ana.id}?before={more[1]}", headers={"HX-Request": "true"}
        ).text
        found = shown(page) + found
    assert found == expected


def test_a_note_of_a_hit_in_the_middle_is_neither_lost_nor_doubled(world, mail_of, clock):
    expected = [f"message-{world.first}"]
    middle = 0
    for number in range(60):
        clock.move(seconds=1)
        expected.append(f"note-{write(world.person, world, f'Note {number}').json['id']}")
        message = mail_of(world.ana, f"Message {number}", out=True)
        middle = message if number == 20 else middle
        expected.append(f"message-{message}")
    page = thread(world.person, world, message=middle)
    found = shown(page)
    assert f"message-{middle}" in found
    begin, end = page, page
    while more := re.search(r'[?;&]before=([^"&]+)"', begin):
        begin = world.person.get(
            f"/inbox/c/{world.ana.id}?before={more[1]}", headers={"HX-Request": "true"}
        ).text
        found = shown(begin) + found
    while more := re.search(r'after_message=([^"&]+)"', end):
        end = world.person.get(
            f"/inbox/c/{world.ana.id}?after_message={more[1]}", headers={"HX-Request": "true"}
        ).text
        found = found + shown(end)
    assert found == expected


def test_ten_notes_take_no_more_statements_than_one(world, count_queries):
    write(world.person, world)
    with count_queries() as one:
        thread(world.person, world)
    for _ in range(9):
        write(world.person, world)
    with count_queries() as ten:
        thread(world.person, world)
    assert len(ten) == len(one)


def test_notes_go_along_with_a_merge_and_come_back(world, client, sign_in, staff, database):
    owner = sign_in(staff(Role.OWNER))
    other = client("Ana", "Ruiz", main=world.dana, emails=["ana.ruiz@example.com"])
    note = write(world.person, world).json["id"]
    merged = owner.post(f"/clients/{other.id}/merge", {"merged_id": world.ana.id})
    assert merged.status_code == 303
    [row] = owner.api("GET", f"/api/notes/client/{other.id}").json["items"]
    assert row["id"] == note
    with database.reading() as session:
        merge = session.scalar(sa.select(ClientMerge.id))
    assert owner.post(f"/clients/merges/{merge}/undo").status_code == 303
    assert owner.api("GET", f"/api/notes/client/{other.id}").json["items"] == []
    assert [row["id"] for row in listed(world.person, world)] == [note]


@pytest.mark.parametrize("text", ["", "   ", "x" * 20_001, "nul\x00"])
def test_nonsense_is_refused_in_words(world, text, database):
    assert write(world.person, world, text).status_code == 422
    assert world.person.post(world.path, {"text": text}, htmx=True).status_code == 422
    with database.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(CaseNote)) == 0


def test_a_client_who_is_not_theirs_takes_no_note(world, sign_in):
    stranger = sign_in(world.marcus)
    assert write(stranger, world).status_code == 404
    assert stranger.get(f"/api/notes/client/{world.ana.id}").status_code == 404
    assert stranger.post(world.path, {"text": "x"}).status_code == 404
