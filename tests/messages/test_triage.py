"""Whose a message is, and what people decide where nobody can tell."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from casewell.clients.service import ClientService
from casewell.kernel.access import Identity, Role
from casewell.kernel.errors import InvalidInput, NotFound
from casewell.ledger.models import ActivityEvent, AuditEvent
from casewell.ledger.service import Actor, verify
from casewell.messages import readers
from casewell.messages.errors import AlreadyDecided, NotDecided
from casewell.messages.models import (
    Channel,
    Conversation,
    ConversationState,
    TriageReason,
    TriageSender,
    TriageState,
    UnifiedMessage,
)
from casewell.messages.triage import TriageService
from tests.messages.scan import assert_all_as_scanned, unread

STRANGER = "stranger@example.net"


@pytest.fixture
def tray(clock):
    """The tray as one person sees it."""

    def of(session, person) -> TriageService:
        viewer = Identity(person.id, person.role, "session")
        return TriageService(session, viewer, Actor.of_staff(person), clock())

    return of


@pytest.fixture
def manager(staff):
    return staff("manager", name="Mara Lindqvist")


def client_of(database, message) -> int | None:
    with database.reading() as session:
        return session.get_one(UnifiedMessage, message.id).client_id


def only_sender(database) -> TriageSender:
    with database.reading() as session:
        return session.scalars(sa.select(TriageSender)).one()


def assert_counts_are_true(database) -> None:
    with database.reading() as session:
        assert list(verify(session)) == []
        assert_all_as_scanned(session)
        for sender in session.scalars(sa.select(TriageSender)):
            waiting = session.scalar(
                sa.select(sa.func.count()).where(
                    UnifiedMessage.triage_sender_id == sender.id,
                    UnifiedMessage.client_id.is_(None),
                )
            )
            assert sender.waiting_count == waiting


def test_a_known_address_finds_its_client(database, client, arrive):
    ana = client(emails=["ana@example.com"], phones=["+12025550101"])
    assert client_of(database, arrive("ana@example.com")) == ana.id
    assert client_of(database, arrive("+12025550101", channel=Channel.SMS)) == ana.id


def test_E10_an_address_of_two_clients_goes_to_triage(database, client, arrive):
    client(emails=["family@example.com"])
    client(emails=["family@example.com"])
    assert client_of(database, arrive("family@example.com")) is None
    assert only_sender(database).reason is TriageReason.AMBIGUOUS


def test_E02_who_only_claims_to_be_a_client_is_not_linked(
    database, client, arrive, manager, tray, staff
):
    main = staff()
    ana = client(emails=["ana@example.com"], main=main)
    forged = arrive("ana@example.com", verified=False)
    assert client_of(database, forged) is None
    with database.reading() as session:
        assert unread(session, main.id) == 0
    sender = only_sender(database)
    assert (sender.reason, sender.unproven) == (TriageReason.UNVERIFIED, True)
    with database.writing() as session:
        tray(session, manager).link(sender.id, ana.id)
    assert client_of(database, forged) == ana.id
    assert client_of(database, arrive("ana@example.com", verified=False)) is None, "only that once"
    assert only_sender(database).state is TriageState.WAITING
    assert client_of(database, arrive("ana@example.com", verified=True)) == ana.id
    assert client_of(database, arrive("ana@example.com")) == ana.id
    assert_counts_are_true(database)


def test_a_sender_is_one_line_in_the_tray_however_often_they_write(
    database, arrive, clock, manager, tray
):
    arrive(STRANGER, name="Sam", text="Hello?", at=clock())
    arrive(STRANGER, name="Sam Old", text="From before", at=clock() - timedelta(days=1))
    last = arrive(STRANGER, name="Sam Tanaka", text="Still there?", at=clock() + timedelta(hours=1))
    sender = only_sender(database)
    assert (sender.waiting_count, sender.name, sender.preview) == (3, "Sam Tanaka", "Still there?")
    assert sender.last_message_id == last.id
    assert sender.first_at == clock() - timedelta(days=1)
    with database.reading() as session:
        assert [row.id for row in tray(session, manager).waiting().items] == [sender.id]
        assert tray(session, manager).count() == 1


def test_linking_brings_all_that_waits_and_all_that_comes(
    database, client, arrive, write, clock, manager, tray, staff
):
    main = staff()
    ana = client(main=main)
    newest = write(ana, at=clock())
    with database.writing() as session:
        readers.mark_read(session, main.id, newest)
        conversation = session.scalars(sa.select(Conversation)).one()
        conversation.state = ConversationState.DONE
    waited = [arrive(STRANGER, at=clock() - timedelta(hours=n)) for n in (3, 1)]
    sender = only_sender(database)
    with database.writing() as session:
        tray(session, manager).link(sender.id, ana.id)
    assert {client_of(database, message) for message in waited} == {ana.id}
    assert client_of(database, arrive(STRANGER, at=clock() + timedelta(hours=1))) == ana.id
    with database.reading() as session:
        assert unread(session, main.id) >= 3, "nobody has seen what came from the stranger"
        assert session.scalars(sa.select(Conversation)).one().state is ConversationState.OPEN
        event = session.scalars(
            sa.select(ActivityEvent).where(ActivityEvent.kind == "triage.linked")
        ).one()
        assert (event.client_id, event.actor_name) == (ana.id, "Mara Lindqvist")
        assert event.data == {"address": STRANGER, "name": "", "messages": 2}
    assert_counts_are_true(database)


def test_undoing_a_link_takes_everything_of_that_sender_back(
    database, client, arrive, write, manager, tray, staff
):
    ana = client(main=staff())
    own = write(ana)
    waited = arrive(STRANGER)
    sender = only_sender(database)
    with database.writing() as session:
        tray(session, manager).link(sender.id, ana.id)
    came_later = arrive(STRANGER)
    with database.writing() as session:
        tray(session, manager).undo(sender.id)
    assert client_of(database, waited) is client_of(database, came_later) is None
    assert client_of(database, own) == ana.id
    assert only_sender(database).waiting_count == 2
    assert_counts_are_true(database)
    with database.writing() as session, pytest.raises(NotDecided):
        tray(session, manager).undo(sender.id)


def test_set_aside_stays_out_of_the_way_until_taken_back(database, arrive, manager, tray):
    arrive(STRANGER)
    sender = only_sender(database)
    with database.writing() as session:
        tray(session, manager).set_aside(sender.id)
    arrive(STRANGER)
    with database.reading() as session:
        assert tray(session, manager).count() == 0
        aside = tray(session, manager).waiting(state=TriageState.SET_ASIDE).items
        assert [row.waiting_count for row in aside] == [2]
    with database.writing() as session:
        tray(session, manager).undo(sender.id)
    assert only_sender(database).state is TriageState.WAITING
    with database.reading() as session:
        kinds = session.scalars(sa.select(AuditEvent.kind).order_by(AuditEvent.id)).all()
        assert kinds == ["triage.set_aside", "triage.undone"]
    assert_counts_are_true(database)


def test_set_aside_can_still_be_linked(database, client, arrive, manager, tray):
    ana = client()
    message = arrive(STRANGER)
    sender = only_sender(database)
    with database.writing() as session:
        tray(session, manager).set_aside(sender.id)
    with database.writing() as session, pytest.raises(AlreadyDecided):
        tray(session, manager).set_aside(sender.id)
    with database.writing() as session:
        tray(session, manager).link(sender.id, ana.id)
    assert client_of(database, message) == ana.id
    with database.writing() as session, pytest.raises(AlreadyDecided):
        tray(session, manager).link(sender.id, ana.id)


def test_a_client_is_made_of_a_sender(database, arrive, manager, tray):
    message = arrive(STRANGER)
    sender = only_sender(database)
    with database.writing() as session, pytest.raises(InvalidInput):
        tray(session, manager).create_client(sender.id, "", "")
    with database.writing() as session:
        made = tray(session, manager).create_client(sender.id, "Sam", "Tanaka")
        assert [row.address for row in made.emails] == [STRANGER]
    assert client_of(database, message) == made.id
    assert_counts_are_true(database)


def test_a_mail_without_a_sender_waits_and_is_remembered_by_nothing(
    database, client, arrive, manager, tray
):
    ana = client()
    arrive("")
    with database.writing() as session:
        tray(session, manager).link(only_sender(database).id, ana.id)
    assert client_of(database, arrive("")) is None
    assert only_sender(database).state is TriageState.WAITING
    assert_counts_are_true(database)


def test_what_is_linked_follows_its_client_through_a_merge(
    database, client, arrive, manager, tray, clock
):
    ana, double = client(), client()
    arrive(STRANGER)
    sender = only_sender(database)
    with database.writing() as session:
        tray(session, manager).link(sender.id, double.id)
    with database.writing() as session:
        viewer = Identity(manager.id, Role.MANAGER, "session")
        service = ClientService(session, viewer, Actor.of_staff(manager), clock)
        service.merge(ana.id, double.id)
    later = arrive(STRANGER)
    assert client_of(database, later) == ana.id
    with database.writing() as session:
        tray(session, manager).undo(sender.id)
    assert client_of(database, later) is None
    assert_counts_are_true(database)


def test_B04_a_case_manager_sees_in_the_tray_only_what_names_nobody_elses_client(
    database, client, arrive, staff, tray
):
    ours, theirs = staff(), staff()
    ana = client("Ana", emails=["family@example.com"], main=ours)
    ben = client("Ben", emails=["family@example.com"], main=theirs)
    client(emails=["ben@example.com"], main=theirs)
    arrive(STRANGER)
    arrive("family@example.com")
    arrive("ben@example.com", verified=False)
    with database.reading() as session:
        mine = {row.address: row.id for row in tray(session, ours).waiting().items}
        assert set(mine) == {STRANGER, "family@example.com"}
        assert [row.id for row in tray(session, ours).candidates(mine["family@example.com"])] == [
            ana.id
        ]
        every = {row.address: row.id for row in tray(session, staff("owner")).waiting().items}
        assert len(every) == 3
    with database.writing() as session:
        for act in ("sender", "candidates", "set_aside", "undo"):
            with pytest.raises(NotFound):
                getattr(tray(session, ours), act)(every["ben@example.com"])
        with pytest.raises(NotFound):
            tray(session, ours).link(mine[STRANGER], ben.id)


def test_E13_a_flood_of_new_senders_costs_the_same_for_each(database, arrive, count_queries):
    arrive("first@example.net")
    with count_queries() as statements:
        arrive("second@example.net")
    for n in range(30):
        arrive(f"flood{n}@example.net")
    with count_queries() as later:
        arrive("last@example.net")
    assert len(later) == len(statements) <= 6
