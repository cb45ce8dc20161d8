"""Whatever stands in whatever column that holds words, a page shows it as words (C01, C17)."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from casewell.access_table import TABLE
from casewell.calls.models import CallOutcome
from casewell.calls.service import CallLogService, CallMade
from casewell.clients import consent
from casewell.clients.models import Client, ClientImportRow, ConsentSource
from casewell.kernel.db import Base, Database
from casewell.kernel.runtime import Runtime
from casewell.kernel.types import Encrypted
from casewell.ledger.service import Actor
from casewell.messages.models import (
    Attachment,
    Channel,
    ChannelState,
    Delivery,
    Direction,
    MessageStatus,
)
from casewell.sms.models import SMSMessage
from casewell.staff.models import ApiToken, Firm, Notification
from casewell.webhooks.models import WebhookCall
from tests.abuse.conftest import World, knock, routes
from tests.rigs.installation import MovableClock, Person

# What programs write and read, in a shape of its own: no words of anybody's.
NO_WORDS = {
    "advice",
    "content_id",
    "content_type",
    "delimiter",
    "e164",
    "encoding",
    "event",
    "event_id",
    "file_key",
    "finding",
    "hash",
    "idempotency_key",
    "key",
    "kind",
    "named_by",
    "normal_form",
    "password_hash",
    "code_hash",
    "period",
    "prev_hash",
    "provider_id",
    "schedule",
    "sha256",
    "ssn_last4",
    "subject_type",
    "time_zone",
}
# Of JSON columns those that hold what others have written.
JSON_WORDS: dict[str, Callable[[str], Any]] = {
    "email_messages.to": lambda words: [{"name": words, "email": words}],
    "email_messages.cc": lambda words: [{"name": words, "email": words}],
    "email_messages.reply_to": lambda words: [{"name": words, "email": words}],
    "email_messages.defects": lambda words: [words],
    "messages.decision": lambda words: {"why": words},
    "client_imports.columns": lambda words: [words],
}
# Some of those that must be met on the way.
SEEN = {
    "activity_events.actor_name",
    "api_tokens.name",
    "attachments.shown_name",
    "case_notes.text",
    "client_imports.file_name",
    "clients.first_name",
    "clients.street",
    "contact_consents.words",
    "conversation_heads.preview",
    "deliveries.last_error",
    "email_messages.from_name",
    "email_messages.quoted_text",
    "firm.name",
    "mailboxes.name",
    "messages.body_text",
    "messages.preview",
    "messages.subject",
    "notifications.actor_name",
    "staff.name",
    "triage_senders.name",
    "triage_senders.preview",
    "webhooks.url",
}
# Short enough for every column, long enough to be like nothing that a page of ours holds.
ENOUGH = 20
SHORTEST = 32
EVIL = re.compile(r"evil\.example|alert\(1\)|/clients/1/delete")
# Scripts of ours put data attributes into texts alone (tests/e2e/test_hostile.py).
IS_TEXT = re.compile(r"aria-\w+|alt|content|placeholder|title|value|data-(?!hx-)[\w-]+")


class Acts(HTMLParser):
    """The attributes of a page that would do what a line of the corpus asks for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if not IS_TEXT.fullmatch(name) and (EVIL.search(value or "") or name[:2] == "on"):
                self.found.append(f"<{tag} {name}={value!r}>")


@pytest.fixture(scope="module")
def corpus(shared: Any) -> list[str]:
    text = (shared / "security/fixtures/html_corpus.txt").read_text("utf-8")
    return [line for line in text.splitlines() if line.strip()]


