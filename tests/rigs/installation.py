"""A whole Casewell for one test: its database, its clock, its people, its HTTP clients."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from casewell.bootstrap import make_runtime
from casewell.clients.models import Client, ClientEmail, ClientPhone, ClientStatus
from casewell.kernel import jobs
from casewell.kernel.access import Role
from casewell.kernel.addresses import normal_form
from casewell.kernel.crypto import new_encryption_key, new_token, token_hash
from casewell.kernel.db import Base, Database
from casewell.kernel.runtime import Runtime
from casewell.kernel.settings import Settings
from casewell.kernel.web import cookie_name
from casewell.migrations import upgrade
from casewell.providers.mail_out import MailSender
from casewell.staff.models import Firm, Staff, StaffSession
from tests.rigs.postgres import PostgresRig

START = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
SECRET_KEY = "a-key-for-tests-only-0123456789-abcdefghijklmnop"
ENCRYPTION_KEYS = new_encryption_key("test")
PASSWORD = "correct horse battery staple"
# What a refused request may add to.
LIMITER_AND_AUDIT = {"attempts", "audit_events", "ledger_heads"}
DATABASES = os.environ.get("CASEWELL_TEST_DATABASES", "sqlite").split(",")


@dataclass
class MovableClock:
    """A clock that stands still until a test moves it."""

    at: datetime = START

    def __call__(self) -> datetime:
        return self.at

    def move(self, **by: float) -> datetime:
        self.at += timedelta(**by)
        return self.at


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite database, copied for each test."""
    path = tmp_path_factory.mktemp("template") / "casewell.db"
    database = Database(f"sqlite:///{path}")
    upgrade(database)
    database.close()  # the last connection to leave folds the write-ahead log in
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresRig) -> str:
    """The URL of a migrated PostgreSQL database, cloned for each test."""
    url = postgres.create()
    database = Database(url)
    upgrade(database)
    database.close()
    return url


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated database of this test's own, once for each kind that is asked for."""
    if request.param == "sqlite":
        path = tmp_path / "casewell.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    rig: PostgresRig = request.getfixturevalue("postgres")
    url = rig.clone(request.getfixturevalue("postgres_template"))
    yield url
    rig.drop(url)


@pytest.fixture
def settings_of(tmp_path: Path, database_url: str) -> Callable[..., Settings]:
    """Makes settings for this test's installation; keywords override."""

    def make(**changes: Any) -> Settings:
        given = {
            "home": tmp_path,
            "secret_key": SECRET_KEY,
            "encryption_keys": ENCRYPTION_KEYS,
            "database_url": database_url,
        }
        return Settings(**{**given, **changes})

    return make


@dataclass
class Outbox:
    """A mail sender that keeps what it is given. For tests of what is sent, not of how."""

    kind: str = "test"
    mails: list[tuple[str, list[str], bytes]] = field(default_factory=list)

    def send(
        self,
        envelope_from: str,
        recipients: Any,
        raw: bytes,
        *,
        on_handover: Callable[[], None] | None = None,
    ) -> Any:
        from casewell.providers.mail_out import Sent

        if on_handover is not None:
            on_handover()
        self.mails.append((envelope_from, list(recipients), raw))
        return Sent(provider_id=f"kept-{len(self.mails)}", refused={}, deferred={})

    def check(self) -> None:
        return None


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
def sent_mails(outbox: Outbox) -> list[tuple[str, list[str], bytes]]:
    """What left the house: (envelope sender, recipients, raw mail)."""
    return outbox.mails


@pytest.fixture
def runtime(
    settings_of: Callable[..., Settings], clock: MovableClock, outbox: Outbox
) -> Iterator[Runtime]:
    made = make_runtime(settings_of(), now=clock, providers={MailSender: outbox}, with_hints=False)
    yield made
    made.database.close()


@pytest.fixture
def database(runtime: Runtime) -> Database:
    return runtime.database


@pytest.fixture
def run_due(runtime: Runtime) -> Callable[[], int]:
    """Does everything that is due at the clock's time; returns how many rows that was."""
    return lambda: jobs.sweep(runtime)


@pytest.fixture
def firm(database: Database, clock: MovableClock) -> Firm:
    with database.writing() as session:
        row = Firm(
            id=1,
            name="Harbor Law Group",
            time_zone="America/Chicago",
            second_factor_required=False,
            second_factor_off_reason="The test suite signs in with a password alone.",
            created_at=clock(),
        )
        session.add(row)
    return row


@pytest.fixture
def staff(database: Database, clock: MovableClock, firm: Firm) -> Callable[..., Staff]:
    """Makes a staff member with the password PASSWORD; keywords are columns."""
    made = 0

    def make(role: Role | str = Role.CASE_MANAGER, **columns: Any) -> Staff:
        nonlocal made
        made += 1
        given = {
            "name": f"Person {made}",
            "email": f"person{made}@firm.example",
            "time_zone": "America/Chicago",
            "created_at": clock(),
            "preferences": {},
        }
        if "password_hash" not in columns:
            given["password_hash"] = _password_hash()
        with database.writing() as session:
            row = Staff(role=Role(role), **{**given, **columns})
            session.add(row)
        return row

    return make


_HASH: list[str] = []


