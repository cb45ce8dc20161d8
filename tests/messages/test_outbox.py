"""Sending: what is queued leaves once, in order, or says why it did not."""

from __future__ import annotations

import email
from datetime import timedelta

import pytest
import sqlalchemy as sa

from casewell.clients.models import ClientEmail
from casewell.kernel import jobs
from casewell.ledger.models import ActivityEvent, AuditEvent
from casewell.ledger.service import SYSTEM, verify
from casewell.messages import channels, deliveries, files, sending
from casewell.messages import outbox as casewell_outbox
from casewell.messages.errors import (
    KeyReused,
    NothingToResolve,
    NotWaiting,
    SendingRefused,
    TooLateToUndo,
)
from casewell.messages.models import (
    Attachment,
    Channel,
    ChannelState,
    ConversationHead,
    Delivery,
    Hold,
    Lane,
    MessageStatus,
    UnifiedMessage,
)
from casewell.providers.errors import Insecure, Rejected, SignInRefused, Unavailable, Unconfirmed
from casewell.providers.files import FileStore
from casewell.providers.mail_out import AllRefused
from tests.messages.scan import assert_all_as_scanned

QUEUED, SENT, FAILED = MessageStatus.QUEUED, MessageStatus.SENT, MessageStatus.FAILED


def now_row(database, delivery) -> Delivery:
    with database.reading() as session:
        return session.get_one(Delivery, delivery.id)


def kinds(database) -> list[str]:
    with database.reading() as session:
        assert list(verify(session)) == []
        return list(session.scalars(sa.select(ActivityEvent.kind).order_by(ActivityEvent.id)))


def texts(sent_mails) -> list[str]:
    mails = [email.message_from_bytes(raw, policy=email.policy.default) for *_, raw in sent_mails]
    return [mail.get_body(("plain",)).get_content().strip() for mail in mails]


def test_the_job_has_the_name_that_wakes_it():
    assert deliveries.JOB in jobs.KINDS


def test_a_message_leaves_once_when_the_time_to_undo_is_over(
    database, client, queue, clock, run_due, sent_mails, status_of
):
    ana = client(emails=["Ana@Example.com"])
    delivery = queue(ana)
    run_due()
    assert sent_mails == []
    assert status_of(delivery) is QUEUED
    clock.move(seconds=10)
    run_due()
    run_due()
    assert [recipients for _, recipients, _ in sent_mails] == [["Ana@Example.com"]]
    assert status_of(delivery) is SENT
    row = now_row(database, delivery)
    assert (row.provider_id, row.sent_at, row.due_at) == ("kept-1", clock(), None)
    assert kinds(database) == ["message.queued", "message.sent"]


def test_sending_now_does_not_wait(database, runtime, client, queue, clock, run_due, sent_mails):
    delivery = queue(client())
    with database.writing() as session:
        casewell_outbox.send_now(
            session, runtime, session.get_one(Delivery, delivery.id), now=clock()
        )
    run_due()
    assert len(sent_mails) == 1
    with database.writing() as session, pytest.raises(NotWaiting):
        casewell_outbox.send_now(
            session, runtime, session.get_one(Delivery, delivery.id), now=clock()
        )


def take_back(database, clock, delivery):
    with database.writing() as session:
        casewell_outbox.undo(
            session, session.get_one(Delivery, delivery.id), actor=SYSTEM, now=clock()
        )


def test_taken_back_in_time_nothing_is_sent_and_nothing_stands(
    database, client, queue, clock, run_due, sent_mails, status_of, write
):
    ana = client()
    mail = write(ana)
    clock.move(minutes=1)
    delivery = queue(ana)
    take_back(database, clock, delivery)
    clock.move(minutes=5)
    run_due()
    assert sent_mails == []
    assert status_of(delivery) is MessageStatus.UNDONE
    assert kinds(database)[-1] == "message.undone"
    with database.reading() as session:
        heads = session.scalars(
            sa.select(ConversationHead.last_message_id).where(ConversationHead.lane == Lane.ALL)
        ).all()
        assert heads == [mail.id]
        assert_all_as_scanned(session)


