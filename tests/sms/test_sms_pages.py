"""SMS on the pages: settings, a client's consent, the local outbox, and answering."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from casewell.app import create_app
from casewell.clients.models import ClientPhone, TextFault
from casewell.kernel.access import Role
from casewell.kernel.jobs import sweep
from casewell.kernel.web import cookie_name
from casewell.messages.models import Delivery, MessageStatus
from casewell.providers.errors import SignInRefused
from casewell.providers.sms import NoSMS, SMSSender
from casewell.providers.sms.console import ConsoleSMS
from tests.rigs.installation import Person
from tests.sms.conftest import THEIRS


@pytest.fixture
def app(runtime, firm):
    return create_app(runtime)


@pytest.fixture
def owner(staff, sign_in) -> Person:
    return sign_in(staff(Role.OWNER, name="Olive Reyes"))


def elsewhere(person, runtime):
    """Return the same person at an installation that is set up otherwise."""
    name = cookie_name(runtime.settings.https, "session")
    made = Person(create_app(runtime), person.staff)
    made.http.set_cookie(name, person.http.get_cookie(name).value)
    return made


def text_of(answer):
    return " ".join(answer.get_data(as_text=True).split())


def reply(person, client, body="It came.", **fields):
    given = {"client_id": client.id, "body": body, "channel": "sms", **fields}
    return person.api("POST", "/api/inbox/reply", given)


def phone_of(database):
    with database.reading() as session:
        return session.scalars(sa.select(ClientPhone)).first()


def test_an_answer_by_text_leaves_by_the_carrier(owner, ana, sms, runtime, clock):
    answer = reply(owner, ana, "It came.\u202e 👋")
    assert answer.status_code in (200, 201, 202)
    assert answer.json["channel"] == "sms"
    clock.move(seconds=30)
    sweep(runtime)
    assert sms.texts == [(THEIRS, "It came. 👋")]


def test_a_text_is_answered_by_text_unless_its_writer_says_otherwise(owner, ana, comes):
    comes("When will it come?")
    given = {"client_id": ana.id, "body": "Monday."}
    assert owner.api("POST", "/api/inbox/reply", given).json["channel"] == "sms"
    page = text_of(owner.get(f"/inbox/c/{ana.id}"))
    assert "When will it come?" in page
    assert "last message was SMS" in page


def test_H04_the_api_refuses_as_the_gate_does(owner, ana, comes, sms):
    comes("STOP")
    answer = reply(owner, ana)
    assert answer.status_code == 422
    assert "opted out" in text_of(answer)


def test_a_number_that_may_be_texted_comes_before_one_that_may_not(
    owner, client, agree, sms, runtime, clock
):
    new = client("New", "Comer", phones=[THEIRS, "+13125550149"], state="IL")
    agree(new, "+13125550149")
    reply(owner, new)
    clock.move(seconds=30)
    sweep(runtime)
    assert [to for to, _ in sms.texts] == ["+13125550149"]


def test_a_text_carries_no_copy(owner, ana):
    assert reply(owner, ana, cc=["x@example.com"]).status_code == 422


def test_without_sms_nothing_is_offered(owner, ana, runtime):
    off = replace(runtime, providers={**runtime.providers, SMSSender: NoSMS()})
    person = elsewhere(owner, off)
    assert "SMS to" not in text_of(person.get(f"/inbox/c/{ana.id}"))
    assert "Nobody is texted" in text_of(person.get("/settings/sms"))


def test_parts_and_what_failed_are_shown(owner, ana, text, sms, runtime, clock, twilio):
    text(ana, "x" * 170)
    clock.move(seconds=30)
    sweep(runtime)
    twilio(
        "/hooks/twilio/status",
        MessageSid=f"SM{1:032d}",
        MessageStatus="undelivered",
        ErrorCode="30006",
    )
    page = text_of(owner.get(f"/inbox/c/{ana.id}"))
    assert "Not delivered" in page
    assert "landline" in page


def test_consent_is_recorded_on_the_clients_page(owner, client, text, database):
    new = client("New", "Comer", phones=[THEIRS])
    address = f"/clients/{new.id}/sms"
    assert "Nothing is recorded" in text_of(owner.get(address))
    phone = phone_of(database)
    form = {"phone_id": phone.id, "change": "allow"}
    assert owner.post(address, form).status_code == 422
    assert owner.post(address, {**form, "words": "Signed form 3"}).status_code in (302, 303)
    page = text_of(owner.get(address))
    assert "agrees to texts at this number" in page
    assert "Signed form 3" in page
    assert "Olive Reyes" in page
    waiting = text(new)
    owner.post(address, {"phone_id": phone.id, "change": "stop", "words": "Said so"})
    with database.reading() as session:
        assert session.get_one(Delivery, waiting).status is MessageStatus.FAILED


def test_staff_cannot_lift_a_stop(owner, ana, comes, database):
    comes("STOP")
    address = f"/clients/{ana.id}/sms"
    assert "Only a START" in text_of(owner.get(address))
    phone = phone_of(database)
    form = {"phone_id": phone.id, "change": "allow", "words": "They called"}
    assert owner.post(address, form).status_code == 409


def test_a_number_that_works_again_is_texted_again(owner, ana, text, database):
    with database.writing() as session:
        session.execute(sa.update(ClientPhone).values(text_fault=TextFault.NOT_MOBILE))
    phone = phone_of(database)
    owner.post(f"/clients/{ana.id}/sms", {"phone_id": phone.id, "change": "works"})
    text(ana)


def test_a_number_of_somebody_else_is_not_found(owner, ana, client, database):
    other = client("Bruno", "Salas", phones=["+13125550149"])
    phone = phone_of(database)
    form = {"phone_id": phone.id, "change": "allow", "words": "x"}
    assert owner.post(f"/clients/{other.id}/sms", form).status_code == 404


def test_the_settings_say_how_it_stands_and_what_to_tell_twilio(owner):
    page = text_of(owner.get("/settings/sms"))
    assert "https://crm.example.org/hooks/twilio/sms" in page
    assert "Texts go out by Twilio" in page
    assert "a-token-of-twilio" not in page


def test_a_check_says_what_is_wrong(owner, sms):
    assert "It works." in text_of(owner.post("/settings/sms/check"))

    def refuse():
        raise SignInRefused("Twilio refused the account's credentials.", "secret")

    sms.check = refuse
    page = text_of(owner.post("/settings/sms/check"))
    assert "refused the account" in page
    assert "secret" not in page


def test_a_pause_holds_texts_until_it_is_over(owner, ana, text, sms, runtime, clock):
    owner.post("/settings/sms/pause")
    assert "Paused by Olive Reyes." in text_of(owner.get("/settings/sms"))
    text(ana)
    clock.move(seconds=30)
    sweep(runtime)
    assert sms.texts == []
    owner.post("/settings/sms/resume")
    clock.move(seconds=30)
    sweep(runtime)
    assert len(sms.texts) == 1


def test_the_local_outbox_shows_what_would_have_left(owner, runtime, tmp_path):
    assert owner.get("/outbox/texts").status_code == 404
    twin = ConsoleSMS(tmp_path / "texts.jsonl")
    twin.send(THEIRS, "It <b>came</b>.")
    local = replace(runtime, providers={**runtime.providers, SMSSender: twin})
    person = elsewhere(owner, local)
    page = text_of(person.get("/outbox/texts"))
    assert "(312) 555-0148" in page
    assert "It &lt;b&gt;came&lt;/b&gt;." in page
    assert "Local outbox of texts" in text_of(person.get("/outbox"))
