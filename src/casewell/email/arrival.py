"""How a mail reaches us: its bytes are kept first, then it is read, then it is a message.

Every source (IMAP, webhook, import) ends in `keep_raw` and `register`; the job `take_in_mail`
does the rest. What can't be read stays as it came, marked with the reason, and the next mail is
taken in.
"""

import hashlib
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from threading import Lock
from typing import TypeVar

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from casewell.email.attachment_quota import is_over, store_attachments
from casewell.email.copies import fingerprint, is_known, note_copy
from casewell.email.errors import UnreadableMail
from casewell.email.incoming import make_message
from casewell.email.models import InboundMail, InboundState, Source
from casewell.email.outcomes import end
from casewell.email.parsed import ParsedMail
from casewell.email.reader import MailReader
from casewell.kernel.db import insert_into, on_commit
from casewell.kernel.jobs import back_off, claim_all, job
from casewell.kernel.runtime import Runtime
from casewell.messages.models import Attachment
from casewell.providers.errors import Unavailable
from casewell.providers.files import FileMissing, FileStore

MOST_ATTEMPTS = 3
# A batch stops at half of it: what is left is more than the reading child may take for one mail.
TAKE_IN_LEASE = timedelta(minutes=5)
OVER_QUOTA = "its files were over the daily limit: its text and its headers were kept"
HEADER = re.compile(rb"(?s).*?\r?\n(?=\r?\n)")
MOST_HEADER_BYTES = 256_000
BATCH_MAILS = 25
BATCH_BYTES = 10_000_000

log = structlog.get_logger()
T = TypeVar("T")


class _Reader:
    """The one reading child of this process, started when the first mail comes."""

    lock = Lock()
    reader: MailReader | None = None


def mail_reader() -> MailReader:
    with _Reader.lock:
        if _Reader.reader is None:
            _Reader.reader = MailReader()
        return _Reader.reader


@dataclass(frozen=True)
class Arrived:
    """One mail at the door. Not `whole`: it is larger than is taken, `raw` is its headers alone."""

    raw: bytes
    size: int
    received_at: datetime
    whole: bool = True
    is_history: bool = False
    uid_validity: int | None = None
    uid: int | None = None


@dataclass(frozen=True)
class Kept:
    """A mail whose bytes are safe: in a file of its own, or in that of an earlier copy."""

    mail: Arrived
    sha256: str
    file_key: str | None
    copied_message_id: int | None = None


def batches(mails: Iterable[T], weight: Callable[[T], int]) -> Iterator[list[T]]:
    """Give mails in groups that are small in number and in bytes."""
    batch, weighed = list[T](), 0
    for mail in mails:
        batch.append(mail)
        weighed += weight(mail)
        if len(batch) >= BATCH_MAILS or weighed >= BATCH_BYTES:
            yield batch
            batch, weighed = [], 0
    if batch:
        yield batch


def keep_raw(runtime: Runtime, mails: Sequence[Arrived]) -> list[Kept]:
    """Put the bytes of mails on disk, outside of any transaction: a disk may take its time.

    The very bytes of a mail that is done with are not stored again.
    """
    digests = [hashlib.sha256(mail.raw).hexdigest() for mail in mails]
    done_with = (InboundState.TAKEN_IN, InboundState.QUARANTINED, InboundState.SKIPPED)
    with runtime.database.reading() as session:
        query = sa.select(InboundMail.sha256, InboundMail.message_id).where(
            InboundMail.sha256.in_(digests), InboundMail.state.in_(done_with)
        )
        known = {row.sha256: row.message_id for row in session.execute(query)}
    given = list(zip(mails, digests, strict=True))
    new = [mail.raw for mail, digest in given if digest not in known]
    stored = iter(runtime.provider(FileStore).put_all(new))
    return [
        Kept(mail, digest, None, known[digest])
        if digest in known
        else Kept(mail, digest, next(stored).key)
        for mail, digest in given
    ]


