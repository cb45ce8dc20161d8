"""Mailboxes that Casewell watches on the real Dovecot, and what became of their mails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from casewell.email.forms import MailboxForm
from casewell.email.mailboxes import MailboxService, find_mailbox
from casewell.email.models import ImapSecurity, InboundMail, InboundState, Mailbox
from casewell.kernel.runtime import Runtime
from casewell.ledger.service import SYSTEM
from casewell.messages.models import UnifiedMessage
from casewell.providers.mail_in import MailAccount, MailFetcher, MailFetchers, mail_fetcher
from tests.rigs.dovecot import DovecotRig, MailUser

SINCE = date(2026, 3, 1)


def mail(
    number: int | str,
    body: str = "Hello",
    *,
    sender: str = "Marisol Vega <marisol@example.com>",
    trace: str = "from mx.example.com",
) -> bytes:
    """Return a small mail; one that has travelled, unlike those of a Sent folder."""
    return (
        f"Received: {trace}\r\nFrom: {sender}\r\nTo: office@firm.example\r\n"
        f"Message-ID: <{number}@example.com>\r\nDate: Tue, 10 Mar 2026 15:00:00 +0000\r\n"
        f"Subject: Mail {number}\r\n\r\n{body}\r\n"
    ).encode()


@dataclass
class Tally:
    """Every mail that was seen, by state, and how many messages there are."""

    states: dict[str, int]
    messages: int


@dataclass
class MailInRig:
    """Connects mailboxes, lets the worker look at them, and tells how they stand."""

    runtime: Runtime
    dovecot: DovecotRig

    def form(self, user: MailUser, **changes: Any) -> MailboxForm:
        given: dict[str, Any] = {
            "name": "Office mailbox",
            "address": "office@firm.example",
            "host": self.dovecot.host,
            "port": self.dovecot.port,
            "security": ImapSecurity.PLAIN,
            "username": user.address,
            "password": user.password,
            "since": SINCE,
        }
        return MailboxForm(**{**given, **changes})

    def connect(self, user: MailUser, **changes: Any) -> int:
        with self.runtime.database.writing() as session:
            return self.service(session).connect(self.form(user, **changes)).id

    def service(self, session: Any) -> MailboxService:
        return MailboxService(session, self.runtime, SYSTEM)

    def mailbox(self, mailbox_id: int) -> Mailbox:
        with self.runtime.database.reading() as session:
            return find_mailbox(session, mailbox_id)

    def rows(self, *which: sa.ColumnElement[bool]) -> list[InboundMail]:
        query = sa.select(InboundMail).where(*which).order_by(InboundMail.id)
        with self.runtime.database.reading() as session:
            return list(session.scalars(query))

    def tally(self) -> Tally:
        states: dict[str, int] = {}
        for row in self.rows():
            states[row.state.value] = states.get(row.state.value, 0) + 1
        with self.runtime.database.reading() as session:
            messages = session.scalar(sa.select(sa.func.count(UnifiedMessage.id))) or 0
        return Tally(states, messages)

    def reasons(self) -> list[str]:
        return [row.reason for row in self.rows(InboundMail.state == InboundState.QUARANTINED)]

    def deliver(self, user: MailUser, raw: bytes, at: datetime | None = None) -> None:
        self.dovecot.deliver(user, raw, received_at=at or self.runtime.now())


@pytest.fixture
def mail_in(runtime: Runtime, dovecot: DovecotRig, firm: object) -> MailInRig:
    return MailInRig(runtime, dovecot)


@pytest.fixture
def fetching_through(runtime: Runtime) -> Callable[..., Runtime]:
    """Gives a runtime that reaches mail servers through something that may get in the way.

    It is handed the account, and returns what fetches its mail.
    """

    def through(way: Callable[[MailAccount], MailFetcher]) -> Runtime:
        return replace(runtime, providers={**runtime.providers, MailFetchers: way})

    return through


class Between:
    """A real connection to a mail server, on which something happens between two questions."""

    def __init__(
        self,
        account: MailAccount,
        *,
        before_fetching: Callable[[], object] = lambda: None,
        withheld: tuple[int, ...] = (),
    ) -> None:
        self._real = mail_fetcher(account)
        self._before_fetching = before_fetching
        self._withheld = withheld

    def __enter__(self) -> Between:
        self._real.__enter__()
        return self

    def __exit__(self, *why: Any) -> None:
        self._real.__exit__(*why)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def fetch(self, uids: Any, max_bytes: int) -> Iterator[Any]:
        listed = [uid for uid in uids if uid not in self._withheld]
        self._before_fetching()
        return self._real.fetch(listed, max_bytes)
