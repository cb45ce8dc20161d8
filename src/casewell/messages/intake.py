"""Taking a message in: whose it is, or why a person must say so."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients.models import Client
from casewell.kernel.db import Base, insert_into
from casewell.ledger.models import ActorKind
from casewell.ledger.service import Actor, Event, record
from casewell.messages.conversations import conversation_of, place
from casewell.messages.models import (
    Channel,
    Direction,
    TriageReason,
    TriageSender,
    TriageState,
    UnifiedMessage,
)
from casewell.messages.queries import owners

MOST_MERGES = 20

# What every message passes is made once: making a statement costs more than running it.
_senders = Base.metadata.tables[TriageSender.__tablename__]
_DECISION = sa.select(_senders.c.id, _senders.c.state, _senders.c.client_id).where(
    _senders.c.channel == sa.bindparam("channel"),
    _senders.c.address == sa.bindparam("address"),
    _senders.c.unproven == sa.bindparam("unproven"),
    _senders.c.state != TriageState.WAITING,
)
_NEWEST_OF_SENDER = (
    sa.update(_senders)
    .where(_senders.c.id == sa.bindparam("sender"))
    .values(last_message_id=sa.bindparam("message"))
)


@dataclass(frozen=True)
class Match:
    """Whose message it is: a client's, or nobody's yet, for a reason.

    `set_aside`: a person said that nobody needs to see what comes from there. `sender_id`: the
    decision of a person that it rests on, so that taking that back takes the message along.
    """

    client_id: int | None = None
    reason: TriageReason | None = None
    set_aside: bool = False
    sender_id: int | None = None


def match(session: Session, channel: Channel, address: str, *, verified: bool | None) -> Match:
    """Find whose an address is: by what a person decided about it, then by clients' own files.

    `address` is in its normal form (e-mail) or E.164. `verified` None: nobody could check the
    sender, which is no reason to doubt; False: it may be somebody else, and links nothing.
    """
    unproven = verified is False
    if not address:
        return Match(reason=TriageReason.UNVERIFIED if unproven else TriageReason.UNKNOWN)
    decision = session.execute(
        _DECISION, {"channel": channel, "address": address, "unproven": unproven}
    ).one_or_none()
    if unproven:
        aside = decision is not None and decision.state is TriageState.SET_ASIDE
        return Match(reason=TriageReason.UNVERIFIED, set_aside=aside)
    if decision is not None:
        if decision.state is TriageState.SET_ASIDE:
            return Match(reason=TriageReason.UNKNOWN, set_aside=True)
        kept = present_client(session, decision.client_id)
        if kept is not None:
            return Match(client_id=kept, sender_id=decision.id)
    found = session.scalars(_present_owners(channel), {"address": address}).all()
    if len(found) == 1:
        return Match(client_id=found[0])
    return Match(reason=TriageReason.AMBIGUOUS if found else TriageReason.UNKNOWN)


def take_in(
    session: Session,
    message: UnifiedMessage,
    match: Match,
    *,
    address: str,
    name: str,
    now: datetime,
    reopens: bool = True,
) -> None:
    """Add a message that has come: to its client's conversation, or to the tray of its sender.

    History fires nothing: it counts as read and opens nothing again; no more does what `reopens`
    says is not from a person.
    """
    if match.client_id is None:
        match = _wait(session, message, match, address, name)
    if match.client_id is None:
        return
    message.is_automatic = not reopens
    conversation = conversation_of(session, match.client_id)
    message.client_id, message.conversation_id = match.client_id, conversation.id
    message.triage_sender_id = match.sender_id
    session.add(message)
    session.flush()
    record(session, _event(message, name or address), now=now)
    is_news = message.direction is Direction.INBOUND and not message.is_history
    place(session, conversation, message, unread=is_news, reopens=is_news and reopens)


def present_client(session: Session, client_id: int) -> int | None:
    """Return the client, or the one it was merged into."""
    for _ in range(MOST_MERGES):
        row = session.execute(
            sa.select(Client.id, Client.merged_into_id).where(Client.id == client_id)
        ).one_or_none()
        if row is None or row.merged_into_id is None:
            return row and row.id
        client_id = row.merged_into_id
    return None


@cache
def _present_owners(channel: Channel) -> sa.Select[Any]:
    """Return the clients with this address on their file; a second one is enough to know of."""
    address = sa.bindparam("address", type_=sa.String())
    client = Client.__table__.c
    return (
        sa.select(client.id)
        .where(client.id.in_(owners(channel, address)), client.merged_into_id.is_(None))
        .order_by(client.id)
        .limit(2)
    )


def _wait(
    session: Session, message: UnifiedMessage, match: Match, address: str, name: str
) -> Match:
    """Put a message into the tray of its sender; return the match that holds now.

    A person may have linked the sender while the message was on its way here.
    """
    reason = match.reason or TriageReason.UNKNOWN
    insert = insert_into(session, TriageSender).values(
        channel=message.channel,
        address=address[:320],
        unproven=reason is TriageReason.UNVERIFIED,
        name=name[:200],
        state=TriageState.WAITING,
        reason=reason,
        first_at=message.occurred_at,
        last_at=message.occurred_at,
        subject=message.subject[:300],
        preview=message.preview,
        waiting_count=1,
    )
    fresh, known = insert.excluded, TriageSender
    # Without an address, or without proof of it, there is nothing to remember a client by.
    remembered = sa.and_(known.unproven.is_(False), known.address != "")
    stays = sa.or_(
        known.state == TriageState.SET_ASIDE,
        sa.and_(known.state == TriageState.LINKED, remembered),
    )
    is_newer = fresh.last_at >= known.last_at
    sender = session.execute(
        insert.on_conflict_do_update(
            index_elements=["channel", "address", "unproven"],
            set_={
                "state": sa.case((stays, known.state), else_=fresh.state),
                "reason": fresh.reason,
                "first_at": sa.case(
                    (fresh.first_at < known.first_at, fresh.first_at), else_=known.first_at
                ),
                **{
                    column: sa.case((is_newer, fresh[column]), else_=getattr(known, column))
                    for column in ("last_at", "subject", "preview", "name")
                },
                "waiting_count": known.waiting_count + 1,
            },
        ).returning(
            TriageSender.id, TriageSender.state, TriageSender.client_id, TriageSender.last_at
        )
    ).one()
    linked = sender.state is TriageState.LINKED and present_client(session, sender.client_id)
    if linked:
        session.execute(_counted(sender.id, -1))
        return Match(client_id=linked, sender_id=sender.id)
    message.triage_sender_id = sender.id
    session.add(message)
    session.flush()
    if sender.last_at == message.occurred_at:
        session.execute(_NEWEST_OF_SENDER, {"sender": sender.id, "message": message.id})
    return match


def _counted(sender_id: int, by: int) -> sa.Update:
    return (
        sa.update(TriageSender)
        .where(TriageSender.id == sender_id)
        .values(waiting_count=TriageSender.waiting_count + by)
        .execution_options(synchronize_session=False)
    )


def _event(message: UnifiedMessage, who: str) -> Event:
    """Tell of a message. Who wrote it is what it says: nobody proved to be the client."""
    assert message.client_id is not None
    inbound = message.direction is Direction.INBOUND
    return Event(
        client_id=message.client_id,
        kind="message.received" if inbound else "message.sent",
        actor=Actor(ActorKind.CLIENT, None, who) if inbound else Actor(ActorKind.STAFF, None, ""),
        occurred_at=message.occurred_at,
        data={
            "channel": message.channel,
            "subject": message.subject[:200],
            "preview": message.preview,
            **({"history": True} if message.is_history else {}),
        },
        subject_type="message",
        subject_id=message.id,
    )
