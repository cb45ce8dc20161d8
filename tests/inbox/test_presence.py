"""Who else has a conversation open: told to colleagues, soon forgotten, never a lock."""

from __future__ import annotations

import html
import json
import re
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa

from casewell.inbox.models import Presence
from casewell.kernel import jobs
from casewell.kernel.access import Role
from casewell.staff.models import Staff


@pytest.fixture
def world(staff, client, mail_of, sign_in):
    class World:
        dana = staff(name="Dana Whitfield")
        ben = staff(Role.MANAGER, name="Ben Osei")
        ana = client("Ana", "Ruiz", main=dana, emails=["ana@example.com"])
        first = mail_of(ana, "When will it be done?")

    World.person, World.colleague = sign_in(World.dana), sign_in(World.ben)
    World.path = f"/inbox/c/{World.ana.id}/here"
    return World


def test_a_colleague_who_is_here_is_named(world):
    assert world.person.post(world.path).status_code == 204
    seen = world.colleague.post(world.path)
    assert "Dana Whitfield is here" in seen.text
    assert "Dana Whitfield is here" in world.colleague.get(f"/inbox/c/{world.ana.id}").text
    assert "Dana Whitfield is here" not in world.person.get(f"/inbox/c/{world.ana.id}").text


def test_nobody_is_told_the_same_twice(world):
    world.person.post(world.path)
    again = world.colleague.post(world.path, {"shown": "Dana Whitfield is here"})
    assert again.status_code == 204


def test_who_is_writing_is_told_and_who_stopped_too(world):
    world.person.post(world.path, {"typing": "1"})
    assert "Dana Whitfield is writing" in world.colleague.post(world.path).text
    world.person.post(world.path, {"typing": ""})
    assert "Dana Whitfield is here" in world.colleague.post(world.path).text


def test_who_closed_the_page_is_gone_in_half_a_minute(world, clock):
    world.person.post(world.path)
    clock.move(seconds=26)
    gone = world.colleague.post(world.path, {"shown": "Dana Whitfield is here"})
    assert gone.status_code == 200
    assert "Dana" not in gone.text


def test_several_are_counted(world, staff, sign_in):
    world.person.post(world.path)
    sign_in(staff(Role.OWNER, name="Joan Pierce")).post(world.path)
    assert "Dana Whitfield and 1 other are here" in world.colleague.post(world.path).text


def test_a_client_one_may_not_see_tells_nothing(world, staff, sign_in):
    world.person.post(world.path)
    assert sign_in(staff()).post(world.path).status_code == 404


def test_twenty_colleagues_take_no_more_statements_than_one(world, staff, sign_in, count_queries):
    world.person.post(world.path)
    world.colleague.post(world.path)
    with count_queries() as one:
        world.colleague.post(world.path)
    for _ in range(19):
        sign_in(staff(Role.MANAGER)).post(world.path)
    with count_queries() as twenty:
        world.colleague.post(world.path)
    assert len(twenty) == len(one)


def test_what_is_long_stale_is_swept(world, clock, runtime, database):
    world.person.post(world.path)
    clock.move(minutes=11)
    jobs.tick(runtime)
    with database.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Presence)) == 0


@pytest.mark.parametrize("form", [{"shown": "x" * 600}, {"typing": "perhaps"}, {"shown": "\x00"}])
def test_nonsense_is_refused(world, form):
    assert world.person.post(world.path, form).status_code == 422


def marked(page):
    return json.loads(html.unescape(re.search(r"data-present='([^']*)'", page)[1]))


def asked_by(page):
    return html.unescape(re.search(r'hx-get="(/inbox/changes[^"]+)"', page)[1])


