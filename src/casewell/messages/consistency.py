"""Whether lists and unread counts say what the messages say: checked on a sample, by few reads.

Heads and counts are kept as messages come and are read. A fault in that would show nowhere else.
"""

import random
from collections import defaultdict
from collections.abc import Sequence
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
from casewell.messages.readers import BEGINNING

talks, heads = Conversation.__table__, ConversationHead.__table__
reads, messages = Readership.__table__, UnifiedMessage.__table__
clients = Client.__table__


def sample(session: Session, size: int) -> list[int]:
    """Return conversations: half of them the newest, half from anywhere."""
    half = size // 2
    newest = session.scalars(
        sa.select(heads.c.conversation_id)
        .where(heads.c.lane == Lane.ALL)
        .order_by(heads.c.last_at.desc(), heads.c.conversation_id.desc())
        .limit(half)
    ).all()
    last = session.scalar(sa.select(sa.func.max(talks.c.id))) or 0
    anywhere = session.scalars(
        sa.select(talks.c.id)
        .where(talks.c.id >= random.randint(0, max(0, last - half)))  # noqa: S311 a sample
        .order_by(talks.c.id)
        .limit(half)
    ).all()
    return sorted({*newest, *anywhere})


def found_wrong(session: Session, conversation_ids: Sequence[int]) -> list[int]:
    """Return those whose heads, or whose unread counts, are not what their messages say."""
    if not conversation_ids:
        return []
    kept = _kept_heads(session, conversation_ids)
    true = _true_heads(session, conversation_ids)
    unread = _kept_unread(session, conversation_ids)
    written = _written_after(session, conversation_ids)
    responsible = _responsible(session, conversation_ids)
    wrong = []
    for one in conversation_ids:
        readers = {staff_id for staff_id, _ in unread[one]}
        unseen = true[one] and not responsible[one] <= readers
        if kept[one] != true[one] or unread[one] != _expected(unread[one], written[one]) or unseen:
            wrong.append(one)
    return wrong


def _expected(
    kept: dict[tuple[int, Lane], int], written: dict[tuple[int, Lane], int]
) -> dict[tuple[int, Lane], int]:
    """Return what each reader should find unread in the lanes that they have."""
    return {place: written.get(place, 0) for place in kept}


def _kept_heads(session: Session, ids: Sequence[int]) -> dict[int, dict[Lane, int]]:
    found: dict[int, dict[Lane, int]] = defaultdict(dict)
    query = sa.select(heads.c.conversation_id, heads.c.lane, heads.c.last_message_id)
    for conversation, lane, message in session.execute(
        query.where(heads.c.conversation_id.in_(ids))
    ):
        found[conversation][lane] = message
    return found


def _true_heads(session: Session, ids: Sequence[int]) -> dict[int, dict[Lane, int]]:
    """Return the newest message of each lane, from the messages themselves."""
    order = (messages.c.occurred_at.desc(), messages.c.id.desc())
    its = (messages.c.conversation_id, messages.c.channel)
    ranked = (
        sa.select(
            *its,
            messages.c.id,
            messages.c.occurred_at,
            sa.func.row_number().over(partition_by=its, order_by=order).label("place"),
        )
        .where(messages.c.conversation_id.in_(ids), messages.c.status != MessageStatus.UNDONE)
        .subquery()
    )
    found: dict[int, dict[Lane, int]] = defaultdict(dict)
    newest: dict[int, Any] = {}
    for row in session.execute(sa.select(ranked).where(ranked.c.place == 1)):
        found[row.conversation_id][Lane(row.channel)] = row.id
        here = (row.occurred_at, row.id)
        newest[row.conversation_id] = max(newest.get(row.conversation_id, here), here)
    for conversation, (_, message) in newest.items():
        found[conversation][Lane.ALL] = message
    return found


def _kept_unread(session: Session, ids: Sequence[int]) -> dict[int, dict[tuple[int, Lane], int]]:
    found: dict[int, dict[tuple[int, Lane], int]] = defaultdict(dict)
    query = sa.select(reads.c.conversation_id, reads.c.staff_id, reads.c.lane, reads.c.unread)
    for conversation, staff, lane, unread in session.execute(
        query.where(reads.c.conversation_id.in_(ids))
    ):
        found[conversation][staff, lane] = unread
    return found


def _written_after(session: Session, ids: Sequence[int]) -> dict[int, dict[tuple[int, Lane], int]]:
    """Count what clients wrote after each reader's place, by lane."""
    place = sa.tuple_(
        sa.func.coalesce(reads.c.read_up_to_at, sa.literal(BEGINNING.at, reads.c.last_at.type)),
        sa.func.coalesce(reads.c.read_up_to_id, 0),
    )
    rows = session.execute(
        sa.select(reads.c.conversation_id, reads.c.staff_id, messages.c.channel, sa.func.count())
        .join(messages, messages.c.conversation_id == reads.c.conversation_id)
        .where(
            reads.c.conversation_id.in_(ids),
            reads.c.lane == Lane.ALL,
            messages.c.direction == Direction.INBOUND,
            messages.c.is_history.is_(False),
            messages.c.counts_as_read.is_(False),
            sa.tuple_(messages.c.occurred_at, messages.c.id) > place,
        )
        .group_by(reads.c.conversation_id, reads.c.staff_id, messages.c.channel)
    )
    found: dict[int, dict[tuple[int, Lane], int]] = defaultdict(dict)
    for conversation, staff, channel, number in rows:
        its = found[conversation]
        its[staff, Lane(channel)] = number
        its[staff, Lane.ALL] = its.get((staff, Lane.ALL), 0) + number
    return found


def _responsible(session: Session, ids: Sequence[int]) -> dict[int, set[int]]:
    rows = session.execute(
        sa.select(talks.c.id, clients.c.main_responsible_id, clients.c.second_responsible_id)
        .join(clients, clients.c.id == talks.c.client_id)
        .where(talks.c.id.in_(ids))
    )
    return {one: {main, second} - {None} for one, main, second in rows}