def discard(runtime: Runtime, kept: Sequence[Kept]) -> None:
    """Give up bytes that were kept for mails which could not be registered."""
    files = runtime.provider(FileStore)
    for one in kept:
        if one.file_key is not None:
            files.delete(one.file_key)


def register(
    session: Session,
    runtime: Runtime,
    kept: Sequence[Kept],
    *,
    source: Source,
    mailbox_id: int | None = None,
    import_id: int | None = None,
) -> list[int]:
    """Write down that mails arrived; return the ids of those that are now to be taken in.

    One that stands already (same mailbox and UID) is left alone, however often it is given.
    """
    if not kept:
        return []
    now = runtime.now()
    rows = [
        {
            "source": source,
            "mailbox_id": mailbox_id,
            "import_id": import_id,
            "uid_validity": one.mail.uid_validity,
            "uid": one.mail.uid,
            "received_at": min(one.mail.received_at, now),
            "recorded_at": now,
            "size": one.mail.size,
            "sha256": one.sha256,
            "file_key": one.file_key,
            "is_history": one.mail.is_history,
            "is_whole": one.mail.whole,
            "state": InboundState.STORED if one.file_key else InboundState.DUPLICATE,
            "reason": "" if one.file_key else "a copy of a mail that is here",
            "message_id": one.copied_message_id,
            "due_at": now if one.file_key else None,
            "attempts": 0,
        }
        for one in kept
    ]
    new = session.execute(
        insert_into(session, InboundMail)
        .values(rows)
        .on_conflict_do_nothing()
        .returning(InboundMail.id, InboundMail.file_key)
    ).all()
    used = {row.file_key for row in new}
    files = runtime.provider(FileStore)
    for one in kept:
        if one.file_key is not None and one.file_key not in used:
            on_commit(session, partial(files.delete, one.file_key))
    return [row.id for row in new if row.file_key is not None]


@job(InboundMail)
def take_in_mail(runtime: Runtime, inbound_id: int) -> None:
    """Read one kept mail and make a message of it."""
    take_in_all(runtime, [inbound_id])


def take_in_all(runtime: Runtime, inbound_ids: Sequence[int]) -> None:
    """Read kept mails and make messages of them, each in a transaction of its own.

    While one is stored, the next is read. What took too long is left to the sweep.
    """
    mails = _claimed(runtime, inbound_ids)
    deadline = time.monotonic() + TAKE_IN_LEASE.total_seconds() / 2
    with ThreadPoolExecutor(1, "read-ahead") as ahead:
        readings = [ahead.submit(_read, runtime, mail) for mail in mails]
        for number, (mail, reading) in enumerate(zip(mails, readings, strict=True)):
            if number and time.monotonic() > deadline:
                _let_go(runtime, mails[number:], readings[number:])
                return
            with structlog.contextvars.bound_contextvars(inbound_id=mail.id):
                _take_in(runtime, mail, reading)


@dataclass(frozen=True)
class _Reading:
    """A mail that was read, and its files, which no row names yet."""

    parsed: ParsedMail
    mark: str
    files: list[Attachment]

    def discard(self, store: FileStore) -> None:
        for one in self.files:
            if one.file_key is not None:
                store.delete(one.file_key)


def _claimed(runtime: Runtime, inbound_ids: Sequence[int]) -> list[InboundMail]:
    with runtime.database.writing(repeatable=True) as session:
        mine = claim_all(session, InboundMail, inbound_ids, runtime.now(), lease=TAKE_IN_LEASE)
        if not mine:
            return []
        query = sa.select(InboundMail).where(InboundMail.id.in_(mine)).order_by(InboundMail.id)
        mails = list(session.scalars(query))
        session.expunge_all()
    return mails


