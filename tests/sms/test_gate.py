"""Who may be texted, and when."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from casewell.clients import consent
from casewell.clients.errors import OnlyTheyCanStart
from casewell.clients.models import ConsentSource
from casewell.clients.service import ClientService
from casewell.kernel.access import Identity, Role
from casewell.kernel.jobs import sweep
from casewell.ledger.service import SYSTEM, Actor
from casewell.messages.errors import SendingRefused
from casewell.messages.models import Hold, MessageStatus
from casewell.messages.quiet_hours import quiet_until
from tests.sms.conftest import THEIRS

BY_STAFF = {"source": ConsentSource.STAFF, "words": "By phone", "actor": SYSTEM}


def test_H05_nobody_is_texted_at_night_where_they_are(shared):
    path = shared / "security" / "fixtures" / "quiet_hours.json"
    if not path.is_file():
        pytest.skip("the hours are not beside this checkout")
    for one in json.loads(path.read_text()):
        if one["utc"] is None:
            continue
        at = datetime.fromisoformat(one["utc"])
        held = quiet_until(at, one["tz"], one["state"]) is not None
        assert held == (one["marketing"] == "hold"), one


@pytest.mark.parametrize(
    ("hour", "held"), [(12, True), (13, True), (17, True), (18, False), (23, False), (3, True)]
)
def test_H05_where_the_place_is_unknown_it_is_day_everywhere(hour, held):
    at = datetime(2026, 11, 23, hour, 30, tzinfo=UTC)
    assert (quiet_until(at, None, "") is not None) == held
    assert quiet_until(at, "No/Such_Zone", "") == quiet_until(at, None, "")


def test_H05_a_text_at_night_leaves_in_the_morning(ana, text, clock, runtime, delivery, sms):
    clock.at = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)  # 10 PM in Chicago
    found = text(ana)
    clock.move(seconds=30)
    sweep(runtime)
    row = delivery(found)
    assert (row.status, row.held) == (MessageStatus.QUEUED, Hold.QUIET_HOURS)
    assert row.due_at == datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
    clock.at = row.due_at
    sweep(runtime)
    assert len(sms.texts) == 1


def test_H05_it_is_the_hour_of_leaving_that_counts(ana, text, clock, runtime, delivery, sms):
    clock.at = datetime(2026, 11, 24, 2, 59, 55, tzinfo=UTC)  # 8:59 PM in Chicago
    found = text(ana)
    clock.move(seconds=30)
    sweep(runtime)
    assert delivery(found).held is Hold.QUIET_HOURS
    assert sms.texts == []


def test_H04_without_recorded_consent_no_text_goes(client, text):
    with pytest.raises(SendingRefused, match="not recorded"):
        text(client(phones=[THEIRS]))


def test_H04_who_wants_no_texts_gets_none(ana, text, runtime):
    with runtime.database.writing() as session:
        consent.withdraw(session, ana.id, THEIRS, now=runtime.now(), **BY_STAFF)
    with pytest.raises(SendingRefused, match="wants no texts"):
        text(ana)


def test_H04_an_opt_out_after_queueing_still_holds_the_text_back(
    ana, text, runtime, clock, sms, delivery
):
    found = text(ana)
    with runtime.database.writing() as session:
        consent.opt_out(session, THEIRS, now=runtime.now(), **BY_STAFF)
    clock.move(seconds=30)
    sweep(runtime)
    assert sms.texts == []
    assert delivery(found).status is MessageStatus.FAILED


def test_H08_consent_stays_with_its_client_through_a_merge_and_back(
    ana, client, staff, text, runtime
):
    kept, owner = client("Ana", "Ruiz-Vega", phones=[], state="IL"), staff(Role.OWNER)

    def service(session):
        viewer = Identity(owner.id, owner.role, "session")
        return ClientService(session, viewer, Actor.of_staff(owner), runtime.now)

    with runtime.database.writing() as session:
        merge_id = service(session).merge(kept.id, ana.id).id
    text(kept)
    with runtime.database.writing() as session:
        service(session).undo_merge(merge_id)
    text(ana)
    with runtime.database.reading() as session:
        assert consent.standing(session, kept.id, THEIRS).state is None


def test_only_the_number_itself_ends_its_opt_out(ana, comes, runtime):
    comes("STOP")
    with runtime.database.writing() as session, pytest.raises(OnlyTheyCanStart):
        consent.grant(session, ana.id, THEIRS, now=runtime.now(), **BY_STAFF)


@pytest.mark.parametrize(
    "number",
    ["+19005550148", "+447700900123", f"+882{13300000}", "+18005550148", "+911", "+18765550148"],
)
def test_H09_texts_go_to_allowed_countries_alone(client, agree, text, number):
    ana = client(phones=[number])
    agree(ana, number)
    with pytest.raises(SendingRefused, match="not a number that texts may go to"):
        text(ana, number=number)


def test_a_number_of_another_client_gets_no_text(ana, client, text):
    with pytest.raises(SendingRefused, match="not on the file"):
        text(client("Bruno", "Salas", phones=["+13125550149"]))


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("x" * 1601, "at most 1,600"),
        ("Your SSN 900-12-3456 is on it", "Social Security"),
        ("SSN: 900123456", "Social Security"),
        ("Hello {first_name}, it came", "was not filled in"),
        ("  ", "nothing in this message"),
    ],
)
def test_H11_what_should_not_be_texted_is_refused(ana, text, body, why):
    with pytest.raises(SendingRefused, match=why):
        text(ana, body)


@pytest.mark.parametrize(
    "body", ["Call (312) 555-0100", "312-555-0100", "Case 24-0187", "x" * 1600]
)
def test_what_only_looks_like_it_goes(ana, text, body):
    text(ana, body)
