"""Many at once: nothing is lost, nothing waits without end, nothing answers "locked"."""

import threading

import psycopg
import pytest
import sqlalchemy as sa

from casewell.kernel.db import Database, insert_ignoring, on_commit
from casewell.operations.backup import write_backup
from casewell.staff.models import Attempt, Firm, StaffSession


def test_S01_twenty_writers_a_long_reader_and_a_backup(runtime, database, firm, tmp_path, clock):
    errors = []

    def write():
        try:
            for _ in range(5):
                with database.writing() as session:
                    row = session.get_one(Firm, 1, with_for_update=True)
                    row.name = str(int(row.name) + 1)
        except Exception as error:  # noqa: BLE001 whatever it is, it is the finding
            errors.append(error)

    with database.writing() as session:
        session.get_one(Firm, 1).name = "0"
    with database.reading() as reader:
        before = reader.scalar(sa.select(Firm.name))
        writers = [threading.Thread(target=write) for _ in range(20)]
        for writer in writers:
            writer.start()
        write_backup(runtime, tmp_path / "during.tar.gz")
        for writer in writers:
            writer.join()
        assert before == "0"
    assert errors == []
    with database.reading() as session:
        assert session.scalar(sa.select(Firm.name)) == "100"


def _of_psycopg(database):
    url = database.engine.url.set(drivername="postgresql")
    return url.render_as_string(hide_password=False)


def test_foreign_keys_hold(database, clock):
    row = StaffSession(staff_id=999, token_hash="x", created_at=clock(), last_seen_at=clock())
    with database.session(write=True) as session:
        session.add(row)
        with pytest.raises(sa.exc.IntegrityError):
            session.flush()


def test_a_time_without_its_zone_is_refused(database, clock):
    with database.session(write=True) as session:
        session.add(Attempt(key="k", at=clock().replace(tzinfo=None)))
        with pytest.raises(sa.exc.StatementError, match="without its zone"):
            session.flush()


def test_a_value_outside_its_enum_is_refused_by_the_database(database, firm):
    statement = (
        "INSERT INTO staff (id, name, email, role, time_zone, theme, preferences, created_at)"
    )
    values = "VALUES (1, 'A', 'a@firm.example', 'king', 'UTC', 'dark', '{}', '2026-01-01 00:00:00')"
    with database.engine.connect() as connection, pytest.raises(sa.exc.IntegrityError):
        connection.exec_driver_sql(f"{statement} {values}")


def test_what_waits_for_a_commit_runs_once_after_it(database):
    ran = []
    with database.writing() as session:
        on_commit(session, lambda: ran.append(1))
        assert ran == []
    assert ran == [1]


def test_rows_that_stand_already_are_left_alone(database):
    row = {"client_id": 5, "seq": 0, "hash": "0"}
    from casewell.ledger.models import LedgerHead

    with database.writing() as session:
        insert_ignoring(session, LedgerHead, row)
        insert_ignoring(session, LedgerHead, {**row, "seq": 9})
        assert session.scalars(sa.select(LedgerHead.seq)).all() == [0]


def test_a_database_that_is_not_there_says_so(tmp_path):
    missing = Database(f"sqlite:///{tmp_path}/no/such/folder/x.db")
    with pytest.raises(sa.exc.OperationalError), missing.reading() as session:
        session.execute(sa.select(1))
    missing.close()


def test_a_connection_that_the_server_ended_is_replaced_before_use(database, firm):
    with database.reading() as session:
        session.scalar(sa.select(Firm.name))
        if not database.is_sqlite:
            number = session.scalar(sa.select(sa.func.pg_backend_pid()))
    if not database.is_sqlite:
        with psycopg.connect(_of_psycopg(database), autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [number])
    with database.reading() as session:
        assert session.scalar(sa.select(Firm.name))


def test_who_reads_sees_one_moment(database, firm):
    with database.writing() as session:
        session.get_one(Firm, 1).name = "Before"
    with database.reading() as session:
        assert session.scalar(sa.select(Firm.name)) == "Before"
        with database.writing() as other:
            other.get_one(Firm, 1).name = "After"
        assert session.scalar(sa.select(Firm.name)) == "Before"
