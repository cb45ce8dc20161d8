"""The database: one `Database` for web, worker and command line alike."""

import select
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column, sessionmaker

from casewell.kernel.types import UTCDateTime

BUSY_TIMEOUT_MS = 10_000
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

Use = Literal["statements", "reading", "writing"]
# How a transaction for each use begins. None: there is none, each statement stands for itself;
# PostgreSQL's READ COMMITTED would let each see a moment of its own anyway.
_BEGINS: dict[str, dict[Use, str | None]] = {
    "sqlite": {"statements": "BEGIN", "reading": "BEGIN", "writing": "BEGIN IMMEDIATE"},
    "postgresql": {
        "statements": None,
        "reading": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        "writing": "BEGIN",
    },
}
# Seconds; by them the system itself notices a server that has vanished without a word.
_KEEPALIVES = {"keepalives_idle": 60, "keepalives_interval": 10, "keepalives_count": 3}
_DO_NOT_WAIT = sa.text("SET LOCAL synchronous_commit TO off")

# SQLite numbers rows by itself only for a column typed INTEGER.
BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
LARGEST_ID = 2**63 - 1
PrimaryKey = Annotated[int, mapped_column(BigId, primary_key=True)]


class Base(DeclarativeBase):
    """The base of every model; see `kernel.types` for what its columns accept."""

    metadata = sa.MetaData(naming_convention=NAMING)
    type_annotation_map = {
        datetime: UTCDateTime(),
        int: BigId,
        dict[str, Any]: sa.JSON(),
        list[str]: sa.JSON(),
        list[Any]: sa.JSON(),
        # every StrEnum, stored by value with a CHECK
        StrEnum: sa.Enum(
            StrEnum,
            values_callable=lambda members: [member.value for member in members],
            native_enum=False,
            create_constraint=True,
            length=32,
        ),
    }


class Database:
    """An engine and the two ways to use it: `reading` and `writing`."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.engine = _engine(url, pool_size)
        self._sessions: dict[Use, sessionmaker[Session]] = {
            use: sessionmaker(
                self.engine.execution_options(casewell_use=use), expire_on_commit=False
            )
            for use in ("statements", "reading", "writing")
        }

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    def session(self, *, write: bool) -> Session:
        """Return a session; the caller commits and closes it.

        With `write`, SQLite takes its write lock at the start: a transaction that reads first
        and writes later would otherwise fail when another wrote in between. Without, it costs
        PostgreSQL no more than its statements.
        """
        return self._sessions["writing" if write else "statements"]()

    @contextmanager
    def reading(self, *, patience: timedelta | None = None) -> Iterator[Session]:
        """Give a session that sees one moment of the database, however long it reads."""
        with self._patient("reading", patience) as session:
            yield session

    @contextmanager
    def writing(
        self, *, repeatable: bool = False, patience: timedelta | None = None
    ) -> Iterator[Session]:
        """Give a session that is committed at the end, or rolled back on an exception.

        `repeatable`: a power cut may undo it, for then the same work is found and done again;
        the commit does not wait for the disk. `patience` is how long it waits for others' locks,
        where the usual time is too long.
        """
        with self._patient("writing", patience) as session:
            if repeatable and not self.is_sqlite:
                session.execute(_DO_NOT_WAIT)
            yield session
            commit(session)

    def _patient(self, use: Use, patience: timedelta | None) -> Session:
        if patience is None:
            return self._sessions[use]()
        wait = int(patience.total_seconds() * 1000)
        options = {"casewell_use": use, "casewell_wait_ms": wait}
        return self._sessions[use](bind=self.engine.execution_options(**options))

    def close(self) -> None:
        self.engine.dispose()


def on_commit(session: Session, act: Callable[[], None]) -> None:
    """Run `act` once after this session's commit; a rollback forgets it."""
    session.info.setdefault("on_commit", []).append(act)


def commit(session: Session) -> None:
    """Commit, then run what waited for it."""
    session.commit()
    for act in session.info.pop("on_commit", []):
        act()


def insert_ignoring(session: Session, model: type[Base], *rows: dict[str, Any]) -> None:
    """Insert rows, leaving out those that a unique constraint refuses."""
    session.execute(insert_into(session, model).values(list(rows)).on_conflict_do_nothing())


def insert_into(session: Session, model: type[Base]) -> Any:
    """Return the INSERT of the session's own dialect, which knows ON CONFLICT."""
    return insert_of(session.get_bind().dialect.name, model)


def insert_of(dialect: str, into: type[Base] | sa.Table) -> Any:
    """Return the INSERT of a dialect, for a statement that is made once and kept."""
    return postgresql.insert(into) if dialect == "postgresql" else sqlite.insert(into)


def lock_row(session: Session, model: type[Base], row_id: int) -> None:
    """Hold a row until the end of the transaction; SQLite's writers are alone anyway."""
    if session.get_bind().dialect.name == "postgresql":
        key = sa.inspect(model).primary_key[0]
        session.execute(sa.select(key).where(key == row_id).with_for_update())


def _engine(url: str, pool_size: int) -> Engine:
    """Return an engine in autocommit mode: how a transaction begins, we say ourselves."""
    if not url.startswith("sqlite"):
        engine = sa.create_engine(
            url,
            pool_size=pool_size,
            max_overflow=10,
            isolation_level="AUTOCOMMIT",
            connect_args=_KEEPALIVES,
        )
        event.listen(engine, "connect", _prepare_postgresql)
        event.listen(engine, "checkout", _refuse_lost)
        event.listen(engine, "begin", _begin_postgresql)
        return engine
    # the driver's own BEGIN is deferred and comes too late
    engine = sa.create_engine(
        url, connect_args={"isolation_level": None, "check_same_thread": False}
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "journal_mode = WAL",
        "synchronous = NORMAL",
        "foreign_keys = ON",
        "temp_store = MEMORY",
        "cache_size = -32000",
        "mmap_size = 2147418112",  # the most that SQLite takes
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _prepare_postgresql(connection: Any, _record: object) -> None:
    connection.execute("SET TIME ZONE 'UTC'")


def _refuse_lost(connection: Any, _record: object, _proxy: object) -> None:
    """Let the pool replace a connection that the server has ended, without asking the server.

    One that nobody uses has nothing to say; if it has, it is that the connection has ended.
    """
    idle = select.poll()
    idle.register(connection.fileno(), select.POLLIN)
    if idle.poll(0):
        raise sa.exc.DisconnectionError


def _begin_postgresql(connection: Connection) -> None:
    options = connection.get_execution_options()
    begin = _BEGINS["postgresql"][options.get("casewell_use", "writing")]
    if begin is None:
        return
    _tell(connection, begin)
    wait = options.get("casewell_wait_ms", BUSY_TIMEOUT_MS)
    if wait != BUSY_TIMEOUT_MS:
        _tell(connection, f"SET LOCAL lock_timeout = {wait}")


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    wait = options.get("casewell_wait_ms", BUSY_TIMEOUT_MS)
    if connection.info.get("busy_timeout", BUSY_TIMEOUT_MS) != wait:
        _tell(connection, f"PRAGMA busy_timeout = {wait}")
        connection.info["busy_timeout"] = wait
    _tell(connection, _BEGINS["sqlite"][options.get("casewell_use", "writing")])


def _tell(connection: Connection, statement: str | None) -> None:
    """Run a statement past SQLAlchemy; what goes wrong, such as a lock, stays its error."""
    driver: Any = connection.connection.dbapi_connection
    try:
        driver.execute(statement)
    except connection.dialect.loaded_dbapi.OperationalError as error:
        raise sa.exc.OperationalError(statement, None, error) from error
