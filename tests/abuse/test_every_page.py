"""What every answer carries and what no page shows, tried over every route (C12, C17, B10, O10)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from casewell.access_table import TABLE
from casewell.clients.models import Client, ClientImport, ClientView
from casewell.documents.models import ClientDocument, DocumentVersion
from casewell.email.models import Mailbox
from casewell.kernel.access import Role
from casewell.kernel.db import Database
from casewell.kernel.web import CSP
from casewell.messages.models import Attachment, ConversationHead, TriageSender, UnifiedMessage
from casewell.staff.models import ApiToken, Firm, Staff
from casewell.tags.models import ClientTag
from tests.abuse.conftest import SSN, World, knock, routes, unpacked
from tests.rigs.installation import Person

INJECTED = "<img src=x onerror=alert(1)>"
OUTSIDE = re.compile(
    r"""<(?:script|link|img|iframe|source|object|embed)\b[^>]*\s(?:src|href)=["']?(?:https?:)?//"""
)


@pytest.fixture
def every_page(
    app: Flask, world: World, sign_in: Callable[..., Person]
) -> Callable[[str], Iterator[tuple[str, TestResponse]]]:
    """Yields each address a person may read, with its answer as a page and as a fragment."""

    def read(who: str) -> Iterator[tuple[str, TestResponse]]:
        person = sign_in(world.people[who])
        for rule, method in routes(app, unsafe=False):
            audience = TABLE[rule.endpoint]
            if audience.public or world.people[who].role not in audience.roles:
                continue
            address = world.address(rule)
            yield address, knock(person, method, address)
            yield address, knock(person, method, address, htmx=True)

    return read


def test_C12_every_answer_of_every_route_carries_the_headers_that_guard_it(
    app: Flask, world: World, sign_in: Callable[..., Person]
) -> None:
    """C16: no page can be framed, but the body of a mail, by ourselves."""
    for rule, method in routes(app):
        person = sign_in(world.people["owner"])
        answer = knock(person, method, world.address(rule))
        headers, what = answer.headers, f"{method} {rule.rule}: {answer.status_code}"
        assert headers["X-Content-Type-Options"] == "nosniff", what
        assert headers["Referrer-Policy"] in ("same-origin", "no-referrer"), what
        assert "no-store" in headers["Cache-Control"], what
        assert headers.get("Access-Control-Allow-Origin") is None, what
        policy = headers["Content-Security-Policy"]
        assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0], what
        if policy == CSP:
            assert headers["X-Frame-Options"] == "DENY", what
        else:
            assert "default-src 'none'" in policy, what
            assert "script-src" not in policy, what


@pytest.mark.parametrize("who", [role.value for role in Role])
def test_B10_no_page_shows_a_secret(
    who: str, every_page: Callable[..., Any], world: World, database: Database
) -> None:
    with database.reading() as session:
        hashes = [
            *session.scalars(sa.select(Staff.password_hash)),
            *session.scalars(sa.select(ApiToken.token_hash)),
            *(ssn.ciphertext for ssn in session.scalars(sa.select(Client.ssn)) if ssn),
        ]
    secrets = {SSN, SSN.replace("-", ""), "zebra-password", "$argon2", *filter(None, hashes)}
    for address, answer in every_page(who):
        text = answer.get_data(as_text=True)
        for secret in secrets:
            assert secret not in text, f"{address} shows {secret}"


def test_C17_a_name_is_text_wherever_it_stands(
    every_page: Callable[..., Any], world: World, database: Database
) -> None:
    with database.writing() as session:
        for model, columns in {
            Client: ("first_name", "last_name", "street", "city"),
            Staff: ("name",),
            Firm: ("name", "sending_paused_reason"),
            Mailbox: ("name",),
            ClientImport: ("file_name",),
            ApiToken: ("name",),
            Attachment: ("shown_name", "note"),
            UnifiedMessage: ("subject", "preview"),
            ConversationHead: ("preview",),
            TriageSender: ("name", "subject", "preview"),
            ClientTag: ("name", "description"),
            ClientView: ("name",),
            ClientDocument: ("title",),
            DocumentVersion: ("shown_name",),
        }.items():
            values = dict.fromkeys(columns, INJECTED)
            session.execute(sa.update(model).values(values))
    shown = 0
    for address, answer in every_page("owner"):
        if answer.mimetype == "text/html":
            text = answer.get_data(as_text=True)
            assert INJECTED not in text, address
            shown += "&lt;img src=x onerror" in text
    assert shown > 20, "the names did not stand anywhere"


