"""What a merge of two clients means for their accounts: never are both valid."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.ledger.service import Event
from casewell.portal import links, sessions
from casewell.portal.models import ClientAccount


def merge(session: Session, event: Event) -> None:
    """Let the account follow its client, or turn it off where the other has one too: the
    reaction to `client.merged`. Whoever was signed in signs in again."""
    kept, merged = int(event.data["kept"]), int(event.data["merged"])
    theirs = _of(session, merged)
    if theirs is None:
        return
    sessions.end_all(session, theirs.id)
    links.withdraw(session, theirs.id)
    if _of(session, kept) is None:
        theirs.client_id, theirs.moved_from_id = kept, merged
    elif theirs.disabled_at is None:
        theirs.disabled_at = event.occurred_at
    session.flush()


def unmerge(session: Session, event: Event) -> None:
    """Give an account back that had moved: the reaction to `client.merge_undone`.

    One that was turned off stays off until a person turns it on.
    """
    kept, merged = int(event.data["kept"]), int(event.data["merged"])
    moved = _of(session, kept)
    if moved is None or moved.moved_from_id != merged:
        return
    sessions.end_all(session, moved.id)
    links.withdraw(session, moved.id)
    moved.client_id, moved.moved_from_id = merged, None
    session.flush()


def _of(session: Session, client_id: int) -> ClientAccount | None:
    return session.scalar(sa.select(ClientAccount).where(ClientAccount.client_id == client_id))
