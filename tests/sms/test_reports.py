"""What carriers tell of texts that left."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from casewell.clients import consent
from casewell.clients.models import ClientPhone, TextFault
from casewell.kernel.jobs import sweep
from casewell.ledger.models import ActivityEvent
from casewell.messages.errors import SendingRefused
from casewell.messages.models import MessageStatus
from casewell.providers.errors import SignInRefused, Unavailable, Unconfirmed
from casewell.providers.sms import NumberFault, NumberRefused
from casewell.sms.models import CarrierReport, SMSMessage
from casewell.sms.reports import outcome_of
from tests.sms.conftest import THEIRS

PATH = "/hooks/twilio/status"
FIRST_SID = f"SM{1:032d}"
OURS_OF = {
    "delivered": MessageStatus.DELIVERED,
    "undelivered": MessageStatus.FAILED,
    "failed": MessageStatus.FAILED,
}


@pytest.fixture
def sent(ana, text, runtime, clock):
    """Sends a text; returns the delivery's id."""

    def send(body="Your letter came."):
        delivery_id = text(ana, body)
        clock.move(seconds=30)
        sweep(runtime)
        return delivery_id

    return send


@pytest.fixture
def tell(twilio):
    def told(status, sid=FIRST_SID, **fields):
        return twilio(PATH, MessageSid=sid, MessageStatus=status, **fields)

    return told


def test_a_text_leaves_and_says_where_to_report(sent, sms, delivery):
    found = delivery(sent())
    assert found.status is MessageStatus.SENT
    assert sms.texts == [(THEIRS, "Your letter came.")]
    assert sms.reports_to == ["https://crm.example.org/hooks/twilio/status"]


def test_I04_every_order_of_reports_ends_as_it_should(shared, sent, tell, sms, delivery, database):
    path = shared / "security" / "fixtures" / "sms_callbacks.json"
    if not path.is_file():
        pytest.skip("the sequences are not beside this checkout")
    for number, one in enumerate(json.loads(path.read_text())["sequences"], 1):
        sid = f"SM{number:032d}"
        told = [status.partition("(")[0] for status in one["in"]]
        early = one["in"][0] != told[0]
        if early:
            sms.then(lambda sid: tell("delivered", sid))
        delivery_id = sent(f"Text {number}")
        answers = [tell(status, sid) for status in told]
        assert {answer.status_code for answer in answers} == {204}
        expected = one["expect"].partition("+")[0].split()[0]
        found = delivery(delivery_id)
        with database.reading() as session:
            text = session.get_one(SMSMessage, found.message_id)
            kept = session.scalars(
                sa.select(CarrierReport.status).where(CarrierReport.provider_id == sid)
            ).all()
            ends = session.scalars(
                sa.select(ActivityEvent.kind).where(
                    ActivityEvent.subject_id == found.message_id,
                    ActivityEvent.kind.in_(["message.delivered", "message.failed"]),
                )
            ).all()
        if expected in OURS_OF:
            assert (text.carrier_status, found.status) == (expected, OURS_OF[expected]), one
            assert len(ends) == 1
        else:
            assert (kept, found.status) == (told, MessageStatus.SENT)
        assert text.carrier_conflict == ("conflict" in one["expect"])
        assert len(kept) == one.get("events", len(set(told)))


def test_I01_a_report_that_is_not_signed_changes_nothing(sent, tell, dump):
    sent()
    before = dump()
    assert tell("delivered", given="nonsense").status_code == 403
    assert dump() == before


@pytest.mark.parametrize(
    ("code", "fault"), [("30006", TextFault.NOT_MOBILE), ("30005", TextFault.UNKNOWN)]
)
def test_a_number_that_takes_no_texts_is_remembered(
    sent, tell, text, ana, database, delivery, code, fault
):
    found = sent()
    tell("undelivered", ErrorCode=code)
    assert delivery(found).status is MessageStatus.FAILED
    with database.reading() as session:
        assert session.scalars(sa.select(ClientPhone.text_fault)).all() == [fault]
    with pytest.raises(SendingRefused, match="Use another number"):
        text(ana)


def test_H03_a_number_that_the_carrier_says_has_opted_out_is_opted_out_here(
    ana, text, sms, runtime, clock, delivery, database
):
    sms.then(NumberRefused("No", "21610", NumberFault.OPTED_OUT))
    found = text(ana)
    clock.move(seconds=30)
    sweep(runtime)
    assert delivery(found).status is MessageStatus.FAILED
    with database.reading() as session:
        assert consent.is_opted_out(session, THEIRS)
    with pytest.raises(SendingRefused, match="opted out"):
        text(ana)
    clock.move(hours=1)
    sweep(runtime)
    assert sms.texts == []


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Unavailable("away"), MessageStatus.QUEUED),
        (SignInRefused("no"), MessageStatus.QUEUED),
        (Unconfirmed("who knows"), MessageStatus.UNCONFIRMED),
    ],
)
def test_Q07_what_happened_decides_what_is_done_next(sms, sent, delivery, error, status):
    sms.then(error)
    assert delivery(sent()).status is status


def test_what_nobody_knows_changes_nothing():
    assert outcome_of([("no-such-status", None), ("", None)]).status == ""