def test_the_list_marks_where_a_colleague_is(world, clock):
    world.person.post(world.path, {"typing": "1"})
    page = world.colleague.get("/inbox?scope=all").text
    assert marked(page) == {str(world.ana.id): "Dana Whitfield is writing"}
    assert world.colleague.get(asked_by(page), htmx=True).status_code == 204
    world.person.post(world.path)
    changed = world.colleague.get(asked_by(page), htmx=True)
    assert marked(changed.text) == {str(world.ana.id): "Dana Whitfield is here"}
    clock.move(seconds=26)
    gone = world.colleague.get(asked_by(changed.text), htmx=True)
    assert marked(gone.text) == {}
    assert world.colleague.get(asked_by(gone.text), htmx=True).status_code == 204


def test_the_list_marks_nothing_of_clients_one_may_not_see(world, staff, sign_in):
    world.person.post(world.path)
    assert marked(sign_in(staff()).get("/inbox?scope=all").text) == {}


def test_the_list_of_ones_own_marks_only_these(world, client, staff, sign_in, mail_of):
    theirs = client("Bo", "Lee", main=staff())
    mail_of(theirs)
    owner = sign_in(staff(Role.OWNER))
    owner.post(f"/inbox/c/{theirs.id}/here")
    owner.post(world.path)
    assert list(marked(world.person.get("/inbox").text)) == [str(world.ana.id)]
    assert marked(world.colleague.get("/inbox").text) == {}
    assert len(marked(world.colleague.get("/inbox?scope=all").text)) == 2


def test_who_has_left_the_firm_is_nowhere(world, database, clock):
    world.person.post(world.path)
    with database.writing() as session:
        session.execute(
            sa.update(Staff).where(Staff.id == world.dana.id).values(deactivated_at=clock())
        )
    assert marked(world.colleague.get("/inbox?scope=all").text) == {}
    assert world.colleague.post(world.path).status_code == 204


def test_twenty_colleagues_in_the_list_take_no_more_statements_than_one(
    world, staff, sign_in, client, count_queries
):
    world.person.post(world.path)
    ask = "/inbox/changes?scope=all&seen=99"
    world.colleague.get(ask, htmx=True)
    with count_queries() as one:
        world.colleague.get(ask, htmx=True)
    for number in range(19):
        manager = sign_in(staff(Role.MANAGER))
        manager.post(f"/inbox/c/{client('Bo', str(number)).id}/here")
    with count_queries() as twenty:
        answer = world.colleague.get(ask, htmx=True)
    assert len(marked(answer.text)) == 20
    assert len(twenty) == len(one)


def test_a_colleagues_note_joins_an_open_thread_once(world):
    page = world.colleague.get(f"/inbox/c/{world.ana.id}").text
    mark = dict(re.findall(r'name="(client|thread_seen|notes_seen)" value="(\d+)"', page))
    ask = f"{asked_by(page)}&{urlencode(mark)}"
    assert world.colleague.get(ask, htmx=True).status_code == 204
    body = {"client_id": world.ana.id, "text": "Seen by @Ben?"}
    note = world.person.api("POST", "/api/notes", body).json["id"]
    came = world.colleague.get(ask, htmx=True).text
    assert f'id="note-{note}"' in came
    assert 'data-told="1"' in came
    mark["notes_seen"] = re.search(r'name="notes_seen" value="(\d+)"', came)[1]
    again = f"{asked_by(came)}&{urlencode(mark)}"
    assert world.colleague.get(again, htmx=True).status_code == 204
    own = world.person.get(f"/inbox/changes?client={world.ana.id}&thread_seen=99", htmx=True)
    assert "Seen by" not in own.text


def test_a_privileged_note_joins_no_thread_of_a_case_manager(world, staff, sign_in):
    body = {"client_id": world.ana.id, "text": "A claim", "kind": "privileged"}
    assert world.colleague.api("POST", "/api/notes", body).status_code == 201
    ask = f"/inbox/changes?client={world.ana.id}&seen=99&thread_seen=99"
    assert "A claim" not in world.person.get(ask, htmx=True).text
    attorney = sign_in(staff(Role.ATTORNEY))
    assert "A claim" in attorney.get(ask, htmx=True).text
