"""The clients before and after one in the list that somebody came from."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients.listing import ORDER, Wanted, chosen
from casewell.clients.models import Client
from casewell.kernel.access import Identity


@dataclass(frozen=True)
class Neighbours:
    """Ids; None at an end of the list."""

    before: int | None
    after: int | None


def neighbours_of(session: Session, viewer: Identity, wanted: Wanted, client: Client) -> Neighbours:
    """Return who stands before and after a client in a list, also if they left it meanwhile."""
    keys, ascending = ORDER[wanted.sort]
    here = sa.tuple_(*(sa.literal(getattr(client, key.key), key.type) for key in keys))
    conditions = chosen(session, viewer, wanted)

    def nearest(rising: bool) -> int | None:
        place = sa.tuple_(*keys)
        order: list[Any] = [key.asc() if rising else key.desc() for key in keys]
        query = (
            sa.select(Client.id)
            .where(*conditions, place > here if rising else place < here)
            .order_by(*order)
            .limit(1)
        )
        return session.scalar(query)

    return Neighbours(before=nearest(not ascending), after=nearest(ascending))