def test_it_is_too_late_to_take_back_what_has_left(database, client, queue, clock, run_due):
    delivery = queue(client())
    clock.move(seconds=10)
    run_due()
    with pytest.raises(TooLateToUndo):
        take_back(database, clock, delivery)


def test_an_undo_wins_up_to_the_handover(
    database, client, queue, clock, run_due, sent_mails, outbox, status_of
):
    delivery = queue(client())
    clock.move(seconds=10)
    outbox.then(lambda: take_back(database, clock, delivery))
    run_due()
    assert outbox.asked == 1
    assert sent_mails == []
    assert status_of(delivery) is MessageStatus.UNDONE


def test_a_message_taken_back_gives_its_files_back(database, runtime, client, queue, clock, staff):
    ana, writer = client(), staff()
    file = attach(database, runtime, clock, ana, writer)
    delivery = queue(ana, files=[file], staff_id=writer.id)
    take_back(database, clock, delivery)
    with database.reading() as session:
        assert session.get_one(Attachment, file.id).message_id is None


def attach(database, runtime, clock, client, staff, content=b"Dispute letter") -> Attachment:
    with database.writing() as session:
        return files.store_attachment(
            session,
            runtime,
            content=content,
            name="letter.txt",
            content_type="text/plain",
            staff_id=staff.id,
            client_id=client.id,
            now=clock(),
        )


def test_Q10_the_same_key_gives_the_first_result(
    database, client, queue, clock, run_due, sent_mails
):
    ana = client()
    first = queue(ana, idempotency_key="7:form-1")
    again = queue(ana, "Pressed twice", idempotency_key="7:form-1")
    clock.move(seconds=10)
    run_due()
    late = queue(ana, idempotency_key="7:form-1")
    assert first.id == again.id == late.id
    assert len(sent_mails) == 1
    with pytest.raises(KeyReused):
        queue(client(), idempotency_key="7:form-1")


def test_Q02_a_lost_hint_costs_nothing(database, client, queue, clock, run_due, sent_mails):
    queue(client())  # the fixture's runtime gives no hints at all
    clock.move(seconds=40)
    run_due()
    assert len(sent_mails) == 1


def test_Q07_away_for_a_while_it_backs_off_and_then_sends(
    database, client, queue, clock, run_due, sent_mails, outbox, status_of
):
    delivery = queue(client())
    outbox.then(Unavailable("The mail server is down."), Insecure("Its certificate has ended."))
    clock.move(seconds=10)
    run_due()
    run_due()
    row = now_row(database, delivery)
    assert (row.status, row.attempts, row.last_error) == (QUEUED, 1, "The mail server is down.")
    assert row.due_at > clock() + timedelta(seconds=15)
    for _ in range(3):
        clock.move(minutes=5)
        run_due()
    assert status_of(delivery) is SENT
    assert len(sent_mails) == 1
    assert outbox.asked == 3


def test_Q07_retry_after_is_honoured(database, client, queue, clock, run_due, outbox, sent_mails):
    first, second = queue(client()), queue(client())
    outbox.then(Unavailable("Too many.", retry_after=timedelta(hours=1)))
    clock.move(seconds=10)
    run_due()
    assert now_row(database, first).due_at >= clock() + timedelta(hours=1)
    assert now_row(database, second).held is Hold.PROVIDER_AWAY
    clock.move(minutes=59)
    run_due()
    assert outbox.asked == 1
    clock.move(minutes=3)
    run_due()
    assert len(sent_mails) == 2


