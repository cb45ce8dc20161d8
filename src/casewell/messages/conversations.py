"""One conversation per client: its newest message in each lane, and whether it is open."""

from collections.abc import Iterable
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from casewell.clients.models import Client
from casewell.kernel.db import Base, insert_ignoring, insert_into, insert_of
from casewell.ledger.service import Event, hold
from casewell.messages import readers
from casewell.messages.locks import hold_client, lock_conversation
from casewell.messages.models import (
    Channel,
    Conversation,
    ConversationHead,
    ConversationState,
    Direction,
    Lane,
    MergedMessage,
    MessageStatus,
    UnifiedMessage,
)
from casewell.messages.position import Position

HEAD_FACTS = (
    "last_at",
    "last_message_id",
    "last_channel",
    "last_direction",
    "preview",
)

_talks = Base.metadata.tables[Conversation.__tablename__]
_heads = Base.metadata.tables[ConversationHead.__tablename__]
_CONVERSATION = sa.select(Conversation).where(Conversation.client_id == sa.bindparam("its_client"))


def conversation_of(session: Session, client_id: int) -> Conversation:
    """Return the client's one conversation, made on first use: then it is in the hands of whoever
    is mainly responsible for the client."""
    whose = {"its_client": client_id}
    conversation = session.scalar(_CONVERSATION, whose)
    if conversation is not None:
        return conversation
    hold_client(session, client_id)
    in_charge = session.scalar(sa.select(Client.main_responsible_id).where(Client.id == client_id))
    insert_ignoring(session, Conversation, {"client_id": client_id, "assignee_id": in_charge})
    return session.scalars(_CONVERSATION, whose).one()


def place(
    session: Session,
    conversation: Conversation,
    message: UnifiedMessage,
    *,
    unread: bool,
    reopens: bool = False,
) -> None:
    """Let a message that is stored count in its conversation, wherever in time it belongs.

    The caller has recorded its event, and so holds the client. `unread`: it is new to those
    responsible. The number of statements is the same however long the conversation is.
    """
    _note_times(session, conversation, message, reopens=reopens)
    is_newest = _move_heads(session, message)
    readers.arrived(session, message, unread=unread, is_newest=is_newest)


def merge(session: Session, event: Event) -> None:
    """Give one client's messages to another: the reaction to `client.merged`.

    Nothing that somebody had yet to read is lost: those responsible for the client that is kept
    find it unread.
    """
    kept, merged = int(event.data["kept"]), int(event.data["merged"])
    source = session.scalar(sa.select(Conversation).where(Conversation.client_id == merged))
    if source is None:
        readers.follow_responsible(session, event)
        return
    target = conversation_of(session, kept)
    hold(session, merged)
    unread_after = readers.unread_after(session, source.id)
    moving = sa.select(UnifiedMessage.id, sa.literal(merged)).where(
        UnifiedMessage.client_id == merged
    )
    session.execute(
        insert_into(session, MergedMessage)
        .from_select(["message_id", "from_client_id"], moving)
        .on_conflict_do_nothing()
    )
    move_messages(session, target, UnifiedMessage.client_id == merged)
    _keep_open(session, target, source)
    rebuild_moved(session, target.id, unread_after)
    rebuild(session, source.id)


def unmerge(session: Session, event: Event) -> None:
    """Give back what a merge had moved: the reaction to `client.merge_undone`."""
    kept, merged = int(event.data["kept"]), int(event.data["merged"])
    source, target = conversation_of(session, kept), conversation_of(session, merged)
    hold(session, merged)
    unread_after = readers.unread_after(session, source.id)
    came = sa.select(MergedMessage.message_id).where(MergedMessage.from_client_id == merged)
    move_messages(session, target, UnifiedMessage.client_id == kept, UnifiedMessage.id.in_(came))
    session.execute(
        sa.delete(MergedMessage)
        .where(MergedMessage.from_client_id == merged)
        .execution_options(synchronize_session=False)
    )
    _keep_open(session, target, source)
    rebuild_moved(session, source.id)
    rebuild_moved(session, target.id, unread_after)


def rebuild(session: Session, conversation_id: int) -> None:
    """Make heads, times and counts anew from the messages: for repair and after bulk import.

    Everyone's place in the conversation stays as it is.
    """
    heads = _rebuild_heads(session, conversation_id)
    readers.rebuild(session, conversation_id, heads)


