"""A migration whose process is killed outright leaves nothing half done (S06)."""

import signal
import subprocess
import sys

import pytest

from casewell.kernel.db import Database
from casewell.migrations import is_current, upgrade
from tests.rigs.installation import DATABASES

# Dies by SIGKILL as soon as it is about to run a statement that holds sys.argv[2].
KILLED = """
import os, signal, sys
import sqlalchemy as sa
from casewell.kernel.db import Database
from casewell.migrations import upgrade
import casewell.models

database = Database(sys.argv[1])

@sa.event.listens_for(database.engine, "before_cursor_execute")
def die(connection, cursor, statement, *_):
    if sys.argv[2] in statement:
        os.kill(os.getpid(), signal.SIGKILL)

upgrade(database)
"""


@pytest.fixture(params=DATABASES)
def empty(request, tmp_path):
    """The URL of a database without any table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return request.getfixturevalue("postgres_url")


@pytest.mark.parametrize(
    "statement", ["CREATE TABLE clients", "CREATE TABLE messages", "INTO alembic_version"]
)
def test_S06_a_migration_killed_at_any_step_is_done_whole_by_the_next_start(empty, statement):
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, empty, statement],
        check=False,
        capture_output=True,
        timeout=120,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    database = Database(empty)
    assert not is_current(database)
    upgrade(database)
    assert is_current(database)
    database.close()


def test_S06_who_is_killed_while_it_holds_the_lock_stops_nobody(empty):
    starts = [
        subprocess.Popen(
            [sys.executable, "-c", KILLED, empty, what], stderr=subprocess.PIPE, text=True
        )
        for what in ("CREATE TABLE messages", "a statement that there is none of")
    ]
    errors = [start.communicate(timeout=120)[1] for start in starts]
    # The second may have migrated before the first came to its statement.
    assert starts[0].returncode in (-signal.SIGKILL, 0), errors
    assert starts[1].returncode == 0, errors
    database = Database(empty)
    assert is_current(database)
    database.close()