def test_C14_what_a_firm_is_called_changes_no_header(
    world: World, sign_in: Callable[..., Person]
) -> None:
    person = sign_in(world.people["owner"])
    for name in ("a; script-src *", "a\r\nX-Evil: 1", "\"'nonce-abc", "x" * 200):
        answer = person.post("/settings/firm", {"name": name, "time_zone": "America/Chicago"})
        assert answer.status_code in (303, 422)
        page = person.get("/settings/firm")
        assert page.headers["Content-Security-Policy"] == CSP
        assert "X-Evil" not in page.headers


def test_O10_pages_load_nothing_from_elsewhere(every_page: Callable[..., Any]) -> None:
    for address, answer in every_page("owner"):
        if answer.mimetype == "text/html":
            found = OUTSIDE.search(answer.get_data(as_text=True))
            assert found is None, f"{address}: {found and found[0]}"


@pytest.mark.parametrize("where", ["/sign-in", "/sign-in/code", "/sign-in/second-factor"])
@pytest.mark.parametrize("finished", [True, False])
def test_C08_going_on_never_leads_off_the_site(
    where: str, finished: bool, world: World, sign_in: Callable[..., Person], shared: Any
) -> None:
    lines = (shared / "security/fixtures/redirect_targets.txt").read_text().splitlines()
    for target in [eval(line) for line in lines if line.strip()]:  # Python literals
        person = sign_in(world.people["owner"], finished=finished)
        answer = person.get(where, query_string={"next": target})
        if location := answer.headers.get("Location"):
            assert re.match(r"/(?![/\\\t])", location), target
        for kept in re.findall(r'name="next" value="([^"]*)"', answer.get_data(as_text=True)):
            assert re.match(r"/(?![/\\\t])", kept), target


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.OWNER])
def test_B02_who_is_no_owner_is_no_owner_anywhere(
    role: Role, app: Flask, world: World, sign_in: Callable[..., Person]
) -> None:
    person = sign_in(world.people[role.value])
    tried = 0
    for rule, method in routes(app):
        if TABLE[rule.endpoint].roles == {Role.OWNER}:
            tried += 1
            answer = knock(person, method, world.address(rule))
            assert answer.status_code == 403, f"{method} {rule.rule}"
    assert tried > 10


def test_B04_nothing_of_a_colleagues_client_shows_in_any_list(
    app: Flask, world: World, sign_in: Callable[..., Person], database: Database
) -> None:
    """B16: lists, searches by word, name, address, number, counts, exports, palette, API."""
    with database.writing() as session:
        hidden = session.get_one(Client, world.hidden.id)
        hidden.reference = "CW-7301"
    words = ("zebra", "Bruno", "Salas", "bruno@example.com", "CW-7301", "3125550123", SSN, "")
    person = sign_in(world.people["dana"])
    marks = ("zebra", "bruno", "salas", "cw-7301")
    for rule, _ in routes(app, unsafe=False):
        audience = TABLE[rule.endpoint]
        about_one = any(name.endswith("_id") for name in rule.arguments)
        if audience.public or about_one or Role.CASE_MANAGER not in audience.roles:
            continue
        for word in words:
            for more in ({}, {"scope": "all"}, {"view": "all", "state": "any"}):
                answer = person.get(world.address(rule), query_string={"q": word, **more})
                _names_nobody(answer, marks, word, rule.rule)
    for word in words:
        found = person.post("/clients/search", {"q": word})
        _names_nobody(person.get(found.location), marks, word, "/clients/search")
        for path in ("/palette", "/inbox/new"):
            _names_nobody(person.post(path, {"q": word}), marks, word, path)
        searched = person.post("/inbox/search", {"q": word, "scope": "all"})
        _names_nobody(person.get(searched.location), marks, word, "/inbox/search")
        merge = person.post(f"/clients/{world.mine.id}/merge/find", {"q": word})
        _names_nobody(merge, marks, word, "/merge/find")
    for kind in ("csv", "xlsx"):
        exported = person.post("/clients/export", {"format": kind})
        assert exported.status_code == 200
        assert b"Salas" not in unpacked(exported.data)
    assert person.get("/api/inbox/unread").json["all"] == 0
    assert [c["name"] for c in person.get("/api/clients").json["items"]] == ["Ana Ruiz"]
    colleague = sign_in(world.people["colleague"])
    found = colleague.get("/api/inbox/search?q=zebra").json["items"]
    assert [hit["client_id"] for hit in found] == [world.hidden.id]


