"""What is broken stays where it is broken, and tells nobody outside why (R6, O07, O08, O02)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from casewell.clients.models import Client
from casewell.kernel.db import Database
from casewell.kernel.types import Sealed
from casewell.ledger.models import AuditEvent
from casewell.ledger.service import verify
from tests.abuse.conftest import SSN, World
from tests.rigs.installation import PASSWORD, Person


@pytest.fixture
def broken(database: Database, world: World) -> None:
    """The table of imports is gone: what reads it fails in a way nobody foresaw."""
    with database.engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE client_import_rows"))
        connection.execute(sa.text("DROP TABLE client_imports"))


@pytest.mark.parametrize("debug", ["", "1"])
def test_O08_a_bug_tells_its_reference_and_nothing_else(
    debug: str,
    broken: None,
    world: World,
    sign_in: Callable[..., Person],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FLASK_DEBUG", debug)
    monkeypatch.setenv("DEBUG", debug)
    person = sign_in(world.people["owner"])
    for htmx in (False, True):
        answer = person.get("/clients/import", htmx=htmx)
        assert answer.status_code == 500
        text = answer.get_data(as_text=True)
        for mark in ("Traceback", "sqlalchemy", "client_imports", "SELECT", ".py"):
            assert mark not in text
        assert "Something went wrong here" in text
    assert person.get("/clients").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/.git/config",
        "/.env",
        "/casewell.env",
        "/static/../../casewell.env",
        "/static/%2e%2e%2fapp.py",
        "/static//etc/passwd",
        "/console",
        "/debug",
        "/server-status",
        "/openapi.json",
    ],
)
def test_O08_nothing_of_the_installation_is_served(path: str, visitor: Person) -> None:
    assert visitor.get(path, follow_redirects=True).status_code == 404


@pytest.mark.parametrize("path", ["/api", "/api/openapi.json", "/health"])
def test_O08_what_tells_of_the_installation_asks_who_asks(path: str, visitor: Person) -> None:
    assert visitor.get(path).status_code in (302, 401)


def test_O07_one_value_that_does_not_open_leaves_the_rest_at_work(
    world: World, sign_in: Callable[..., Person], database: Database
) -> None:
    with database.writing() as session:
        row = session.get_one(Client, world.hidden.id)
        row.ssn = Sealed("k9:bm90IGEgY2lwaGVydGV4dA==", "clients.ssn")
    person = sign_in(world.people["owner"])
    assert person.get(f"/clients/{world.hidden.id}").status_code == 200
    assert person.get("/clients").status_code == 200
    address = f"/clients/{world.hidden.id}/ssn/reveal"
    answer = person.post(address, {"reason": "A letter asks for it"})
    assert 400 <= answer.status_code < 500 or answer.status_code == 503
    assert SSN not in answer.get_data(as_text=True)
    assert person.get("/settings/security").status_code == 200


def test_O02_reading_an_ssn_needs_a_reason_that_is_recorded(
    world: World, sign_in: Callable[..., Person], database: Database
) -> None:
    person = sign_in(world.people["colleague"])
    address = f"/clients/{world.hidden.id}/ssn/reveal"
    refused = person.post(address, {"reason": ""})
    assert refused.status_code == 422
    assert SSN not in refused.get_data(as_text=True)
    shown = person.post(address, {"reason": "The bureau's letter asks for it"})
    assert SSN in shown.get_data(as_text=True)
    with database.reading() as session:
        last = session.scalars(sa.select(AuditEvent).order_by(AuditEvent.seq.desc())).first()
    assert last is not None
    assert (last.kind, last.staff_name) == ("client.ssn_revealed", "Marcus Hill")
    assert last.client_id == world.hidden.id
    assert last.data["reason"] == "The bureau's letter asks for it"
    assert last.address == "127.0.0.1"


def test_O02_what_is_sensitive_is_recorded_with_who_did_it_and_without_secrets(
    world: World, sign_in: Callable[..., Person], database: Database
) -> None:
    """Nothing of it can be changed by anyone: there is no route; what is changed is named."""
    owner = sign_in(world.people["owner"])
    reader = sign_in(world.people["viewer"])
    colleague = world.people["colleague"].id
    again = {"current_password": PASSWORD}
    steps: list[tuple[str, Any]] = [
        ("clients.exported", lambda: owner.post("/clients/export", {"format": "csv"})),
        (
            "staff.role_changed",
            lambda: owner.post(f"/settings/users/{colleague}/role", {"role": "viewer"}),
        ),
        ("staff.deactivated", lambda: owner.post(f"/settings/users/{colleague}/deactivate")),
        (
            "token.created",
            lambda: owner.post(
                "/settings/security/tokens", {"name": "script", "scopes": "read", **again}
            ),
        ),
        ("firm.sending_paused", lambda: owner.post("/settings/firm/pause", {"reason": "Move"})),
        ("firm.sending_resumed", lambda: owner.post("/settings/firm/resume")),
        ("access.refused", lambda: reader.post("/settings/firm", {"name": "Mine"})),
        ("triage.set_aside", lambda: owner.post(f"/triage/{world.ids['sender_id']}/set-aside")),
    ]
    for kind, act in steps:
        act()
        with database.reading() as session:
            last = session.scalars(sa.select(AuditEvent).order_by(AuditEvent.seq.desc())).first()
        assert last is not None
        assert last.kind == kind
        assert last.staff_id in (owner.staff.id, reader.staff.id)  # type: ignore[union-attr]
        assert last.at is not None
        told = repr(last.data)
        assert PASSWORD not in told
        assert "cw_" not in told
    with database.reading() as session:
        assert list(verify(session)) == []
    with database.writing() as session:
        session.execute(sa.update(AuditEvent).where(AuditEvent.seq == 2).values(staff_name="Eve"))
    with database.reading() as session:
        [fault] = verify(session)
    assert str(fault) == "audit, entry 2: was altered"
