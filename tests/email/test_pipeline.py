"""Every mail of the corpora through the whole of Casewell: kept, read, stored, and shown."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import Any

import pytest
import sqlalchemy as sa

from casewell.clients.models import ClientEmail
from casewell.email.arrival import Arrived, keep_raw, register, take_in_all
from casewell.email.models import EmailMessage, InboundMail, InboundState, Source
from casewell.email.parsing import read_mail
from casewell.kernel.access import Role
from casewell.kernel.addresses import normal_form
from casewell.messages import outbox
from casewell.messages.models import Attachment, Delivery, Direction, MessageStatus
from tests.messages.conftest import message_of

GOOD = (
    "From: good{number}@example.com\r\nTo: office@firm.example\r\nSubject: Good mail {number}\r\n"
    "Date: Tue, 10 Mar 2026 14:00:00 +0000\r\nMessage-ID: <good{number}@mail.example>\r\n\r\n"
    "Nothing is wrong with this one.\r\n"
)
# What no page ever says, whatever was in the mail.
LEAKS = re.compile(r"Traceback|sqlalchemy|psycopg|sqlite3|/casewell/|Internal Server Error")


@dataclass
class Mail:
    name: str
    raw: bytes
    expect: dict[str, Any] = field(default_factory=dict)


@pytest.fixture
def corpus(manifest, shared):
    """All mails of both collections, each between two good ones."""
    mails = [Mail(one["file"], one["raw"], one["expect"]) for one in manifest]
    folder = shared / "security" / "fixtures" / "eml"
    mails += [Mail(path.name, path.read_bytes()) for path in sorted(folder.glob("*.eml"))]
    assert len(mails) > 120
    return mails


@pytest.fixture
def take_in(runtime, clock):
    """Takes mails in as polling does; returns the ids of their rows, in order."""

    def taken_in(raws):
        ids = []
        for start in range(0, len(raws), 25):
            clock.move(seconds=1)
            batch = [Arrived(raw, len(raw), clock()) for raw in raws[start : start + 25]]
            kept = keep_raw(runtime, batch)
            with runtime.database.writing() as session:
                due = register(session, runtime, kept, source=Source.WEBHOOK)
            take_in_all(runtime, due)
            ids += due
        return ids

    return taken_in


@pytest.fixture
def rows_of(database):
    """The row of each mail in the register of what arrived, with the message it became."""

    def loaded(ids):
        with database.reading() as session:
            query = sa.select(InboundMail, EmailMessage).outerjoin(
                EmailMessage, EmailMessage.id == InboundMail.message_id
            )
            found = {mail.id: (mail, message) for mail, message in session.execute(query)}
            return [found[one] for one in ids]

    return loaded


def test_D01_every_mail_is_stored_or_quarantined_and_the_next_is_taken_in(
    corpus, take_in, rows_of, subtests
):
    raws = []
    for number, mail in enumerate(corpus):
        raws += [GOOD.format(number=number).encode(), mail.raw]
    rows = rows_of(take_in(raws))
    for good, _ in rows[::2]:
        assert good.state is InboundState.TAKEN_IN
    for mail, (row, message) in zip(corpus, rows[1::2], strict=True):
        with subtests.test(mail.name):
            if row.state is InboundState.TAKEN_IN:
                assert message is not None
            else:
                assert row.state in (InboundState.QUARANTINED, InboundState.SKIPPED)
                assert row.reason
                assert not mail.expect


@pytest.fixture(params=["clients", "strangers"])
def shown(request, corpus, take_in, rows_of, client, staff, sign_in):
    """The mails as messages, and somebody who looks at them: in conversations, or in triage."""
    owner = staff(Role.OWNER)
    if request.param == "clients":
        known = set()
        for mail in corpus:
            author = read_mail(mail.raw).author
            if author and normal_form(author.email) not in known | {"office@firm.example"}:
                known.add(normal_form(author.email))
                client(emails=[author.email], main=owner)
    rows = rows_of(take_in([mail.raw for mail in corpus]))
    person = sign_in(owner)
    return person, [
        (mail, message)
        for mail, (_, message) in zip(corpus, rows, strict=True)
        if message is not None
    ]


def test_it_is_stored_as_the_manifest_says(shown, database, subtests):
    _, messages = shown
    with database.reading() as session:
        files = sa.select(Attachment).order_by(Attachment.message_id, Attachment.position)
        of_message: dict[int, list[Attachment]] = {}
        for file in session.scalars(files):
            of_message.setdefault(file.message_id, []).append(file)
    for mail, message in messages:
        expect, files = mail.expect, of_message.get(message.id, [])
        with subtests.test(mail.name):
            assert message.subject == expect.get("subject", message.subject)
            assert "\n" not in message.subject
            assert message.kind == expect.get("kind", message.kind)
            assert message.must_not_answer or not expect.get("must_not_answer")
            for key in ("reply_only", "reply_only_plain"):
                assert message.reply_text == expect.get(key, message.reply_text)
            for words in expect.get("reply_only_must_not_contain", ()):
                assert words not in message.reply_text
                assert words not in message.preview
            apart = [file.shown_name for file in files if not file.is_inline]
            assert apart == expect.get("attachments", apart)
            assert len(files) == expect.get("attachments_count", len(files))
            for words in expect.get("stored_names_must_not_contain", ()):
                assert not any(words in file.shown_name for file in files)
            for file in files:
                assert re.fullmatch("[0-9a-f]{32}", file.file_key)
                assert len(file.shown_name.encode()) <= 255


def cards_of(person, messages):
    """Each message with its card on the page that shows it, all pages being well."""
    cards: dict[int, str] = {}
    where = {
        f"/inbox/c/{message.client_id}"
        if message.client_id is not None
        else f"/triage/{message.triage_sender_id}"
        for _, message in messages
    }
    while where:
        path = where.pop()
        answer = person.get(path)
        assert answer.status_code == 200, path
        page = answer.get_data(as_text=True)
        assert not LEAKS.search(page), path
        for card in re.finditer(r'<article[^>]* id="message-(\d+)".*?</article>', page, re.DOTALL):
            cards[int(card[1])] = card[0]
        if later := re.search(r'href="(/triage/\d+\?after=[^"]+)"', page):
            where.add(html.unescape(later[1]))
    return [(mail, message, cards[message.id]) for mail, message in messages]


def test_every_page_shows_it_as_the_manifest_says(shown, subtests):
    person, messages = shown
    for mail, message, card in cards_of(person, messages):
        with subtests.test(mail.name):
            text = html.unescape(re.sub(r"<[^>]+>", "", card))
            assert " ".join((message.subject or "No subject").split()) in " ".join(text.split())
            expect = mail.expect
            unfolded = re.sub(r"<details.*?</details>", "", card, flags=re.DOTALL)
            for words in expect.get("reply_only_must_not_contain", ()):
                assert words not in unfolded
                assert words in card
            for words in (*expect.get("text_contains", ()), *expect.get("reply_only_contains", ())):
                assert words in text
            for key in ("reply_only", "reply_only_plain"):
                for line in expect.get(key, "").split("\n"):
                    assert line in text
            for name in (
                *expect.get("attachments", ()),
                *(one["address"] for one in expect.get("recipients", ())),
            ):
                assert name in text
            assert not re.search(
                r"<script|<img|<[a-z][^<>]*\s(?:on[a-z]+=|(?:href|src)=.(?!/|mailto:|https?:|#))",
                card,
                re.IGNORECASE,
            )


def test_C03_every_frame_is_inert(shown, subtests):
    person, messages = shown
    for mail, message in messages:
        answer = person.get(f"/inbox/messages/{message.id}/body")
        with subtests.test(mail.name):
            assert answer.status_code == (404 if message.html is None else 200)
            if message.html is None:
                continue
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "script-src" not in policy
            body = answer.get_data(as_text=True)
            assert not LEAKS.search(body)
            _, _, content = body.partition("<body")
            assert not re.search(
                r"<script|<iframe|<form|<object|<embed|<link|<base|<meta|\son[a-z]+\s*="
                r"|javascript:|hx-|@import|position:\s*fixed|src=[\"']?http(?!://localhost/inbox/pictures/)",
                content,
                re.IGNORECASE,
            )
            for words in mail.expect.get("html_must_not_contain", ()):
                assert words not in content.lower()
            for words in mail.expect.get("html_should_keep", ()):
                assert words in content


def test_K01_K02_every_file_is_a_download(shown, database, subtests):
    person, messages = shown
    names = {message.id: mail.name for mail, message in messages}
    with database.reading() as session:
        files = session.scalars(sa.select(Attachment).order_by(Attachment.id)).all()
    assert len(files) > 40
    for file in files:
        with subtests.test(f"{names[file.message_id]}: {file.shown_name}"):
            answer = person.get(f"/inbox/attachments/{file.id}")
            assert answer.status_code == 200
            disposition = answer.headers["Content-Disposition"]
            assert disposition.startswith("attachment; ")
            assert re.fullmatch(r"[\x20-\x7e]+", disposition)
            assert answer.mimetype == "application/octet-stream"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Content-Security-Policy"].startswith("sandbox")
            assert len(answer.get_data()) == file.size


def test_the_api_tells_of_each(shown, subtests):
    person, messages = shown
    for client_id in {message.client_id for _, message in messages} - {None}:
        answer = person.api("GET", f"/api/inbox/client/{client_id}?limit=200")
        assert answer.status_code == 200
        told = {one["id"]: one for one in answer.json["items"]}
        for mail, message in messages:
            if message.client_id == client_id:
                with subtests.test(mail.name):
                    assert told[message.id]["subject"] == message.subject
                    assert told[message.id]["body"] == message.body_text
    assert person.api("GET", "/api/inbox?limit=200").status_code == 200
    assert person.get("/triage").status_code == 200
    assert person.get("/inbox").status_code == 200


def test_a_bounce_marks_the_mail_it_is_about_and_its_recipient(
    manifest, take_in, rows_of, client, runtime, database, clock, subtests
):
    """Where its report names the mail, as two of the corpus do; the others are only shown."""
    bounces = [one for one in manifest if "recipients" in one["expect"]]
    reported = 0
    for entry in bounces:
        report = read_mail(entry["raw"]).report
        if report is None or report.original_message_id is None:
            continue
        reported += 1
        (recipient,) = entry["expect"]["recipients"]
        person = client(emails=[recipient["address"]])
        message = message_of(
            clock(),
            direction=Direction.OUTBOUND,
            client_id=person.id,
            status=MessageStatus.QUEUED,
            rfc_message_id=report.original_message_id,
            to=[{"name": "", "email": recipient["address"]}],
            cc=[],
        )
        with database.writing() as session:
            delivery = outbox.queue(
                session, runtime, message, recipient=recipient["address"], now=clock()
            )
            for row in (delivery, message):
                row.status = MessageStatus.SENT
        (row,) = rows_of(take_in([entry["raw"]]))
        with subtests.test(entry["file"]), database.reading() as session:
            assert row[1].client_id == person.id
            assert row[1].bounced_message_id == message.id
            assert session.get_one(Delivery, delivery.id).status is MessageStatus.BOUNCED
            address = session.scalars(
                sa.select(ClientEmail).where(ClientEmail.client_id == person.id)
            ).one()
            lasting = (recipient["status"] or "5").startswith("5")
            assert (address.bounced_at is not None) is lasting
    assert reported == 2
