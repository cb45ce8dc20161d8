"""What the demo firm's people were told of: what is a week old, they have read."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.messages.models import MessageStatus, UnifiedMessage
from casewell.staff.models import Notification, NotificationKind
from casewell.staff.notifications import notify

NOT_SENT = (MessageStatus.FAILED, MessageStatus.BOUNCED, MessageStatus.UNCONFIRMED)
NEW_FOR = timedelta(days=7)
MOST = 50


def add(session: Session, now: datetime) -> None:
    """Tell authors of messages that did not arrive, as notes told whom they name."""
    columns = (
        UnifiedMessage.id,
        UnifiedMessage.client_id,
        UnifiedMessage.staff_id,
        UnifiedMessage.occurred_at,
    )
    failed = sa.select(*columns).where(
        UnifiedMessage.status.in_(NOT_SENT),
        UnifiedMessage.staff_id.is_not(None),
        UnifiedMessage.client_id.is_not(None),
    )
    for row in session.execute(failed.order_by(UnifiedMessage.id.desc()).limit(MOST)).all():
        notify(
            session,
            [row.staff_id],
            NotificationKind.NOT_SENT,
            client_id=row.client_id,
            subject_id=row.id,
            actor_name="",
            at=row.occurred_at,
        )
    session.execute(
        sa.update(Notification).where(Notification.at < now - NEW_FOR).values(read_at=now - NEW_FOR)
    )
