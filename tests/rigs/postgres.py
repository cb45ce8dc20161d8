"""PostgreSQL databases that live for one test or one run.

Set CASEWELL_TEST_POSTGRES to the URL of a server where databases may be created.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import URL, make_url

from tests.rigs.absent import absent

DEFAULT_URL = "postgresql://postgres@127.0.0.1:5432/postgres"


@dataclass
class PostgresRig:
    """Makes databases and drops them all in the end. URLs are SQLAlchemy's, for psycopg."""

    server: URL
    made: list[str] = field(default_factory=list)

    def create(self) -> str:
        """Return the URL of a new empty database."""
        return self._create("template0")

    def clone(self, url: str) -> str:
        """Return the URL of a copy, some 30 ms for a schema. Nobody may be connected to `url`."""
        name = make_url(url).database
        assert name
        return self._create(name)

    def drop(self, url: str) -> None:
        """Drop a database, whoever is still connected to it."""
        name = make_url(url).database
        assert name
        assert name in self.made, "only a database made here may be dropped"
        with self.connected() as connection:
            statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
            connection.execute(statement.format(sql.Identifier(name)))
        self.made.remove(name)

    def drop_all(self) -> None:
        for name in list(self.made):
            self.drop(self._url(name))

    def _create(self, template: str) -> str:
        name = f"casewell_test_{secrets.token_hex(6)}"
        with self.connected() as connection:
            # Written to disk once, by the log: the default copies by checkpoint, which waits.
            statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} ENCODING 'UTF8' STRATEGY WAL_LOG")
            connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
        self.made.append(name)
        return self._url(name)

    def _url(self, name: str) -> str:
        return self.server.set(drivername="postgresql+psycopg", database=name).render_as_string(
            hide_password=False
        )

    @contextmanager
    def connected(self) -> Iterator[psycopg.Connection]:
        """A connection to the server itself, outside of any transaction."""
        url = self.server.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url, autocommit=True, connect_timeout=3) as connection:
            yield connection


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresRig]:
    """A PostgreSQL server where databases can be made; skips where there is none."""
    given = os.environ.get("CASEWELL_TEST_POSTGRES")
    rig = PostgresRig(make_url(given or DEFAULT_URL))
    try:
        with rig.connected():
            pass
    except psycopg.Error as error:
        absent(f"PostgreSQL does not answer; set CASEWELL_TEST_POSTGRES ({str(error).strip()})")
    yield rig
    with suppress(psycopg.OperationalError):  # the server may be gone first
        rig.drop_all()


@pytest.fixture
def postgres_url(postgres: PostgresRig) -> Iterator[str]:
    """A new empty database for this test."""
    url = postgres.create()
    yield url
    postgres.drop(url)
