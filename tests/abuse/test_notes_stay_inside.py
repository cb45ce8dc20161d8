"""An internal note can reach no client: every way out and every route that is open is walked.

What is walked is read from the wiring, the providers, the access table and the tables of the
database: a new channel, mail, route or keeper of notes joins by itself, or fails here.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response
from werkzeug.test import TestResponse

from casewell.access_table import TABLE
from casewell.bootstrap import make_runtime
from casewell.clients import consent
from casewell.clients.exporting import Format
from casewell.clients.models import Client, ClientPhone, ConsentSource
from casewell.kernel.access import SAFE_METHODS, Role
from casewell.kernel.db import Base, Database
from casewell.kernel.runtime import Runtime
from casewell.kernel.settings import Settings
from casewell.ledger.service import SYSTEM, Actor, Event, record
from casewell.messages.models import Delivery, MessageStatus, UnifiedMessage
from casewell.notes.models import CaseNote, NoteKind
from casewell.portal import links
from casewell.portal.models import ClientAccount, ClientLinkKind
from casewell.providers.files import FileStore
from casewell.providers.http import WebClient
from casewell.providers.mail_in import MailFetchers
from casewell.providers.mail_out import MailSender
from casewell.providers.sms import SMSSender
from casewell.staff import mail as system_mail
from casewell.staff.models import SystemMail, SystemMailKind
from casewell.staff.passwords import hash_password
from casewell.webhooks.forms import WebhookForm
from casewell.webhooks.outgoing import KINDS
from casewell.webhooks.service import WebhookService
from casewell.wiring import CARRIERS
from tests.abuse.conftest import World, knock, routes, unpacked
from tests.abuse.forms import Forms
from tests.rigs.installation import PASSWORD, MovableClock, Person
from tests.rigs.smtp_server import SmtpRig
from tests.sms.conftest import ACCOUNT, TOKEN

MARK = "okapibetweenus"
# Words that a note lost when it was changed: they are nowhere at all.
ERASED = "okapierased"
PHONE = "+13125550148"
# What would end the walk: the session it is walked with.
ENDS = {"sign_in.sign_out", "portal_sign_in.sign_out"}
# Where the words of colleagues to each other are kept: notes, and why a client was handed over.
KEEPERS = {"case_notes", "activity_events"}
# What stands in the house of others, each with a stand-in at its wire.
WATCHED = {FileStore, MailFetchers, MailSender, SMSSender, WebClient}
# What has the client in its address.
ABOUT_THE_CLIENT = {"client_id", "message_id", "note_id", "attachment_id", "merge_id"}


@dataclass
class Wire:
    """All that others are handed by mail and by HTTP."""

    smtp: SmtpRig
    http: HTTPServer
    numbers: Iterator[int]

    def answer(self, _request: Request) -> Response:
        sid = json.dumps({"sid": f"SM{next(self.numbers):032d}"})
        return Response(sid, status=201, content_type="application/json")

    def calls(self, path: str) -> list[bytes]:
        return [request.get_data() for request, _ in self.http.log if path in request.path]


@pytest.fixture
def wire(smtp: SmtpRig) -> Iterator[Wire]:
    with HTTPServer(host="127.0.0.1") as server:
        made = Wire(smtp, server, count(1))
        server.expect_request(re.compile("/.*")).respond_with_handler(made.answer)
        yield made


@pytest.fixture(params=["wire"])
def ways(request: pytest.FixtureRequest) -> str:
    """How mail and texts leave: over the wire, or by their twins into files."""
    return str(request.param)


@pytest.fixture
def runtime(
    ways: str, settings_of: Callable[..., Settings], clock: MovableClock, wire: Wire
) -> Iterator[Runtime]:
    """Each way out is set up as its settings say, and ends where the test can look."""
    web = f"127.0.0.1:{wire.http.port}"
    chosen: dict[str, Any] = {"private_targets": web}
    if ways == "wire":
        chosen |= {
            "smtp_host": wire.smtp.host,
            "smtp_port": wire.smtp.port,
            "smtp_security": "plain",
            "sms": "twilio",
            "twilio_account_sid": ACCOUNT,
            "twilio_auth_token": TOKEN,
            "twilio_sender": "+13125550100",
            "twilio_url": f"http://{web}",
        }
    else:
        chosen["sms"] = "console"
    made = make_runtime(settings_of(**chosen), now=clock, with_hints=False)
    yield made
    made.database.close()


@dataclass
class Noted:
    """A client about whom marked notes of every kind were written."""

    colleague: Person
    attorney: Person
    account_id: int
    texts: list[str]


@pytest.fixture
def noted(
    world: World, runtime: Runtime, sign_in: Callable[..., Person], clock: MovableClock
) -> Noted:
    """Each note names a colleague, was written in other words first, and has a deleted twin.

    The client has a portal account, agrees to texts, and was handed over in marked words.
    """
    people, client_id = world.people, world.hidden.id
    colleague, attorney = sign_in(people["colleague"]), sign_in(people["attorney"])
    texts = []
    for kind in NoteKind:
        for text in (f"{MARK} {kind} @Marcus", f"{MARK} {kind} deleted"):
            body = {"client_id": client_id, "text": f"{ERASED} {kind}", "kind": kind}
            note = attorney.api("POST", "/api/notes", body).json["id"]
            attorney.post(f"/inbox/notes/{note}/edit", {"text": text})
            if text.endswith("deleted"):
                attorney.post(f"/inbox/notes/{note}/delete")
            else:
                texts.append(text)
    handed = {"assignee_id": people["attorney"].id, "words": f"{MARK} handed over"}
    assert attorney.post(f"/inbox/c/{client_id}/assign", handed).status_code == 303
    with runtime.database.writing() as session:
        account = ClientAccount(
            client_id=client_id,
            email="bruno@example.com",
            password_hash=hash_password(PASSWORD),
            created_at=runtime.now(),
        )
        session.add(account)
        session.get_one(Client, client_id).time_zone = "America/New_York"  # it is day there
        session.add(ClientPhone(client_id=client_id, e164=PHONE, as_typed=PHONE))
        session.flush()
        consent.grant(
            session,
            client_id,
            PHONE,
            source=ConsentSource.STAFF,
            words="Signed the intake form.",
            actor=SYSTEM,
            now=runtime.now(),
        )
    return Noted(colleague, attorney, account.id, texts)


@pytest.fixture
def enter(
    noted: Noted, world: World, in_portal: Callable[[Client], Person]
) -> Callable[[], Person]:
    """The client of the notes, in a browser that has just signed in at the portal."""
    return lambda: in_portal(world.hidden)


@pytest.fixture
def outside(
    runtime: Runtime, wire: Wire, tmp_path: Path, noted: Noted
) -> Callable[[], dict[str, bytes]]:
    """Returns all that left the house, and every file on disk but the database's."""
    with runtime.database.writing() as session:
        form = WebhookForm(url=wire.http.url_for("/listener"), events=list(KINDS))
        WebhookService(session, runtime, SYSTEM).add(form)

    def found() -> dict[str, bytes]:
        kept = [path for path in tmp_path.rglob("*") if path.is_file()]
        return {
            **{f"mail {n}": mail.raw for n, mail in enumerate(wire.smtp.deliveries)},
            **{f"text {n}": call for n, call in enumerate(wire.calls("/Messages.json"))},
            **{f"call {n}": call for n, call in enumerate(wire.calls("/listener"))},
            **{f"file {p}": p.read_bytes() for p in kept if not p.name.startswith("casewell.db")},
        }

    return found


