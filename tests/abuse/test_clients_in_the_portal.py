"""A client who is signed in at the portal, at every route there is (A19, B01, B03)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from casewell.access_table import TABLE
from casewell.kernel.runtime import Runtime
from casewell.portal import sessions
from casewell.portal.models import ClientAccount
from tests.abuse.conftest import World, knock, routes
from tests.rigs.installation import Person


@pytest.fixture
def ana(app: Flask, world: World, runtime: Runtime) -> Person:
    """The client `mine`, signed in: everything in the world's ids is another client's."""
    with runtime.database.writing() as session:
        account = ClientAccount(
            client_id=world.mine.id, email="ana@example.com", created_at=runtime.now()
        )
        session.add(account)
        session.flush()
        token = sessions.begin(session, account.id, runtime.now())
    person = Person(app)
    person.http.set_cookie(sessions.cookie_of(runtime.settings), token)
    return person


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
