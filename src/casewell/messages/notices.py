"""What colleagues are told of a conversation, and how much of it waits to be read."""

from functools import cache

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients.models import Client
from casewell.clients.queries import VIEWER, clients_visible_as
from casewell.kernel.access import Identity, Role
from casewell.ledger.service import Event
from casewell.messages.models import UnifiedMessage
from casewell.staff.models import Notification, NotificationKind
from casewell.staff.notifications import notify

MOST_COUNTED = 99


def unread_notifications(session: Session, viewer: Identity) -> int:
    """Return how many a person has yet to read, of clients they may still see; at most 99."""
    return session.scalar(_unread(viewer.role), {"viewer": viewer.staff_id}) or 0


@cache
def _unread(role: Role) -> sa.Select[int]:
    told, clients = Notification.__table__, Client.__table__
    some = (
        sa.select(told.c.id)
        .join(clients, clients.c.id == told.c.client_id)
        .where(told.c.staff_id == VIEWER, told.c.read_at.is_(None), clients_visible_as(role))
        .limit(MOST_COUNTED)
        .subquery()
    )
    return sa.select(sa.func.count()).select_from(some)


def tell_author(session: Session, event: Event) -> None:
    """Tell who wrote a message that it did not arrive, or may not have."""
    assert event.subject_id is not None
    author = session.scalar(
        sa.select(UnifiedMessage.staff_id).where(UnifiedMessage.id == event.subject_id)
    )
    if author is not None:
        notify(
            session,
            [author],
            NotificationKind.NOT_SENT,
            client_id=event.client_id,
            subject_id=event.subject_id,
            actor_name=event.actor.name,
            at=event.occurred_at,
        )
