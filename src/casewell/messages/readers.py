"""Who has read what: a place in each conversation for each person responsible for its client.

Counts are kept when a message comes or is read, and are sums over few rows, never scans. What is
unread stands after a reader's place, came from the client, and is neither imported history nor
something that the firm knew as it happened.
"""

from collections.abc import Callable, Mapping, Set
from datetime import UTC, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients.models import Client
from casewell.clients.queries import VIEWER, clients_visible_as
from casewell.kernel.access import Identity, Role
from casewell.kernel.db import Base, insert_into, insert_of
from casewell.ledger.service import Event
from casewell.messages.locks import lock_conversation
from casewell.messages.models import (
    Channel,
    Conversation,
    ConversationHead,
    Direction,
    Follower,
    Lane,
    MessageStatus,
    Readership,
    UnifiedMessage,
)
from casewell.messages.position import Position

# Written out, as the index of what is unread says it: a plan for any number could not use that.
IS_UNREAD = Readership.__table__.c.unread > sa.literal_column("0")
_places_of = Base.metadata.tables[Readership.__tablename__]
BEGINNING = Position(datetime(1, 1, 1, tzinfo=UTC), 0)


def unread_counts(session: Session, viewer: Identity) -> dict[Lane, int]:
    """Return what waits for `viewer` to be read, by lane; lanes without any are 0."""
    rows = session.execute(_unread_counts(viewer.role), {"viewer": viewer.staff_id})
    counts = {lane: int(unread) for lane, unread in rows}
    counts[Lane.ALL] = sum(counts.values())
    return {lane: counts.get(lane, 0) for lane in Lane}


@cache
def _unread_counts(role: Role) -> sa.Select[Any]:
    reads, talks, clients = Readership.__table__, Conversation.__table__, Client.__table__
    return (
        sa.select(reads.c.lane, sa.func.sum(reads.c.unread))
        .join(talks, talks.c.id == reads.c.conversation_id)
        .join(clients, clients.c.id == talks.c.client_id)
        .where(
            reads.c.staff_id == VIEWER,
            reads.c.lane != Lane.ALL,
            IS_UNREAD,
            clients_visible_as(role),
        )
        .group_by(reads.c.lane)
    )


def mark_read(session: Session, staff_id: int, message: UnifiedMessage | sa.Row[Any]) -> None:
    """Move a reader's place up to `message`, never back. For others than readers: nothing.

    A row will do that holds what tells where the message stands.
    """
    if message.conversation_id is None or message.client_id is None:
        return
    if message.status is MessageStatus.UNDONE:
        return  # it stands nowhere any more
    lock_conversation(session, message.conversation_id)
    places = _places(session, message.conversation_id)
    read = Position(message.occurred_at, message.id)
    if staff_id in places and (places[staff_id] or BEGINNING) < read:
        _stand(session, message.conversation_id, read, message.client_id, {staff_id})


def mark_unread(session: Session, staff_id: int, message: UnifiedMessage) -> None:
    """Move a reader's place to right before `message`. For others than readers: nothing."""
    assert message.client_id is not None
    assert message.conversation_id is not None
    lock_conversation(session, message.conversation_id)
    place = Position(message.occurred_at, message.id).before
    _stand(session, message.conversation_id, place, message.client_id, {staff_id})


def follow_responsible(session: Session, event: Event) -> None:
    """Keep readers equal to those responsible: the reaction to `client.created` and `.assigned`.

    Somebody new starts with everything read.
    """
    keep_readers(session, event.client_id)


def keep_readers(session: Session, client_id: int) -> None:
    """Make who reads a client's conversation equal to those responsible, in charge or following."""
    conversation_id = session.scalar(
        sa.select(Conversation.id).where(Conversation.client_id == client_id)
    )
    if conversation_id is None:
        return
    lock_conversation(session, conversation_id)
    responsible = _responsible(client_id)
    session.execute(
        sa.delete(Readership)
        .where(
            Readership.conversation_id == conversation_id,
            Readership.staff_id.not_in(sa.select(responsible.c.staff_id)),
        )
        .execution_options(synchronize_session=False)
    )
    on_all = ConversationHead.lane == Lane.ALL
    head = sa.select(
        responsible.c.staff_id,
        ConversationHead.conversation_id,
        ConversationHead.lane,
        ConversationHead.last_at,
        sa.literal(0, sa.Integer),
        sa.case((on_all, ConversationHead.last_at)),
        sa.case((on_all, ConversationHead.last_message_id)),
    ).join_from(responsible, ConversationHead, ConversationHead.conversation_id == conversation_id)
    columns = [
        "staff_id",
        "conversation_id",
        "lane",
        "last_at",
        "unread",
        "read_up_to_at",
        "read_up_to_id",
    ]
    session.execute(
        insert_into(session, Readership).from_select(columns, head).on_conflict_do_nothing()
    )


