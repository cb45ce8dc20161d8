"""What heads and counts must be, found the slow way: by looking at every message."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients.models import Client
from casewell.messages.models import (
    Conversation,
    ConversationHead,
    Direction,
    Lane,
    MessageStatus,
    Readership,
    UnifiedMessage,
)

Facts = dict[Any, Any]


def assert_all_as_scanned(session: Session) -> None:
    for conversation in session.scalars(sa.select(Conversation)):
        messages = [
            message
            for message in session.scalars(
                sa.select(UnifiedMessage).where(UnifiedMessage.conversation_id == conversation.id)
            )
            if message.status is not MessageStatus.UNDONE
        ]
        assert all(message.client_id == conversation.client_id for message in messages)
        messages.sort(key=lambda message: (message.occurred_at, message.id))
        assert _heads(session, conversation.id) == _scanned_heads(messages)
        assert _readerships(session, conversation.id) == _scanned_readerships(
            session, conversation, messages
        )
        for direction, kept in (
            (Direction.INBOUND, conversation.last_inbound_at),
            (Direction.OUTBOUND, conversation.last_outbound_at),
        ):
            times = [one.occurred_at for one in messages if one.direction is direction]
            assert kept == max(times, default=None)


def unread(session: Session, staff_id: int, lane: Lane = Lane.ALL) -> int:
    total = session.scalar(
        sa.select(sa.func.sum(Readership.unread)).where(
            Readership.staff_id == staff_id, Readership.lane == lane
        )
    )
    return int(total or 0)


def _lanes(message: UnifiedMessage) -> tuple[Lane, Lane]:
    return Lane.ALL, Lane(message.channel.value)


def _heads(session: Session, conversation_id: int) -> Facts:
    rows = session.scalars(
        sa.select(ConversationHead).where(ConversationHead.conversation_id == conversation_id)
    )
    return {
        head.lane: (
            head.last_at,
            head.last_message_id,
            head.last_channel,
            head.last_direction,
            head.preview,
        )
        for head in rows
    }


def _scanned_heads(messages: list[UnifiedMessage]) -> Facts:
    return {
        lane: (
            message.occurred_at,
            message.id,
            message.channel,
            message.direction,
            message.preview,
        )
        for message in messages
        for lane in _lanes(message)
    }


def _readerships(session: Session, conversation_id: int) -> Facts:
    rows = session.scalars(
        sa.select(Readership).where(Readership.conversation_id == conversation_id)
    )
    return {(row.staff_id, row.lane): (row.last_at, row.unread) for row in rows}


def _scanned_readerships(
    session: Session, conversation: Conversation, messages: list[UnifiedMessage]
) -> Facts:
    client = session.get_one(Client, conversation.client_id)
    responsible = {client.main_responsible_id, client.second_responsible_id} - {None}
    if not messages:
        return {}
    found: Facts = {}
    for staff_id in responsible:
        place = session.get_one(Readership, (staff_id, conversation.id, Lane.ALL))
        for message in messages:
            is_unread = (
                message.direction is Direction.INBOUND
                and not message.is_history
                and (
                    place.read_up_to_at is None
                    or (message.occurred_at, message.id)
                    > (place.read_up_to_at, place.read_up_to_id)
                )
            )
            for lane in _lanes(message):
                _, count = found.get((staff_id, lane), (None, 0))
                found[staff_id, lane] = (message.occurred_at, count + is_unread)
    return found