@pytest.fixture
def time_goes_by(clock: MovableClock, run_due: Callable[[], int]) -> Callable[[], None]:
    def pass_by() -> None:
        for _ in range(4):
            clock.move(minutes=1)
            run_due()

    return pass_by


def says(content: bytes | str) -> bool:
    text = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
    return MARK in text or ERASED in text


def leaks(found: dict[str, bytes]) -> list[str]:
    return [place for place, content in found.items() if says(content)]


def tables_with(database: Database, mark: str) -> set[str]:
    """Return which tables hold the mark, of all there are in the database."""
    with database.engine.connect() as connection:
        names = sa.inspect(connection).get_table_names()
        return {
            name
            for name in names
            for row in connection.execute(sa.text(f'SELECT * FROM "{name}"'))
            if mark in str(tuple(row))
        }


def test_the_notes_are_there_to_be_found(noted: Noted, world: World, database: Database) -> None:
    """Else the walks below would find nothing whatever leaked."""
    page = noted.attorney.get(f"/inbox/c/{world.hidden.id}").text
    for text in noted.texts:
        assert text in page
    assert tables_with(database, MARK) == KEEPERS


def test_words_that_a_note_lost_are_kept_nowhere(noted: Noted, database: Database) -> None:
    assert tables_with(database, ERASED) == set()


