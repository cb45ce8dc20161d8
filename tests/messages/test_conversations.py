"""Heads, unread counts and state of conversations."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from casewell.clients.forms import Responsible
from casewell.clients.service import ClientService
from casewell.kernel.access import Identity, Role
from casewell.ledger.models import ActivityEvent
from casewell.ledger.service import Actor, verify
from casewell.messages import conversations, readers, states
from casewell.messages.models import (
    Channel,
    Conversation,
    ConversationHead,
    ConversationState,
    Direction,
    Lane,
    Readership,
)
from tests.messages.scan import assert_all_as_scanned, unread

MINUTE = timedelta(minutes=1)


@pytest.fixture
def owner(staff):
    return staff("owner", name="Olivia Owens")


@pytest.fixture
def service_of(clock):
    def make(session, owner):
        viewer = Identity(owner.id, Role.OWNER, "session")
        return ClientService(session, viewer, Actor.of_staff(owner), clock)

    return make


def conversation_with(session, client) -> Conversation:
    return session.scalars(sa.select(Conversation).where(Conversation.client_id == client.id)).one()


def test_a_message_stands_at_the_head_of_its_lane_and_of_all(database, client, write, clock):
    ana = client()
    mail = write(ana, text="First")
    sms = write(ana, at=clock() + MINUTE, channel=Channel.SMS, text="Second")
    with database.reading() as session:
        heads = {head.lane: head for head in session.scalars(sa.select(ConversationHead))}
    assert heads[Lane.ALL].last_message_id == sms.id
    assert heads[Lane.EMAIL].last_message_id == mail.id
    assert heads[Lane.SMS].preview == "Second"
    assert Lane.CALL not in heads


def test_an_older_mail_that_comes_later_is_not_the_newest(database, client, write, staff, clock):
    ana = client(main=staff())
    newest = write(ana)
    write(ana, at=clock() - timedelta(days=400), is_history=True)
    with database.reading() as session:
        head = session.get_one(ConversationHead, (conversation_with(session, ana).id, Lane.ALL))
        assert head.last_message_id == newest.id
        assert_all_as_scanned(session)


def test_two_messages_of_one_moment_stand_in_order_of_id(database, client, write):
    ana = client()
    write(ana)
    second = write(ana)
    with database.reading() as session:
        heads = session.scalars(sa.select(ConversationHead)).all()
        assert {head.last_message_id for head in heads} == {second.id}


def test_what_a_client_writes_is_unread_for_both_responsible(database, client, write, staff):
    main, second, other = staff(), staff(), staff()
    ana = client(main=main, second=second)
    write(ana)
    write(ana, channel=Channel.SMS)
    with database.reading() as session:
        assert unread(session, main.id) == unread(session, second.id) == 2
        assert unread(session, main.id, Lane.SMS) == 1
        assert unread(session, other.id) == 0


def test_what_we_write_and_what_is_history_is_read(database, client, write, staff):
    main = staff()
    ana = client(main=main)
    write(ana, direction=Direction.OUTBOUND)
    write(ana, is_history=True)
    with database.reading() as session:
        assert unread(session, main.id) == 0


def test_reading_a_message_reads_those_before_it(database, client, write, staff, clock):
    main, second = staff(), staff()
    ana = client(main=main, second=second)
    mails = [write(ana, at=clock() + n * MINUTE) for n in range(4)]
    with database.writing() as session:
        readers.mark_read(session, main.id, mails[2])
    with database.reading() as session:
        assert unread(session, main.id) == 1
        assert unread(session, second.id) == 4
        assert_all_as_scanned(session)


def test_reading_an_older_message_unreads_nothing(database, client, write, staff, clock):
    main = staff()
    ana = client(main=main)
    mails = [write(ana, at=clock() + n * MINUTE) for n in range(3)]
    with database.writing() as session:
        readers.mark_read(session, main.id, mails[2])
        readers.mark_read(session, main.id, mails[0])
    with database.reading() as session:
        assert unread(session, main.id) == 0


def test_a_mail_long_on_its_way_is_unread_though_a_newer_one_was_read(
    database, client, write, staff, clock
):
    main, second = staff(), staff()
    ana = client(main=main, second=second)
    newer = write(ana)
    with database.writing() as session:
        readers.mark_read(session, main.id, newer)
    write(ana, at=clock() - timedelta(hours=3))
    with database.reading() as session:
        assert unread(session, main.id) >= 1
        assert unread(session, second.id) == 2
        assert_all_as_scanned(session)


def test_somebody_who_isnt_responsible_reads_without_a_trace(database, client, write, staff):
    other = staff()
    mail = write(client(main=staff()))
    with database.writing() as session:
        readers.mark_read(session, other.id, mail)
    with database.reading() as session:
        assert (
            session.scalars(sa.select(Readership).where(Readership.staff_id == other.id)).all()
            == []
        )


def test_somebody_newly_responsible_starts_with_everything_read(
    database, client, write, staff, owner, service_of, clock
):
    before, after = staff(), staff()
    ana = client(main=before)
    write(ana)
    with database.writing() as session:
        service_of(session, owner).assign(ana.id, Responsible(main_responsible_id=after.id))
    clock.move(minutes=1)
    with database.reading() as session:
        assert unread(session, before.id) == unread(session, after.id) == 0
        assert session.scalars(sa.select(Readership.staff_id)).all() == [after.id] * 2
    write(ana)
    with database.reading() as session:
        assert unread(session, before.id) == 0
        assert unread(session, after.id) == 1
        assert_all_as_scanned(session)


def test_B04_unread_counts_are_of_ones_own_clients_alone(database, client, write, staff):
    main = staff()
    ana = client(main=main)
    write(ana)
    viewer = Identity(main.id, Role.CASE_MANAGER, "session")
    with database.reading() as session:
        assert readers.unread_counts(session, viewer)[Lane.EMAIL] == 1
    with database.writing() as session:  # reassigned behind the back of every reaction
        row = session.get_one(type(ana), ana.id)
        row.main_responsible_id = None
    with database.reading() as session:
        assert set(readers.unread_counts(session, viewer).values()) == {0}


def test_a_client_who_writes_again_opens_a_conversation_that_was_done(
    database, client, write, owner, clock
):
    ana = client()
    write(ana)
    with database.writing() as session:
        conversation = conversation_with(session, ana)
        states.mark_done(session, conversation, Actor.of_staff(owner), clock())
        assert conversation.state is ConversationState.DONE
    write(ana, at=clock() - timedelta(days=300), is_history=True)
    write(ana, direction=Direction.OUTBOUND)
    with database.reading() as session:
        assert conversation_with(session, ana).state is ConversationState.DONE
    write(ana)
    with database.reading() as session:
        assert conversation_with(session, ana).state is ConversationState.OPEN
        kinds = session.scalars(sa.select(ActivityEvent.kind).order_by(ActivityEvent.seq)).all()
        assert "conversation.done" in kinds
        assert list(verify(session)) == []


def test_saying_done_twice_is_recorded_once(database, client, write, owner, clock):
    ana = client()
    write(ana)
    with database.writing() as session:
        conversation = conversation_with(session, ana)
        for _ in range(2):
            states.mark_done(session, conversation, Actor.of_staff(owner), clock())
        for _ in range(2):
            states.reopen(session, conversation, Actor.of_staff(owner), clock())
    with database.reading() as session:
        kinds = session.scalars(sa.select(ActivityEvent.kind)).all()
    assert kinds.count("conversation.done") == kinds.count("conversation.reopened") == 1


def test_a_merge_brings_two_conversations_together_and_undoing_it_parts_them(
    database, client, write, staff, owner, service_of, clock
):
    main, other = staff(), staff()
    ana, double = client(main=main), client(main=other)
    kept_mail = write(ana, at=clock())
    moved = [write(double, at=clock() + MINUTE), write(double, at=clock() + 3 * MINUTE)]
    last = write(ana, at=clock() + 2 * MINUTE)
    with database.writing() as session:
        readers.mark_read(session, main.id, last)
        readers.mark_read(session, other.id, moved[0])
    with database.writing() as session:
        merge_id = service_of(session, owner).merge(ana.id, double.id).id
    with database.reading() as session:
        assert_all_as_scanned(session)
        assert unread(session, main.id) >= 1, "nobody had read the double's last mail"
        thread = session.scalars(
            sa.select(ConversationHead.last_message_id).where(ConversationHead.lane == Lane.ALL)
        ).all()
        assert thread == [moved[1].id]
    with database.writing() as session:
        service_of(session, owner).undo_merge(merge_id)
    with database.reading() as session:
        assert_all_as_scanned(session)
        for owner_of, ids in ((ana, {kept_mail.id, last.id}), (double, {m.id for m in moved})):
            found = session.scalars(
                sa.select(type(kept_mail).id).where(type(kept_mail).client_id == owner_of.id)
            )
            assert set(found) == ids


def test_whoever_had_read_all_finds_a_merge_read(
    database, client, write, staff, owner, service_of, clock
):
    main, other = staff(), staff()
    ana, double = client(main=main), client(main=other)
    first = write(ana)
    second = write(double, at=clock() + MINUTE)
    with database.writing() as session:
        readers.mark_read(session, main.id, first)
        readers.mark_read(session, other.id, second)
        service_of(session, owner).merge(ana.id, double.id)
    with database.reading() as session:
        assert unread(session, main.id) == 0
        assert_all_as_scanned(session)


def test_rebuilding_repairs_what_was_broken(database, client, write, staff, clock):
    main = staff()
    ana = client(main=main)
    mails = [write(ana, at=clock() + n * MINUTE, channel=c) for n, c in enumerate(Channel)]
    with database.writing() as session:
        readers.mark_read(session, main.id, mails[1])
    with database.writing() as session:
        session.execute(sa.delete(ConversationHead).where(ConversationHead.lane == Lane.ALL))
        session.execute(sa.update(Readership).values(unread=77))
        session.execute(sa.update(Conversation).values(last_inbound_at=None))
        conversations.rebuild(session, conversation_with(session, ana).id)
    with database.reading() as session:
        assert unread(session, main.id) == 2
        assert_all_as_scanned(session)


@pytest.mark.parametrize("unread_mail", [True, False])
def test_taking_in_costs_the_same_in_a_long_conversation(
    database, client, write, staff, count_queries, clock, unread_mail
):
    history = not unread_mail
    ana = client(main=staff(), second=staff())
    write(ana)
    with count_queries() as for_second:
        write(ana, at=clock() + MINUTE, is_history=history)
    for n in range(30):
        write(ana, at=clock() + (2 + n) * MINUTE)
    with count_queries() as for_thirtieth:
        write(ana, at=clock() + 60 * MINUTE, is_history=history)
    assert len(for_thirtieth) == len(for_second) <= 11
    with count_queries() as late:
        write(ana, at=clock() - 60 * MINUTE, is_history=history)
    assert len(late) <= 14


def test_marking_read_costs_the_same_however_much_is_unread(
    database, client, write, staff, count_queries, clock
):
    main = staff()
    ana = client(main=main)
    mails = [write(ana, at=clock() + n * MINUTE) for n in range(30)]
    for mail in (mails[3], mails[29]):
        with database.writing() as session, count_queries() as statements:
            readers.mark_read(session, main.id, mail)
        assert len(statements) <= 4
