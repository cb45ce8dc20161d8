"""A client who is signed in at the portal, at every route there is (A19, B01, B03)."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from casewell.access_table import TABLE
from casewell.clients.models import Client
from casewell.kernel.web import CSP
from tests.abuse.conftest import World, knock, routes
from tests.rigs.installation import LIMITER_AND_AUDIT, Person


@pytest.fixture
def ana(world: World, in_portal: Callable[[Client], Person]) -> Person:
    """The client `mine`, signed in: everything in the world's ids is another client's."""
    return in_portal(world.mine)


def test_B01_a_client_is_nobody_on_every_route_of_staff(
    app: Flask, world: World, ana: Person, dump: Callable[..., Any]
) -> None:
    before = dump()
    for rule, method in routes(app):
        if TABLE[rule.endpoint].public or TABLE[rule.endpoint].clients:
            continue
        address = world.address(rule)
        answer = knock(ana, method, address)
        if address.startswith("/api/"):
            assert answer.status_code == 401, f"{method} {address}"
        else:
            assert answer.status_code == 302, f"{method} {address}"
            assert answer.location.startswith("/sign-in"), f"{method} {address}"
    assert dump() == before


def test_B03_a_clients_own_routes_show_nothing_of_another_client(
    app: Flask, world: World, ana: Person
) -> None:
    tried = 0
    for rule, method in routes(app):
        if not TABLE[rule.endpoint].clients or rule.endpoint == "portal_sign_in.sign_out":
            continue
        tried += 1
        answer = knock(ana, method, world.address(rule))
        assert answer.status_code < 500, f"{method} {rule.rule}"
        assert "zebra" not in answer.get_data(as_text=True).lower()
        assert answer.headers["Cache-Control"] == "no-store"
    assert tried > 8


@pytest.fixture
def own_routes(app: Flask, world: World) -> list[tuple[str, str, str]]:
    """Each route that takes a client's session: its name, its method, its address."""
    return [
        (rule.endpoint, method, world.address(rule))
        for rule, method in routes(app)
        if TABLE[rule.endpoint].clients
    ]


# What any request of a signed-in client writes: that they were there.
SEEN = {*LIMITER_AND_AUDIT, "client_sessions"}


def test_C10_no_own_route_acts_without_the_token_of_this_very_session(
    app: Flask,
    world: World,
    own_routes: list[tuple[str, str, str]],
    in_portal: Callable[[Client], Person],
    sign_in: Callable[..., Person],
    dump: Callable[..., Any],
) -> None:
    """Missing, made up, another client's, staff's, from before signing in; JSON sent as text."""
    others = [
        None,
        "made-up",
        in_portal(world.hidden).csrf(),
        sign_in(world.people["owner"]).csrf(),
        Person(app).csrf(),
    ]
    person = in_portal(world.mine)
    person.csrf()
    tried = 0
    for name, method, address in own_routes:
        if method == "GET":
            continue
        tried += 1
        before = dump(without=SEEN)
        for token in others:
            headers = {"X-CSRFToken": token} if token else {}
            for extra in ({}, {"HX-Request": "true"}, {"Origin": "https://evil.example"}):
                answer = person.http.open(address, method=method, headers=headers | extra)
                assert answer.status_code == 400, f"{name}: {answer.status_code}"
        text = person.http.open(address, method=method, data='{"a":1}', content_type="text/plain")
        assert text.status_code == 400, name
        assert dump(without=SEEN) == before, f"{name} acted without a token"
    assert tried > 5


def test_C11_no_own_route_takes_a_method_it_does_not_have(
    app: Flask, ana: Person, own_routes: list[tuple[str, str, str]], dump: Callable[..., Any]
) -> None:
    token = ana.csrf()
    before = dump(without=SEEN)
    known: dict[str, set[str]] = {}
    for _, method, address in own_routes:
        known.setdefault(address, {"HEAD", "OPTIONS"}).add(method)
    for address, methods in known.items():
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - methods:
            answer = ana.http.open(
                address,
                method=method,
                headers={"X-CSRFToken": token, "X-HTTP-Method-Override": "POST"},
                query_string={"_method": "POST", "csrf_token": token},
            )
            assert answer.status_code in (404, 405), f"{method} {address}: {answer.status_code}"
    assert dump(without=SEEN) == before


def test_C12_every_answer_to_a_client_carries_the_headers_that_guard_it(
    world: World, own_routes: list[tuple[str, str, str]], in_portal: Callable[[Client], Person]
) -> None:
    """Pages, fragments, files, redirects, refusals; where there is nothing, and where a bug is."""
    statuses, kinds = set(), set()
    sent = {"body": "x", "key": "a-key-of-a-form", "file": (io.BytesIO(b"<html>"), "a.html")}
    posted = in_portal(world.mine).post(
        "/portal/messages", sent, content_type="multipart/form-data"
    )
    page = in_portal(world.mine).get("/portal/messages").text
    file = re.search(r"/portal/messages/[\w-]+/files/0", page)
    assert file
    elsewhere = [
        ("a file", "GET", file[0]),
        ("nothing", "GET", "/portal/nothing"),
    ]
    for name, method, address in (*own_routes, *elsewhere):
        for htmx in (False, True):
            answer = knock(in_portal(world.mine), method, address, htmx=htmx)
            _is_guarded(answer, f"{name}: {answer.status_code}")
            statuses.add(answer.status_code)
            kinds.add(answer.headers.get("Content-Disposition", "").partition(";")[0])
    _is_guarded(posted, "a message that was sent")
    _is_guarded(in_portal(world.mine).http.put("/portal/messages"), "a wrong method")
    assert statuses >= {200, 302, 404, 422}
    assert kinds == {"", "attachment"}


def _is_guarded(answer: TestResponse, what: str) -> None:
    headers = answer.headers
    assert headers["X-Content-Type-Options"] == "nosniff", what
    assert headers["Referrer-Policy"] in ("same-origin", "no-referrer"), what
    assert "no-store" in headers["Cache-Control"], what
    assert headers.get("Access-Control-Allow-Origin") is None, what
    if headers.get("Content-Disposition", "").startswith("attachment"):
        assert "sandbox" in headers["Content-Security-Policy"], what
    else:
        assert headers["Content-Security-Policy"] == CSP, what
        assert headers["X-Frame-Options"] == "DENY", what


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ({"data": {"body": "x" * 3_000_000, "key": "a-key-of-a-form"}}, 413),
        ({"data": {f"field{n}": "1" for n in range(10_000)}}, 422),
        ({"data": b"a" * 46_000_000, "content_type": "application/x-www-form-urlencoded"}, 413),
        ({"json": {"body": "x", "key": "a-key-of-a-form"}}, 422),
        ({"data": {"body": "x", "key": ["a-key-of-a-form"] * 5000}}, 303),
    ],
)
def test_P02_a_form_beyond_reason_is_refused_soon(
    how: dict[str, Any], status: int, ana: Person, dump: Callable[..., Any]
) -> None:
    before, began = dump(without=SEEN), time.monotonic()
    answer = ana.http.post("/portal/messages", headers={"X-CSRFToken": ana.csrf()}, **how)
    assert answer.status_code == status
    assert time.monotonic() - began < 5
    assert status == 303 or dump(without=SEEN) == before