def _take_in(runtime: Runtime, mail: InboundMail, reading: Future[_Reading]) -> None:
    """Make a message of a mail; whatever happens, the next one gets its turn."""
    try:
        _keep(runtime, mail, reading.result())
    except UnreadableMail as unreadable:
        _quarantine(runtime, mail.id, unreadable.reason)
    except FileMissing:
        _quarantine(runtime, mail.id, "its stored bytes are gone")
    except (OperationalError, Unavailable) as failure:
        log.warning("mail_waits", error=type(failure).__name__)
        _try_again(runtime, mail)
    except Exception:
        log.exception("mail_failed")
        if mail.attempts >= MOST_ATTEMPTS:
            _quarantine(runtime, mail.id, "Casewell made a mistake; its log says which")
        else:
            _try_again(runtime, mail)


def _read(runtime: Runtime, mail: InboundMail) -> _Reading:
    """Read a mail in the child, and put its files where they stay."""
    files = runtime.provider(FileStore)
    if mail.file_key is None:
        raise FileMissing
    with files.open(mail.file_key) as file:
        parsed = mail_reader().read(file.read())
    mark = fingerprint(parsed, mail.sha256)
    stored = list[Attachment]()
    if parsed.attachments:
        with runtime.database.reading() as session:
            if not is_known(session, mark):
                stored = store_attachments(session, runtime, parsed, unlimited=mail.is_history)
    return _Reading(parsed, mark, stored)


def _keep(runtime: Runtime, mail: InboundMail, read: _Reading) -> None:
    made = False
    try:
        with runtime.database.writing(repeatable=True) as session:
            made = make_message(session, runtime, mail, read.parsed, read.files, read.mark)
    except IntegrityError:
        # Another copy of it was taken in at the same moment.
        with runtime.database.writing() as session:
            if not note_copy(session, mail.id, read.mark):
                raise
    finally:
        if not made:
            read.discard(runtime.provider(FileStore))
    if made and is_over(read.files):
        try:
            _keep_only_headers(runtime, mail)
        except (FileMissing, OperationalError, Unavailable) as failure:
            log.warning("mail_bytes_kept", error=type(failure).__name__)


def _keep_only_headers(runtime: Runtime, mail: InboundMail) -> None:
    """Give up the bytes of a mail whose files were over the quota: they hold the files too."""
    assert mail.file_key is not None
    files = runtime.provider(FileStore)
    with files.open(mail.file_key) as file:
        head = HEADER.match(file.read(MOST_HEADER_BYTES))
    kept = files.put(head[0] if head else b"").key
    with runtime.database.writing() as session:
        session.execute(
            sa.update(InboundMail)
            .where(InboundMail.id == mail.id)
            .values(file_key=kept, is_whole=False, reason=OVER_QUOTA)
            .execution_options(synchronize_session=False)
        )
    files.delete(mail.file_key)


def _let_go(
    runtime: Runtime, mails: Sequence[InboundMail], readings: Sequence[Future[_Reading]]
) -> None:
    """Leave mails to the next sweep; nothing of them is kept but their bytes."""
    with runtime.database.writing() as session:
        session.execute(
            sa.update(InboundMail)
            .where(
                InboundMail.id.in_([mail.id for mail in mails]),
                InboundMail.state == InboundState.STORED,
            )
            .values(lease_until=None, attempts=InboundMail.attempts - 1)
            .execution_options(synchronize_session=False)
        )
    for reading in readings:
        if not reading.cancel() and reading.exception() is None:
            reading.result().discard(runtime.provider(FileStore))


def _quarantine(runtime: Runtime, inbound_id: int, reason: str) -> None:
    log.warning("mail_quarantined", inbound_id=inbound_id, reason=reason)
    with runtime.database.writing() as session:
        end(session, inbound_id, InboundState.QUARANTINED, reason)


def _try_again(runtime: Runtime, mail: InboundMail) -> None:
    with runtime.database.writing() as session:
        session.execute(
            sa.update(InboundMail)
            .where(InboundMail.id == mail.id, InboundMail.state == InboundState.STORED)
            .values(due_at=runtime.now() + back_off(mail.attempts), lease_until=None)
        )
