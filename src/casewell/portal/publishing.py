"""What of a client's ledger the client may read in the portal: what staff publish, in plain words.

An entry's own words are for the firm. The client reads the sentences below, and a kind of entry
that has none can't be published: notes, tags, evidence and the work of the team never can.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients.activity import entries_of
from casewell.clients.models import ClientStatus
from casewell.clients.queries import find_client
from casewell.kernel.access import Identity
from casewell.kernel.db import insert_into
from casewell.kernel.errors import NotFound
from casewell.ledger.models import ActivityEvent
from casewell.ledger.service import Actor, Event, record
from casewell.messages.models import Channel
from casewell.portal.errors import NotForClients
from casewell.portal.models import PublishedEvent

MOST_SHOWN = 20

_BY = {
    Channel.EMAIL: "an e-mail",
    Channel.SMS: "a text",
    Channel.PORTAL: "a message here",
}
_STATUS = {
    ClientStatus.LEAD: "We received your request",
    ClientStatus.ONBOARDING: "We are setting up your file",
    ClientStatus.ACTIVE: "We are working on your file",
    ClientStatus.WAITING: "We are waiting for something from you",
    ClientStatus.COMPLETED: "Your file is complete",
    ClientStatus.CANCELLED: "Your file was closed",
}
_CALLS = {
    ("outbound", "connected"): "We spoke on the phone",
    ("inbound", "connected"): "We spoke on the phone",
    ("outbound", "voicemail"): "We called and left you a voicemail",
    ("outbound", "no_answer"): "We called and did not reach you",
    ("outbound", "busy"): "We called and did not reach you",
    ("inbound", "voicemail"): "You called and left us a voicemail",
}


def _call(data: Mapping[str, Any]) -> str:
    return _CALLS.get((data.get("direction", ""), data.get("outcome", "")), "")


def _status(data: Mapping[str, Any]) -> str:
    return _STATUS[ClientStatus(data["to"])]


def _contact(data: Mapping[str, Any]) -> str:
    return f"{data['main']} is your contact now" if data.get("main") else ""


def _message(told: str) -> Callable[[Mapping[str, Any]], str]:
    def say(data: Mapping[str, Any]) -> str:
        by = _BY.get(data.get("channel", ""))
        return f"{told} {by}" if by else ""

    return say


def _document(told: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda data: f"{told}: {data['title']}" if data.get("title") else ""


def _always(told: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda _data: told


_SENTENCES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "call.held": _call,
    "client.assigned": _contact,
    "client.created": _always("We opened your file"),
    "client.status_changed": _status,
    "client.texts_allowed": _always("Texts to you are allowed"),
    "client.texts_stopped": _always("Texts to you have stopped"),
    "document.filed": _document("We added a document to your file"),
    "document.version_added": _document("We added a newer version of a document"),
    "message.received": _message("You sent us"),
    "message.sent": _message("We sent you"),
    "portal.invited": _always("We invited you to this portal"),
}


@dataclass(frozen=True)
class Shown:
    """One line of the client's file, as the client reads it."""

    words: str
    at: datetime


def words_for_client(kind: str, data: Mapping[str, Any]) -> str:
    """Return what the client would read of an entry; empty: it can't be published."""
    say = _SENTENCES.get(kind)
    return say(data) if say else ""


class Publishing:
    """What staff let one client read. Raises NotFound where the viewer may not see the client."""

    def __init__(
        self, session: Session, viewer: Identity, client_id: int, actor: Actor, now: datetime
    ) -> None:
        self._session, self._viewer, self._actor, self._now = session, viewer, actor, now
        self._client_id = find_client(session, viewer, client_id).id

    def publish(self, event_id: int) -> str:
        """Let the client read an entry; return in which words. Twice is once.

        Raises NotFound where the viewer may not read it themselves, NotForClients.
        """
        words = self._words(event_id)
        row = {
            "event_id": event_id,
            "client_id": self._client_id,
            "published_at": self._now,
        }
        insert = insert_into(self._session, PublishedEvent).values(row).on_conflict_do_nothing()
        if self._session.execute(insert.returning(PublishedEvent.event_id)).first():
            self._tell("portal.published", event_id, words)
        return words

    def unpublish(self, event_id: int) -> str:
        """Take an entry back from the client; return the words they no longer read.

        Raises NotFound, NotForClients.
        """
        words = self._words(event_id)
        gone = sa.delete(PublishedEvent).where(PublishedEvent.event_id == event_id)
        if self._session.execute(gone.returning(PublishedEvent.event_id)).first():
            self._tell("portal.unpublished", event_id, words)
        return words

    def _words(self, event_id: int) -> str:
        query = entries_of(self._viewer, self._client_id).where(ActivityEvent.id == event_id)
        entry = self._session.execute(query).first()
        if entry is None:
            raise NotFound
        words = words_for_client(entry.kind, entry.data)
        if not words:
            raise NotForClients
        return words

    def _tell(self, kind: str, event_id: int, words: str) -> None:
        data = {"event_id": event_id, "words": words}
        event = Event(self._client_id, kind, self._actor, self._now, data)
        record(self._session, event, now=self._now)


def published_among(session: Session, event_ids: Collection[int]) -> frozenset[int]:
    """Return which of these entries their clients may read."""
    if not event_ids:
        return frozenset()
    query = sa.select(PublishedEvent.event_id).where(PublishedEvent.event_id.in_(event_ids))
    return frozenset(session.scalars(query))


def shown_to(session: Session, client_id: int) -> Sequence[Shown]:
    """Return what a client reads of their own file, newest first."""
    query = (
        sa.select(ActivityEvent.kind, ActivityEvent.data, ActivityEvent.occurred_at)
        .join(PublishedEvent, PublishedEvent.event_id == ActivityEvent.id)
        .where(PublishedEvent.client_id == client_id, ActivityEvent.client_id == client_id)
        .order_by(ActivityEvent.occurred_at.desc(), ActivityEvent.id.desc())
        .limit(MOST_SHOWN)
    )
    return [
        Shown(words, row.occurred_at)
        for row in session.execute(query)
        if (words := words_for_client(row.kind, row.data))
    ]
