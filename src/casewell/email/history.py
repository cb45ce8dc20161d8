"""A practice's old mail: from an mbox file, a Maildir or a folder of files. It fires nothing."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from casewell.email.arrival import Arrived, batches, discard, keep_raw, register, take_in_all
from casewell.email.models import InboundMail, MailImport, MailImportState, Source
from casewell.email.old_mail import (
    OldMail,
    OldMails,
    looks_like_mail,
    mails_at,
    mails_in,
    received_at,
)
from casewell.email.reconciliation import Stands, counts
from casewell.kernel.db import lock_row, on_commit
from casewell.kernel.errors import CasewellError, NotFound, ServiceUnavailable, TooLarge
from casewell.kernel.jobs import back_off, claim, hint_after_commit, job
from casewell.kernel.runtime import Runtime
from casewell.ledger.service import Actor, audit
from casewell.providers.errors import ProviderError, Unavailable
from casewell.providers.files import FileMissing, FileStore, FileTooLarge, StoredFile

LEASE = timedelta(minutes=10)
# Other work gets its turn in between.
SLICE_SECONDS = 15.0

GOING_ON = (MailImportState.WAITING, MailImportState.RUNNING)
# Is told how many of the import's bytes or files have been read, of how many.
Told = Callable[[int, int], None]

log = structlog.get_logger()


class NoMailThere(CasewellError):
    code = "no_mail_there"


def begin(
    session: Session,
    runtime: Runtime,
    *,
    staff_id: int | None,
    name: str,
    path: Path | None = None,
    file_key: str | None = None,
) -> MailImport:
    """Plan an import of a path on this machine, or of an uploaded file. Raises NoMailThere."""
    if path is not None and not path.exists():
        raise NoMailThere(f"{path} does not exist.")
    made = MailImport(
        staff_id=staff_id,
        name=name[:255],
        path=str(path) if path else None,
        file_key=file_key,
        created_at=runtime.now(),
        due_at=runtime.now(),
    )
    session.add(made)
    session.flush()
    hint_after_commit(session, runtime.hints, read_history, made.id)
    return made


def keep_file(runtime: Runtime, content: BinaryIO) -> StoredFile:
    """Keep a file of old mail that is uploaded. Raises NoMailThere, TooLarge.

    Called before anything asks for a writing session: a large file takes its time.
    """
    if not looks_like_mail(content):
        raise NoMailThere(
            "This is neither an mbox file nor a mail (.eml). Export your mail as mbox first; most "
            "mail programs can."
        )
    limit = runtime.settings.mail_import_max_bytes
    try:
        return runtime.provider(FileStore).put(content, max_bytes=limit)
    except FileTooLarge as error:
        raise TooLarge(
            f"This file has more than {limit // 1_000_000:,} MB. Import it with the command "
            "casewell import mail on the server instead."
        ) from error
    except ProviderError as error:
        raise ServiceUnavailable(f"The file could not be kept: {error.message}") from error


def begin_with(
    session: Session, runtime: Runtime, actor: Actor, kept: StoredFile, file_name: str
) -> MailImport:
    """Plan the import of an uploaded file that was kept."""
    made = begin(
        session,
        runtime,
        staff_id=actor.id,
        name=file_name.strip()[-255:] or "mail.mbox",
        file_key=kept.key,
    )
    facts = {"import_id": made.id, "file": made.name, "bytes": kept.size}
    audit(session, "mail.import_begun", now=runtime.now(), actor=actor, data=facts)
    return made


def find_import(session: Session, import_id: int, *, hold: bool = False) -> MailImport:
    """Raises NotFound."""
    if hold:
        lock_row(session, MailImport, import_id)
    found = session.get(MailImport, import_id, populate_existing=hold)
    if found is None:
        raise NotFound
    return found


def recent_imports(session: Session, most: int = 10) -> Sequence[MailImport]:
    return session.scalars(sa.select(MailImport).order_by(MailImport.id.desc()).limit(most)).all()


@job(MailImport)
def read_history(runtime: Runtime, import_id: int) -> None:
    """Take in the mails of an import for some seconds, from where the last time stopped."""
    _read(runtime, import_id, time.monotonic() + SLICE_SECONDS)


def read_to_end(runtime: Runtime, import_id: int, told: Told) -> None:
    """Take in all mails of an import, here and now."""
    _read(runtime, import_id, float("inf"), told)


def cancel(session: Session, runtime: Runtime, row: MailImport) -> None:
    """Stop an import; what was taken in stays."""
    if row.state not in GOING_ON:
        return
    row.state, row.due_at, row.lease_until = MailImportState.CANCELLED, None, None
    row.finished_at = runtime.now()
    key, row.file_key = row.file_key, None
    session.flush()
    if key is not None:
        on_commit(session, lambda: runtime.provider(FileStore).delete(key))


def outcome(session: Session, import_id: int) -> dict[Stands, int]:
    """Return how many mails of an import stand where: in conversations, in triage, ..."""
    return counts(session, InboundMail.import_id == import_id)


def _read(runtime: Runtime, import_id: int, until: float, told: Told | None = None) -> None:
    with runtime.database.writing() as session:
        if not claim(session, MailImport, import_id, runtime.now(), lease=LEASE):
            return
        row = session.get_one(MailImport, import_id)
        row.state = MailImportState.RUNNING
        session.flush()
        session.expunge(row)
    try:
        finished = _read_on(runtime, row, until, told)
    except Unavailable as failure:
        _go_on(runtime, row, runtime.now() + back_off(row.attempts), failure.message)
    except (OSError, FileMissing) as error:
        log.warning("mail_import_failed", import_id=import_id, error=type(error).__name__)
        _end(runtime, row, MailImportState.FAILED, "The file could not be read to its end.")
    else:
        if finished:
            _end(runtime, row, MailImportState.DONE)
        else:
            _go_on(runtime, row, runtime.now())


def _read_on(runtime: Runtime, row: MailImport, until: float, told: Told | None) -> bool:
    """Take in batch after batch; False: there is more."""
    with _source(runtime, row) as source:
        mails = source.read(row.position, runtime.settings.mail_max_bytes)
        for batch in batches(mails, lambda mail: len(mail.raw)):
            due = _keep_batch(runtime, row, batch, source.total)
            if due is None:
                return False  # cancelled
            take_in_all(runtime, due)
            if told is not None:
                told(batch[-1].then, source.total)
            if time.monotonic() > until:
                return False
    return True


@contextmanager
def _source(runtime: Runtime, row: MailImport) -> Iterator[OldMails]:
    if row.path is not None:
        with mails_at(Path(row.path)) as mails:
            yield mails
        return
    if row.file_key is None:
        raise FileMissing
    with runtime.provider(FileStore).open(row.file_key) as file:
        yield mails_in(file)


def _keep_batch(
    runtime: Runtime, row: MailImport, batch: list[OldMail], total: int
) -> list[int] | None:
    """Keep some mails together with how far we have come; None: the import was cancelled."""
    now = runtime.now()
    kept = keep_raw(runtime, [_arrived(mail, now) for mail in batch])
    lease_until = now + LEASE
    try:
        with runtime.database.writing() as session:
            moved = session.execute(
                _held(row).values(position=batch[-1].then, total=total, lease_until=lease_until)
            )
            if moved.rowcount:  # type: ignore[attr-defined]
                row.lease_until = lease_until
                return register(session, runtime, kept, source=Source.IMPORT, import_id=row.id)
    except Exception:
        discard(runtime, kept)
        raise
    discard(runtime, kept)
    return None


def _arrived(mail: OldMail, now: datetime) -> Arrived:
    return Arrived(
        raw=mail.raw,
        size=mail.size,
        received_at=received_at(mail.raw, now),
        whole=mail.whole,
        is_history=True,
    )


def _go_on(runtime: Runtime, row: MailImport, due_at: datetime, error: str = "") -> None:
    with runtime.database.writing() as session:
        session.execute(
            _held(row).values(
                due_at=due_at,
                lease_until=None,
                last_error=error or None,
                attempts=row.attempts if error else 0,
            )
        )
        if not error:
            hint_after_commit(session, runtime.hints, read_history, row.id)


def _end(runtime: Runtime, row: MailImport, state: MailImportState, error: str = "") -> None:
    with runtime.database.writing() as session:
        ended = session.execute(
            _held(row).values(
                state=state,
                due_at=None,
                lease_until=None,
                finished_at=runtime.now(),
                last_error=error or None,
                file_key=None,
            )
        )
        key = row.file_key
        if ended.rowcount and key is not None:  # type: ignore[attr-defined]
            # Each of its mails is kept by itself now.
            on_commit(session, lambda: runtime.provider(FileStore).delete(key))


def _held(row: MailImport) -> sa.Update:
    """Write to an import only while it is ours: cancelling it ends our lease."""
    return (
        sa.update(MailImport)
        .where(
            MailImport.id == row.id,
            MailImport.state == MailImportState.RUNNING,
            MailImport.lease_until == row.lease_until,
        )
        .execution_options(synchronize_session=False)
    )