def arrived(session: Session, message: UnifiedMessage, *, unread: bool, is_newest: bool) -> None:
    """Let a placed message count for its readers."""
    assert message.conversation_id is not None
    session.execute(
        _counted(session.get_bind().dialect.name, message.channel),
        {
            "its_client": message.client_id,
            "conversation": message.conversation_id,
            "at": message.occurred_at,
            "unread": int(unread),
        },
    )
    if unread and not is_newest:
        _step_back(session, message)


@cache
def _counted(dialect: str, channel: Channel) -> sa.Executable:
    """Return the statement that counts one more message for everyone responsible."""
    responsible = _responsible(sa.bindparam("its_client", type_=Client.id.type))
    lanes = lanes_of(channel)
    column = _places_of.c
    rows = sa.select(
        responsible.c.staff_id,
        sa.bindparam("conversation", type_=column.conversation_id.type),
        lanes.c.lane,
        sa.bindparam("at", type_=column.last_at.type),
        sa.bindparam("unread", type_=column.unread.type),
    )
    rows = rows.select_from(responsible.join(lanes, sa.true()))
    rows = rows.where(sa.true())  # SQLite can't tell where such a SELECT ends without it
    insert = insert_of(dialect, _places_of).from_select(
        ["staff_id", "conversation_id", "lane", "last_at", "unread"], rows
    )
    fresh = insert.excluded
    later = sa.case((fresh.last_at > column.last_at, fresh.last_at), else_=column.last_at)
    statement: sa.Insert = insert.on_conflict_do_update(
        index_elements=["staff_id", "conversation_id", "lane"],
        set_={"unread": column.unread + fresh.unread, "last_at": later},
    )
    return statement


def unread_after(session: Session, conversation_id: int) -> Position | None:
    """Return the place after which somebody still has to read, or None: nobody has."""
    places = _places(session, conversation_id, lambda unread: unread > 0)
    return min((place or BEGINNING for place in places.values()), default=None)


def up_to_date(session: Session, conversation_id: int) -> set[int]:
    """Return the readers who have nothing left to read."""
    return set(_places(session, conversation_id, lambda unread: unread == 0))


def rebuild(
    session: Session,
    conversation_id: int,
    heads: Mapping[Lane, Position],
    *,
    up_to_date: Set[int] = frozenset(),
    unread_after: Position | None = None,
) -> None:
    """Make the readerships of a conversation anew; its heads are right already."""
    client_id = session.scalars(
        sa.select(Conversation.client_id).where(Conversation.id == conversation_id)
    ).one()
    known = _places(session, conversation_id)
    session.execute(
        sa.delete(Readership)
        .where(Readership.conversation_id == conversation_id)
        .execution_options(synchronize_session=False)
    )
    responsible = session.scalars(sa.select(_responsible(client_id).c.staff_id)).all()
    if not heads or not responsible:
        return
    newest = heads[Lane.ALL]
    rows = []
    for staff_id in responsible:
        place = newest if staff_id in up_to_date else known.get(staff_id, newest)
        if place is not None:
            place = min(place, newest, unread_after or newest)
        counts = _written_after(session, client_id, place)
        rows += [
            {
                "staff_id": staff_id,
                "conversation_id": conversation_id,
                "lane": lane,
                "last_at": head.at,
                "unread": counts.get(lane, 0),
                "read_up_to_at": place.at if place and lane is Lane.ALL else None,
                "read_up_to_id": place.id if place and lane is Lane.ALL else None,
            }
            for lane, head in heads.items()
        ]
    session.execute(sa.insert(Readership).values(rows))


