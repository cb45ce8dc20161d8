"""The schema and its history. An installed Casewell upgrades itself at start."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from casewell.kernel.db import Database

HERE = Path(__file__).parent
# Any number, the same for all: whoever holds it migrates, the others wait.
UPGRADE_LOCK = 7_305_811


def config() -> Config:
    found = Config()
    found.set_main_option("script_location", str(HERE))
    found.set_main_option("file_template", "%%(year)d_%%(month).2d_%%(day).2d_%%(slug)s")
    return found


def upgrade(database: Database) -> None:
    """Bring the schema up to date, in one transaction; a second process waits for the first.

    SQLite: the transaction itself is the lock. PostgreSQL: an advisory lock.
    """
    with database.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({UPGRADE_LOCK})")
        _run(connection, command.upgrade, "head")


def revision(database: Database) -> str | None:
    """Return the revision the database stands at; None: it is empty."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def is_current(database: Database) -> bool:
    """Whether the schema is the one this version of Casewell expects."""
    return revision(database) == ScriptDirectory.from_config(config()).get_current_head()


def _run(connection: Connection, act: object, *arguments: str) -> None:
    assert callable(act)
    settings = config()
    settings.attributes["connection"] = connection
    act(settings, *arguments)
