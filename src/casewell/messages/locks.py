"""Locks, in the one order in which they are taken.

The client, the end of its ledger, the conversation, its heads, its readerships. SQLite has one
writer at a time, which has it all.
"""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients.models import Client
from casewell.ledger.service import hold
from casewell.messages.models import Conversation


def hold_client(session: Session, client_id: int) -> None:
    """Let nobody else write to a client's ledger or conversation until the transaction ends."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(
            sa.select(Client.id)
            .where(Client.id == client_id)
            .with_for_update(read=True, key_share=True)
        )
    hold(session, client_id)


def lock_conversation(session: Session, conversation_id: int) -> None:
    """Let nobody else change its heads and readerships until the transaction ends.

    Rows that point at the conversation can still be added: this is no FOR UPDATE, which would
    wait for them while they wait for the client.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(
            sa.select(Conversation.id)
            .where(Conversation.id == conversation_id)
            .with_for_update(key_share=True)
        )
