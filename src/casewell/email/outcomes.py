"""What became of a mail that arrived."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.email.models import InboundMail, InboundState
from casewell.kernel.db import Base

_mails = Base.metadata.tables[InboundMail.__tablename__]
_END = (
    sa.update(_mails)
    .where(_mails.c.id == sa.bindparam("its_id"))
    .values(
        state=sa.bindparam("ended"),
        reason=sa.bindparam("why"),
        message_id=sa.bindparam("became"),
        due_at=None,
        lease_until=None,
    )
)


def end(
    session: Session,
    inbound_id: int,
    state: InboundState,
    reason: str = "",
    message_id: int | None = None,
) -> None:
    """Write down how taking a mail in ended, and why where that isn't plain."""
    session.execute(
        _END,
        {"its_id": inbound_id, "ended": state, "why": reason[:500], "became": message_id},
    )
