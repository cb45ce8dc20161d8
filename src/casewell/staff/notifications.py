"""Telling somebody of something, exactly once."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.kernel.db import insert_ignoring
from casewell.ledger.service import Event
from casewell.staff.models import Notification, NotificationKind


def notify(
    session: Session,
    people: Iterable[int],
    kind: NotificationKind,
    *,
    client_id: int,
    subject_id: int,
    actor_name: str,
    at: datetime,
) -> None:
    """Tell people of one thing, in the transaction in which it happens; the second time nothing."""
    rows = [
        {
            "staff_id": staff_id,
            "kind": kind,
            "client_id": client_id,
            "subject_id": subject_id,
            "actor_name": actor_name[:200],
            "at": at,
        }
        for staff_id in sorted(set(people))
    ]
    if rows:
        insert_ignoring(session, Notification, *rows)


def merge(session: Session, event: Event) -> None:
    """Let what was told of one client lead to another: the reaction to `client.merged`."""
    kept, merged = int(event.data["kept"]), int(event.data["merged"])
    earlier = Notification.merged_from_id
    session.execute(
        sa.update(Notification)
        .where(Notification.client_id == merged)
        .values(client_id=kept, merged_from_id=sa.func.coalesce(earlier, merged))
        .execution_options(synchronize_session=False)
    )


def unmerge(session: Session, event: Event) -> None:
    """Give back what a merge had moved: the reaction to `client.merge_undone`."""
    kept, merged = int(event.data["kept"]), int(event.data["merged"])
    session.execute(
        sa.update(Notification)
        .where(Notification.client_id == kept, Notification.merged_from_id == merged)
        .values(client_id=merged, merged_from_id=None)
        .execution_options(synchronize_session=False)
    )
