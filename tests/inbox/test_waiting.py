"""How long a client has waited for an answer, counted in the firm's own hours."""

from __future__ import annotations

import re

import pytest

from casewell.kernel.access import Role

NINE_TO_FIVE = {
    day: ["09:00", "17:00"] for day in ("monday", "tuesday", "wednesday", "thursday", "friday")
}


@pytest.fixture
def world(staff, client, mail_of, sign_in):
    class World:
        owner = staff(Role.OWNER, name="Joan Pierce")
        ana = client("Ana", "Ruiz", main=owner, emails=["ana@example.com"])

    mail_of(World.ana, "When will it be done?")
    # Days pass here, and nobody stays signed in for days.
    World.enter = staticmethod(lambda: sign_in(World.owner))
    return World


def tag(person):
    labelled = r'cw-tag-(\w+)"></span><span class="cw-clip">(Waiting[^<]*)<'
    found = re.search(labelled, person.get("/inbox").text)
    return found.groups() if found else None


def head(person, client):
    return re.search(r'cw-w-500( [\w-]+)?">(Waiting[^<]*)<', person.get(f"/inbox/c/{client}").text)


def save(person, **changes):
    return person.post(
        "/settings/firm/hours", {**NINE_TO_FIVE, "answer_within_hours": 8, **changes}
    )


def test_it_turns_amber_at_half_of_the_target_and_red_after_it(world, clock):
    clock.move(hours=3)
    assert tag(world.enter()) == ("blue", "Waiting 3 h")
    clock.move(hours=1)
    assert tag(world.enter()) == ("yellow", "Waiting 4 h")
    clock.move(hours=20)
    assert tag(world.enter()) == ("yellow", "Waiting 8 h")
    clock.move(minutes=1)
    assert tag(world.enter()) == ("red", "Waiting 8 h")
    assert head(world.enter(), world.ana.id)[1] == " cw-t-danger"


def test_nights_and_weekends_do_not_count(world, clock):
    clock.move(hours=9)  # Tuesday, 7 PM in Chicago: it came a second after ten
    assert tag(world.enter()) == ("yellow", "Waiting 6 h")
    clock.move(hours=13)
    assert tag(world.enter()) == ("yellow", "Waiting 6 h")


def test_what_came_when_nobody_was_there_has_waited_no_time_yet(world, clock, client, mail_of):
    clock.move(days=4, hours=4)  # Saturday
    late = client("Lena", "Fischer", main=world.owner, emails=["lena@example.com"])
    mail_of(late)
    clock.move(hours=2)
    assert head(world.enter(), late.id)[2] == "Waiting"


def test_a_long_wait_names_its_day(world, clock):
    clock.move(days=60)
    assert tag(world.enter()) == ("red", "Waiting since Mar 10")


def test_the_firms_hours_and_target_are_its_own(world, clock):
    answer = save(world.enter(), tuesday=["09:00", "11:30"], answer_within_hours=1)
    assert answer.status_code == 303
    clock.move(hours=5)
    assert tag(world.enter()) == ("red", "Waiting 1 h")
    page = world.enter().get("/settings/firm").text
    assert re.search(r'name="tuesday" value="11:30" aria-label="Tuesday closes"', page)
    assert re.search(r'name="sunday" value="" aria-label="Sunday opens"', page)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"monday": ["09:00", ""]}, "Say when it opens and when it closes, or neither."),
        ({"monday": ["17:00", "09:00"]}, "It must close after it opens."),
        ({"monday": ["09:00", "12:00", "17:00"]}, "Say when it opens and when it closes"),
        ({"monday": ["09:00Z", "17:00Z"]}, "Give times without a zone"),
        ({"monday": ["morning", "evening"]}, "valid time format"),
        ({"answer_within_hours": 0}, "Input should be greater than or equal to 1."),
        (dict.fromkeys(NINE_TO_FIVE, ""), "Open on one day at least"),
    ],
)
def test_hours_that_make_no_sense_are_refused(world, clock, changes, words):
    answer = save(world.enter(), **changes)
    assert answer.status_code == 422
    assert words in answer.text.replace("&#39;", "'")
    clock.move(hours=3)
    assert tag(world.enter()) == ("blue", "Waiting 3 h")


def test_only_an_owner_sets_them(world, staff, sign_in):
    assert save(sign_in(staff(Role.MANAGER))).status_code == 403
