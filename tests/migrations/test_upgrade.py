"""The schema comes up whole, once, whoever starts first and whatever is killed."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from casewell.kernel.db import Database
from casewell.migrations import is_current, revision, upgrade
from casewell.models import Base
from tests.rigs.installation import DATABASES

UPGRADE = """
import sys
from casewell.kernel.db import Database
from casewell.migrations import upgrade
import casewell.models
upgrade(Database(sys.argv[1]))
"""


@pytest.fixture(params=DATABASES)
def empty(request, tmp_path):
    """The URL of a database without any table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return request.getfixturevalue("postgres_url")


def test_an_empty_database_gets_every_table(empty):
    database = Database(empty)
    assert revision(database) is None
    upgrade(database)
    assert is_current(database)
    with database.engine.connect() as connection:
        tables = set(sa.inspect(connection).get_table_names())
    database.close()
    assert set(Base.metadata.tables) <= tables


def test_upgrading_twice_changes_nothing(empty):
    database = Database(empty)
    upgrade(database)
    upgrade(database)
    assert is_current(database)
    database.close()


def test_S07_of_two_instances_that_start_at_once_one_migrates(empty):
    starts = [
        subprocess.Popen([sys.executable, "-c", UPGRADE, empty], stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    errors = [start.communicate(timeout=120)[1] for start in starts]
    assert [start.returncode for start in starts] == [0, 0], errors
    database = Database(empty)
    assert is_current(database)
    database.close()


def test_S06_a_migration_that_is_cut_off_leaves_nothing_behind(empty):
    database = Database(empty)
    ready = threading.Event()

    def cut_off(connection, *_):
        if "CREATE TABLE messages" in _[1]:
            ready.set()
            raise KeyboardInterrupt

    sa.event.listen(database.engine, "before_cursor_execute", cut_off)
    with pytest.raises(KeyboardInterrupt):
        upgrade(database)
    sa.event.remove(database.engine, "before_cursor_execute", cut_off)
    assert ready.is_set()
    with database.engine.connect() as connection:
        assert sa.inspect(connection).get_table_names() in ([], ["alembic_version"])
    upgrade(database)
    assert is_current(database)
    database.close()


def test_models_and_migrations_say_the_same(empty):
    from alembic import command

    from casewell.migrations import _run

    database = Database(empty)
    upgrade(database)
    with database.engine.begin() as connection:
        _run(connection, command.check)
    database.close()


def test_every_migration_is_named_after_its_day():
    folder = Path(__file__).parents[2] / "src" / "casewell" / "migrations" / "versions"
    names = [path.name for path in folder.glob("*.py") if path.name != "__init__.py"]
    assert names
    assert all(name[:4].isdigit() for name in names)
