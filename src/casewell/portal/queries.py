"""What clients see: their own messages in the portal, and of those to them only what has left."""

from typing import Any

import sqlalchemy as sa

from casewell.kernel.db import Base, BigId
from casewell.messages.models import (
    Attachment,
    Channel,
    Conversation,
    Direction,
    MessageStatus,
    UnifiedMessage,
)
from casewell.portal.models import ClientMessage
from casewell.staff.models import Staff

messages = UnifiedMessage.__table__
portal = Base.metadata.tables[ClientMessage.__tablename__]
WHO: sa.BindParameter[int] = sa.bindparam("client", type_=BigId)
ORDER = (messages.c.occurred_at, messages.c.id)
NEWEST_FIRST = tuple(key.desc() for key in ORDER)

# The one condition of everything the portal shows. The conversation is there for its index.
VISIBLE = sa.and_(
    messages.c.client_id == WHO,
    messages.c.conversation_id
    == sa.select(Conversation.id).where(Conversation.client_id == WHO).scalar_subquery(),
    messages.c.channel == Channel.PORTAL,
    sa.or_(
        messages.c.direction == Direction.INBOUND,
        messages.c.status.in_([MessageStatus.SENT, MessageStatus.DELIVERED]),
    ),
)
MESSAGES: sa.Select[Any] = (
    sa.select(
        messages.c.id,
        portal.c.public_id,
        messages.c.direction,
        messages.c.body_text,
        messages.c.occurred_at,
        portal.c.seen_at,
        Staff.name.label("staff_name"),
    )
    .select_from(messages.join(portal, portal.c.id == messages.c.id))
    .outerjoin(Staff, Staff.id == messages.c.staff_id)
    .where(VISIBLE)
)


def one(public_id: str) -> sa.Select[Any]:
    """Where one message stands, if its client may see it."""
    return (
        sa.select(*ORDER)
        .select_from(messages.join(portal, portal.c.id == messages.c.id))
        .where(VISIBLE, portal.c.public_id == public_id)
    )


def file_of(public_id: str, position: int) -> sa.Select[Any]:
    """One file of a message that its client may see."""
    return (
        sa.select(Attachment)
        .join(messages, messages.c.id == Attachment.message_id)
        .join(portal, portal.c.id == messages.c.id)
        .where(
            VISIBLE,
            portal.c.public_id == public_id,
            Attachment.position == position,
            Attachment.file_key.is_not(None),
        )
    )


_FILE: tuple[Any, ...] = (
    Attachment.message_id,
    Attachment.position,
    Attachment.shown_name,
    Attachment.file_key.is_not(None).label("is_kept"),
)


def files_of(message_ids: list[int]) -> sa.Select[Any]:
    return (
        sa.select(*_FILE)
        .where(Attachment.message_id.in_(message_ids))
        .order_by(Attachment.message_id, Attachment.position)
    )
