"""The tray: senders that match nobody, or several clients, until a person says whose they are."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients.forms import NewClient, check_address
from casewell.clients.models import Client
from casewell.clients.queries import find_client
from casewell.clients.service import ClientService
from casewell.kernel.access import Identity
from casewell.kernel.db import lock_row
from casewell.kernel.errors import NotFound
from casewell.kernel.forms import parse
from casewell.kernel.paging import Page, keyset_page
from casewell.ledger.service import Actor, Event, audit, record
from casewell.messages import queries
from casewell.messages.conversations import conversation_of, move_messages, rebuild_moved
from casewell.messages.errors import AlreadyDecided, NotDecided
from casewell.messages.intake import present_client
from casewell.messages.models import (
    Channel,
    ConversationState,
    Direction,
    TriageSender,
    TriageState,
    UnifiedMessage,
)
from casewell.messages.position import Position

WAITS = UnifiedMessage.client_id.is_(None)


class TriageService:
    """What people decide about senders, for one viewer in one transaction.

    A decision is remembered for the address, and can be taken back: its messages wait again.
    """

    def __init__(self, session: Session, viewer: Identity, actor: Actor, now: datetime) -> None:
        self._session = session
        self._viewer = viewer
        self._actor = actor
        self._now = now

    def waiting(
        self, after: str | None = None, *, state: TriageState = TriageState.WAITING, size: int = 50
    ) -> Page[TriageSender]:
        """Return senders in the tray, or in another state, newest first."""
        query = sa.select(TriageSender).where(
            TriageSender.state == state, queries.senders_visible_to(self._viewer)
        )
        by = (TriageSender.last_at, TriageSender.id)
        return keyset_page(self._session, query, by=by, after=after, size=size)

    def count(self) -> int:
        """Return how many senders wait."""
        query = sa.select(sa.func.count()).where(
            TriageSender.state == TriageState.WAITING, queries.senders_visible_to(self._viewer)
        )
        return self._session.scalar(query) or 0

    def sender(self, sender_id: int) -> TriageSender:
        """Raises NotFound, whether it is absent or names only clients of others."""
        query = sa.select(TriageSender).where(
            TriageSender.id == sender_id, queries.senders_visible_to(self._viewer)
        )
        found = self._session.scalars(query).one_or_none()
        if found is None:
            raise NotFound
        return found

    def candidates(self, sender_id: int) -> Sequence[sa.Row[int, str, str]]:
        """Return (id, first_name, last_name) of the clients it may be, of those one may see."""
        return queries.clients_named_by(self._session, self._viewer, self.sender(sender_id))

    def link(self, sender_id: int, client_id: int) -> None:
        """Say that a sender writes about this client: so do the messages that will come.

        What only claims to be from the address is linked this once. Raises NotFound or
        AlreadyDecided.
        """
        sender = self._undecided(sender_id)
        client = find_client(self._session, self._viewer, client_id)
        self._link(sender, client)

    def create_client(self, sender_id: int, first_name: str, last_name: str) -> Client:
        """Make a client of a sender and link the two. Raises InvalidInput or AlreadyDecided."""
        sender = self._undecided(sender_id)
        new = parse(
            NewClient,
            {"first_name": first_name, "last_name": last_name, **_address(sender)},
        )
        service = ClientService(self._session, self._viewer, self._actor, lambda: self._now)
        client = service.create(new)
        self._link(sender, client)
        return client

    def set_aside(self, sender_id: int) -> None:
        """Say that nobody needs to see what comes from a sender. Raises AlreadyDecided."""
        sender = self._undecided(sender_id)
        self._decide(sender, TriageState.SET_ASIDE)
        self._audit(sender, "triage.set_aside")

    def undo(self, sender_id: int) -> None:
        """Take a decision back. Raises NotFound or NotDecided."""
        sender = self._locked(sender_id)
        if sender.state is TriageState.WAITING:
            raise NotDecided
        linked_to = sender.client_id if sender.state is TriageState.LINKED else None
        sender.state, sender.client_id = TriageState.WAITING, None
        sender.decided_by_id = sender.decided_at = None
        if linked_to is not None:
            self._unlink(sender, linked_to)
        self._audit(sender, "triage.undone")

    def _link(self, sender: TriageSender, client: Client) -> None:
        its_waiting = (UnifiedMessage.triage_sender_id == sender.id, WAITS)
        moved = self._session.scalar(sa.select(sa.func.count()).where(*its_waiting)) or 0
        self._decide(sender, TriageState.LINKED, client.id)
        data = {"address": sender.address, "name": sender.name, "messages": moved}
        self._record(client.id, "triage.linked", sender, data)
        conversation = conversation_of(self._session, client.id)
        news = self._session.execute(
            sa.select(UnifiedMessage.occurred_at, UnifiedMessage.id)
            .where(
                *its_waiting,
                UnifiedMessage.direction == Direction.INBOUND,
                UnifiedMessage.is_history.is_(False),
            )
            .order_by(UnifiedMessage.occurred_at, UnifiedMessage.id)
            .limit(1)
        ).one_or_none()
        move_messages(self._session, conversation, *its_waiting)
        sender.waiting_count = 0
        if news is not None:
            conversation.state = ConversationState.OPEN
        self._session.flush()
        unread_after = Position(*news).before if news is not None else None
        rebuild_moved(self._session, conversation.id, unread_after)

    def _unlink(self, sender: TriageSender, linked_to: int) -> None:
        """Take a sender's messages out of the client's conversation again."""
        present = present_client(self._session, linked_to)
        if present is None:
            raise NotFound
        client = find_client(self._session, self._viewer, present)
        self._record(client.id, "triage.unlinked", sender, {"address": sender.address})
        conversation = conversation_of(self._session, client.id)
        self._session.execute(
            sa.update(UnifiedMessage)
            .where(
                UnifiedMessage.triage_sender_id == sender.id,
                UnifiedMessage.client_id == client.id,
            )
            .values(client_id=None, conversation_id=None)
            .execution_options(synchronize_session=False)
        )
        sender.waiting_count = (
            self._session.scalar(
                sa.select(sa.func.count()).where(
                    UnifiedMessage.triage_sender_id == sender.id, WAITS
                )
            )
            or 0
        )
        rebuild_moved(self._session, conversation.id)

    def _undecided(self, sender_id: int) -> TriageSender:
        sender = self._locked(sender_id)
        if sender.state is TriageState.LINKED:
            raise AlreadyDecided
        return sender

    def _locked(self, sender_id: int) -> TriageSender:
        lock_row(self._session, TriageSender, self.sender(sender_id).id)
        sender = self.sender(sender_id)
        self._session.refresh(sender)
        return sender

    def _decide(
        self, sender: TriageSender, state: TriageState, client_id: int | None = None
    ) -> None:
        if sender.state is state:
            raise AlreadyDecided
        sender.state, sender.client_id = state, client_id
        sender.decided_by_id, sender.decided_at = self._viewer.staff_id, self._now
        self._session.flush()

    def _record(
        self, client_id: int, kind: str, sender: TriageSender, data: dict[str, Any]
    ) -> None:
        event = Event(client_id, kind, self._actor, self._now, data, "triage_sender", sender.id)
        record(self._session, event, now=self._now)

    def _audit(self, sender: TriageSender, kind: str) -> None:
        data = {"sender_id": sender.id}
        audit(self._session, kind, now=self._now, actor=self._actor, data=data)


def _address(sender: TriageSender) -> dict[str, Any]:
    """Return the sender's address as a field of a new client, where it can be one."""
    if sender.channel is not Channel.EMAIL:
        return {"phones": [sender.address]} if sender.address else {}
    try:
        return {"emails": [check_address(sender.address)]}
    except ValueError:
        return {}
