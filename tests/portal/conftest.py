"""Clients in the portal, as tests of this package have them."""

from __future__ import annotations

import re
from collections.abc import Callable
from email import message_from_bytes
from email.policy import default as modern

import pytest
from flask import Flask

from casewell.clients.models import Client
from casewell.kernel.access import Role
from casewell.kernel.db import Database
from casewell.kernel.runtime import Runtime
from casewell.portal import sessions
from casewell.portal.models import ClientAccount
from casewell.staff.models import Staff
from casewell.staff.passwords import hash_password
from tests.rigs.installation import MovableClock, Person

PASSWORD = "tall birch under the harbor"


class InPortal(Person):
    """A browser at the portal. Its form token is read anew: signing in gives another."""

    def csrf(self) -> str:
        page = self.http.get("/portal/sign-in", follow_redirects=True).get_data(as_text=True)
        found = re.search(r'name="csrf-token" content="([^"]+)"', page)
        assert found
        return found[1]


@pytest.fixture
def dana(staff: Callable[..., Staff]) -> Staff:
    return staff(Role.CASE_MANAGER, name="Dana Whitfield")


@pytest.fixture
def marisol(client: Callable[..., Client], dana: Staff) -> Client:
    return client(emails=["marisol@example.com"], main=dana)


@pytest.fixture
def bruno(client: Callable[..., Client], dana: Staff) -> Client:
    return client("Bruno", "Salas", emails=["bruno@example.com"], main=dana)


_HASH: list[str] = []


@pytest.fixture
def account(database: Database, clock: MovableClock) -> Callable[..., ClientAccount]:
    """Gives a client an account with the password PASSWORD; keywords are columns."""

    def make(whose: Client, **columns: object) -> ClientAccount:
        if not _HASH:
            _HASH.append(hash_password(PASSWORD))
        given = {"email": whose.emails[0].address, "password_hash": _HASH[0]}
        with database.writing() as session:
            row = ClientAccount(client_id=whose.id, created_at=clock(), **{**given, **columns})
            session.add(row)
        return row

    return make


@pytest.fixture
def visitor(app: Flask) -> InPortal:
    return InPortal(app)


@pytest.fixture
def enter(
    app: Flask, runtime: Runtime, account: Callable[..., ClientAccount]
) -> Callable[..., InPortal]:
    """Signs a client in, with a new account unless one is given."""

    def signed_in(whose: Client, has: ClientAccount | None = None) -> InPortal:
        has = has or account(whose)
        with runtime.database.writing() as session:
            token = sessions.begin(session, has.id, runtime.now())
        person = InPortal(app)
        person.http.set_cookie(sessions.cookie_of(runtime.settings), token)
        return person

    return signed_in


@pytest.fixture
def link_in(sent_mails: list[tuple[str, list[str], bytes]]) -> Callable[[], str]:
    """Returns the path of the link in the mail that was sent last."""

    def path() -> str:
        text = text_of(sent_mails[-1][2])
        return re.search(r"https?://[^/\s]+(/\S+)", text)[1]  # type: ignore[index]

    return path


def text_of(raw: bytes) -> str:
    body = message_from_bytes(raw, policy=modern).get_body(("plain",))
    assert body is not None
    return str(body.get_content())
