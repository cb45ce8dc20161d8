"""The ledger names whatever was altered, removed or moved."""

import pytest
import sqlalchemy as sa

from casewell.ledger.models import ActivityEvent, AuditEvent, LedgerHead
from casewell.ledger.service import SYSTEM, Event, audit, record, verify


@pytest.fixture
def written(database, clock):
    """Five events of client 7, three of client 8, two audit entries."""
    with database.writing() as session:
        for client_id, count in ((7, 5), (8, 3)):
            for n in range(count):
                clock.move(minutes=1)
                event = Event(client_id, "client.changed", SYSTEM, clock(), {"n": n, "é": ["ü"]})
                record(session, event, now=clock())
        audit(session, "sign_in", now=clock(), data={"how": "password"})
        audit(session, "sign_out", now=clock())


def found(database):
    with database.reading() as session:
        return [str(fault) for fault in verify(session)]


def tamper(database, statement):
    with database.writing() as session:
        session.execute(statement)


def test_an_untouched_ledger_is_whole(database, written):
    assert found(database) == []


def test_O02_an_altered_entry_is_named(database, written):
    tamper(
        database,
        sa.update(ActivityEvent)
        .where(ActivityEvent.client_id == 7, ActivityEvent.seq == 3)
        .values(data={"n": 99}),
    )
    assert found(database) == ["client 7, entry 3: was altered"]


def test_O02_a_missing_entry_is_named(database, written):
    tamper(
        database,
        sa.delete(ActivityEvent).where(ActivityEvent.client_id == 7, ActivityEvent.seq == 2),
    )
    assert found(database) == ["client 7, entry 2: is missing"]


def test_O02_a_missing_end_is_named(database, written):
    tamper(
        database,
        sa.delete(ActivityEvent).where(ActivityEvent.client_id == 8, ActivityEvent.seq == 3),
    )
    assert found(database) == ["client 8, entry 3: is missing at the end"]


def test_O02_entries_that_changed_places_are_named(database, written):
    for old, new in ((2, 99), (3, 2), (99, 3)):
        tamper(
            database,
            sa.update(ActivityEvent)
            .where(ActivityEvent.client_id == 7, ActivityEvent.seq == old)
            .values(seq=new),
        )
    names = found(database)
    assert "client 7, entry 2: was altered" in names
    assert "client 7, entry 3: was altered" in names


def test_O02_a_forgotten_head_is_named(database, written):
    tamper(database, sa.delete(LedgerHead).where(LedgerHead.client_id == 8))
    assert found(database) == ["client 8, entry 3: the end of the chain is missing"]


def test_O02_an_altered_audit_entry_is_named(database, written):
    tamper(database, sa.update(AuditEvent).where(AuditEvent.seq == 1).values(kind="sign_out"))
    assert found(database) == ["audit, entry 1: was altered"]


def test_a_rollback_leaves_no_event(database, clock, written):
    with database.session(write=True) as session:
        record(session, Event(7, "client.changed", SYSTEM, clock()), now=clock())
        session.rollback()
    assert found(database) == []
