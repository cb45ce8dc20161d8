"""Rows are the truth: one worker gets a row, a dead one gives it back, a period has one run."""

import shutil
import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from casewell import wiring
from casewell.kernel import jobs
from casewell.kernel.db import commit
from casewell.kernel.hints import NoHints
from casewell.kernel.jobs import PeriodRun, back_off, claim, due_rows, hint_after_commit
from casewell.kernel.queue import HueyHints, SignedJSON, open_hints
from casewell.staff.models import SystemMail, SystemMailKind

assert wiring.WORK
KIND = jobs.KINDS["send_system_mail"]


@pytest.fixture
def row(database, staff, clock):
    with database.writing() as session:
        mail = SystemMail(
            kind=SystemMailKind.PASSWORD_RESET,
            to="person@firm.example",
            created_at=clock(),
            due_at=clock(),
        )
        session.add(mail)
    return mail.id


def take(database, row, now):
    with database.writing() as session:
        return claim(session, SystemMail, row, now)


def test_Q14_of_two_workers_one_gets_the_row(database, row, clock):
    got, ready = [], threading.Barrier(4)

    def work():
        ready.wait()
        got.append(take(database, row, clock()))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [False, False, False, True]


def test_a_row_that_is_not_due_is_nobodys(database, row, clock):
    assert not take(database, row, clock() - timedelta(seconds=1))


def test_Q03_a_lease_that_runs_out_gives_the_row_back(database, row, clock):
    assert take(database, row, clock())
    assert not take(database, row, clock.move(seconds=60))
    assert take(database, row, clock.move(minutes=2))


def test_the_sweep_finds_what_is_due_and_held_by_nobody(database, row, clock):
    with database.reading() as session:
        assert due_rows(session, KIND, clock()) == [row]
    take(database, row, clock())
    with database.reading() as session:
        assert due_rows(session, KIND, clock()) == []
        assert due_rows(session, KIND, clock.move(minutes=3)) == [row]


def test_waiting_grows_up_to_an_hour_and_honours_what_the_provider_asks():
    waits = [back_off(n) for n in range(1, 20)]
    assert waits[0] < timedelta(minutes=1)
    assert all(wait <= timedelta(hours=1.25) for wait in waits)
    assert back_off(1, timedelta(hours=6)) == timedelta(hours=6)


def test_a_hint_is_given_after_the_commit_and_never_after_a_rollback(database, row):
    class Noting(NoHints):
        given: list[int] = []

        def give(self, job, row_id, at):
            self.given.append(row_id)

    hints = Noting()
    with database.session(write=True) as session:
        hint_after_commit(session, hints, KIND.job, row)
        assert hints.given == []
        commit(session)
    assert hints.given == [row]
    with database.session(write=True) as session:
        hint_after_commit(session, hints, KIND.job, row)
        session.rollback()
    assert hints.given == [row]


def test_Q14_a_period_has_one_run_however_many_tick(runtime, clock):
    ran = []

    def note(_runtime):
        ran.append(clock())

    schedule = jobs.Schedule("test_schedule", timedelta(minutes=5), note)
    jobs.SCHEDULES[schedule.name] = schedule
    try:
        threads = [threading.Thread(target=jobs.tick, args=(runtime,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        jobs.tick(runtime)
        assert len(ran) == 1
        clock.move(minutes=5)
        jobs.tick(runtime)
        assert len(ran) == 2
    finally:
        del jobs.SCHEDULES[schedule.name]
    with runtime.database.reading() as session:
        runs = session.scalars(sa.select(PeriodRun).where(PeriodRun.schedule == schedule.name))
        assert all(run.finished_at is not None and run.error is None for run in runs)


def test_a_periodic_task_that_fails_is_recorded_and_stops_no_other(runtime, clock):
    def fail(_runtime):
        raise ZeroDivisionError

    jobs.SCHEDULES["test_failing"] = jobs.Schedule("test_failing", timedelta(minutes=5), fail)
    try:
        jobs.tick(runtime)
    finally:
        del jobs.SCHEDULES["test_failing"]
    with runtime.database.reading() as session:
        run = session.scalars(
            sa.select(PeriodRun).where(PeriodRun.schedule == "test_failing")
        ).one()
    assert run.error == "ZeroDivisionError"


def test_O09_a_crafted_queue_entry_is_refused(tmp_path):
    key = b"k" * 32
    serializer = SignedJSON(key)
    signed = serializer.serialize({"job": "deliver", "row_id": 1})
    assert serializer.deserialize(signed) == {"job": "deliver", "row_id": 1}
    for crafted in (signed[:-1] + b"2", b"\x80\x04}.", b"", SignedJSON(b"x" * 32).serialize({})):
        with pytest.raises(ValueError, match="not signed"):
            serializer.deserialize(crafted)


def test_a_hint_reaches_whoever_takes_hints(tmp_path):
    hints = open_hints("", f"sqlite:///{tmp_path}/x.db", tmp_path, b"k" * 32)
    assert isinstance(hints, HueyHints)
    acted = []
    hints.take(lambda job, row_id: acted.append((job, row_id)))
    hints.give("deliver", 7, None)
    task = hints.huey.dequeue()
    hints.huey.execute(task)
    assert acted == [("deliver", 7)]


def test_Q02_a_queue_that_is_gone_loses_the_hint_and_nothing_else(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    hints = open_hints("", f"sqlite:///{home}/x.db", home, b"k" * 32)
    shutil.rmtree(home)
    # A thread of its own: it has no connection to the file that is gone.
    giver = threading.Thread(target=hints.give, args=("deliver", 7, None))
    giver.start()
    giver.join()
    assert not home.exists()
