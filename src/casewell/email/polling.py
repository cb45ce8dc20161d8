"""Watching mailboxes: resumable, read-only on the server, safe when UIDVALIDITY changes."""

import time
from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog

from casewell.email import comparing
from casewell.email.arrival import (
    Arrived,
    batches,
    discard,
    keep_raw,
    register,
    take_in_all,
)
from casewell.email.holding import POLL_LEASE, TakenAway, write_cursor, write_held
from casewell.email.models import ImapSecurity, Mailbox, MailboxState, Source
from casewell.kernel.crypto import CannotDecrypt
from casewell.kernel.jobs import back_off, claim, hint_after_commit, job
from casewell.kernel.runtime import Runtime
from casewell.providers.errors import ProviderError, SignInRefused
from casewell.providers.mail_in import FetchedMail, MailAccount, MailFetcher, MailFetchers
from casewell.providers.wire import Login, Security, Server

# A server locks an account that is tried too often with a wrong password.
MOST_REFUSALS = 3
# Nobody should wait an hour for mail because a server was away for a while.
LONGEST_PAUSE = timedelta(minutes=5)
# A mailbox with years of mail is read in slices, so that other work gets its turn in between.
SLICE_SECONDS = 15.0

log = structlog.get_logger()


def account_of(mailbox: Mailbox) -> MailAccount:
    """Return how to reach a mailbox. Raises CannotDecrypt."""
    return MailAccount(
        server_of(mailbox.host, mailbox.port, mailbox.security),
        Login(mailbox.username, mailbox.password.open()),
    )


def server_of(host: str, port: int, security: ImapSecurity) -> Server:
    return Server(host, port, Security(security.value))


@job(Mailbox)
def poll_mailbox(runtime: Runtime, mailbox_id: int) -> None:
    """Fetch what is new in one mailbox, take it in, then plan the next look."""
    with runtime.database.writing() as session:
        if not claim(session, Mailbox, mailbox_id, runtime.now(), lease=POLL_LEASE):
            return
        mailbox = session.get_one(Mailbox, mailbox_id)
        session.expunge(mailbox)
    try:
        _read(runtime, mailbox)
    except TakenAway:
        log.info("mailbox_taken_away", mailbox_id=mailbox_id)


def _read(runtime: Runtime, mailbox: Mailbox) -> None:
    fetchers = runtime.provider(MailFetchers)
    try:
        with fetchers(account_of(mailbox)) as server:
            finished = _fetch_new(runtime, mailbox, server)
            if finished and comparing.is_due(mailbox, runtime.now()):
                _compare(runtime, mailbox, server)
    except CannotDecrypt:
        _stop(runtime, mailbox, "The stored password can't be read any more. Enter it again.")
    except ProviderError as failure:
        log.warning("mailbox_failed", mailbox_id=mailbox.id, reason=str(failure))
        _note_failure(runtime, mailbox, failure)
    else:
        _note_success(runtime, mailbox, finished=finished)


def _fetch_new(runtime: Runtime, mailbox: Mailbox, server: MailFetcher) -> bool:
    """Take in what is new; False: there is more, and the time of this slice is over."""
    deadline = time.monotonic() + SLICE_SECONDS
    folder = server.open(mailbox.folder)
    if folder.uidvalidity != mailbox.uid_validity:
        # The server numbers its mails anew: look through the window again. What is here
        # already is recognised by its content.
        mailbox.uid_validity, mailbox.last_uid = folder.uidvalidity, 0
        mailbox.first_uid_to = folder.uidnext - 1
        mailbox.first_total = sum(1 for _ in server.uids_since(mailbox.since))
        mailbox.first_done = 0
        _save_cursor(runtime, mailbox)
    if mailbox.is_connecting:
        uids = server.uids_since(mailbox.since, after=mailbox.last_uid)
    else:
        uids = server.uids_after(mailbox.last_uid)
    mails = server.fetch(uids, runtime.settings.mail_max_bytes)
    for batch in batches(mails, lambda mail: len(mail.raw)):
        _take_in_batch(runtime, mailbox, batch)
        if time.monotonic() > deadline:
            return False
    # UIDs that vanished meanwhile are never asked for again.
    mailbox.last_uid = max(mailbox.last_uid, folder.uidnext - 1)
    _save_cursor(runtime, mailbox)
    return True


