"""Reading tags."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from casewell.clients.models import Client, folded
from casewell.clients.queries import clients_visible_to
from casewell.clients.tagging import MOST_OFFERED, Match, ShownTag
from casewell.kernel.access import MANAGERS, Identity
from casewell.kernel.db import LARGEST_ID, Base
from casewell.kernel.errors import NotFound
from casewell.staff.models import Staff
from casewell.tags.models import ClientTag, ClientTagAssignment

_given = Base.metadata.tables[ClientTagAssignment.__tablename__].c
_tags = Base.metadata.tables[ClientTag.__tablename__].c


def name_key(name: str) -> str:
    """Return a name as names are compared."""
    return folded(name)


def find_tag(session: Session, tag_id: int) -> ClientTag:
    """Return a tag. Raises NotFound."""
    found = session.get(ClientTag, tag_id) if tag_id <= LARGEST_ID else None
    if found is None:
        raise NotFound
    return found


def tag_named(session: Session, name: str) -> ClientTag | None:
    """Return the tag of that name, whatever its case."""
    return session.scalar(sa.select(ClientTag).where(ClientTag.name_key == name_key(name)))


@dataclass(frozen=True)
class TagLine:
    """A tag with how many clients have it, of those that the viewer may see."""

    id: int
    name: str
    colour: str
    description: str
    maker: str | None
    created_at: datetime
    clients: int
    last_used_at: datetime | None


def tag_lines(
    session: Session, viewer: Identity, tag_ids: Sequence[int] | None = None
) -> list[TagLine]:
    """Return tags by name with their use, in one statement; None: all of them."""
    used = (
        sa.select(
            ClientTagAssignment.tag_id,
            sa.func.count().label("clients"),
            sa.func.max(ClientTagAssignment.assigned_at).label("last_used_at"),
        )
        .join(Client, Client.id == ClientTagAssignment.client_id)
        .where(clients_visible_to(viewer))
        .group_by(ClientTagAssignment.tag_id)
    )
    if tag_ids is not None:
        used = used.where(ClientTagAssignment.tag_id.in_(tag_ids))
    use = used.subquery()
    query = (
        sa.select(
            ClientTag.id,
            ClientTag.name,
            ClientTag.colour,
            ClientTag.description,
            Staff.name.label("maker"),
            ClientTag.created_at,
            sa.func.coalesce(use.c.clients, 0).label("clients"),
            use.c.last_used_at,
        )
        .outerjoin(use, use.c.tag_id == ClientTag.id)
        .outerjoin(Staff, Staff.id == ClientTag.made_by_id)
        .order_by(ClientTag.name_key)
    )
    if tag_ids is not None:
        query = query.where(ClientTag.id.in_(tag_ids))
    return [TagLine(**row._mapping) for row in session.execute(query)]


def named(session: Session, tag_ids: Sequence[int]) -> list[str]:
    """Return the names of tags, in the order of their numbers. Raises NotFound for one absent."""
    rows = session.execute(
        sa.select(ClientTag.id, ClientTag.name).where(ClientTag.id.in_(tag_ids))
    ).all()
    names = {row.id: row.name for row in rows}
    if set(tag_ids) - set(names):
        raise NotFound
    return [names[one] for one in sorted(set(tag_ids))]


def shares(session: Session, client_ids: sa.Select[Any]) -> dict[int, int]:
    """Return for each tag how many of some clients have it; those that none has are absent."""
    rows = session.execute(
        sa.select(_given.tag_id, sa.func.count())
        .where(_given.client_id.in_(client_ids))
        .group_by(_given.tag_id)
    )
    return {row[0]: row[1] for row in rows}


class ClientTags:
    """What the pages of clients ask: see `clients.tagging`."""

    def offered(
        self, session: Session, words: str = "", chosen: Sequence[int] = ()
    ) -> list[ShownTag]:
        matching = _tags.name_key.contains(name_key(words), autoescape=True)
        is_chosen = _tags.id.in_(chosen)
        query = (
            sa.select(_tags.id, _tags.name, _tags.colour)
            .where(sa.or_(is_chosen, matching))
            .order_by(sa.case((is_chosen, 0), else_=1), _tags.name_key)
            .limit(MOST_OFFERED + len(chosen))
        )
        return [ShownTag(*row) for row in session.execute(query)]

    def tags_of(
        self, session: Session, client_ids: Sequence[int]
    ) -> Mapping[int, Sequence[ShownTag]]:
        if not client_ids:
            return {}
        query = (
            sa.select(_given.client_id, _tags.id, _tags.name, _tags.colour)
            .join_from(ClientTagAssignment, ClientTag, _tags.id == _given.tag_id)
            .where(_given.client_id.in_(client_ids))
            .order_by(_tags.name_key)
        )
        found: dict[int, list[ShownTag]] = {}
        for client_id, *tag in session.execute(query):
            found.setdefault(client_id, []).append(ShownTag(*tag))
        return found

    def having(self, tag_ids: Sequence[int], match: Match) -> ColumnElement[bool]:
        wanted = sorted(set(tag_ids))
        if match is Match.ALL:
            return sa.and_(*(Client.id.in_(_with([one])) for one in wanted))
        found = Client.id.in_(_with(wanted))
        return found if match is Match.ANY else sa.not_(found)


def _with(tag_ids: Sequence[int]) -> sa.Select[Any]:
    return sa.select(_given.client_id).where(_given.tag_id.in_(tag_ids))


def may_manage(viewer: Identity) -> bool:
    return viewer.role in MANAGERS.roles