def _responsible(client_id: int | sa.BindParameter[int]) -> sa.Subquery:
    """Return who reads a conversation: both responsible for the client, whoever has it in hand,
    and those who follow it; each once."""
    talk, follower = Conversation.__table__.c, Follower.__table__.c
    in_hand = sa.select(talk.assignee_id.label("staff_id")).where(
        talk.client_id == client_id, talk.assignee_id.is_not(None)
    )
    following = (
        sa.select(follower.staff_id)
        .join(Conversation, Conversation.id == follower.conversation_id)
        .where(Conversation.client_id == client_id)
    )
    return sa.union(
        *(
            sa.select(column.label("staff_id")).where(Client.id == client_id, column.is_not(None))
            for column in (Client.main_responsible_id, Client.second_responsible_id)
        ),
        in_hand,
        following,
    ).subquery("responsible")


def lanes_of(channel: Channel) -> sa.Subquery:
    """Return the two lanes a message of this channel stands in, as rows."""
    both = (Lane.ALL, Lane(channel.value))
    rows = (sa.select(sa.literal(lane, _places_of.c.lane.type).label("lane")) for lane in both)
    return sa.union_all(*rows).subquery("lanes")


def _step_back(session: Session, message: UnifiedMessage) -> None:
    """Take readers who are past a late message back to right before it.

    A mail that was long on its way would else never be seen by anyone.
    """
    assert message.client_id is not None
    assert message.conversation_id is not None
    position = Position(message.occurred_at, message.id)
    places = _places(session, message.conversation_id)
    past = {staff_id for staff_id, place in places.items() if place and place >= position}
    if past:
        _stand(session, message.conversation_id, position.before, message.client_id, past)


_PLACES = sa.select(
    _places_of.c.staff_id,
    _places_of.c.read_up_to_at,
    _places_of.c.read_up_to_id,
    _places_of.c.unread,
).where(_places_of.c.conversation_id == sa.bindparam("conversation"), _places_of.c.lane == Lane.ALL)


def _places(
    session: Session, conversation_id: int, which: Callable[[int], bool] | None = None
) -> dict[int, Position | None]:
    """Return how far each reader has come (None: nowhere); `which` chooses by what is unread."""
    rows = session.execute(_PLACES, {"conversation": conversation_id})
    return {
        staff_id: None if at is None or message_id is None else Position(at, message_id)
        for staff_id, at, message_id, unread in rows
        if which is None or which(unread)
    }


_ON_ALL = _places_of.c.lane == Lane.ALL
_AT = sa.bindparam("at", type_=_places_of.c.read_up_to_at.type)
_MESSAGE = sa.bindparam("message", type_=_places_of.c.read_up_to_id.type)
_STAND = (
    sa.update(_places_of)
    .where(
        _places_of.c.conversation_id == sa.bindparam("conversation"),
        _places_of.c.staff_id.in_(sa.bindparam("readers", expanding=True)),
    )
    .values(
        unread=sa.case(
            *(
                (_places_of.c.lane == lane, sa.bindparam(f"in_{lane}", type_=sa.Integer))
                for lane in Lane
            )
        ),
        read_up_to_at=sa.case((_ON_ALL, _AT)),
        read_up_to_id=sa.case((_ON_ALL, _MESSAGE)),
    )
)


def _stand(
    session: Session,
    conversation_id: int,
    place: Position,
    client_id: int,
    staff_ids: Set[int],
) -> None:
    """Put readers at a place and count what they find after it."""
    counts = _written_after(session, client_id, place)
    session.execute(
        _STAND,
        {
            "conversation": conversation_id,
            "readers": sorted(staff_ids),
            "at": place.at,
            "message": place.id,
            **{f"in_{lane}": counts.get(lane, 0) for lane in Lane},
        },
    )


_words = Base.metadata.tables[UnifiedMessage.__tablename__].c
_WRITTEN_AFTER = (
    sa.select(_words.channel, sa.func.count())
    .where(
        _words.client_id == sa.bindparam("its_client"),
        _words.direction == Direction.INBOUND,
        _words.is_history.is_(False),
        _words.counts_as_read.is_(False),
        sa.tuple_(_words.occurred_at, _words.id) > sa.tuple_(_AT, _MESSAGE),
    )
    .group_by(_words.channel)
)


def _written_after(session: Session, client_id: int, place: Position | None) -> dict[Lane, int]:
    """Count, by lane, what the client wrote after a place, from the messages themselves."""
    at, message_id = place or BEGINNING
    given = {"its_client": client_id, "at": at, "message": message_id}
    counts = {
        Lane(channel.value): int(count) for channel, count in session.execute(_WRITTEN_AFTER, given)
    }
    if counts:
        counts[Lane.ALL] = sum(counts.values())
    return counts