def test_Q07_a_dead_server_is_not_asked_for_each_message(
    database, client, queue, clock, run_due, outbox
):
    for _ in range(40):
        queue(client())
    outbox.then(*[Unavailable("The mail server is down.") for _ in range(500)])
    clock.move(seconds=10)
    run_due()
    assert outbox.asked == channels.PATIENCE
    for _ in range(5):
        clock.move(seconds=2)
        run_due()
    assert outbox.asked == channels.PATIENCE
    clock.move(minutes=2)
    run_due()
    assert outbox.asked == channels.PATIENCE + 1
    outbox.script.clear()
    for _ in range(10):
        clock.move(minutes=10)
        run_due()
    with database.reading() as session:
        statuses = session.scalars(sa.select(Delivery.status)).all()
        assert statuses == [SENT] * 40
        assert session.get_one(ChannelState, Channel.EMAIL).failures == 0


def test_Q07_it_gives_up_in_the_end_and_says_why(
    database, client, queue, clock, run_due, outbox, status_of
):
    delivery = queue(client())
    outbox.then(*[Unavailable("The mail server is down.") for _ in range(50)])
    for _ in range(40):
        clock.move(hours=1)
        run_due()
    assert status_of(delivery) is FAILED
    assert outbox.asked == sending.MOST_ATTEMPTS
    assert "gave up after 12 attempts" in now_row(database, delivery).last_error
    assert kinds(database)[-1] == "message.failed"


def test_Q07_a_refused_sign_in_stops_the_channel_at_once(
    database, client, queue, clock, run_due, outbox, sent_mails, status_of
):
    rows = [queue(client()) for _ in range(3)]
    outbox.then(SignInRefused("The mail server refused the sign-in.", "535 5.7.8"))
    for _ in range(5):
        clock.move(minutes=10)
        run_due()
    assert outbox.asked == 1
    assert {now_row(database, row).held for row in rows} == {Hold.CHANNEL_STOPPED}
    with database.reading() as session:
        state = session.get_one(ChannelState, Channel.EMAIL)
        assert "535" in state.reason
        assert session.scalars(sa.select(AuditEvent.kind)).all() == ["sending.stopped"]
    with database.writing() as session:
        assert channels.resume(session, Channel.EMAIL, clock())
        assert not channels.resume(session, Channel.EMAIL, clock())
    run_due()
    assert len(sent_mails) == 3
    assert {status_of(row) for row in rows} == {SENT}
    assert now_row(database, rows[0]).attempts == 1, "what was not tried is not counted"


def test_Q08_one_bad_recipient_is_one_failure(
    database, client, queue, clock, run_due, outbox, sent_mails, status_of
):
    rows = [queue(client()) for _ in range(10)]
    outbox.then(*[lambda: None] * 4, Rejected("No recipient was accepted.", "554 no"))
    clock.move(seconds=10)
    run_due()
    clock.move(hours=10)
    run_due()
    assert len(sent_mails) == 9
    assert [status_of(row) for row in rows].count(FAILED) == 1


def test_Q15_order_is_kept_for_one_recipient_through_retries(
    database, client, queue, clock, run_due, outbox, sent_mails
):
    ana, ben = client(), client()
    for text in ("one", "two", "three"):
        queue(ana, text)
    queue(ben, "for Ben")
    outbox.then(Unavailable("Not now."))
    clock.move(seconds=10)
    run_due()
    assert texts(sent_mails) == ["for Ben"]
    for _ in range(8):
        clock.move(minutes=1)
        run_due()
    assert texts(sent_mails) == ["for Ben", "one", "two", "three"]


def test_Q15_what_waited_behind_goes_as_soon_as_the_first_is_gone(
    database, runtime, client, queue, clock, run_due, sent_mails
):
    ana = client()
    queue(ana, "one")
    clock.move(seconds=5)
    second = queue(ana, "two")
    with database.writing() as session:
        row = session.get_one(Delivery, second.id)
        casewell_outbox.send_now(session, runtime, row, now=clock())
    run_due()
    assert now_row(database, second).held is Hold.ORDER
    clock.move(seconds=5)
    run_due()
    run_due()
    assert texts(sent_mails) == ["one", "two"]