def rebuild_moved(
    session: Session, conversation_id: int, unread_after: Position | None = None
) -> None:
    """Make it anew after messages came or went in numbers.

    What clients wrote after `unread_after` is unread for those responsible; for the rest,
    whoever had nothing left to read still has nothing.
    """
    up_to_date = readers.up_to_date(session, conversation_id)
    heads = _rebuild_heads(session, conversation_id)
    readers.rebuild(
        session, conversation_id, heads, up_to_date=up_to_date, unread_after=unread_after
    )


def _rebuild_heads(session: Session, conversation_id: int) -> dict[Lane, Position]:
    lock_conversation(session, conversation_id)
    newest = _newest_by_channel(session, conversation_id)
    heads = [{"lane": Lane(row.last_channel), **row._mapping} for row in newest]
    if heads:
        last = max(heads, key=lambda head: (head["last_at"], head["last_message_id"]))
        heads.append({**last, "lane": Lane.ALL})
    session.execute(
        sa.delete(ConversationHead)
        .where(ConversationHead.conversation_id == conversation_id)
        .execution_options(synchronize_session=False)
    )
    if heads:
        rows = [{"conversation_id": conversation_id, **head} for head in heads]
        session.execute(sa.insert(ConversationHead).values(rows))
    _recall_times(session, conversation_id)
    return {head["lane"]: Position(head["last_at"], head["last_message_id"]) for head in heads}


def _note_times(
    session: Session, conversation: Conversation, message: UnifiedMessage, *, reopens: bool
) -> None:
    inbound = message.direction is Direction.INBOUND
    name = "last_inbound_at" if inbound else "last_outbound_at"
    answers = not inbound and not message.is_automatic and not message.is_history
    row = session.execute(
        _times_noted(name, reopens=reopens, answers=answers),
        {"its_id": conversation.id, "at": message.occurred_at},
    ).one()
    for changed, value in row._mapping.items():
        set_committed_value(conversation, changed, value)


@cache
def _times_noted(name: str, *, reopens: bool, answers: bool) -> sa.Executable:
    """Return the statement that notes when the last message came or went, and who waits.

    What `reopens` is a person's: it wakes a snoozed conversation, and from then on the client
    waits. What `answers` ends the waiting, unless the client wrote after it.
    """
    column, since = _talks.c[name], _talks.c.waiting_since
    at = sa.bindparam("at", type_=column.type)
    values: dict[str, Any] = {
        name: sa.case((sa.or_(column.is_(None), column < at), at), else_=column)
    }
    if reopens:
        answered = _talks.c.last_outbound_at
        waits = sa.or_(answered.is_(None), answered < at)
        values["state"] = ConversationState.OPEN
        values["snoozed_until"] = None
        values["waiting_since"] = sa.case((sa.and_(since.is_(None), waits), at), else_=since)
    if answers:
        values["waiting_since"] = sa.case((since <= at, None), else_=since)
    return (
        sa.update(_talks)
        .where(_talks.c.id == sa.bindparam("its_id"))
        .values(values)
        .returning(column, _talks.c.state, _talks.c.snoozed_until, since)
    )


def _move_heads(session: Session, message: UnifiedMessage) -> bool:
    """Move the heads forward to `message`; return whether it is the newest of all.

    An older mail that is imported later does not become the newest.
    """
    facts = {
        "conversation": message.conversation_id,
        "at": message.occurred_at,
        "message": message.id,
        "channel": message.channel,
        "direction": message.direction,
        "words": message.preview,
    }
    moved = session.scalars(_heads_moved(session.get_bind().dialect.name, message.channel), facts)
    return Lane.ALL in set(moved)


