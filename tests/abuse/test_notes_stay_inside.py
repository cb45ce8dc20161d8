"""An internal note can reach no client: every way out and every route that is open is walked.

What is walked is read from the wiring and the access table: a new channel, mail or route joins
by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from pytest_httpserver import HTTPServer

from casewell.access_table import TABLE
from casewell.clients import consent
from casewell.clients.models import Client, ClientPhone, ConsentSource
from casewell.kernel.access import SAFE_METHODS, Role
from casewell.kernel.db import Database
from casewell.kernel.runtime import Runtime
from casewell.ledger.service import SYSTEM
from casewell.messages.models import Delivery, MessageStatus, UnifiedMessage
from casewell.portal import sessions
from casewell.portal.models import ClientAccount
from casewell.providers.http import WebClient, WebLimits
from casewell.providers.sms import SMSSender
from casewell.providers.targets import TargetGuard
from casewell.staff.models import SystemMail
from casewell.webhooks.forms import WebhookForm
from casewell.webhooks.outgoing import KINDS
from casewell.webhooks.service import WebhookService
from casewell.wiring import CARRIERS, LETTERS
from tests.abuse.conftest import World, knock, routes
from tests.rigs.installation import Person
from tests.sms.conftest import FakeSMS
from tests.webhooks.conftest import Receiver

MARK = "okapi-between-us"
PHONE = "+13125550148"
# What would end the walk: the session it is walked with.
ENDS = {"sign_in.sign_out", "portal_sign_in.sign_out"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with HTTPServer(host="127.0.0.1") as server:
        made = Receiver(server)
        server.expect_request("/hooks", method="POST").respond_with_handler(made.answer)
        yield made


@pytest.fixture
def sms() -> FakeSMS:
    return FakeSMS()


@pytest.fixture
def runtime(runtime: Runtime, receiver: Receiver, sms: FakeSMS) -> Runtime:
    """Each way out is set up, and ends where the test can look."""
    guard = TargetGuard(private={f"127.0.0.1:{receiver.server.port}"})
    client = WebClient(guard, WebLimits(step=1.0, whole=3.0))
    settings = runtime.settings.model_copy(update={"sms": "console"})
    providers = {**runtime.providers, WebClient: client, SMSSender: sms}
    return replace(runtime, settings=settings, providers=providers)


@dataclass
class Noted:
    """A client about whom three marked notes were written."""

    colleague: Person
    attorney: Person
    in_portal: Person
    texts: list[str]


@pytest.fixture
def noted(app: Flask, world: World, runtime: Runtime, sign_in: Callable[..., Person]) -> Noted:
    """They have a portal account and are signed in; a receiver hears of all that happens."""
    people = world.people
    colleague, attorney = sign_in(people["colleague"]), sign_in(people["attorney"])
    texts = []
    kinds = ((colleague, "general"), (colleague, "billing"), (attorney, "privileged"))
    for person, kind in kinds:
        text = f"{MARK} {kind} @Marcus"
        body = {"client_id": world.hidden.id, "text": text, "kind": kind}
        assert person.api("POST", "/api/notes", body).status_code == 201
        texts.append(text)
    with runtime.database.writing() as session:
        account = ClientAccount(
            client_id=world.hidden.id, email="bruno@example.com", created_at=runtime.now()
        )
        session.add(account)
        session.get_one(Client, world.hidden.id).time_zone = "America/New_York"  # it is day there
        session.add(ClientPhone(client_id=world.hidden.id, e164=PHONE, as_typed=PHONE))
        session.flush()
        consent.grant(
            session,
            world.hidden.id,
            PHONE,
            source=ConsentSource.STAFF,
            words="Signed the intake form.",
            actor=SYSTEM,
            now=runtime.now(),
        )
        token = sessions.begin(session, account.id, runtime.now())
    in_portal = Person(app)
    in_portal.http.set_cookie(sessions.cookie_of(runtime.settings), token)
    return Noted(colleague, attorney, in_portal, texts)


@pytest.fixture
def outside(
    runtime: Runtime,
    receiver: Receiver,
    sms: FakeSMS,
    sent_mails: list[tuple[str, list[str], bytes]],
) -> Callable[[], dict[str, bytes]]:
    """Returns all that left the house or lies ready to be handed out, by where it was found."""
    with runtime.database.writing() as session:
        form = WebhookForm(url=receiver.url, events=list(KINDS))
        WebhookService(session, runtime, SYSTEM).add(form)

    def found() -> dict[str, bytes]:
        files = runtime.settings.files
        kept = [path for path in files.rglob("*") if path.is_file()] if files.is_dir() else []
        return {
            **{f"mail {at}": raw for at, (_, _, raw) in enumerate(sent_mails)},
            **{f"text {at}": body.encode() for at, (_, body) in enumerate(sms.texts)},
            **{f"call {at}": rq.get_data() for at, (rq, _) in enumerate(receiver.server.log)},
            **{str(path): path.read_bytes() for path in kept},
        }

    return found


@pytest.fixture
def time_goes_by(clock: Any, run_due: Callable[[], int]) -> Callable[[], None]:
    def pass_by() -> None:
        for _ in range(4):
            clock.move(minutes=1)
            run_due()

    return pass_by


def test_the_notes_are_there_to_be_found(noted: Noted, world: World) -> None:
    """Else the walks below would find nothing whatever leaked."""
    page = noted.attorney.get(f"/inbox/c/{world.hidden.id}").text
    for text in noted.texts:
        assert text in page


def test_no_message_of_any_channel_carries_a_note(
    noted: Noted,
    world: World,
    outside: Callable[[], dict[str, bytes]],
    time_goes_by: Callable[[], None],
    database: Database,
    dump: Callable[..., Any],
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
    assert {place.partition(" ")[0] for place in found} >= {"mail", "text", "call"}
    assert [place for place, content in found.items() if MARK.encode() in content] == []
    assert _tables_with_the_mark(dump) == {"case_notes"}


def test_whatever_staff_press_no_note_leaves(
    noted: Noted,
    world: World,
    app: Flask,
    sign_in: Callable[..., Person],
    outside: Callable[[], dict[str, bytes]],
    time_goes_by: Callable[[], None],
    database: Database,
    dump: Callable[..., Any],
) -> None:
    """Each route is called about the client, by who is responsible and by the owner."""
    for who in ("colleague", "owner"):
        person = sign_in(world.people[who])
        for rule, method in routes(app, unsafe=True):
            if rule.endpoint not in ENDS and not TABLE[rule.endpoint].clients:
                knock(person, method, world.address(rule), {"via": "portal:", "body": "Hello"})
        time_goes_by()
    with database.reading() as session:
        mails = set(session.scalars(sa.select(SystemMail.kind)))
    assert mails & set(LETTERS), "no mail of the portal left: the walk is too short"
    assert [place for place, content in outside().items() if MARK.encode() in content] == []
    assert _tables_with_the_mark(dump) == {"case_notes"}


def _tables_with_the_mark(dump: Callable[..., Any]) -> set[str]:
    rows = dump(without=set())
    return {name for name, held in rows.items() if any(MARK in str(row) for row in held)}


def test_no_route_that_others_than_staff_may_call_shows_a_note(
    noted: Noted, world: World, app: Flask, time_goes_by: Callable[[], None]
) -> None:
    """By nobody, and by the very client whose notes they are; twice, as what was written shows."""
    body = {"client_id": world.hidden.id, "body": "By Friday.", "channel": "portal"}
    assert noted.colleague.api("POST", "/api/inbox/reply", body).status_code == 201
    time_goes_by()
    assert "By Friday." in noted.in_portal.get("/portal/messages").text
    walked = 0
    for person in (Person(app), noted.in_portal, noted.in_portal):
        for rule, method in routes(app):
            audience = TABLE[rule.endpoint]
            if not (audience.public or audience.clients) or rule.endpoint in ENDS:
                continue
            answer = knock(person, method, world.address(rule), {})
            assert MARK.encode() not in answer.get_data(), f"{method} {rule.rule}"
            assert MARK not in str(answer.headers), f"{method} {rule.rule}"
            walked += 1
    assert walked > 30


def test_B01_no_route_of_staff_shows_a_client_anything(
    noted: Noted, world: World, app: Flask
) -> None:
    for rule, method in routes(app, unsafe=False):
        answer = knock(noted.in_portal, method, world.address(rule))
        assert MARK.encode() not in answer.get_data(), f"{method} {rule.rule}"


def test_no_route_at_all_shows_a_note_to_who_may_not_see_the_client(
    noted: Noted, world: World, app: Flask, sign_in: Callable[..., Person]
) -> None:
    dana = sign_in(world.people["dana"])
    for rule, method in routes(app, unsafe=False):
        assert MARK not in knock(dana, method, world.address(rule)).text, rule.rule


def test_nothing_that_is_downloaded_holds_a_note(
    noted: Noted, world: World, app: Flask, sign_in: Callable[..., Person]
) -> None:
    """A file may be handed to a client, or sent on: exports, letters, attachments."""
    owner = sign_in(world.people[Role.OWNER.value])
    exported = 0
    for rule, method in routes(app):
        if method not in SAFE_METHODS and "export" not in rule.endpoint:
            continue
        answer = knock(owner, method, world.address(rule))
        if "attachment" in answer.headers.get("Content-Disposition", ""):
            exported += 1
            assert MARK.encode() not in answer.get_data(), rule.rule
    assert exported > 2
    assert world.hidden.last_name in owner.post("/clients/export", {}).text


def test_a_case_manager_never_sees_a_privileged_note(
    noted: Noted, world: World, app: Flask
) -> None:
    for rule, method in routes(app, unsafe=False):
        shown = knock(noted.colleague, method, world.address(rule)).text
        assert f"{MARK} privileged" not in shown, rule.rule


def test_B16_no_search_finds_the_words_of_a_note(noted: Noted, world: World) -> None:
    assert noted.colleague.api("GET", f"/api/inbox/search?q={MARK}").json["items"] == []
    for address in (f"/inbox?q={MARK}&scope=all", f"/clients?q={MARK}"):
        assert f"{MARK} general" not in noted.attorney.get(address).text
    assert f"{MARK} general" not in noted.attorney.post("/palette", {"q": MARK}).text
