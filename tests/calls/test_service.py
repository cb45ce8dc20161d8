"""Calls: one more channel of a client's conversation."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from casewell.calls.errors import BadNumber, CallNotOver, NobodySpoke
from casewell.calls.models import CallLog, CallOutcome
from casewell.calls.service import CallLogService, CallMade
from casewell.kernel.access import Role
from casewell.ledger.models import ActivityEvent
from casewell.ledger.service import Actor
from casewell.messages.errors import KeyReused
from casewell.messages.models import Conversation, ConversationState, Direction
from tests.rigs.installation import START

FOUR_MINUTES = timedelta(minutes=4)


@pytest.fixture
def dana(staff):
    return staff(Role.CASE_MANAGER, name="Dana Whitfield")


@pytest.fixture
def marisol(client, dana):
    return client(main=dana)


@pytest.fixture
def record(database, clock, dana):
    """Dana records a call; keywords are what she tells of it."""

    def recorded(whom, key="the-call", **told):
        given = {
            "direction": Direction.OUTBOUND,
            "outcome": CallOutcome.CONNECTED,
            "started_at": clock() - timedelta(minutes=30),
            "summary": "Walked through the police report.",
            "staff_id": dana.id,
        }
        made = CallMade(**{**given, **told})
        with database.writing() as session:
            service = CallLogService(session, Actor.of_staff(dana), clock())
            return service.record_call(whom.id, made, idempotency_key=key)

    return recorded


def test_a_call_stands_in_the_thread_where_it_began(record, marisol, dana, sign_in):
    record(marisol, duration=timedelta(minutes=5, seconds=1), number="(312) 555-0148")
    thread = sign_in(dana).get(f"/inbox/c/{marisol.id}").text
    assert "Outgoing call, 6 min" in thread
    assert "Connected" in thread
    assert "Walked through the police report." in thread


def test_the_summary_is_found_by_search_and_listed_by_the_api(record, marisol, dana, sign_in):
    call = record(marisol)
    person = sign_in(dana)
    [hit] = person.get("/api/inbox/search?q=police").json["items"]
    [one] = person.get(f"/api/inbox/client/{marisol.id}").json["items"]
    assert hit["id"] == one["id"] == call.id
    assert one["channel"] == "call"
    [listed] = person.get("/api/inbox?channel=call").json["items"]
    assert listed["preview"] == "Walked through the police report."


@pytest.mark.parametrize(
    ("direction", "outcome", "unread"),
    [
        (Direction.INBOUND, CallOutcome.NO_ANSWER, 1),
        (Direction.INBOUND, CallOutcome.VOICEMAIL, 1),
        (Direction.INBOUND, CallOutcome.BUSY, 1),
        (Direction.INBOUND, CallOutcome.CONNECTED, 0),
        (Direction.INBOUND, CallOutcome.WRONG_NUMBER, 0),
        (Direction.OUTBOUND, CallOutcome.NO_ANSWER, 0),
    ],
)
def test_only_a_caller_who_reached_nobody_is_unread(
    record, marisol, dana, sign_in, direction, outcome, unread
):
    call = record(marisol, direction=direction, outcome=outcome)
    person = sign_in(dana)
    assert person.get("/api/inbox/unread").json["call"] == unread
    person.api("PUT", f"/api/inbox/{call.id}/read")
    assert person.get("/api/inbox/unread").json["call"] == 0
    person.post(f"/inbox/c/{marisol.id}/unread", {"message_id": call.id})
    assert person.get("/api/inbox/unread").json["call"] == unread, "counted anew it is the same"


def test_a_missed_call_opens_a_conversation_again_and_an_answered_one_does_not(
    record, marisol, database
):
    def state_after(key, outcome):
        with database.writing() as session:
            session.execute(sa.update(Conversation).values(state=ConversationState.DONE))
        record(marisol, key, direction=Direction.INBOUND, outcome=outcome)
        with database.reading() as session:
            return session.scalar(sa.select(Conversation.state))

    assert state_after("first", CallOutcome.CONNECTED) is ConversationState.OPEN  # a new one
    assert state_after("second", CallOutcome.CONNECTED) is ConversationState.DONE
    assert state_after("third", CallOutcome.NO_ANSWER) is ConversationState.OPEN


def test_Q10_a_call_that_is_recorded_twice_is_there_once(record, marisol, database):
    assert record(marisol).id == record(marisol).id
    with database.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(CallLog)) == 1
        told = sa.select(ActivityEvent.subject_id).where(ActivityEvent.kind == "call.held")
        assert session.scalars(told).all() == [record(marisol).id]


def test_a_key_belongs_to_one_client(record, marisol, client):
    record(marisol)
    with pytest.raises(KeyReused):
        record(client("Bruno", "Salas"))


@pytest.mark.parametrize(
    ("told", "refusal"),
    [
        ({"started_at": START + timedelta(seconds=1)}, CallNotOver),
        ({"started_at": START - timedelta(minutes=3), "duration": FOUR_MINUTES}, CallNotOver),
        ({"outcome": CallOutcome.NO_ANSWER, "duration": FOUR_MINUTES}, NobodySpoke),
        ({"number": "twelve"}, BadNumber),
    ],
)
def test_what_can_not_have_happened_is_refused(record, marisol, database, told, refusal):
    with pytest.raises(refusal):
        record(marisol, **told)
    with database.reading() as session:
        assert session.scalar(sa.select(CallLog.id)) is None