@cache
def _heads_moved(dialect: str, channel: Channel) -> sa.Executable:
    """Return the statement that moves both heads: of rows that are selected, for those of VALUES
    would have to be compiled anew for each message."""
    column = _heads.c
    lanes = readers.lanes_of(channel)
    rows = sa.select(
        sa.bindparam("conversation", type_=column.conversation_id.type),
        lanes.c.lane,
        sa.bindparam("at", type_=column.last_at.type),
        sa.bindparam("message", type_=column.last_message_id.type),
        sa.bindparam("channel", type_=column.last_channel.type),
        sa.bindparam("direction", type_=column.last_direction.type),
        sa.bindparam("words", type_=column.preview.type),
    ).where(sa.true())  # SQLite can't tell where such a SELECT ends without it
    insert = insert_of(dialect, _heads).from_select(["conversation_id", "lane", *HEAD_FACTS], rows)
    fresh = insert.excluded
    statement: sa.Executable = insert.on_conflict_do_update(
        index_elements=["conversation_id", "lane"],
        set_={name: fresh[name] for name in HEAD_FACTS},
        where=sa.tuple_(fresh.last_at, fresh.last_message_id)
        > sa.tuple_(column.last_at, column.last_message_id),
    ).returning(column.lane)
    return statement


def _newest_by_channel(session: Session, conversation_id: int) -> Iterable[sa.Row[Any]]:
    """Return the newest message of each channel, by one walk down the index for each."""
    one = UnifiedMessage.__table__.c
    newest = [
        sa.select(
            sa.select(
                one.occurred_at.label("last_at"),
                one.id.label("last_message_id"),
                one.channel.label("last_channel"),
                one.direction.label("last_direction"),
                one.preview,
            )
            .where(
                one.conversation_id == conversation_id,
                one.channel == channel,
                one.status != MessageStatus.UNDONE,
            )
            .order_by(one.occurred_at.desc(), one.id.desc())
            .limit(1)
            .subquery()
        )
        for channel in Channel
    ]
    return session.execute(sa.union_all(*newest)).all()


def _recall_times(session: Session, conversation_id: int) -> None:
    one = UnifiedMessage.__table__.c

    def newest(direction: Direction) -> sa.ScalarSelect[Any]:
        return (
            sa.select(sa.func.max(one.occurred_at))
            .where(
                one.conversation_id == conversation_id,
                one.direction == direction,
                one.status != MessageStatus.UNDONE,
            )
            .scalar_subquery()
        )

    session.execute(
        sa.update(Conversation)
        .where(Conversation.id == conversation_id)
        .values(
            last_inbound_at=newest(Direction.INBOUND),
            last_outbound_at=newest(Direction.OUTBOUND),
            waiting_since=_unanswered(conversation_id),
        )
        .execution_options(synchronize_session=False)
    )


def _unanswered(conversation_id: int) -> sa.ScalarSelect[Any]:
    """Return the first words of a person after the last answer and the last time it was done."""
    one, talk = UnifiedMessage.__table__.c, _talks.alias()
    answer = UnifiedMessage.__table__.alias().c
    answered = (
        sa.select(sa.func.max(answer.occurred_at))
        .where(
            answer.conversation_id == conversation_id,
            answer.direction == Direction.OUTBOUND,
            answer.status != MessageStatus.UNDONE,
            answer.is_automatic.is_(False),
        )
        .scalar_subquery()
    )
    settled = sa.select(talk.c.settled_at).where(talk.c.id == conversation_id).scalar_subquery()
    return (
        sa.select(sa.func.min(one.occurred_at))
        .where(
            one.conversation_id == conversation_id,
            one.direction == Direction.INBOUND,
            one.is_automatic.is_(False),
            one.is_history.is_(False),
            sa.or_(answered.is_(None), one.occurred_at > answered),
            sa.or_(settled.is_(None), one.occurred_at > settled),
        )
        .scalar_subquery()
    )


def move_messages(session: Session, target: Conversation, *which: sa.ColumnElement[bool]) -> None:
    """Put messages into a conversation; `rebuild_moved` must follow, here and where they were."""
    session.execute(
        sa.update(UnifiedMessage)
        .where(*which)
        .values(client_id=target.client_id, conversation_id=target.id)
        .execution_options(synchronize_session=False)
    )


def _keep_open(session: Session, target: Conversation, source: Conversation) -> None:
    """Whatever still had to be done stays to be done."""
    if source.state is ConversationState.OPEN:
        session.execute(
            sa.update(Conversation)
            .where(Conversation.id == target.id)
            .values(state=ConversationState.OPEN)
            .execution_options(synchronize_session=False)
        )
        session.expire(target, ["state"])
