"""Mail that arrives: kept first, read in batches, taken in once, whatever happens in between."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from casewell.email import arrival
from casewell.email.arrival import Arrived, keep_raw, register, take_in_all
from casewell.email.models import EmailMessage, InboundMail, InboundState, Source
from casewell.messages.models import Attachment, Readership
from casewell.providers.files import FileStore

ROOT = Path(__file__).parents[2]


def raw_mail(number: int, sender: str = "ana@example.com", file: bytes | None = None) -> bytes:
    head = (
        f"From: {sender}\r\nTo: office@firm.example\r\nSubject: Question {number}\r\n"
        f"Date: Tue, 10 Mar 2026 14:00:00 +0000\r\nMessage-ID: <{number}@mail.example>\r\n"
    ).encode()
    if file is None:
        return head + b"\r\nWhen will you write to the bureau?\r\n"
    return (
        head + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nSee the file.\r\n'
        b"--b\r\nContent-Type: application/pdf\r\n"
        b'Content-Disposition: attachment; filename="report.pdf"\r\n\r\n' + file + b"\r\n--b--\r\n"
    )


@pytest.fixture
def arrive(runtime, clock):
    """Mails are at the door, and kept; returns the ids of those to be taken in."""

    def kept(*raws):
        mails = [Arrived(raw, len(raw), clock()) for raw in raws]
        with_files = keep_raw(runtime, mails)
        with runtime.database.writing() as session:
            return register(session, runtime, with_files, source=Source.WEBHOOK)

    return kept


@pytest.fixture
def states(database):
    """How many mails stand in each state, and how many messages there are."""

    def counted():
        with database.reading() as session:
            found = Counter(session.scalars(sa.select(InboundMail.state)))
            return found, session.scalar(sa.select(sa.func.count()).select_from(EmailMessage))

    return counted


def test_a_batch_is_taken_in_and_a_poison_mail_costs_only_itself(runtime, arrive, client, states):
    client(emails=["ana@example.com"])
    take_in_all(runtime, arrive(raw_mail(1), b"no header at all", raw_mail(2)))
    assert states() == ({InboundState.TAKEN_IN: 2, InboundState.QUARANTINED: 1}, 2)


def test_what_takes_longer_than_its_lease_is_left_to_the_next_sweep(
    runtime, arrive, client, states, database, run_due, monkeypatch
):
    client(emails=["ana@example.com"])
    due = arrive(*(raw_mail(n, file=b"%PDF-1.7") for n in range(3)))
    with monkeypatch.context() as patch:
        patch.setattr(arrival, "TAKE_IN_LEASE", timedelta(0))
        take_in_all(runtime, due)
    assert states() == ({InboundState.TAKEN_IN: 1, InboundState.STORED: 2}, 1)
    with database.reading() as session:
        waiting = sa.select(InboundMail.attempts).where(InboundMail.state == InboundState.STORED)
        assert session.scalars(waiting).all() == [0, 0]
    run_due()
    assert states() == ({InboundState.TAKEN_IN: 3}, 3)


def test_no_file_is_left_behind_by_copies(runtime, arrive, client, database):
    """Two deliveries of one mail in one batch: the second's files go again."""
    client(emails=["ana@example.com"])
    one = raw_mail(1, file=b"%PDF-1.7")
    take_in_all(runtime, arrive(one, b"Received: by mx2.example\r\n" + one))
    with database.reading() as session:
        named = set(session.scalars(sa.select(InboundMail.file_key)))
        named |= set(session.scalars(sa.select(Attachment.file_key)))
    assert len(named) == 3
    kept = runtime.provider(FileStore).keys()
    assert {one.key for one in kept} == named


def test_of_two_workers_one_takes_a_mail_in(runtime, arrive, client, states):
    client(emails=["ana@example.com"])
    due = arrive(raw_mail(1))
    take_in_all(runtime, due)
    take_in_all(runtime, due)
    assert states() == ({InboundState.TAKEN_IN: 1}, 1)


@pytest.mark.parametrize("commit", [1, 2, 4, 6])
def test_killed_while_it_takes_a_batch_in_nothing_is_lost_or_doubled(
    runtime, arrive, client, staff, states, database, run_due, clock, tmp_path, commit
):
    """At the commit of the claim, of the first, a middle and the last mail."""
    client(emails=["ana@example.com"], main=staff())
    arrive(*(raw_mail(n, file=b"%PDF-1.7" if n % 2 else None) for n in range(5)))
    settings, mark = tmp_path / "settings.json", tmp_path / "there"
    settings.write_text(runtime.settings.model_dump_json(), "utf-8")
    arguments = [str(settings), clock().isoformat(), str(commit), str(mark)]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.email.killed_intake", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])},
    )
    try:
        deadline = time.monotonic() + 60
        while not mark.exists():
            assert process.poll() is None, "the worker ended before it was killed"
            assert time.monotonic() < deadline, "the worker never came that far"
            time.sleep(0.02)
    finally:
        process.kill()
        process.wait(10)
    clock.move(minutes=6)
    run_due()
    assert states() == ({InboundState.TAKEN_IN: 5}, 5)
    with database.reading() as session:
        assert session.scalar(sa.select(sa.func.sum(Readership.unread))) == 2 * 5  # in two lanes
        assert session.scalar(sa.select(sa.func.count()).select_from(Attachment)) == 2