def test_every_way_out_has_somebody_who_watches_it(runtime: Runtime) -> None:
    """A capability that is added needs a stand-in here; a table beside the notes, a mark in it."""
    assert set(runtime.providers) == WATCHED
    beside = {
        table.name
        for table in Base.metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table.name == CaseNote.__tablename__
    }
    assert beside == {"note_mentions"}


@pytest.mark.parametrize("ways", ["wire", "console"], indirect=True)
def test_no_message_of_any_channel_carries_a_note(
    ways: str,
    noted: Noted,
    world: World,
    outside: Callable[[], dict[str, bytes]],
    time_goes_by: Callable[[], None],
    database: Database,
) -> None:
    for channel in CARRIERS:
        body = {"client_id": world.hidden.id, "body": "By Friday.", "channel": channel.value}
        made = noted.colleague.api("POST", "/api/inbox/reply", body)
        assert made.status_code == 201, made.text
    time_goes_by()
    with database.reading() as session:
        left = session.scalars(
            sa.select(UnifiedMessage.channel)
            .join(Delivery, Delivery.message_id == UnifiedMessage.id)
            .where(Delivery.status.in_((MessageStatus.SENT, MessageStatus.DELIVERED)))
        )
        assert set(left) == set(CARRIERS), "set up the way out that is missing"
    found = outside()
    seen = {place.partition(" ")[0] for place in found}
    assert seen >= ({"mail", "text", "call"} if ways == "wire" else {"call", "file"})
    letters = [text for text in found.values() if b"By Friday." in text or b"By+Friday." in text]
    assert len(letters) >= 2, "neither a mail nor a text says what was written"
    assert leaks(found) == []
    assert tables_with(database, MARK) == KEEPERS


def test_no_mail_of_casewell_itself_carries_a_note(
    noted: Noted,
    world: World,
    runtime: Runtime,
    outside: Callable[[], dict[str, bytes]],
    time_goes_by: Callable[[], None],
    staff: Callable[..., Any],
) -> None:
    """Every kind there is: to the client, and to staff who may forward it."""
    newcomer = staff(Role.CASE_MANAGER, password_hash=None)
    facts = {
        "name": "Marcus",
        "by": "Joan",
        "email": "new@firm.example",
        "what": "the password",
        "to": "elsewhere@firm.example",
        "day": "2026-03-10",
        "head": "0" * 64,
        "at": "2026-03-10T15:00:00+00:00",
        "file": "0" * 64,
    }
    with runtime.database.writing() as session:
        for kind in SystemMailKind:
            invited = kind is SystemMailKind.INVITATION
            who = newcomer if invited else world.people["colleague"]
            to = "bruno@example.com" if kind.startswith("client_") else who.email
            data = {**facts, "staff_id": who.id}
            system_mail.queue(session, runtime, kind, to, data)
    time_goes_by()
    with runtime.database.reading() as session:
        sent = session.scalars(sa.select(SystemMail.kind).where(SystemMail.sent_at.is_not(None)))
        assert set(sent) == set(SystemMailKind)
    assert leaks(outside()) == []


def test_no_webhook_carries_a_note(
    noted: Noted,
    world: World,
    runtime: Runtime,
    wire: Wire,
    outside: Callable[[], dict[str, bytes]],
    time_goes_by: Callable[[], None],
) -> None:
    """Every kind of event there is, with marked facts: what is told is chosen word by word."""
    now = runtime.now()
    facts = {"channel": "email", "subject": MARK, "words": MARK, "preview": MARK}
    colleague = Actor.of_staff(world.people["colleague"])
    with runtime.database.writing() as session:
        for kind in KINDS:
            event = Event(
                world.hidden.id, kind, colleague, now, facts, "message", world.ids["message_id"]
            )
            record(session, event, now=now)
    time_goes_by()
    told = {json.loads(call)["event"] for call in wire.calls("/listener")}
    assert told == set(KINDS)
    assert leaks(outside()) == []


