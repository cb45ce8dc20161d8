"""What one should know of: told once, to whom it concerns, of clients they may see."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from casewell.clients.models import Client, ClientMerge
from casewell.kernel.access import Role
from casewell.ledger.service import Actor
from casewell.messages import conversations, team
from casewell.messages.models import Delivery, MessageStatus
from casewell.staff.models import Notification


@pytest.fixture
def world(staff, client, mail_of, sign_in):
    class World:
        dana = staff(name="Dana Whitfield")
        ruth = staff(Role.ATTORNEY, name="Ruth Abara")
        marcus = staff(name="Marcus Hill")
        ana = client("Ana", "Ruiz", main=dana, second=marcus, emails=["ana@example.com"])
        first = mail_of(ana, "When will it be done?")

    World.person, World.attorney = sign_in(World.dana), sign_in(World.ruth)
    World.second = sign_in(World.marcus)
    return World


def write(world, text):
    body = {"client_id": world.ana.id, "text": text}
    return world.person.api("POST", "/api/notes", body).json["id"]


def page(person):
    return person.get("/notifications").text


def badge(person):
    found = re.search(r'id="nav-notifications"[^>]*>(\d+)', page(person))
    return int(found[1]) if found else 0


def number_of(person):
    return re.search(r"/notifications/(\d+)/open", page(person))[1]


def test_who_is_named_in_a_note_is_told_and_led_there(world):
    assert "Nothing new" in page(world.attorney)
    note = write(world, "Ask @Ruth")
    assert "Dana Whitfield named you in a note about Ana Ruiz" in page(world.attorney)
    assert badge(world.attorney) == 1
    opened = world.attorney.post(f"/notifications/{number_of(world.attorney)}/open")
    assert opened.location == f"/inbox/c/{world.ana.id}?note={note}"
    assert f'id="note-{note}"' in world.attorney.get(opened.location).text
    assert badge(world.attorney) == 0
    assert "named you" in page(world.attorney)


def test_one_thing_is_told_once(world, database):
    note = write(world, "Ask @Ruth")
    for text in ("Ask @Ruth again", "Ask nobody", "Ask @Ruth after all"):
        world.person.post(f"/inbox/notes/{note}/edit", {"text": text})
    with database.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Notification)) == 1


def test_a_client_one_may_no_longer_see_is_told_of_no_more(world, database):
    write(world, "Ask @Marcus")
    assert "about Ana Ruiz" in page(world.second)
    number = number_of(world.second)
    with database.writing() as session:
        session.execute(sa.update(Client).values(second_responsible_id=None))
    assert "Ana Ruiz" not in page(world.second)
    assert badge(world.second) == 0
    assert world.second.post(f"/notifications/{number}/open").status_code == 404


def test_one_is_marked_read_where_it_stands(world):
    write(world, "Ask @Ruth")
    write(world, "Ask @Ruth once more")
    read = world.attorney.post(f"/notifications/{number_of(world.attorney)}/read")
    assert read.location == "/notifications"
    assert badge(world.attorney) == 1
    assert page(world.attorney).count("named you") >= 2


def test_what_was_told_follows_a_merge_and_comes_back(world, database, client, staff, sign_in):
    write(world, "Ask @Ruth")
    owner = sign_in(staff(Role.OWNER))
    other = client("Ana", "Ruiz-Vega", emails=["ana.vega@example.com"])
    assert owner.post(f"/clients/{other.id}/merge", {"merged_id": world.ana.id}).status_code == 303
    assert "about Ana Ruiz-Vega" in page(world.attorney)
    opened = world.attorney.post(f"/notifications/{number_of(world.attorney)}/open")
    assert "Ask @Ruth" in world.attorney.get(opened.location).text
    with database.reading() as session:
        merge = session.scalar(sa.select(ClientMerge.id))
    assert owner.post(f"/clients/merges/{merge}/undo").status_code == 303
    assert "Ana Ruiz-Vega" not in page(world.attorney)
    assert "about Ana Ruiz" in page(world.attorney)


def test_two_clients_given_at_one_instant_are_told_of_both(world, database, client, clock):
    other = client("Bo", "Lee", main=world.dana, emails=["bo@example.com"])
    with database.writing() as session:
        actor = Actor.of_staff(world.dana)
        for one in (world.ana, other):
            talk = conversations.conversation_of(session, one.id)
            assert team.assign(session, talk, world.ruth.id, actor=actor, now=clock())
    assert badge(world.attorney) == 2
    assert "assigned Ana Ruiz to you" in page(world.attorney)
    assert "assigned Bo Lee to you" in page(world.attorney)


def test_nobody_opens_what_was_told_to_another(world):
    write(world, "Ask @Ruth")
    number = number_of(world.attorney)
    assert world.person.post(f"/notifications/{number}/open").status_code == 404


def test_all_is_read_by_one_press_and_only_ones_own(world):
    write(world, "Ask @Ruth and @Marcus")
    world.attorney.post("/notifications/read")
    assert (badge(world.attorney), badge(world.second)) == (0, 1)


def test_who_wrote_a_message_that_failed_is_told(world, database, clock, run_due):
    body = {"client_id": world.ana.id, "body": "By Friday."}
    world.person.api("POST", "/api/inbox/reply", body)
    with database.writing() as session:
        session.execute(sa.update(Delivery).values(attempts=12))
    clock.move(minutes=1)
    run_due()
    with database.reading() as session:
        assert session.scalar(sa.select(Delivery.status)) is MessageStatus.FAILED
    assert "Your message to Ana Ruiz may not have arrived" in page(world.person)


def test_pages_hold_every_one_once(world, database, clock):
    with database.writing() as session:
        for number in range(120):
            session.add(
                Notification(
                    staff_id=world.ruth.id,
                    kind="mentioned",
                    client_id=world.ana.id,
                    subject_id=1000 + number,
                    at=clock(),
                )
            )
    seen, address = [], "/notifications"
    while address:
        text = world.attorney.get(address, htmx="after" in address).text
        seen += re.findall(r"/notifications/(\d+)/open", text)
        following = re.search(r'"(/notifications\?after=[^"]+)"', text)
        address = following and following[1].replace("&amp;", "&")
    assert len(seen) == len(set(seen)) == 120
    assert badge(world.attorney) == 99
