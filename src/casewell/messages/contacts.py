"""What the pages of clients tell of messages."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients.contacts import LastContact, Written
from casewell.kernel.access import Identity
from casewell.messages.models import (
    Conversation,
    ConversationHead,
    Lane,
    MessageStatus,
    Readership,
    UnifiedMessage,
)

messages = UnifiedMessage.__table__


class MessageContacts:
    """Reads the heads of conversations and the messages themselves, one statement each."""

    def last_contacts(
        self, session: Session, viewer: Identity, client_ids: Sequence[int]
    ) -> Mapping[int, LastContact]:
        if not client_ids:
            return {}
        query = (
            sa.select(
                Conversation.client_id,
                ConversationHead.last_channel,
                ConversationHead.last_at,
                sa.func.coalesce(Readership.unread, 0),
            )
            .join(ConversationHead, ConversationHead.conversation_id == Conversation.id)
            .outerjoin(
                Readership,
                sa.and_(
                    Readership.conversation_id == Conversation.id,
                    Readership.lane == Lane.ALL,
                    Readership.staff_id == viewer.staff_id,
                ),
            )
            .where(Conversation.client_id.in_(client_ids), ConversationHead.lane == Lane.ALL)
        )
        return {
            client_id: LastContact(channel.value, at, unread)
            for client_id, channel, at, unread in session.execute(query)
        }

    def written(self, session: Session, message_ids: Sequence[int]) -> Mapping[int, Written]:
        if not message_ids:
            return {}
        query = sa.select(
            messages.c.id, messages.c.channel, messages.c.subject, messages.c.preview
        ).where(messages.c.id.in_(message_ids), messages.c.status != MessageStatus.UNDONE)
        return {
            row.id: Written(row.channel.value, row.subject, row.preview)
            for row in session.execute(query)
        }
