"""Clients who sign in: accounts, browsers, the links that let them in, and what is written."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from casewell.clients.models import Client
from casewell.kernel.db import Base, PrimaryKey
from casewell.messages.models import UnifiedMessage


class ClientAccount(Base):
    """A client's sign-in, one at most for each. It shares nothing with the accounts of staff."""

    __tablename__ = "client_accounts"

    id: Mapped[PrimaryKey]
    client_id: Mapped[int] = mapped_column(
        sa.ForeignKey("clients.id", ondelete="CASCADE"), unique=True
    )
    # The normal form by which they sign in, and where their links go.
    email: Mapped[str] = mapped_column(sa.String(254), unique=True)
    password_hash: Mapped[str | None] = mapped_column(sa.String(256))
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    last_sign_in_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime | None]
    # Since a mail told of something unread; nothing more is told until they have looked.
    notified_at: Mapped[datetime | None]
    # The client it belonged to before a merge, so that undoing the merge can give it back.
    moved_from_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("clients.id", ondelete="SET NULL"), index=True
    )

    client: Mapped[Client] = relationship(foreign_keys=[client_id], lazy="raise_on_sql")

    @property
    def is_enabled(self) -> bool:
        return self.disabled_at is None


class ClientSession(Base):
    """A browser in which a client is signed in. The cookie holds a random token, this its hash."""

    __tablename__ = "client_sessions"

    id: Mapped[PrimaryKey]
    account_id: Mapped[int] = mapped_column(
        sa.ForeignKey("client_accounts.id", ondelete="CASCADE"), index=True
    )
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]


class ClientLinkKind(StrEnum):
    INVITATION = "invitation"
    SIGN_IN = "sign_in"


class ClientLink(Base):
    """A link that signs a client in once; only its hash is kept."""

    __tablename__ = "client_links"

    id: Mapped[PrimaryKey]
    account_id: Mapped[int] = mapped_column(
        sa.ForeignKey("client_accounts.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[ClientLinkKind]
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ClientMessage(UnifiedMessage):
    """A message that was written in the portal, by the client or to them."""

    __tablename__ = "client_messages"

    id: Mapped[int] = mapped_column(
        sa.ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True
    )
    __mapper_args__ = {
        "polymorphic_identity": "portal",
        "inherit_condition": id == UnifiedMessage.id,
    }
    # By which the portal names it: nothing outside the firm sees a number.
    public_id: Mapped[str] = mapped_column(sa.String(43), unique=True)
    # When the other side had it before them: the client, or the first of the staff.
    seen_at: Mapped[datetime | None]


class PublishedEvent(Base):
    """An entry of the ledger that staff let its client read in the portal; without one, none is."""

    __tablename__ = "published_events"

    event_id: Mapped[int] = mapped_column(
        sa.ForeignKey("activity_events.id", ondelete="CASCADE"), primary_key=True
    )
    client_id: Mapped[int] = mapped_column(
        sa.ForeignKey("clients.id", ondelete="CASCADE"), index=True
    )
    published_at: Mapped[datetime]