@pytest.fixture
def crowded(
    world: World,
    runtime: Runtime,
    clock: MovableClock,
    sign_in: Callable[..., Person],
    in_portal: Callable[[Client], Person],
) -> World:
    """The world, with words over every channel and with all that goes wrong."""
    colleague = world.people["colleague"]
    sent = {"body": "Here it is.", "key": "a-key-of-a-form"}
    assert in_portal(world.hidden).post("/portal/messages", sent).status_code == 303
    body = {"client_id": world.hidden.id, "body": "Thank you.", "channel": "portal"}
    assert sign_in(colleague).api("POST", "/api/inbox/reply", body).status_code == 201
    now = clock.move(minutes=1)
    with runtime.database.writing() as session:
        made = CallMade(
            direction=Direction.OUTBOUND,
            outcome=CallOutcome.CONNECTED,
            started_at=now - timedelta(minutes=30),
            summary="Walked through the report.",
            staff_id=colleague.id,
        )
        calls = CallLogService(session, Actor.of_staff(colleague), now)
        conversation = calls.record_call(
            world.hidden.id, made, idempotency_key="a-call"
        ).conversation_id
        text = SMSMessage(
            client_id=world.hidden.id,
            conversation_id=conversation,
            channel=Channel.SMS,
            direction=Direction.OUTBOUND,
            status=MessageStatus.FAILED,
            body_text="A text",
            preview="A text",
            occurred_at=now,
            recorded_at=now,
            staff_id=colleague.id,
        )
        session.add(text)
        session.flush()
        consent.grant(
            session,
            world.hidden.id,
            "+13125550123",
            source=ConsentSource.STAFF,
            words="Signed the intake form.",
            actor=Actor.of_staff(colleague),
            now=now,
        )
        owner_id = world.people["owner"].id
        for mine in (ApiToken, Notification):
            session.execute(sa.update(mine).values(staff_id=owner_id))
        attached = {"message_id": world.ids["incoming_id"], "staff_id": None}
        session.execute(sa.update(Attachment).values(attached))
        session.execute(sa.update(Firm).values(sending_paused_at=now))
        session.add_all(
            [
                Delivery(
                    message_id=text.id,
                    channel=Channel.SMS,
                    status=MessageStatus.FAILED,
                    recipient="+13125550123",
                    queued_at=now,
                ),
                ChannelState(channel=Channel.SMS, stopped_at=now, reason="Off"),
                ClientImportRow(
                    import_id=world.ids["import_id"], line=2, outcome="refused", reason="No"
                ),
                WebhookCall(
                    webhook_id=world.ids["webhook_id"],
                    event_id="1",
                    event="message.sent",
                    body="{}",
                    created_at=now,
                ),
            ]
        )
    return world


def _columns() -> dict[str, sa.Column[Any]]:
    """Return every column that holds words, of every table there is."""
    return {
        f"{table.name}.{column.name}": column
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if f"{table.name}.{column.name}" in JSON_WORDS or _is_of_words(column)
    }


def _is_of_words(column: sa.Column[Any]) -> bool:
    kind = column.type
    return (
        isinstance(kind, sa.String)
        and not isinstance(kind, sa.Enum | Encrypted)
        and (kind.length or SHORTEST) >= SHORTEST
        and not (column.primary_key or column.unique or column.foreign_keys)
        and column.name not in NO_WORDS
    )


def _put(database: Database, world: World, line: str) -> dict[str, str]:
    """Put a line into every column of words; each begins with a number that names its column."""
    names = {}
    with database.writing() as session:
        for number, (name, column) in enumerate(_columns().items(), 100):
            words = f"{number}{line}"
            names[str(number)] = name
            cut = words[: getattr(column.type, "length", None)]
            value = JSON_WORDS[name](words) if name in JSON_WORDS else cut
            change = sa.update(column.table).values({column.name: value})
            if any(index.unique and column.name in index.columns for index in column.table.indexes):
                change = change.where(column.table.c.id == world.hidden.id)
            session.execute(change)
    return names


def _pages(
    app: Flask, world: World, owner: Person, client: Person, *, whole: bool
) -> Iterator[tuple[str, TestResponse]]:
    """Yield every page; the whole of it is also every fragment, and every list in full."""
    everything = {"scope": "all", "state": "any", "view": "all"}
    ways = [(False, everything), (True, {}), (True, everything)] if whole else []
    for rule, method in routes(app, unsafe=False):
        audience, address = TABLE[rule.endpoint], world.address(rule)
        if audience.public and not audience.clients:
            continue
        person = client if audience.clients else owner
        for htmx, query in [(False, {}), *ways]:
            answer = knock(person, method, address, htmx=htmx, query_string=query)
            yield f"{address} {query} {htmx}", answer


@pytest.mark.slow
def test_C01_every_line_is_inert_in_every_column_of_words(
    app: Flask,
    crowded: World,
    corpus: list[str],
    database: Database,
    sign_in: Callable[..., Person],
    in_portal: Callable[[Client], Person],
) -> None:
    """Written past every form: whoever put it there, by mail, import, text or API (C17)."""
    owner, client = sign_in(crowded.people["owner"]), in_portal(crowded.hidden)
    shown: set[str] = set()
    for number, line in enumerate(corpus):
        names = _put(database, crowded, line)
        written = re.compile(r"(\d{3})" + re.escape(html.escape(line[:4], quote=False)))
        for where, answer in _pages(app, crowded, owner, client, whole=not number):
            _is_inert(answer, line, where)
            shown |= {names.get(found, "") for found in written.findall(answer.text)}
    assert shown >= SEEN, "the walk is too short"


def _is_inert(answer: TestResponse, line: str, where: str) -> None:
    assert answer.status_code < 500, where
    answer.get_data()
    for name, value in answer.headers:
        is_file_name = name == "Content-Disposition" and value.startswith("attachment; filename=")
        assert is_file_name or not EVIL.search(value), f"{where}: {name}"
    if answer.mimetype == "text/html":
        text = answer.text
        assert line[:ENOUGH] not in text, f"{where} holds {line[:ENOUGH]}"
        assert Acts(text).found == [], where
