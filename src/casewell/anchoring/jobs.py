"""The anchor of each day: appended to a file, then mailed to the address the firm has chosen."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import BinaryIO

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from casewell.anchoring.models import LedgerAnchor
from casewell.kernel.db import insert_ignoring
from casewell.kernel.jobs import back_off, claim, hint_after_commit, job, periodic
from casewell.kernel.runtime import Runtime
from casewell.ledger.anchors import Anchor, Anchors, new_lines
from casewell.staff import mail
from casewell.staff.models import Firm, SystemMailKind

LEASE = timedelta(minutes=30)

log = structlog.get_logger()


@periodic(every=timedelta(minutes=15))
def anchor_daily(runtime: Runtime) -> None:
    """Make the row of this day, in UTC, if nobody has. Days that were missed stay missed."""
    now = runtime.now()
    with runtime.database.writing() as session:
        insert_ignoring(session, LedgerAnchor, {"day": now.date(), "due_at": now})
        made = session.scalars(
            sa.select(LedgerAnchor.id).where(
                LedgerAnchor.day == now.date(), LedgerAnchor.attempts == 0
            )
        ).one_or_none()
        if made is not None:
            hint_after_commit(session, runtime.hints, anchor_ledger, made)


@job(LedgerAnchor)
def anchor_ledger(runtime: Runtime, anchor_id: int) -> None:
    """Write one day's anchor to the file, once, and have it mailed."""
    with runtime.database.writing() as session:
        if not claim(session, LedgerAnchor, anchor_id, runtime.now(), lease=LEASE):
            return
        row = session.get_one(LedgerAnchor, anchor_id)
        day, attempts = row.day, row.attempts
    try:
        anchor, is_whole = _append(runtime, day)
    except OSError as error:
        log.warning("anchor_not_written", error=str(error))
        with runtime.database.writing() as session:
            row = session.get_one(LedgerAnchor, anchor_id)
            row.lease_until, row.due_at = None, runtime.now() + back_off(attempts)
            row.last_error = f"The anchors file can't be written: {error.strerror}."
        return
    with runtime.database.writing() as session:
        row = session.get_one(LedgerAnchor, anchor_id)
        if row.due_at is None:
            return  # our lease ran out, and another worker was quicker
        row.due_at = row.lease_until = None
        row.last_error = None if is_whole else "The anchors file is not as it was written."
        row.head, row.chains, row.written_at = anchor.head, anchor.chains, runtime.now()
        _mail(session, runtime, row, anchor)


def _mail(session: Session, runtime: Runtime, row: LedgerAnchor, anchor: Anchor) -> None:
    address = session.scalar(sa.select(Firm.anchor_email))
    if address is None:
        return
    row.mailed_to = address
    data = {"day": anchor.day, "at": anchor.at, "head": anchor.head, "file": anchor.file}
    mail.queue(session, runtime, SystemMailKind.ANCHOR, address, data)


def _append(runtime: Runtime, day: date) -> tuple[Anchor, bool]:
    """Append a day's anchor unless the file has it; return it, and whether the file is whole.

    Raises OSError.
    """
    with _alone(runtime.settings.anchors_file) as file:
        known = Anchors.read(file)
        found = known.on(day)
        if found is None:
            with runtime.database.reading() as session:
                _write(file, new_lines(session, known, day, runtime.now()))
            file.seek(0)
            known = Anchors.read(file)
            found = known.on(day)
        if found is None:
            raise OSError(0, "what was appended is not there")
        return found, not known.faults


def _write(file: BinaryIO, lines: Iterable[bytes]) -> None:
    file.writelines(lines)
    file.flush()
    os.fsync(file.fileno())


@contextmanager
def _alone(path: Path) -> Iterator[BinaryIO]:
    """Give the file to read and append to, while no other worker on this machine has it.

    It is opened for appending alone, so that a file system may forbid everything else.
    """
    import fcntl  # not on Windows, where nobody runs a worker

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(path, "a+b", opener=_private) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        yield file


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
