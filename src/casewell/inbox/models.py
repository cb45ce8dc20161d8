"""What the inbox alone keeps: who has which conversation open just now."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from casewell.kernel.db import Base


class Presence(Base):
    """Somebody who has a conversation open. Stale rows mean nothing and are swept."""

    __tablename__ = "presences"
    __table_args__ = (sa.Index(None, "seen_at"),)

    client_id: Mapped[int] = mapped_column(
        sa.ForeignKey("clients.id", ondelete="CASCADE"), primary_key=True
    )
    staff_id: Mapped[int] = mapped_column(
        sa.ForeignKey("staff.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    seen_at: Mapped[datetime]
    typed_at: Mapped[datetime | None]
