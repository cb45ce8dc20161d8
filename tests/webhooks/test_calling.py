"""What addresses of others are told, and what happens when they don't take it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
import sqlalchemy as sa

from casewell import wiring
from casewell.health.checks import check_all
from casewell.health.models import Standing
from casewell.kernel import jobs
from casewell.kernel.runtime import Runtime
from casewell.kernel.types import Sealed
from casewell.ledger.service import SYSTEM, Event, record_all
from casewell.providers.http import WebClient
from casewell.providers.targets import TargetGuard
from casewell.webhooks import outgoing
from casewell.webhooks.calling import call_webhook, forget_calls
from casewell.webhooks.models import (
    SECRET_CONTEXT,
    CallState,
    HookState,
    Webhook,
    WebhookCall,
)
from casewell.webhooks.outgoing import KINDS
from casewell.webhooks.service import WebhookService, try_out


@pytest.fixture
def run_due(runtime):
    return lambda: jobs.sweep(runtime)


@pytest.fixture
def rows(database):
    def read():
        with database.reading() as session:
            return session.scalars(sa.select(WebhookCall).order_by(WebhookCall.id)).all()

    return read


@pytest.fixture
def webhook_now(database):
    def read():
        with database.reading() as session:
            return session.scalars(sa.select(Webhook)).one()

    return read


@pytest.fixture
def act(runtime):
    """Does what an owner does: `act("pause", 1)`."""

    def do(verb, *given):
        with runtime.database.writing() as session:
            return getattr(WebhookService(session, runtime, SYSTEM), verb)(*given)

    return do


@pytest.fixture
def hear(mail_of, client):
    """Takes in a message of a client; returns (client id, message id)."""
    ana = client()

    def take(subject="A zebra", body="The zebra letter came", **how):
        return ana.id, mail_of(ana, body, subject, **how)

    return take


def test_a_message_that_comes_in_is_told_signed_and_without_its_words(
    add, hear, run_due, receiver, rows, clock, webhook_now
):
    _, secret = add()
    client_id, message_id = hear()
    run_due()
    [call] = receiver.calls
    [row] = rows()
    assert call == {
        "id": row.event_id,
        "event": "message.received",
        "occurred_at": call["occurred_at"],
        "client_id": client_id,
        "message_id": message_id,
        "channel": "email",
    }
    [(request, _)] = receiver.server.log
    assert "zebra" not in request.get_data(as_text=True).lower()
    assert request.headers["Content-Type"] == "application/json"
    assert (request.headers["X-Casewell-Event"], request.headers["X-Casewell-Id"]) == (
        "message.received",
        row.event_id,
    )
    assert receiver.signed_with(secret, clock()) == [True]
    assert receiver.signed_with("another", clock()) == [False]
    assert (row.state, row.status, row.due_at) == (CallState.TAKEN, 204, None)
    assert row.duration_ms is not None
    assert webhook_now().last_success_at == clock()


def test_a_message_that_is_sent_is_told(add, hear, run_due, receiver, sign_in, staff, clock):
    add(events=["message.sent"])
    client_id, _ = hear()
    person = sign_in(staff("owner"))
    reply = {"client_id": client_id, "body": "Thank you", "subject": "Your letter"}
    person.api("POST", "/api/inbox/reply", reply)
    clock.move(seconds=30)
    run_due()
    run_due()
    assert [call["event"] for call in receiver.calls] == ["message.sent"]


def test_old_mail_is_no_news(add, hear, run_due, receiver, rows):
    add()
    hear(is_history=True)
    run_due()
    assert (receiver.calls, rows()) == ([], [])


def test_what_is_rolled_back_is_not_told(add, hear, rows, monkeypatch, runtime):
    add()
    from casewell.messages import intake

    def fail(*_given, **_named):
        raise RuntimeError

    monkeypatch.setattr(intake, "place", fail)
    with suppress(Exception):
        hear()
    assert rows() == []


def test_Q03_a_call_whose_worker_died_is_made_by_another_under_the_same_id(
    add, hear, run_due, receiver, rows, runtime, clock
):
    add()
    hear()
    [row] = rows()
    with runtime.database.writing() as session:
        assert jobs.claim(session, WebhookCall, row.id, clock())
    run_due()
    assert receiver.calls == []
    clock.move(minutes=3)
    run_due()
    assert [call["id"] for call in receiver.calls] == [row.event_id]


def test_doing_it_twice_calls_once(add, hear, run_due, receiver, rows, runtime):
    add()
    hear()
    run_due()
    call_webhook(runtime, rows()[0].id)
    assert len(receiver.calls) == 1


@pytest.mark.parametrize("status", [302, 400, 404, 410, 429, 500, 503])
def test_Q07_what_is_not_taken_is_tried_again_later_and_later(
    status, add, hear, run_due, receiver, rows, clock, webhook_now
):
    add()
    receiver.status = status
    hear()
    waits = []
    for _ in range(6):
        run_due()
        [row] = rows()
        waits.append((row.due_at - clock()).total_seconds())
        clock.at = row.due_at
    assert waits == sorted(waits)
    assert waits[-1] > 4 * waits[0]
    assert (row.state, row.status, row.attempts) == (CallState.WAITING, status, 6)
    assert row.last_error == f"It answered {status}."
    receiver.status = 200
    run_due()
    assert (rows()[0].state, rows()[0].last_error) == (CallState.TAKEN, None)
    assert (webhook_now().failing_since, webhook_now().failures) == (None, 0)
    assert len({call["id"] for call in receiver.calls}) == 1


def test_Q07_it_waits_as_long_as_it_is_asked_to(add, hear, run_due, receiver, rows, clock):
    add()
    receiver.status, receiver.headers = 429, {"Retry-After": "3600"}
    hear()
    run_due()
    assert (rows()[0].due_at - clock()).total_seconds() >= 3600


def test_an_address_that_is_away_is_not_asked_for_each_call(add, hear, run_due, receiver, clock):
    add()
    receiver.status = 500
    hear()
    run_due()
    for _ in range(5):
        hear()
    clock.move(seconds=1)
    run_due()
    assert len(receiver.calls) == 1
    receiver.status = 204
    clock.move(hours=1)
    run_due()
    assert len({call["id"] for call in receiver.calls}) == 6


def test_after_three_days_it_is_stopped_and_said_and_resumed(
    add, hear, run_due, receiver, rows, clock, webhook_now, act, runtime
):
    webhook, _ = add()
    receiver.status = 500
    hear()
    run_due()
    clock.move(minutes=20)
    assert standing(runtime) is Standing.ATTENTION
    clock.move(days=2)
    run_due()
    assert webhook_now().state is HookState.ACTIVE
    hear()
    clock.move(days=1)
    run_due()
    assert (webhook_now().state, webhook_now().state_since) == (HookState.STOPPED, clock())
    assert {row.state for row in rows()} == {CallState.GIVEN_UP}
    assert standing(runtime) is Standing.FAILING
    told = len(receiver.calls)
    hear()
    clock.move(hours=2)
    run_due()
    assert len(receiver.calls) == told
    receiver.status = 204
    act("resume", webhook.id)
    assert standing(runtime) is Standing.WORKING
    hear()
    run_due()
    assert len(receiver.calls) == told + 1


def standing(runtime):
    [report] = [one for one in check_all(runtime) if one.part == "webhooks"]
    return report.standing


def test_who_is_paused_or_removed_is_told_nothing(add, hear, run_due, receiver, rows, act):
    webhook, _ = add()
    hear()
    act("pause", webhook.id)
    hear()
    run_due()
    assert receiver.calls == []
    assert [row.state for row in rows()] == [CallState.DROPPED]
    act("resume", webhook.id)
    run_due()
    assert receiver.calls == []
    hear()
    act("remove", webhook.id)
    run_due()
    assert (receiver.calls, rows()) == ([], [])


def test_pausing_beats_a_call_that_is_about_to_leave(add, hear, receiver, rows, runtime, database):
    webhook, _ = add()
    hear()
    with database.writing() as session:
        session.get_one(Webhook, webhook.id).state = HookState.PAUSED
    call_webhook(runtime, rows()[0].id)
    assert receiver.calls == []
    assert rows()[0].state is CallState.DROPPED


def test_I09_a_renewed_secret_and_the_old_one_both_hold_for_a_day(
    add, hear, run_due, receiver, act, clock
):
    webhook, old = add()
    _, new = act("renew_secret", webhook.id)
    hear()
    run_due()
    assert receiver.signed_with(new, clock()) == receiver.signed_with(old, clock()) == [True]
    clock.move(days=1)
    hear()
    run_due()
    assert receiver.signed_with(new, clock())[-1] is True
    assert receiver.signed_with(old, clock())[-1] is False


def test_L05_secrets_are_stored_encrypted_and_nowhere_else(add, dump, act):
    webhook, secret = add()
    _, new = act("renew_secret", webhook.id)
    stored = str(dump(without=set()))
    assert secret not in stored
    assert new not in stored


def test_O07_a_secret_that_cannot_be_read_is_said_and_harms_no_other(
    add, hear, run_due, receiver, rows, database
):
    broken, _ = add()
    other, _ = add()
    with database.writing() as session:
        session.get_one(Webhook, broken.id).secret = Sealed("gone:AAAA", SECRET_CONTEXT)
    hear()
    run_due()
    made = {row.webhook_id: row for row in rows()}
    assert made[other.id].state is CallState.TAKEN
    assert made[broken.id].state is CallState.WAITING
    assert "secret" in made[broken.id].last_error


def test_J01_a_name_that_leads_inside_later_is_not_called(add, hear, rows, runtime, receiver):
    guard = TargetGuard(resolve=lambda _host, _port: ["127.0.0.1"])
    inside: Runtime = replace(runtime, providers={**runtime.providers, WebClient: WebClient(guard)})
    add(url=f"https://rebind.test:{8443}/")
    hear()
    jobs.sweep(inside)
    assert receiver.calls == []
    assert rows()[0].last_error == "The address leads into a private or reserved network."


def test_J05_a_failure_tells_no_more_than_its_kind(add, hear, run_due, receiver, rows):
    add()
    receiver.server.stop()
    hear()
    run_due()
    assert rows()[0].last_error == "127.0.0.1 could not be reached."


def test_a_test_call_is_made_at_once_and_logged(add, receiver, runtime, rows, act):
    webhook, _ = add()
    act("pause", webhook.id)
    assert try_out(runtime, webhook.id).error == ""
    receiver.status = 500
    assert try_out(runtime, webhook.id).error == "It answered 500."
    assert [(call["event"], call["client_id"]) for call in receiver.calls] == [("test", None)] * 2
    assert [row.state for row in rows()] == [CallState.TAKEN, CallState.GIVEN_UP]
    assert all(row.due_at is None for row in rows())


def test_old_calls_are_forgotten(add, hear, run_due, rows, clock, runtime):
    add()
    hear()
    run_due()
    clock.move(days=15)
    hear()
    forget_calls(runtime)
    assert [row.state for row in rows()] == [CallState.WAITING]


def test_a_batch_of_mail_asks_once_who_listens(add, client, runtime, rows, clock, count_queries):
    add()
    ana = client()
    events = [Event(ana.id, "message.received", SYSTEM, clock()) for _ in range(5)]
    with count_queries() as counted, runtime.database.writing() as session:
        record_all(session, ana.id, [(event, clock()) for event in events])
    assert sum("FROM webhooks" in statement for statement in counted.seen) == 1
    assert len(rows()) == 5


def test_every_event_that_can_be_chosen_is_wired():
    for kind in KINDS:
        assert outgoing.tell in wiring.REACTIONS[kind]