def _names_nobody(answer: TestResponse, marks: tuple[str, ...], word: str, where: str) -> None:
    assert answer.status_code < 400 or answer.status_code in (400, 404, 422), where
    text = answer.get_data(as_text=True).lower()
    # The word that is looked for stands in the field again.
    for mark in marks:
        if mark not in word.lower():
            assert mark not in text, f"{where} tells of {mark!r} to who looks for {word!r}"


FORBIDDEN = {
    "id": 1,
    "client_id": 1,
    "staff_id": 1,
    "created_at": "2020-01-01T00:00:00Z",
    "role": "owner",
    "is_active": "true",
    "status_id": 1,
    "password_hash": "x",
    "totp_confirmed_at": "",
    "ssn_enc": "x",
    "ssn_last4": "0000",
    "merged_into_id": 1,
    "is_system": "1",
    "next_run_at": "2020-01-01",
    "tracking_token": "x",
    "deactivated_at": "2020-01-01",
    "second_factor_required": "",
}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/settings/profile", {"name": "Mine", "time_zone": "America/Chicago"}),
        ("POST", "/settings/profile/theme", {"theme": "dark"}),
        ("POST", "/settings/firm", {"name": "Mine", "time_zone": "America/Chicago"}),
        ("POST", "/settings/users", {"name": "Eve", "email": "eve@firm.example", "role": "viewer"}),
        ("POST", "/settings/users/{staff_id}/role", {"role": "viewer"}),
        ("POST", "/clients/new", {"first_name": "Eve"}),
        ("POST", "/clients/{client_id}/responsible", {"main_responsible_id": 1}),
        ("POST", "/clients/{client_id}/ssn", {"ssn": "900-12-0000"}),
        ("POST", "/inbox/c/{client_id}/reply", {"body": "x", "subject": "y", "key": "12345678"}),
        ("POST", "/triage/{sender_id}/client", {"first_name": "Eve"}),
        ("POST", "/triage/{sender_id}/link", {"client_id": 1}),
        ("POST", "/api/clients", {"first_name": "Eve"}),
        ("PATCH", "/api/clients/{client_id}", {"first_name": "Eve"}),
        ("POST", "/api/inbox/reply", {"client_id": 1, "body": "x", "subject": "y"}),
    ],
)
def test_B09_a_field_the_form_does_not_have_is_refused(
    method: str,
    path: str,
    body: dict[str, Any],
    world: World,
    sign_in: Callable[..., Person],
    dump: Callable[..., Any],
) -> None:
    person = sign_in(world.people["owner"])
    address = path.format(**world.ids)
    before = dump()
    for name, value in FORBIDDEN.items():
        if name in body:
            continue
        if name == "second_factor_required":
            value = "1"
        answer = knock(person, method, address, {**body, name: value or "1"})
        assert answer.status_code == 422, f"{name}: {answer.status_code}"
        assert dump() == before, name
