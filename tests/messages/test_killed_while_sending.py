"""kill -9 at every step of sending: each mail arrives exactly once, or a person is asked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from casewell.bootstrap import make_runtime
from casewell.kernel import jobs
from casewell.messages.models import Delivery, MessageStatus, UnifiedMessage
from tests.rigs.smtp_server import Misbehaviour

ROOT = Path(__file__).parents[2]
SENT, UNCONFIRMED = MessageStatus.SENT, MessageStatus.UNCONFIRMED


@pytest.fixture
def smtp_runtime(runtime, settings_of, clock, smtp):
    """The same installation, sending through a real SMTP server."""
    settings = settings_of(smtp_host=smtp.host, smtp_port=smtp.port, smtp_security="plain")
    made = make_runtime(settings, now=clock, with_hints=False)
    yield made
    made.database.close()


@pytest.fixture
def worker(smtp_runtime, clock, tmp_path):
    """Starts a worker process that is killed once it stands at a step."""
    settings_file = tmp_path / "settings.json"
    settings_file.write_text(smtp_runtime.settings.model_dump_json(), "utf-8")
    mark = tmp_path / "there"

    def killed_at(step, *given, when=None):
        mark.unlink(missing_ok=True)
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.messages.killed_worker",
                str(settings_file),
                clock().isoformat(),
                step,
                str(mark),
                *map(str, given),
            ],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])},
        )
        try:
            deadline = time.monotonic() + 60
            while not (when() if when else mark.exists()):
                assert process.poll() is None, "the worker ended before it was killed"
                assert time.monotonic() < deadline, f"the worker never came to {step!r}"
                time.sleep(0.02)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(10)

    return killed_at


@pytest.fixture
def ana(client):
    return client(emails=["ana@example.com"])


@pytest.fixture
def outcome(smtp_runtime, clock, smtp):
    """Lets other workers go on for an hour; returns how the one message ended, and its copies."""

    def ended():
        for _ in range(20):
            clock.move(minutes=3)
            jobs.sweep(smtp_runtime)
        with smtp_runtime.database.reading() as session:
            delivery = session.scalars(sa.select(Delivery)).one()
            message = session.get_one(UnifiedMessage, delivery.message_id)
            assert message.status is delivery.status
            assert delivery.due_at is None
            return delivery.status, smtp.count(message.rfc_message_id)

    return ended


def test_Q01_killed_before_the_commit_nothing_is_sent(
    database, worker, ana, smtp, smtp_runtime, clock
):
    worker("not committed", ana.id)
    clock.move(hours=1)
    jobs.sweep(smtp_runtime)
    assert smtp.deliveries == []
    with database.reading() as session:
        assert session.scalars(sa.select(Delivery)).all() == []


def test_Q02_killed_after_the_commit_before_the_hint(worker, ana, outcome):
    worker("committed", ana.id)
    assert outcome() == (SENT, 1)


@pytest.mark.parametrize("step", ["claimed", "before the handover"])
def test_Q03_killed_before_the_handover_it_is_sent_once(
    worker, ana, queue, clock, outcome, smtp, step
):
    queue(ana)
    clock.move(seconds=10)
    worker(step)
    assert smtp.deliveries == []
    assert outcome() == (SENT, 1)


@pytest.mark.parametrize(("step", "copies"), [("handed over", 0), ("accepted", 1)])
def test_killed_where_nobody_can_know_a_person_is_asked(
    worker, ana, queue, clock, outcome, step, copies
):
    queue(ana)
    clock.move(seconds=10)
    worker(step)
    assert outcome() == (UNCONFIRMED, copies)


def test_killed_while_the_server_keeps_silent_a_person_is_asked(
    worker, ana, queue, clock, outcome, smtp
):
    queue(ana)
    clock.move(seconds=10)
    smtp.then(Misbehaviour.HANG_AFTER_DATA)
    worker("nowhere", when=lambda: bool(smtp.deliveries))
    assert outcome() == (UNCONFIRMED, 1)


def test_killed_while_it_commits_the_handover_it_is_sent_once(
    worker, ana, queue, clock, outcome, smtp
):
    """The row says `sending` in a transaction that never ends: it is as queued as before."""
    queue(ana)
    clock.move(seconds=10)
    worker("handing over")
    assert smtp.deliveries == []
    assert outcome() == (SENT, 1)


def test_killed_while_it_records_a_person_is_asked(worker, ana, queue, clock, outcome):
    queue(ana)
    clock.move(seconds=10)
    worker("recording")
    assert outcome() == (UNCONFIRMED, 1)


def test_killed_after_the_record_nothing_more_happens(worker, ana, queue, clock, outcome):
    queue(ana)
    clock.move(seconds=10)
    worker("recorded")
    assert outcome() == (SENT, 1)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_Q13_told_to_stop_with_four_sends_running_none_is_lost_or_doubled(
    smtp_runtime, smtp, client, queue, clock, ending
):
    """As at a deploy: the worker has time to finish, or what it left is sent by the next one."""
    clock.at = datetime.now(UTC) - timedelta(seconds=30)
    waiting = [queue(client(emails=[f"c{n}@example.com"])) for n in range(8)]
    smtp.then(*[Misbehaviour.SLOW] * 4)
    settings = smtp_runtime.settings.model_copy(update={"worker_threads": 4, "sweep_seconds": 1})
    process = subprocess.Popen(
        [sys.executable, "-m", "casewell", "worker"],
        env={**os.environ, **environment_of(settings), "PYTHONPATH": str(ROOT / "src")},
    )
    try:
        deadline = time.monotonic() + 60
        while smtp.commands.count("DATA") < 4:
            assert process.poll() is None, "the worker ended before it was told to"
            assert time.monotonic() < deadline, "the worker never had four sends running"
            time.sleep(0.01)
        process.send_signal(ending)
        process.wait(30)
    finally:
        process.kill()
        process.wait(10)
    clock.at = datetime.now(UTC)
    for _ in range(20):
        clock.move(minutes=3)
        jobs.sweep(smtp_runtime)
    with smtp_runtime.database.reading() as session:
        for one in waiting:
            delivery = session.get_one(Delivery, one.id)
            message = session.get_one(UnifiedMessage, delivery.message_id)
            assert (delivery.status, smtp.count(message.rfc_message_id)) == (SENT, 1)


def environment_of(settings):
    """The settings as a worker finds them in its environment."""
    return {
        f"CASEWELL_{name.upper()}": str(value)
        for name, value in settings.model_dump().items()
        if value != "" and not isinstance(value, bool)
    }


def test_killed_during_the_data_it_is_sent_once(worker, ana, queue, clock, outcome, smtp):
    """The server has the mail but for its last dot: it must throw it away."""
    queue(ana)
    clock.move(seconds=10)
    worker("before the handover")
    assert outcome() == (SENT, 1)
    assert len(smtp.deliveries) == 1
