"""What a mail server holds, beside what is here: nothing that is there may be missing here."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa

from casewell.email.models import InboundMail, Mailbox
from casewell.kernel.runtime import Runtime
from casewell.providers.mail_in import MailFetcher

COMPARE_EVERY = timedelta(hours=1)
CHUNK = 2_000
# UIDs remembered of those that are missing: to be fetched at once, and to be named on the page.
MOST_REMEMBERED = 1_000
MOST_NAMED = 50


@dataclass
class Comparison:
    """How many mails the server holds in the window, how many of them are not here, and which."""

    server_mails: int = 0
    missing_mails: int = 0
    missing: list[int] = field(default_factory=list)


def is_due(mailbox: Mailbox, now: datetime) -> bool:
    return mailbox.compared_at is None or now - mailbox.compared_at >= COMPARE_EVERY


def compare(runtime: Runtime, mailbox: Mailbox, server: MailFetcher) -> Comparison:
    """Compare what the open folder holds with the rows there are, some at a time."""
    found = Comparison()
    for uids in _chunks(server.uids_since(mailbox.since)):
        found.server_mails += len(uids)
        missing = set(uids) - _here(runtime, mailbox, uids)
        found.missing_mails += len(missing)
        room = MOST_REMEMBERED - len(found.missing)
        found.missing += sorted(missing)[:room]
    return found


def _chunks(uids: Iterable[int]) -> Iterator[list[int]]:
    pending = iter(uids)
    while chunk := list(itertools.islice(pending, CHUNK)):
        yield chunk


def _here(runtime: Runtime, mailbox: Mailbox, uids: list[int]) -> set[int]:
    query = sa.select(InboundMail.uid).where(
        InboundMail.mailbox_id == mailbox.id,
        InboundMail.uid_validity == mailbox.uid_validity,
        InboundMail.uid.between(uids[0], uids[-1]),
    )
    with runtime.database.reading() as session:
        return {uid for uid in session.scalars(query) if uid is not None}
