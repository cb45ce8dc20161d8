"""How far somebody has looked through a client's timeline."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from casewell.kernel.db import Base


class TimelineMark(Base):
    """Up to which entry of a client's ledger a person has seen it, and when."""

    __tablename__ = "timeline_marks"

    staff_id: Mapped[int] = mapped_column(
        sa.ForeignKey("staff.id", ondelete="CASCADE"), primary_key=True
    )
    client_id: Mapped[int] = mapped_column(
        sa.ForeignKey("clients.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    seq: Mapped[int]
    seen_at: Mapped[datetime]
