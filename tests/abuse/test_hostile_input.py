"""Whatever is put into a form or an address, the answer is one that was thought about (R5, R6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask

from casewell.access_table import TABLE
from casewell.clients.models import Client
from casewell.kernel.access import Role
from casewell.kernel.forms import Query
from tests.abuse.conftest import World, routes
from tests.abuse.forms import Form, Forms
from tests.rigs.installation import PASSWORD, Person

LONG = "x" * 20_000
HOSTILE = (
    "",
    "\x00",
    "a\r\nSet-Cookie: a=b",
    "'\";--<img src=x onerror=alert(1)>{{7*7}}${7*7}",
    "\u202e\u2028\ufffe\U0001f4a9\u0301",
    "9" * 40,
    "-1",
    "1e309",
    "NaN",
    LONG,
)
# Read one by one in views, beside the fields of the Query models.
SINGLE = ("again", "back", "before", "after_message", "client", "group", "images", "message")
SINGLE += ("q", "s", "sent", "show", "tab", "with", "page", "limit", "offset")
TELLTALES = ("Traceback", "sqlalchemy", "sqlite3", "psycopg", "/site-packages/", "SELECT ")


def test_R6_no_field_of_any_form_breaks_anything(
    app: Flask, world: World, sign_in: Callable[..., Person], clock: Any
) -> None:
    """R5: each field of each form that a page shows, with each hostile value in turn."""
    tried = set()
    for form in _every_form(app, world, sign_in):
        names = [name for name, _ in form.fields]
        for hostile in HOSTILE:
            for name in dict.fromkeys(names):
                person = sign_in(world.people["owner"])
                body = {
                    other: PASSWORD if "password" in other else value
                    for other, value in form.fields
                } | {name: hostile}
                answer = person.post(form.action, body)
                tried.add((form.action, name))
                _is_told_well(answer, f"{form.action} {name}={hostile[:40]!r}")
    assert len(tried) > 60


def _every_form(app: Flask, world: World, sign_in: Callable[..., Person]) -> Iterator[Form]:
    """Yield each form that sends something, of every page an owner can open."""
    seen = set()
    person = sign_in(world.people["owner"])
    for rule, method in routes(app, unsafe=False):
        address = world.address(rule)
        answer = person.get(address)
        if method != "GET" or answer.status_code != 200 or answer.mimetype != "text/html":
            continue
        for form in Forms(address, answer.get_data(as_text=True)).found:
            path = urlsplit(form.action).path
            if form.method != "post" or path == "/sign-out":
                continue
            shape = (path, tuple(name for name, _ in form.fields))
            if shape not in seen and form.fields:
                seen.add(shape)
                yield form


def test_R6_no_parameter_of_any_address_breaks_anything(
    app: Flask, world: World, sign_in: Callable[..., Person]
) -> None:
    """B15: unknown columns, quotes and JSON paths too; P01: sizes beyond reason."""
    names = {name for model in _queries(Query) for name in model.model_fields} | set(SINGLE)
    person = sign_in(world.people["owner"])
    for rule, method in routes(app, unsafe=False):
        address = world.address(rule)
        if method != "GET" or rule.endpoint in (
            "health.index",
            "api_docs.show",
            "api_docs.openapi",
        ):
            continue
        for hostile in (*HOSTILE[1:-1], "x" * 3000):
            # All at once, and each alone: a refusal of one must not hide another.
            for query in (dict.fromkeys(names, hostile), *_alone(names, hostile)):
                answer = person.get(address, query_string=query)
                _is_told_well(answer, f"{address} {str(query)[:80]!r}")


BOUNDS = (
    {"limit": "1000000000", "size": "1000000000", "shown": "1000000000"},
    {"offset": "-1", "limit": "-1", "after": "-1", "before": "-1", "since": "-1"},
    {"page": "1e309", "limit": "1e309", "cursor": "1e309", "size": "1e309", "known": "1e309"},
)


@pytest.mark.parametrize("who", ["owner", "client"])
def test_P01_bounds_beyond_reason_are_refused_or_left_alone(
    who: str,
    app: Flask,
    world: World,
    sign_in: Callable[..., Person],
    in_portal: Callable[[Client], Person],
    count_queries: Callable[..., Any],
) -> None:
    """Each alone: 4xx, or the answer that comes without it; never more statements, or more rows."""
    client = in_portal(world.hidden) if who == "client" else None
    person = client or sign_in(world.people[who])
    tried = 0
    for rule, method in routes(app, unsafe=False):
        audience, address = TABLE[rule.endpoint], world.address(rule)
        if method != "GET" or bool(audience.clients) != (who == "client"):
            continue
        person.get(address)
        with count_queries() as plainly:
            person.get(address)
        for bounds in BOUNDS:
            for name, value in bounds.items():
                with count_queries() as asked:
                    answer = person.get(address, query_string={name: value})
                what = f"{address}?{name}={value}"
                _is_told_well(answer, what)
                assert len(asked) <= len(plainly) + 2, what
                assert not any(f"LIMIT {value}" in one for one in asked.seen), what
                tried += 1
    assert tried > (30 if who == "client" else 500)


def _alone(names: set[str], hostile: str) -> Iterator[dict[str, str]]:
    if hostile in ("\x00", "9" * 40):
        yield from ({name: hostile} for name in sorted(names))


def _queries(model: type[Query]) -> Iterator[type[Query]]:
    for one in model.__subclasses__():
        yield one
        yield from _queries(one)


def _is_told_well(answer: Any, what: str) -> None:
    assert answer.status_code < 500, what
    for name, value in answer.headers:
        assert "\n" not in value
        assert not (name == "Set-Cookie" and value.startswith("a=b")), what
    if answer.status_code >= 400:
        text = answer.get_data(as_text=True)
        assert not any(mark in text for mark in TELLTALES), what
    if location := answer.headers.get("Location"):
        told = dict(parse_qsl(urlsplit(location).query))
        assert not any("rror" in name for name in told), f"{what} told of an error in an address"


@pytest.mark.parametrize(
    "query",
    [
        "sort=password_hash",
        "sort=ssn",
        "sort=name%3B--",
        "status=active'",
        "state=%22",
        "responsible=1%20OR%201=1",
        "view=everything",
    ],
)
def test_B15_lists_sort_and_filter_by_what_they_offer_and_nothing_else(
    query: str, world: World, sign_in: Callable[..., Person]
) -> None:
    person = sign_in(world.people["manager"])
    for path in ("/clients", "/api/clients"):
        assert person.get(f"{path}?{query}").status_code in (400, 422), path


def test_B15_a_filter_on_what_is_sealed_is_no_filter(
    world: World, sign_in: Callable[..., Person]
) -> None:
    person = sign_in(world.people["manager"])
    every = person.get("/api/clients").json["items"]
    for query in ("ssn=900", "filter[client.ssn][startswith]=9", "ssn_last4=3456"):
        assert person.get(f"/api/clients?{query}").json["items"] == every


@pytest.mark.parametrize("role", [Role.OWNER, Role.VIEWER])
def test_R6_errors_look_the_same_to_everyone(
    role: Role, world: World, sign_in: Callable[..., Person], visitor: Person
) -> None:
    person = sign_in(world.people[role.value])
    for path in ("/clients/999999", "/nothing", "/api/nothing", "/inbox/attachments/999999"):
        answer = person.get(path)
        assert answer.status_code == 404
        assert not any(mark in answer.get_data(as_text=True) for mark in TELLTALES)