def test_nobody_sure_a_person_is_asked(
    database, runtime, client, queue, clock, run_due, outbox, sent_mails, status_of, staff
):
    person = staff()
    first, second = queue(client()), queue(client())
    outbox.then(Unconfirmed("The server hung up."), Unconfirmed("The server hung up."))
    clock.move(seconds=10)
    for _ in range(4):
        run_due()
        clock.move(hours=1)
    assert status_of(first) is status_of(second) is MessageStatus.UNCONFIRMED
    assert outbox.asked == 2

    def decide(delivery, outcome):
        with database.writing() as session:
            row = session.get_one(Delivery, delivery.id)
            casewell_outbox.resolve(
                session,
                runtime,
                row,
                outcome,
                actor=casewell_outbox.Actor.of_staff(person),
                now=clock(),
            )

    decide(first, "arrived")
    assert status_of(first) is SENT
    assert now_row(database, first).resolved_by_id == person.id
    with pytest.raises(NothingToResolve):
        decide(first, "again")
    decide(second, "again")
    run_due()
    assert status_of(second) is SENT
    assert len(sent_mails) == 1
    assert kinds(database).count("message.unconfirmed") == 2


def test_sending_that_is_paused_for_the_firm_leaves_messages_queued(
    database, client, queue, clock, run_due, outbox, sent_mails, firm, status_of
):
    def pause(at):
        with database.writing() as session:
            session.get_one(type(firm), 1).sending_paused_at = at

    before = queue(client())
    pause(clock())
    meanwhile = queue(client())
    for _ in range(5):
        clock.move(minutes=10)
        run_due()
    assert sent_mails == []
    assert status_of(before) is status_of(meanwhile) is QUEUED
    assert now_row(database, before).held is Hold.PAUSED
    pause(None)
    clock.move(minutes=1)
    run_due()
    assert len(sent_mails) == 2
    assert now_row(database, before).attempts == 1


def test_a_bounce_marks_the_message_and_the_address(
    database, client, queue, clock, run_due, status_of
):
    ana = client(emails=["ana@example.com", "second@example.com"])
    delivery = queue(ana)
    clock.move(seconds=10)
    run_due()
    for _ in range(2):
        with database.writing() as session:
            casewell_outbox.record_bounce(
                session,
                delivery.message_id,
                recipient="Ana@EXAMPLE.com",
                permanent=True,
                now=clock(),
            )
    assert status_of(delivery) is MessageStatus.BOUNCED
    assert kinds(database).count("message.bounced") == 1
    with database.reading() as session:
        bounced = session.scalars(
            sa.select(ClientEmail.address).where(ClientEmail.bounced_at.is_not(None))
        ).all()
    assert bounced == ["ana@example.com"]
    with pytest.raises(SendingRefused, match="came back"):
        queue(ana)
    queue(ana, to="second@example.com")


def test_an_address_the_server_does_not_know_is_written_to_no_more(
    database, client, queue, clock, run_due, outbox, status_of
):
    ana = client()
    address = ana.emails[0].address
    delivery = queue(ana)
    outbox.then(AllRefused({address: "550 5.1.1 No such user"}))
    clock.move(seconds=10)
    run_due()
    assert status_of(delivery) is FAILED
    assert "No such user" in now_row(database, delivery).last_error
    with pytest.raises(SendingRefused, match="came back"):
        queue(ana)


def test_a_full_mailbox_is_no_reason_not_to_write_again(database, client, queue, clock, run_due):
    ana = client()
    delivery = queue(ana)
    clock.move(seconds=10)
    run_due()
    with database.writing() as session:
        casewell_outbox.record_bounce(
            session,
            delivery.message_id,
            recipient=ana.emails[0].address,
            permanent=False,
            now=clock(),
        )
    queue(ana)


