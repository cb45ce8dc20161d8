"""Reading the anchors' rows."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.anchoring.models import LedgerAnchor


def last_anchor(session: Session) -> LedgerAnchor | None:
    """Return the newest anchor that was written."""
    written = sa.select(LedgerAnchor).where(LedgerAnchor.written_at.is_not(None))
    return session.scalars(written.order_by(LedgerAnchor.day.desc()).limit(1)).one_or_none()
