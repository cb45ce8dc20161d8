"""An answer without a channel, by the API: which way it goes, and what is said of the choice."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from casewell.app import create_app
from casewell.clients.models import Client, ClientEmail, PreferredChannel
from casewell.kernel.access import Role
from casewell.messages.models import UnifiedMessage
from casewell.portal.models import ClientAccount
from tests.sms.conftest import THEIRS

AT_NIGHT = datetime(2026, 3, 11, 4, 30, tzinfo=UTC)  # half past eleven in Chicago


@pytest.fixture
def app(runtime, firm):
    return create_app(runtime)


@pytest.fixture
def lena(client, agree, database, clock) -> Client:
    """Can be reached in every way there is."""
    made = client(
        "Lena", "Fischer", emails=["lena@example.com"], phones=[THEIRS], time_zone="America/Chicago"
    )
    agree(made)
    with database.writing() as session:
        session.add(ClientAccount(client_id=made.id, email="lena@example.com", created_at=clock()))
    return made


@pytest.fixture
def answer(staff, sign_in):
    owner = staff(Role.OWNER)

    def answered(whom: Client, **given: Any) -> Any:
        body = {"client_id": whom.id, "body": "On Monday.", "subject": "Your letter", **given}
        return sign_in(owner).api("POST", "/api/inbox/reply", body)

    return answered


@pytest.fixture
def prefer(database):
    def preferred(whom: Client, channel: PreferredChannel) -> None:
        with database.writing() as session:
            session.get_one(Client, whom.id).preferred_channel = channel

    return preferred


def told(answered) -> tuple[str, str, str]:
    assert answered.status_code == 201, answered.json
    return answered.json["channel"], answered.json["to"], answered.json["why"]


def test_it_goes_the_way_the_client_last_wrote(lena, answer, comes, mail_of):
    mail_of(lena)
    comes("And by when?")
    assert told(answer(lena)) == ("sms", THEIRS, "Auto: last message was SMS.")
    mail_of(lena)
    assert told(answer(lena)) == ("email", "lena@example.com", "Auto: last message was email.")


@pytest.mark.parametrize(
    ("channel", "to", "name"),
    [
        ("email", "lena@example.com", "email"),
        ("sms", THEIRS, "SMS"),
        ("portal", "lena@example.com", "the portal"),
    ],
)
def test_else_the_way_they_prefer(lena, answer, prefer, channel, to, name):
    prefer(lena, PreferredChannel(channel))
    assert told(answer(lena)) == (channel, to, f"Auto: Lena prefers {name}.")


def test_who_has_opted_out_of_texts_is_written_to_otherwise_and_it_is_said(lena, answer, comes):
    comes("STOP")
    channel, to, why = told(answer(lena))
    assert (channel, to) == ("email", "lena@example.com")
    assert why.startswith("Auto: email. (312) 555-0148 has opted out of texts.")


def test_at_night_an_answer_goes_where_it_wakes_nobody(lena, answer, comes, clock):
    clock.at = AT_NIGHT
    comes("By when?")
    channel, _, why = told(answer(lena))
    assert channel == "email"
    assert why.startswith("Auto: email.")
    assert "too early or too late for texts" in why


def test_at_night_a_text_waits_where_there_is_no_other_way(
    client, agree, answer, comes, clock, sms, run_due
):
    clock.at = AT_NIGHT
    alone = client("Ana", "Ruiz", emails=[], phones=[THEIRS], time_zone="America/Chicago")
    agree(alone)
    comes("By when?")
    answered = answer(alone)
    assert told(answered)[:2] == ("sms", THEIRS)
    assert told(answered)[2].startswith("Auto: last message was SMS.")
    clock.move(minutes=1)
    run_due()
    assert sms.texts == []
    clock.at = datetime(2026, 3, 11, 13, 1, tzinfo=UTC)
    run_due()
    assert sms.texts == [(THEIRS, "On Monday.")]


def test_an_address_that_bounced_gives_way_and_it_is_said(lena, answer, mail_of, database, clock):
    mail_of(lena)
    with database.writing() as session:
        session.execute(sa.update(ClientEmail).values(bounced_at=clock()))
    channel, to, why = told(answer(lena))
    assert (channel, to) == ("sms", THEIRS)
    assert why.startswith("Auto: SMS. Mail to lena@example.com came back.")


def test_a_way_that_was_named_needs_no_reason_and_gets_no_substitute(lena, answer, comes):
    assert told(answer(lena, channel="portal"))[2] == ""
    comes("STOP")
    refused = answer(lena, channel="sms")
    assert (refused.status_code, refused.json["code"]) == (422, "sending_refused")


def test_who_can_be_reached_in_no_way_is_said_to_be_and_nothing_is_kept(client, answer, database):
    refused = answer(client("Nora", "Hale", emails=[]))
    assert (refused.status_code, refused.json["code"]) == (422, "no_address")
    with database.reading() as session:
        assert session.scalar(sa.select(UnifiedMessage.id)) is None
