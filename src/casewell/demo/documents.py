"""What the demo firm's people filed of what came in."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.documents.forms import FiledForm
from casewell.documents.models import DocumentKind
from casewell.documents.service import DocumentService
from casewell.kernel.access import Identity
from casewell.kernel.runtime import Runtime
from casewell.ledger.service import Actor
from casewell.messages.models import Attachment, UnifiedMessage
from casewell.staff.models import Staff

# By how a file's name begins.
KINDS = {
    "lease": DocumentKind.ADDRESS,
    "utility": DocumentKind.STATEMENT,
    "authorization": DocumentKind.AUTHORIZATION,
    "report": DocumentKind.CREDIT_REPORT,
}
EACH = 3  # one of so many is filed


def add(session: Session, runtime: Runtime, staff: Sequence[Staff], now: datetime) -> None:
    """File some of the files, a while after they came."""
    rows = session.execute(
        sa.select(
            Attachment.id,
            Attachment.shown_name,
            UnifiedMessage.client_id,
            UnifiedMessage.occurred_at,
        )
        .join(UnifiedMessage, UnifiedMessage.id == Attachment.message_id)
        .where(UnifiedMessage.client_id.is_not(None), Attachment.file_key.is_not(None))
        .order_by(Attachment.id)
        .limit(60)
    ).all()
    owner = staff[0]
    for row in rows[::EACH]:
        at = min(now, row.occurred_at + timedelta(hours=2))
        filing = DocumentService(
            session,
            Identity(owner.id, owner.role, "session"),
            replace(runtime, now=partial(_at, at)),
            Actor.of_staff(owner),
        )
        kind = next(
            (kind for begin, kind in KINDS.items() if row.shown_name.startswith(begin)),
            DocumentKind.OTHER,
        )
        filing.file(row.client_id, row.id, FiledForm(kind=kind))


def _at(at: datetime) -> datetime:
    return at