def _password_hash() -> str:
    if not _HASH:
        from argon2 import PasswordHasher

        _HASH.append(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD))
    return _HASH[0]


@pytest.fixture
def client(database: Database, clock: MovableClock) -> Callable[..., Client]:
    """Makes a client; `emails` and `phones` are lists, `main` and `second` staff rows."""
    made = 0

    def make(
        first_name: str = "Marisol",
        last_name: str = "Vega",
        *,
        emails: list[str] | None = None,
        phones: list[str] | None = None,
        main: Staff | None = None,
        second: Staff | None = None,
        **columns: Any,
    ) -> Client:
        nonlocal made
        made += 1
        emails = [f"client{made}@example.com"] if emails is None else emails
        columns.setdefault("status", ClientStatus.ACTIVE)
        with database.writing() as session:
            row = Client(
                created_at=clock(),
                updated_at=clock(),
                main_responsible_id=main.id if main else None,
                second_responsible_id=second.id if second else None,
                emails=[
                    ClientEmail(address=address, normal_form=normal_form(address), position=n)
                    for n, address in enumerate(emails)
                ],
                phones=[
                    ClientPhone(e164=number, as_typed=number, position=n)
                    for n, number in enumerate(phones or [])
                ],
                **columns,
            )
            row.rename(first_name, last_name)
            session.add(row)
        return row

    return make


@pytest.fixture
def app(runtime: Runtime, firm: Firm) -> Flask:
    from casewell.app import create_app

    made = create_app(runtime)
    made.testing = False
    return made


class Person:
    """An HTTP client with a cookie jar that fills in CSRF tokens, as a browser does."""

    def __init__(self, app: Flask, staff: Staff | None = None) -> None:
        self.staff = staff
        self.http: FlaskClient = app.test_client()
        self._token: str | None = None

    def get(self, path: str, *, htmx: bool = False, **options: Any) -> TestResponse:
        headers = {**options.pop("headers", {}), **({"HX-Request": "true"} if htmx else {})}
        return self.http.get(path, headers=headers, **options)

    def post(
        self, path: str, form: dict[str, Any] | None = None, *, htmx: bool = False, **options: Any
    ) -> TestResponse:
        headers = {**options.pop("headers", {}), **({"HX-Request": "true"} if htmx else {})}
        form = {"csrf_token": self.csrf(), **(form or {})}
        return self.http.post(path, data=form, headers=headers, **options)

    def api(
        self, method: str, path: str, json: Any = None, *, headers: dict[str, str] | None = None
    ) -> TestResponse:
        headers = dict(headers or {})
        if method not in ("GET", "HEAD"):
            headers.setdefault("X-CSRFToken", self.csrf())
        return self.http.open(path, method=method, json=json, headers=headers)

    def csrf(self) -> str:
        """Return this person's token, read once from a page that every visitor may see."""
        if self._token is None:
            path = "/sign-in/reset" if self.staff is None else "/settings/profile"
            page = self.http.get(path).get_data(as_text=True)
            found = re.search(r'name="csrf-token" content="([^"]+)"', page)
            assert found, f"{path} holds no CSRF token"
            self._token = found[1]
        return self._token


@pytest.fixture
def visitor(app: Flask) -> Person:
    """Somebody who has not signed in."""
    return Person(app)


@pytest.fixture
def sign_in(app: Flask, runtime: Runtime, clock: MovableClock) -> Callable[..., Person]:
    """Gives a staff member a browser that is signed in."""

    def enter(staff: Staff, *, finished: bool = True) -> Person:
        token = new_token()
        with runtime.database.writing() as session:
            session.add(
                StaffSession(
                    staff_id=staff.id,
                    token_hash=token_hash(token),
                    finished=finished,
                    created_at=clock(),
                    last_seen_at=clock(),
                )
            )
        person = Person(app, staff)
        person.http.set_cookie(cookie_name(runtime.settings.https, "session"), token)
        return person

    return enter


@dataclass
class Statements:
    """The SQL statements that were run."""

    seen: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.seen)


@pytest.fixture
def count_queries(database: Database) -> Callable[[], Any]:
    """A context that collects every statement run in it, transactions' own ones left out."""

    @contextmanager
    def counting() -> Iterator[Statements]:
        statements = Statements()

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if not statement.startswith(("BEGIN", "PRAGMA")):
                statements.seen.append(statement)

        sa.event.listen(database.engine, "before_cursor_execute", note)
        try:
            yield statements
        finally:
            sa.event.remove(database.engine, "before_cursor_execute", note)

    return counting


@pytest.fixture
def dump(database: Database) -> Callable[..., dict[str, list[str]]]:
    """Returns every row of every table, but of those named."""

    def read(*, without: set[str] = LIMITER_AND_AUDIT) -> dict[str, list[str]]:
        with database.reading() as session:
            return {
                table.name: sorted(map(repr, session.execute(sa.select(table)).all()))
                for table in Base.metadata.sorted_tables
                if table.name not in without
            }

    return read


@pytest.fixture(scope="session")
def shared() -> Path:
    """The reference material beside the checkout: provider contracts, hostile fixtures, data."""
    given = os.environ.get("CASEWELL_SHARED")
    path = Path(given) if given else Path(__file__).parents[3] / "shared"
    if not path.is_dir():
        pytest.skip("the shared reference material is not beside this checkout")
    return path
