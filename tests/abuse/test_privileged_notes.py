"""Notes among staff: who may not read one learns neither its words nor that it is there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from casewell.access_table import TABLE
from casewell.clients.models import Client
from casewell.kernel.access import Role
from casewell.notes.models import READERS_OF_PRIVILEGED, NoteKind
from tests.abuse.conftest import ABSENT, World, knock, plain, routes
from tests.rigs.installation import Person

MARK = "okapibetweenus"
WITHOUT_THE_RIGHT = sorted(set(Role) - READERS_OF_PRIVILEGED)
# What a page makes anew each time it is asked for.
MADE_ANEW = re.compile(r'name="key" value="[0-9a-f]{32}"')


@pytest.fixture
def write(world: World, sign_in: Callable[..., Person]) -> Callable[[NoteKind], int]:
    """An attorney writes about a client, naming a colleague; returns the note's id."""
    attorney = sign_in(world.people[Role.ATTORNEY.value])

    def written(kind: NoteKind) -> int:
        body = {"client_id": world.hidden.id, "text": f"{MARK} {kind} @Marcus", "kind": kind}
        return int(attorney.api("POST", "/api/notes", body).json["id"])

    return written


@pytest.fixture
def reader(
    request: pytest.FixtureRequest,
    world: World,
    database: Any,
    sign_in: Callable[..., Person],
) -> Person:
    """Somebody of a role who sees the client; a case manager is responsible for them."""
    role: Role = request.param
    who = world.people["colleague" if role is Role.CASE_MANAGER else role.value]
    with database.reading() as session:
        main = session.get_one(Client, world.hidden.id).main_responsible_id
    assert role is not Role.CASE_MANAGER or main == who.id
    return sign_in(who)


def _walk(person: Person, app: Flask, world: World) -> Iterator[tuple[str, str]]:
    """Yield all that a person may look at, as pages and as fragments, of one client and of all."""
    queries: tuple[dict[str, Any], ...] = (
        {},
        {"client": world.hidden.id, "scope": "all", "state": "any", "status": "any"},
        {"q": MARK, "scope": "all"},
        {"note": 2, "compose": "note", "tab": "all"},
    )
    for rule, method in routes(app, unsafe=False):
        if not TABLE[rule.endpoint].roles or rule.endpoint == "security.enrolment":
            continue  # the latter makes a new secret each time
        address = world.address(rule)
        for query in queries:
            for htmx in (False, True):
                answer = knock(person, method, address, htmx=htmx, query_string=query)
                text = MADE_ANEW.sub("", plain(answer))
                yield f"{rule.endpoint} {query} {htmx}", f"{answer.status_code} {text}"


@pytest.mark.parametrize("reader", WITHOUT_THE_RIGHT, indirect=True)
def test_a_privileged_note_changes_nothing_for_who_may_not_read_it(
    reader: Person, app: Flask, world: World, write: Callable[[NoteKind], int]
) -> None:
    """Byte by byte: lists, thread, rail, client's page, API, notifications, counts, news."""
    write(NoteKind.GENERAL)
    before = dict(_walk(reader, app, world))
    write(NoteKind.PRIVILEGED)
    for where, text in _walk(reader, app, world):
        assert f"{MARK} {NoteKind.PRIVILEGED}" not in text, where
        assert text == before[where], f"{where} tells that there is a note"
    write(NoteKind.GENERAL)
    after = dict(_walk(reader, app, world))
    assert sum(after[where] != before[where] for where in before) > 10, "the walk sees no note"


@pytest.mark.parametrize("reader", sorted(READERS_OF_PRIVILEGED), indirect=True)
def test_who_may_read_a_privileged_note_does(
    reader: Person, app: Flask, world: World, write: Callable[[NoteKind], int]
) -> None:
    write(NoteKind.PRIVILEGED)
    shown = [where for where, text in _walk(reader, app, world) if f"{MARK} privileged" in text]
    assert {where.partition(" ")[0] for where in shown} >= {
        "inbox.conversation",
        "api_notes.of_client",
    }


@pytest.mark.parametrize("reader", WITHOUT_THE_RIGHT, indirect=True)
def test_B07_a_note_one_may_not_read_is_acted_on_as_if_it_were_not(
    reader: Person,
    app: Flask,
    world: World,
    write: Callable[[NoteKind], int],
    dump: Callable[..., Any],
) -> None:
    note_id = write(NoteKind.PRIVILEGED)
    reader.csrf()
    before, tried = dump(), 0
    for rule, method in routes(app, unsafe=True):
        if "note_id" in rule.arguments:
            tried += 1
            there = knock(reader, method, world.address(rule, note_id=note_id), {"text": "Mine"})
            absent = knock(reader, method, world.address(rule, note_id=ABSENT), {"text": "Mine"})
            assert there.status_code == absent.status_code == 404, rule.rule
            assert plain(there) == plain(absent)
    assert tried >= 3
    assert dump() == before


def test_B07_a_note_of_a_colleague_is_nobody_elses_to_change(
    app: Flask,
    world: World,
    sign_in: Callable[..., Person],
    write: Callable[[NoteKind], int],
    dump: Callable[..., Any],
) -> None:
    """Not even the owner's: a note is its writer's word."""
    note_id = write(NoteKind.GENERAL)
    for who in ("owner", "manager", "colleague"):
        person = sign_in(world.people[who])
        person.csrf()
        before = dump()
        for rule, method in routes(app, unsafe=True):
            if "note_id" in rule.arguments:
                answer = knock(
                    person, method, world.address(rule, note_id=note_id), {"text": "Mine"}
                )
                assert answer.status_code in (404, 422), f"{who} {rule.rule}"
        assert dump() == before, who


def test_B16_no_search_finds_the_words_of_a_note(
    app: Flask, world: World, sign_in: Callable[..., Person], write: Callable[[NoteKind], int]
) -> None:
    """By those who may read it too: searches are over messages and clients. No hit, no count."""
    everyone = [who for who in world.people if who != "dana"]
    other = {who: _found(sign_in(world.people[who]), "nowhereatall") for who in everyone}
    for kind in NoteKind:
        write(kind)
    for who in everyone:
        found = _found(sign_in(world.people[who]), MARK)
        assert {where: text.replace(MARK, "nowhereatall") for where, text in found.items()} == (
            other[who]
        ), who


def _found(person: Person, word: str) -> dict[str, str]:
    """Return what each search answers, without what differs each time."""
    searched = person.post("/inbox/search", {"q": word, "scope": "all"})
    clients = person.post("/clients/search", {"q": word})
    answers = {
        "/api/inbox/search": person.get(f"/api/inbox/search?q={word}"),
        "/api/clients": person.get(f"/api/clients?q={word}"),
        "/palette": person.post("/palette", {"q": word}, htmx=True),
        "/inbox": person.get(searched.location, htmx=True),
        "/clients": person.get(clients.location, htmx=True),
    }
    assert all(answer.status_code == 200 for answer in answers.values())
    hidden = re.compile(r"[?&;]s=[^\"&]+")
    return {where: hidden.sub("", plain(answer)) for where, answer in answers.items()}


def test_no_route_at_all_shows_a_note_to_who_may_not_see_the_client(
    app: Flask, world: World, sign_in: Callable[..., Person], write: Callable[[NoteKind], int]
) -> None:
    for kind in NoteKind:
        write(kind)
    dana = sign_in(world.people["dana"])
    for where, text in _walk(dana, app, world):
        # What was looked for stands in its field again.
        assert f"{MARK} " not in text.replace(f'value="{MARK}"', ""), where
