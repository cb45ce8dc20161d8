"""The demo firm: believable, the same each time, and of any size."""

from __future__ import annotations

import gc

import pytest
import sqlalchemy as sa

from casewell.clients.models import Client, ClientStatus
from casewell.demo.build import CLIENTS, build
from casewell.email.errors import UnreadableMail
from casewell.email.models import InboundMail, InboundState
from casewell.email.parsing import read_mail
from casewell.kernel.access import Role
from casewell.ledger.service import verify
from casewell.messages.models import (
    Attachment,
    Channel,
    Delivery,
    MessageStatus,
    Readership,
    TriageReason,
    TriageSender,
    UnifiedMessage,
)
from casewell.notes.models import CaseNote, NoteKind
from casewell.providers.files import FileStore, open_verified
from casewell.staff.models import Notification, NotificationKind, Staff

messages = UnifiedMessage.__table__


@pytest.fixture
def quick_disk(monkeypatch):
    """No test here is about a power cut, and a firm has hundreds of files."""
    monkeypatch.setattr("os.fsync", lambda _descriptor: None)


@pytest.fixture
def made(runtime, database, quick_disk):
    """Makes the firm and returns a session to look at it."""

    def make(scale=1):
        with database.writing() as session:
            build(session, runtime, scale=scale)
        return database.reading()

    return make


def said(session):
    """Everything that shows of the firm: its people and their words."""
    clients = sa.select(
        Client.sort_name, Client.status, Client.reference, Client.street, Client.ssn_last4
    ).order_by(Client.id)
    words = sa.select(
        messages.c.subject, messages.c.body_text, messages.c.occurred_at, messages.c.status
    ).order_by(messages.c.id)
    names = sa.select(Attachment.shown_name, Attachment.sha256).order_by(Attachment.id)
    return [list(map(tuple, session.execute(query))) for query in (clients, words, names)]


def test_it_is_the_same_each_time(made, database):
    with made() as session:
        first = said(session)
    with database.engine.begin() as connection:
        for table in reversed(UnifiedMessage.metadata.sorted_tables):
            connection.execute(table.delete())
    with made() as session:
        assert said(session) == first


def test_every_screen_has_something_true_to_show(made, runtime, clock):
    with made() as session:
        staff = session.scalars(sa.select(Staff)).all()
        assert {person.role for person in staff} == set(Role) - {Role.VIEWER}
        assert len(staff) == 5
        assert len({person.time_zone for person in staff}) >= 4
        assert session.scalar(sa.select(sa.func.count()).select_from(Client)) == CLIENTS
        assert set(session.scalars(sa.select(Client.status))) == set(ClientStatus)
        counts = dict(
            session.execute(
                sa.select(messages.c.channel, sa.func.count()).group_by(messages.c.channel)
            ).all()
        )
        assert set(counts) == set(Channel)
        assert sum(counts.values()) > 3000
        first, last = session.execute(
            sa.select(sa.func.min(messages.c.occurred_at), sa.func.max(messages.c.occurred_at))
        ).one()
        assert (clock() - first).days > 450
        assert clock() >= last
        assert session.scalar(sa.select(sa.func.sum(Readership.unread))) > 10
        assert set(session.scalars(sa.select(TriageSender.reason))) == {
            TriageReason.UNKNOWN,
            TriageReason.UNVERIFIED,
        }
        assert set(session.scalars(sa.select(Delivery.status))) == {
            MessageStatus.BOUNCED,
            MessageStatus.UNCONFIRMED,
        }
        [unreadable] = session.scalars(
            sa.select(InboundMail).where(InboundMail.state == InboundState.QUARANTINED)
        )
        assert not list(verify(session))
        files = runtime.provider(FileStore)
        with (
            open_verified(files, unreadable.file_key, unreadable.sha256) as raw,
            pytest.raises(UnreadableMail) as refused,
        ):
            read_mail(raw.read())
        assert refused.value.reason == unreadable.reason
        for row in session.scalars(sa.select(Attachment).limit(20)):
            open_verified(files, row.file_key, row.sha256).close()


def test_a_larger_one_costs_more_of_the_same_and_keeps_nothing_in_memory(
    database, runtime, count_queries, quick_disk
):
    seen = []

    def note(done, _total):
        if done % CLIENTS == 0:
            gc.collect()
            seen.append((len(gc.get_objects()), len(statements)))

    with count_queries() as statements, database.writing() as session:
        build(session, runtime, scale=3, progress=note)
    statements.seen.clear()
    assert seen[2][0] < 1.02 * seen[1][0]
    assert seen[2][1] - seen[1][1] < 1.1 * (seen[1][1] - seen[0][1])
    with database.reading() as session:
        numbers = sa.select(sa.func.count(), sa.func.count(sa.distinct(Client.reference)))
        assert tuple(session.execute(numbers).one()) == (3 * CLIENTS, 3 * CLIENTS)


def test_its_people_name_each_other_in_notes_and_are_told(made, clock):
    with made() as session:
        kinds = set(session.scalars(sa.select(CaseNote.kind)))
        newest = session.scalar(sa.select(sa.func.max(CaseNote.created_at)))
        told = session.execute(
            sa.select(Notification.kind, Staff.role).join(Staff, Staff.id == Notification.staff_id)
        ).all()
    assert kinds == set(NoteKind)
    assert newest <= clock()
    assert {kind for kind, _ in told} >= {NotificationKind.MENTIONED, NotificationKind.NOT_SENT}
    assert Role.CASE_MANAGER in {role for _, role in told}