def test_F15_a_file_that_is_gone_or_damaged_stops_its_message(
    database, runtime, client, queue, clock, run_due, sent_mails, staff
):
    ana, writer = client(), staff()
    gone, damaged, whole = (attach(database, runtime, clock, ana, writer) for _ in range(3))
    rows = [queue(ana, files=[file]) for file in (gone, damaged, whole)]
    store = runtime.provider(FileStore)
    store.delete(gone.file_key)
    store._place(damaged.file_key).write_bytes(b"Something else")
    for _ in range(3):
        clock.move(seconds=20)
        run_due()
    found = [now_row(database, row) for row in rows]
    assert [row.status for row in found] == [FAILED, FAILED, SENT]
    assert "letter.txt is no longer there" in found[0].last_error
    assert "not the one that was put there" in found[1].last_error
    assert len(sent_mails) == 1
    assert b"letter.txt" in sent_mails[0][2]


def test_F15_a_file_of_another_client_is_refused(database, runtime, client, queue, clock, staff):
    ana, ben, writer = client(), client(), staff()
    file = attach(database, runtime, clock, ben, writer)
    with pytest.raises(SendingRefused, match="belongs to another client"):
        queue(ana, files=[file])
    sent = attach(database, runtime, clock, ana, writer)
    queue(ana, files=[sent])
    with database.reading() as session:
        again = session.get_one(Attachment, sent.id)
    with pytest.raises(SendingRefused, match="belongs to another"):
        queue(ana, files=[again])


def test_a_stopped_worker_that_wakes_late_sends_nothing(
    database, client, queue, clock, run_due, sent_mails, outbox, status_of
):
    """Its lease ran out while it was preparing; another worker has sent the message by then."""
    delivery = queue(client())
    clock.move(seconds=10)

    def meanwhile():
        clock.move(minutes=3)
        run_due()

    outbox.then(meanwhile)
    run_due()
    assert outbox.asked == 2
    assert len(sent_mails) == 1
    assert status_of(delivery) is SENT


def test_an_answer_that_comes_after_all_beats_the_doubt(
    database, client, queue, clock, run_due, outbox, status_of
):
    delivery = queue(client())
    clock.move(seconds=10)
    said = []

    def slow(envelope_from, recipients, raw, *, on_handover):
        on_handover()
        clock.move(minutes=20)
        run_due()
        said.append(status_of(delivery))
        return outbox.__class__.__mro__[1].send(outbox, envelope_from, recipients, raw)

    outbox.send = slow
    run_due()
    assert said == [MessageStatus.UNCONFIRMED]
    assert status_of(delivery) is SENT


def test_a_mistake_of_ours_before_the_handover_is_tried_again(
    database, client, queue, clock, run_due, outbox, sent_mails, status_of
):
    delivery = queue(client())
    outbox.then(ZeroDivisionError("a bug"))
    clock.move(seconds=10)
    run_due()
    assert status_of(delivery) is QUEUED
    clock.move(minutes=5)
    run_due()
    assert len(sent_mails) == 1


def test_queueing_costs_the_same_in_a_long_conversation(
    database, client, queue, clock, count_queries
):
    ana = client()
    queue(ana)
    with count_queries() as for_second:
        queue(ana)
    for _ in range(10):
        queue(ana)
    with count_queries() as for_last:
        queue(ana)
    assert len(for_last) == len(for_second) <= 16


def test_every_event_of_a_message_names_it(database, client, queue, clock, run_due, staff):
    writer = staff(name="Dana Whitfield")
    delivery = queue(client(), staff_id=writer.id)
    clock.move(seconds=10)
    run_due()
    with database.reading() as session:
        events = session.scalars(sa.select(ActivityEvent).order_by(ActivityEvent.id)).all()
        assert {event.subject_id for event in events} == {delivery.message_id}
        assert [event.actor_name for event in events] == ["Dana Whitfield", "Casewell"]
        message = session.get_one(UnifiedMessage, delivery.message_id)
        assert message.decision == {"allowed": True, "reasons": [], "at": message.decision["at"]}