def test_whatever_staff_press_no_note_leaves(
    noted: Noted,
    world: World,
    app: Flask,
    runtime: Runtime,
    sign_in: Callable[..., Person],
    outside: Callable[[], dict[str, bytes]],
    time_goes_by: Callable[[], None],
    database: Database,
) -> None:
    """Each route is called about the client, with what its form holds, over every channel."""
    ways_out = ("email:bruno@example.com", f"sms:{PHONE}", "portal:")
    assert {one.partition(":")[0] for one in ways_out} == set(CARRIERS)
    writing, about_the_client, about_others = [], [], []
    for who in ("colleague", "attorney", "owner"):
        person = sign_in(world.people[who])
        pages = _forms(person, app, world)
        for rule, method in routes(app, unsafe=True):
            if rule.endpoint in ENDS or TABLE[rule.endpoint].clients:
                continue
            address = world.address(rule)
            page, form = pages.get(address, ("", {}))
            if "via" in form:
                writing += [(person, address, page, via) for via in ways_out]
            presses = about_the_client if rule.arguments & ABOUT_THE_CLIENT else about_others
            presses.append((person, method, address, _filled(form)))
    # What writes to the client comes before what closes a way to them, each from a fresh page.
    for n, (person, address, page, via) in enumerate(writing):
        [form] = [one for one in Forms(page, person.get(page).text).found if one.action == address]
        body = _filled(dict(form.fields)) | {"via": via, "key": f"press-number-{n}"}
        assert person.post(address, body).status_code == 303
    time_goes_by()
    found = outside()
    for way, words in (("mail", b"By Friday."), ("text", b"By+Friday.")):
        assert sum(place.startswith(way) and words in found[place] for place in found) == 3
    with database.reading() as session:
        mails = set(session.scalars(sa.select(SystemMail.kind)))
    assert SystemMailKind.CLIENT_MESSAGE in mails
    for person, method, address, form in (*about_the_client, *about_others):
        knock(person, method, address, form)
    time_goes_by()
    assert leaks(outside()) == []
    assert tables_with(database, MARK) == KEEPERS


def _filled(form: dict[str, str]) -> dict[str, str]:
    """Return what somebody sends who writes where words are asked for."""
    words = {"body": "By Friday.", "text": "Hello", "words": "Hello"}
    written = {name: words.get(name, value) for name, value in form.items()}
    return {name: value for name, value in written.items() if value}


def _forms(person: Person, app: Flask, world: World) -> dict[str, tuple[str, dict[str, str]]]:
    """Return what each form holds and on which page, by where it is sent."""
    found: dict[str, tuple[str, dict[str, str]]] = {}
    for rule, _ in routes(app, unsafe=False):
        address = world.address(rule)
        answer = person.get(address)
        if answer.status_code == 200 and answer.mimetype == "text/html":
            for form in Forms(address, answer.text).found:
                found.setdefault(form.action.partition("?")[0], (address, dict(form.fields)))
    return found


@dataclass
class PortalWorld:
    """What a client has in the portal, so that each of its routes has something to show."""

    message: str
    token: str

    def address(self, world: World, rule: Any) -> str:
        own = {"public_id": self.message, "position": 0, "token": self.token}
        return world.address(rule, **{n: v for n, v in own.items() if n in rule.arguments})

    def body(self, endpoint: str) -> dict[str, Any]:
        """Return what a route of the portal takes; one that is not here is sent nothing."""
        words = {
            "portal_messages.seen": {"up_to": self.message},
            "portal_messages.write": {"body": "Here it is.", "key": self.token[:20]},
            "portal_sign_in.ask_for_link": {"email": "bruno@example.com"},
            "portal_sign_in.change_password": {
                "current_password": PASSWORD,
                "password": "four quiet herons at noon",
            },
            "portal_sign_in.enter": {"email": "bruno@example.com", "password": PASSWORD},
        }
        return words.get(endpoint, {})

    def queries(self, endpoint: str) -> list[dict[str, str]]:
        more = {"portal_messages.index": [{"before": self.message}]}
        return [{}, *more.get(endpoint, [])]


@pytest.fixture
def portal_world(
    noted: Noted,
    world: World,
    runtime: Runtime,
    enter: Callable[[], Person],
    time_goes_by: Callable[[], None],
) -> PortalWorld:
    """Words both ways, one with a file."""
    sent = {"body": "See this.", "key": "a-key-of-a-form", "file": (io.BytesIO(b"x"), "a.txt")}
    wrote = enter().post("/portal/messages", sent, content_type="multipart/form-data")
    assert wrote.status_code == 303
    body = {"client_id": world.hidden.id, "body": "By Friday.", "channel": "portal"}
    assert noted.colleague.api("POST", "/api/inbox/reply", body).status_code == 201
    time_goes_by()
    page = enter().get("/portal/messages").text
    assert "By Friday." in page
    own = re.findall(r"/portal/messages/([\w-]+)/files/0", page)
    with runtime.database.writing() as session:
        token = links.issue(session, noted.account_id, ClientLinkKind.SIGN_IN, runtime.now())
    return PortalWorld(own[0], token)


