"""docs/api.md shows calls that work and answers that come."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from casewell.clients.models import Client
from casewell.kernel.access import Identity, Role, Scope
from casewell.kernel.db import Database
from casewell.kernel.runtime import Runtime
from casewell.messages.models import Lane
from casewell.staff import tokens
from casewell.staff.models import Staff

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
EXAMPLES = re.findall(r"```sh\n(curl .*?)```\n\n```json\n(.*?)```", PAGE, re.DOTALL)
PYTHON = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
HOST = "http://127.0.0.1:8000"


@pytest.fixture
def asked(
    staff: Callable[..., Staff], client: Callable[..., Client], mail_of: Callable[..., int]
) -> tuple[Staff, Client]:
    """The firm of the examples: one person, one client, one mail."""
    dana = staff(Role.CASE_MANAGER)
    marisol = client(main=dana)
    mail_of(marisol, "Has Equifax answered yet?", "My report")
    return dana, marisol


def test_each_example_answers_as_the_page_says(
    app: Flask, runtime: Runtime, asked: tuple[Staff, Client]
) -> None:
    with runtime.database.writing() as session:
        dana = session.get_one(Staff, asked[0].id)
        _, token = tokens.make(
            session, dana, name="script", scopes=list(Scope), days=1, now=runtime.now()
        )
    paths = []
    for command, shown in EXAMPLES:
        method, address, headers, body = _read(command.replace("$TOKEN", token))
        answer = app.test_client().open(address, method=method, headers=headers, data=body)
        assert answer.status_code in (200, 201), command
        assert answer.json == json.loads(shown), command
        paths.append(f"{method} {address.partition('?')[0]}")
    assert paths == [
        "GET /api/inbox",
        "GET /api/inbox/client/1",
        "GET /api/inbox/search",
        "GET /api/inbox/unread",
        "PUT /api/inbox/1/read",
        "POST /api/inbox/reply",
    ]


def _read(command: str) -> tuple[str, str, dict[str, str], str | None]:
    """Return method, path, headers and body of a call of curl."""
    words = shlex.split(command.replace("\\\n", " "))[1:]
    method, path, headers, body = "GET", "", {}, None
    while words:
        match words.pop(0):
            case "-X":
                method = words.pop(0)
            case "-H":
                name, _, value = words.pop(0).partition(": ")
                headers[name] = value
            case "-d":
                body = words.pop(0)
            case address:
                assert address.startswith(HOST), address
                path = address.removeprefix(HOST)
    return method, path, headers, body


def test_a_repeated_call_sends_nothing_twice(
    app: Flask,
    runtime: Runtime,
    asked: tuple[Staff, Client],
    client: Callable[..., Client],
    run_due: Any,
    clock: Any,
    outbox: Any,
) -> None:
    another = client(main=asked[0])
    with runtime.database.writing() as session:
        dana = session.get_one(Staff, asked[0].id)
        _, token = tokens.make(
            session, dana, name="script", scopes=list(Scope), days=1, now=runtime.now()
        )
    method, address, headers, body = _read(EXAMPLES[-1][0].replace("$TOKEN", token))
    calls = [
        app.test_client().open(address, method=method, headers=headers, data=body) for _ in range(3)
    ]
    assert {call.status_code for call in calls} == {201}
    assert len({call.json["message_id"] for call in calls}) == 1
    other = app.test_client().open(
        address, method=method, headers=headers, json={"client_id": another.id, "body": "Not yet."}
    )
    assert (other.status_code, other.mimetype) == (409, "application/problem+json")
    clock.move(seconds=30)
    run_due()
    assert len(outbox.mails) == 1


def test_the_service_does_what_the_page_says(
    runtime: Runtime, database: Database, asked: tuple[Staff, Client]
) -> None:
    dana, marisol = asked
    example = PYTHON[0]
    with database.writing() as session:
        names: dict[str, Any] = {
            "session": session,
            "viewer": Identity(dana.id, dana.role, "session"),
            "runtime": runtime,
            "staff_id": dana.id,
            "client_id": marisol.id,
        }
        exec(example, names)
        assert [row.client_id for row in names["conversations"].items] == [marisol.id]
        assert names["waiting"] == 1
        assert [len(names[page].items) for page in ("messages", "hits", "mails")] == [1, 1, 1]
        assert names["inbox"].get_unread_counts()[Lane.ALL] == 0
        assert names["made"].leaves_at - runtime.now() <= timedelta(seconds=10)
