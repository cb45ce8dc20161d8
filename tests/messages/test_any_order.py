"""Whatever happens in whatever order, heads and counts are what a scan of messages finds."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from casewell.clients.forms import Responsible
from casewell.clients.models import Client, ClientEmail, ClientMerge
from casewell.clients.service import ClientService
from casewell.kernel.access import Identity, Role
from casewell.ledger.models import ActivityEvent, AuditEvent, LedgerHead
from casewell.ledger.service import Actor, verify
from casewell.messages import conversations, intake, outbox, readers
from casewell.messages.models import (
    Channel,
    Conversation,
    ConversationHead,
    Delivery,
    Direction,
    MergedMessage,
    MessageStatus,
    Readership,
    TriageSender,
    UnifiedMessage,
)
from casewell.messages.triage import TriageService
from tests.messages.conftest import message_of
from tests.messages.scan import assert_all_as_scanned

CLIENTS, STAFF = st.integers(0, 1), st.integers(0, 2)
MINUTES = st.integers(0, 12)
STEPS = st.one_of(
    st.tuples(
        st.just("write"),
        CLIENTS,
        MINUTES,
        st.sampled_from([Channel.EMAIL, Channel.SMS]),
        st.sampled_from(["inbound", "outbound", "history"]),
    ),
    st.tuples(st.just("stranger"), st.integers(0, 1), MINUTES),
    st.tuples(st.just("read"), STAFF, st.integers(0, 30)),
    st.tuples(st.just("assign"), CLIENTS, STAFF, STAFF),
    st.tuples(st.just("merge"), CLIENTS),
    st.tuples(st.just("unmerge")),
    st.tuples(st.just("link"), CLIENTS),
    st.tuples(st.just("unlink")),
    st.tuples(st.just("send"), CLIENTS),
    st.tuples(st.just("undo")),
    st.tuples(st.just("rebuild"), CLIENTS),
)


class World:
    """Two clients, three people, and everything that may happen between them."""

    def __init__(self, runtime, clock, clients, people, owner):
        self.runtime, self.clock = runtime, clock
        self.clients, self.people, self.owner = clients, people, owner

    def act(self, session, name, *given):
        getattr(self, name)(session, *given)

    def clients_service(self, session):
        viewer = Identity(self.owner.id, Role.OWNER, "session")
        return ClientService(session, viewer, Actor.of_staff(self.owner), self.clock)

    def tray(self, session):
        viewer = Identity(self.owner.id, Role.OWNER, "session")
        return TriageService(session, viewer, Actor.of_staff(self.owner), self.clock())

    def present(self, session, index) -> Client | None:
        client = session.get_one(Client, self.clients[index].id)
        return client if client.merged_into_id is None else None

    def write(self, session, index, minute, channel, kind):
        client = self.present(session, index)
        if client is None:
            return
        direction = Direction.OUTBOUND if kind == "outbound" else Direction.INBOUND
        message = message_of(
            self.clock() + timedelta(minutes=minute),
            channel=channel,
            direction=direction,
            is_history=kind == "history",
        )
        match = intake.Match(client_id=client.id)
        intake.take_in(session, message, match, address="", name="", now=self.clock())

    def stranger(self, session, which, minute):
        address = f"stranger{which}@example.net"
        message = message_of(self.clock() + timedelta(minutes=minute))
        match = intake.match(session, Channel.EMAIL, address, verified=None)
        intake.take_in(session, message, match, address=address, name="", now=self.clock())

    def read(self, session, index, which):
        messages = session.scalars(
            sa.select(UnifiedMessage)
            .where(UnifiedMessage.conversation_id.is_not(None))
            .order_by(UnifiedMessage.id)
        ).all()
        if messages:
            person = self.people[index]
            readers.mark_read(session, person.id, messages[which % len(messages)])

    def assign(self, session, index, main, second):
        client = self.present(session, index)
        if client is not None:
            given = Responsible(
                main_responsible_id=self.people[main].id,
                second_responsible_id=self.people[second].id if second != main else None,
            )
            self.clients_service(session).assign(client.id, given)

    def merge(self, session, index):
        if self.present(session, 0) and self.present(session, 1):
            kept, merged = self.clients[index], self.clients[1 - index]
            self.clients_service(session).merge(kept.id, merged.id)

    def unmerge(self, session):
        merge_id = session.scalar(
            sa.select(sa.func.max(ClientMerge.id)).where(ClientMerge.undone_at.is_(None))
        )
        if merge_id is not None:
            self.clients_service(session).undo_merge(merge_id)

    def link(self, session, index):
        waiting = self.tray(session).waiting().items
        client = self.present(session, index)
        if waiting and client is not None:
            self.tray(session).link(waiting[0].id, client.id)

    def unlink(self, session):
        linked = session.scalar(
            sa.select(TriageSender.id).where(TriageSender.state == "linked").limit(1)
        )
        if linked is not None:
            self.tray(session).undo(linked)

    def send(self, session, index):
        client = self.present(session, index)
        address = client and session.scalar(
            sa.select(ClientEmail.address).where(ClientEmail.client_id == client.id).limit(1)
        )
        if address:
            message = message_of(
                self.clock(),
                direction=Direction.OUTBOUND,
                client_id=client.id,
                status=MessageStatus.QUEUED,
            )
            outbox.queue(session, self.runtime, message, recipient=address, now=self.clock())

    def undo(self, session):
        delivery = session.scalars(
            sa.select(Delivery).where(Delivery.status == MessageStatus.QUEUED).limit(1)
        ).one_or_none()
        if delivery is not None:
            actor = Actor.of_staff(self.owner)
            outbox.undo(session, delivery, actor=actor, now=self.clock())

    def rebuild(self, session, index):
        conversation = session.scalar(
            sa.select(Conversation.id).where(Conversation.client_id == self.clients[index].id)
        )
        if conversation is not None:
            conversations.rebuild(session, conversation)

    def forget(self, session):
        """Begin again: as quick as a new database, and the sequences of hypothesis are many."""
        session.execute(sa.update(Client).values(merged_into_id=None))
        for model in (
            Delivery,
            MergedMessage,
            Readership,
            ConversationHead,
        ):
            session.execute(sa.delete(model))
        for table in ("email_messages", "messages"):
            session.execute(sa.text(f"DELETE FROM {table}"))
        for model in (
            Conversation,
            TriageSender,
            ClientMerge,
            ActivityEvent,
            AuditEvent,
            LedgerHead,
        ):
            session.execute(sa.delete(model))


def test_counts_and_heads_are_always_what_a_scan_finds(runtime, database, clock, client, staff):
    people = [staff(), staff(), staff()]
    clients = [client(emails=[f"c{n}@example.com"], main=people[n]) for n in range(2)]
    world = World(runtime, clock, clients, people, staff("owner"))

    @settings(
        max_examples=60,
        phases=[Phase.explicit, Phase.generate],
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(STEPS, min_size=4, max_size=30))
    def holds(steps):
        with database.writing() as session:
            world.forget(session)
        for step in steps:
            with database.writing() as session:
                world.act(session, *step)
        with database.reading() as session:
            assert_all_as_scanned(session)
            assert list(verify(session)) == []

    holds()