def _asked(
    person: Person, method: str, address: str, body: dict[str, Any], query: dict[str, str]
) -> list[TestResponse]:
    """Ask as a page, as a fragment, as a program, and for the head alone."""
    if method not in SAFE_METHODS:
        return [person.post(address, body)]
    return [
        person.get(address, query_string=query),
        person.get(address, query_string=query, htmx=True),
        person.get(address, query_string=query, headers={"Accept": "application/json"}),
        person.http.head(address, query_string=query),
    ]


def _shows_no_note(answer: TestResponse, what: str) -> None:
    assert answer.status_code < 500, what
    assert not says(answer.get_data()), what
    assert not says(str(answer.headers)), what


def test_no_route_of_the_portal_shows_a_client_a_note(
    noted: Noted,
    world: World,
    app: Flask,
    runtime: Runtime,
    enter: Callable[[], Person],
    portal_world: PortalWorld,
) -> None:
    """Each is reached with what it takes: one that refuses the client proves nothing."""
    walked = set()
    for rule, method in routes(app):
        if not TABLE[rule.endpoint].clients:
            continue
        with runtime.database.writing() as session:
            portal_world.token = links.issue(
                session, noted.account_id, ClientLinkKind.SIGN_IN, runtime.now()
            )
        address, body = portal_world.address(world, rule), portal_world.body(rule.endpoint)
        for query in portal_world.queries(rule.endpoint):
            for answer in _asked(enter(), method, address, body, query):
                what = f"{method} {rule.rule} {query}: {answer.status_code}"
                _shows_no_note(answer, what)
                assert answer.status_code < 400, f"{what}: say in PortalWorld what it takes"
                back = (answer.location or "").startswith("/portal/sign-in")
                assert not back or rule.endpoint == "portal_sign_in.sign_out", what
                walked.add(rule.endpoint)
    assert walked == {name for name, audience in TABLE.items() if audience.clients}
    assert "Here it is." in enter().get("/portal/messages").text


def test_no_route_that_is_open_shows_anybody_a_note(
    noted: Noted, world: World, app: Flask, enter: Callable[[], Person]
) -> None:
    """By nobody and by the client, of this client and signed with what only the firm knows."""
    walked = set()
    for person in (Person(app), enter()):
        for rule, method in routes(app):
            if not TABLE[rule.endpoint].public or rule.endpoint in ENDS:
                continue
            for answer in _asked(person, method, world.address(rule), {}, {}):
                _shows_no_note(answer, f"{method} {rule.rule}")
            walked.add(rule.endpoint)
    assert walked == {name for name, one in TABLE.items() if one.public} - {"static"}


def test_B01_no_route_of_staff_shows_a_client_anything(
    noted: Noted, world: World, app: Flask, enter: Callable[[], Person]
) -> None:
    person = enter()
    for rule, method in routes(app):
        if not TABLE[rule.endpoint].clients:
            for answer in _asked(person, method, world.address(rule), {}, {}):
                _shows_no_note(answer, f"{method} {rule.rule}")


def test_nothing_that_is_downloaded_holds_a_note(
    noted: Noted, world: World, app: Flask, sign_in: Callable[..., Person]
) -> None:
    """A file may be handed to a client, or sent on: exports, letters, attachments."""
    owner = sign_in(world.people[Role.OWNER.value])
    files = 0
    for rule, method in routes(app):
        if method not in SAFE_METHODS and "export" not in rule.endpoint:
            continue
        bodies = [{"format": kind.value} for kind in Format] if "export" in rule.endpoint else [{}]
        for body in bodies:
            answer = knock(owner, method, world.address(rule), body)
            if "attachment" in answer.headers.get("Content-Disposition", ""):
                files += 1
                content = unpacked(answer.get_data())
                assert not says(content), rule.rule
                if "export" in rule.endpoint:
                    assert world.hidden.last_name.encode() in content
    assert files > 1 + len(Format)
