"""Fields that a form does not have: whatever a row's columns are called, none is written (B09)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from casewell.access_table import TABLE
from casewell.clients.models import Client
from casewell.kernel.db import Base, Database
from tests.abuse.conftest import World, knock, routes
from tests.abuse.forms import Forms
from tests.rigs.installation import Person

NUMBER = "987654321"
TIME = "2019-05-05T05:05:05Z"
WORDS = "okapi-mass"
MARKS = (NUMBER, "2019, 5, 5", "2019-05-05", WORDS)
# Beside the columns: what other systems were tricked with.
FAMOUS = ("is_admin", "is_active", "is_system", "mfa_enabled", "ssn_enc", "tracking_token")
ENDS = {"sign_in.sign_out", "portal_sign_in.sign_out"}


def _columns() -> dict[str, str]:
    """Return every column there is, with a value of its type that can be found again."""
    values = dict.fromkeys(FAMOUS, WORDS)
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            python = column.type.python_type
            values[column.name] = {int: NUMBER, bool: "1"}.get(python, WORDS)
            if column.name.endswith(("_at", "_until")):
                values[column.name] = TIME
    return values


def _forms(person: Person, app: Flask, world: World) -> dict[str, dict[str, str]]:
    """Return every form of the pages a person can open, by where it is sent."""
    found: dict[str, dict[str, str]] = {}
    for rule, _ in routes(app, unsafe=False):
        address = world.address(rule)
        answer = person.get(address)
        if answer.status_code == 200 and answer.mimetype == "text/html":
            for form in Forms(address, answer.text).found:
                if form.method == "post":
                    found.setdefault(form.action.partition("?")[0], {}).update(form.fields)
    return found


@pytest.mark.parametrize("who", ["owner", "colleague", "client"])
def test_B09_no_column_is_written_by_who_only_names_it(
    who: str,
    app: Flask,
    world: World,
    sign_in: Callable[..., Person],
    in_portal: Callable[[Client], Person],
    dump: Callable[..., Any],
    database: Database,
) -> None:
    """By form and by JSON, each route there is, every column of every table at once."""

    def enter() -> Person:
        return in_portal(world.hidden) if who == "client" else sign_in(world.people[who])

    columns, forms, tried = _columns(), _forms(enter(), app, world), 0
    for rule, method in routes(app, unsafe=True):
        if rule.endpoint in ENDS or bool(TABLE[rule.endpoint].clients) != (who == "client"):
            continue
        address = world.address(rule)
        fields = {name: value for name, value in forms.get(address, {}).items() if value}
        answer = knock(enter(), method, address, {**columns, **fields})
        assert answer.status_code < 500, f"{method} {rule.rule}"
        tried += 1
        for table, rows in dump().items():
            for row in rows:
                for mark in MARKS:
                    assert mark not in row, f"{method} {rule.rule} wrote {mark} to {table}"
    assert tried > (5 if who == "client" else 60)


def test_the_marks_would_be_found(
    world: World, database: Database, dump: Callable[..., Any]
) -> None:
    with database.writing() as session:
        session.get_one(Client, world.mine.id).first_name = WORDS
    assert any(WORDS in row for row in dump()["clients"])
