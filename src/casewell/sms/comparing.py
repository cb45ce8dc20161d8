"""Our texts beside the carrier's own list: what nobody told us of is fetched.

A webhook that never came, or was refused while we were away, would be a client's words lost. And
a text whose last report never came would stay on its way for ever.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from casewell.kernel.db import insert_ignoring
from casewell.kernel.jobs import back_off, claim, hint_after_commit, job, periodic
from casewell.kernel.runtime import Runtime
from casewell.messages.models import Channel, Delivery
from casewell.providers.errors import ProviderError, SignInRefused, Unavailable
from casewell.providers.sms import ListedText, SMSSender
from casewell.sms.incoming import IncomingText, Media, take_in_text
from casewell.sms.models import SMSMessage, TextComparison
from casewell.sms.reports import ENDS, OPEN, note_report

EVERY = timedelta(hours=1)
LEASE = timedelta(minutes=15)
DAYS = 3
PAGES = 20
# Its webhook may be on its way.
FRESH = timedelta(minutes=2)
THE_ROW = 1
MOST_ATTEMPTS = 5

log = structlog.get_logger()


@dataclass
class _Found:
    seen: int = 0
    stored: int = 0
    fetched: int = 0
    is_whole: bool = True
    ids: set[str] = field(default_factory=set)


@periodic(every=EVERY)
def compare_each_hour(runtime: Runtime) -> None:
    if runtime.provider(SMSSender).kind == "off":
        return
    with runtime.database.writing() as session:
        ask_to_compare(session, runtime)


def ask_to_compare(session: Session, runtime: Runtime) -> None:
    """Let the list be asked for at once; whoever asks for it at this moment goes on."""
    now = runtime.now()
    insert_ignoring(session, TextComparison, {"id": THE_ROW, "seen": 0, "stored": 0, "fetched": 0})
    session.execute(
        sa.update(TextComparison).where(TextComparison.id == THE_ROW).values(due_at=now, attempts=0)
    )
    hint_after_commit(session, runtime.hints, compare_texts, THE_ROW)


@job(TextComparison)
def compare_texts(runtime: Runtime, row_id: int) -> None:
    """Ask for the list of the last days, take in what is missing, and note how it stands."""
    with runtime.database.writing() as session:
        if not claim(session, TextComparison, row_id, runtime.now(), lease=LEASE):
            return
        attempts = session.get_one(TextComparison, row_id).attempts
    found = _Found()
    try:
        _compare(runtime, found)
    except ProviderError as error:
        with runtime.database.writing() as session:
            row = session.get_one(TextComparison, row_id)
            passes = isinstance(error, Unavailable) and not isinstance(error, SignInRefused)
            again = passes and attempts < MOST_ATTEMPTS
            row.due_at = runtime.now() + back_off(attempts) if again else None
            row.lease_until, row.last_error = None, error.message
        return
    with runtime.database.writing() as session:
        row = session.get_one(TextComparison, row_id)
        row.due_at = row.lease_until = row.last_error = None
        row.compared_at = runtime.now()
        row.seen, row.stored, row.fetched = found.seen, found.stored, found.fetched
        row.is_whole = found.is_whole


def _compare(runtime: Runtime, found: _Found) -> None:
    sender = runtime.provider(SMSSender)
    since = (runtime.now() - timedelta(days=DAYS)).date()
    after = ""
    for _ in range(PAGES):
        page = sender.list_texts(since, after)
        # A list grows while it is read: what stood at a page's end stands on the next one too.
        texts = [one for one in page.texts if one.provider_id not in found.ids]
        found.ids |= {one.provider_id for one in texts}
        _take_in_missing(runtime, sender, [one for one in texts if one.is_inbound], found)
        _settle(runtime, [one for one in texts if not one.is_inbound])
        after = page.next
        if not after:
            return
    found.is_whole = False


def _take_in_missing(
    runtime: Runtime, sender: SMSSender, texts: Sequence[ListedText], found: _Found
) -> None:
    now = runtime.now()
    settled = [one for one in texts if one.at is None or one.at <= now - FRESH]
    ids = [one.provider_id for one in settled]
    with runtime.database.reading() as session:
        known = set(
            session.scalars(
                sa.select(SMSMessage.provider_id).where(SMSMessage.provider_id.in_(ids))
            )
        )
    found.seen += len(settled)
    found.stored += len(known)
    for one in reversed(settled):  # oldest first, as they came
        if one.provider_id in known:
            continue
        files = sender.files_of(one.provider_id) if one.files else ()
        told = IncomingText(
            one.provider_id,
            one.sender,
            one.recipient,
            one.body,
            one.segments,
            [Media(file.url, file.content_type) for file in files],
            answered=True,  # whatever it asked for was long ago: nobody waits for our word
            at=one.at,
        )
        try:
            with runtime.database.writing() as session:
                take_in_text(session, runtime, told)
        except IntegrityError:  # its webhook came in this moment
            log.info("text_came_meanwhile", provider_id=one.provider_id)
        found.stored += 1
        found.fetched += 1


def _settle(runtime: Runtime, texts: Sequence[ListedText]) -> None:
    """Note the end of texts that left, where nobody told us of it."""
    ended = [one for one in texts if one.status in ENDS]
    with runtime.database.reading() as session:
        waiting = set(
            session.scalars(
                sa.select(Delivery.provider_id).where(
                    Delivery.channel == Channel.SMS,
                    Delivery.provider_id.in_([one.provider_id for one in ended]),
                    Delivery.status.in_(OPEN),
                )
            )
        )
    for one in ended:
        if one.provider_id not in waiting:
            continue
        with runtime.database.writing() as session:
            note_report(
                session,
                runtime.hints,
                one.provider_id,
                one.status,
                one.error_code,
                runtime.now(),
            )