def _compare(runtime: Runtime, mailbox: Mailbox, server: MailFetcher) -> None:
    """Look for mails that are on the server and not here, fetch them, and tell what is left."""
    found = comparing.compare(runtime, mailbox, server)
    if found.missing:
        log.warning("mails_missing", mailbox_id=mailbox.id, mails=found.missing_mails)
        _fetch_missing(runtime, mailbox, server, found.missing)
        found = comparing.compare(runtime, mailbox, server)
    with runtime.database.writing() as session:
        write_held(
            session,
            mailbox,
            compared_at=runtime.now(),
            server_mails=found.server_mails,
            missing_mails=found.missing_mails,
            missing_uids=found.missing[: comparing.MOST_NAMED],
        )


def _fetch_missing(
    runtime: Runtime, mailbox: Mailbox, server: MailFetcher, uids: Iterable[int]
) -> None:
    mails = server.fetch(uids, runtime.settings.mail_max_bytes)
    for batch in batches(mails, lambda mail: len(mail.raw)):
        _take_in_batch(runtime, mailbox, batch)


def _take_in_batch(runtime: Runtime, mailbox: Mailbox, batch: list[FetchedMail]) -> None:
    take_in_all(runtime, _keep_batch(runtime, mailbox, batch))


def _keep_batch(runtime: Runtime, mailbox: Mailbox, batch: list[FetchedMail]) -> list[int]:
    """Keep some mails together with how far we have come; return what is to be taken in."""
    now = runtime.now()
    arrived = [_arrived(mailbox, mail, now) for mail in batch]
    kept = keep_raw(runtime, arrived)
    if mailbox.is_connecting:
        mailbox.first_done += len(batch)
    mailbox.last_uid = max(mailbox.last_uid, batch[-1].uid)
    newest = min(max(one.received_at for one in arrived), now)
    mailbox.last_mail_at = max(mailbox.last_mail_at or newest, newest)
    try:
        with runtime.database.writing() as session:
            write_cursor(session, mailbox, now)
            return register(session, runtime, kept, source=Source.IMAP, mailbox_id=mailbox.id)
    except Exception:
        discard(runtime, kept)
        raise


def _arrived(mailbox: Mailbox, mail: FetchedMail, now: datetime) -> Arrived:
    received_at = mail.received_at or now
    return Arrived(
        raw=mail.raw,
        size=mail.size,
        received_at=received_at,
        whole=mail.whole,
        # Mail from before the mailbox was connected is read for the record alone.
        is_history=received_at < mailbox.created_at,
        uid_validity=mailbox.uid_validity,
        uid=mail.uid,
    )


def _save_cursor(runtime: Runtime, mailbox: Mailbox) -> None:
    with runtime.database.writing() as session:
        write_cursor(session, mailbox, runtime.now())


def _note_success(runtime: Runtime, mailbox: Mailbox, *, finished: bool) -> None:
    now = runtime.now()
    pause = timedelta(seconds=runtime.settings.mail_poll_seconds if finished else 0)
    with runtime.database.writing() as session:
        write_held(
            session,
            mailbox,
            lease_until=None,
            last_error=None,
            attempts=0,
            refusals=0,
            last_success_at=now,
            due_at=now + pause,
            **_entered(mailbox, MailboxState.WORKING if finished else MailboxState.CONNECTING, now),
        )
        if not finished:
            hint_after_commit(session, runtime.hints, poll_mailbox, mailbox.id)


def _note_failure(runtime: Runtime, mailbox: Mailbox, failure: ProviderError) -> None:
    now = runtime.now()
    retry_after = getattr(failure, "retry_after", None)
    wait = max(min(back_off(mailbox.attempts), LONGEST_PAUSE), retry_after or timedelta(0))
    refusals = mailbox.refusals + isinstance(failure, SignInRefused)
    gives_up = refusals >= MOST_REFUSALS
    if gives_up:
        state = MailboxState.SIGN_IN_REFUSED
    elif isinstance(failure, SignInRefused):
        state = mailbox.state
    else:
        state = MailboxState.UNREACHABLE
    with runtime.database.writing() as session:
        write_held(
            session,
            mailbox,
            lease_until=None,
            last_error=failure.message,
            refusals=refusals,
            due_at=None if gives_up else now + wait,
            **_entered(mailbox, state, now),
        )


def _stop(runtime: Runtime, mailbox: Mailbox, reason: str) -> None:
    with runtime.database.writing() as session:
        write_held(
            session,
            mailbox,
            lease_until=None,
            due_at=None,
            last_error=reason,
            **_entered(mailbox, MailboxState.SIGN_IN_REFUSED, runtime.now()),
        )


def _entered(mailbox: Mailbox, state: MailboxState, now: datetime) -> dict[str, object]:
    if mailbox.state is state:
        return {}
    return {"state": state, "state_since": now}
