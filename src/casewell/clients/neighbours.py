"""The clients before and after one in the list that somebody came from."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients.listing import ORDER, Wanted, chosen
from casewell.clients.models import Client
from casewell.kernel.access import Identity

MOST_COUNTED = 1_000


@dataclass(frozen=True)
class Neighbours:
    """Who stands before and after, None at an end of the list; and "3 of 41".

    The place is empty for a client who left the list meanwhile, and beyond a thousand, which is
    as far as anybody counts along.
    """

    before: int | None
    after: int | None
    place: str


def neighbours_of(session: Session, viewer: Identity, wanted: Wanted, client: Client) -> Neighbours:
    """Return who stands before and after a client in a list, also if they left it meanwhile."""
    keys, ascending = ORDER[wanted.sort]
    here = sa.tuple_(*(sa.literal(getattr(client, key.key), key.type) for key in keys))
    place = sa.tuple_(*keys)
    conditions = chosen(session, viewer, wanted)

    def nearest(rising: bool) -> int | None:
        order: list[Any] = [key.asc() if rising else key.desc() for key in keys]
        query = (
            sa.select(Client.id)
            .where(*conditions, place > here if rising else place < here)
            .order_by(*order)
            .limit(1)
        )
        return session.scalar(query)

    def number(*more: sa.ColumnElement[bool]) -> Any:
        some = sa.select(Client.id).where(*conditions, *more).limit(MOST_COUNTED + 1).subquery()
        return sa.select(sa.func.count()).select_from(some).scalar_subquery()

    up_to_here = number(place <= here if ascending else place >= here)
    at, all_of_them, is_there = session.execute(
        sa.select(up_to_here, number(), number(Client.id == client.id))
    ).one()
    return Neighbours(
        before=nearest(not ascending),
        after=nearest(ascending),
        place=_place(at, all_of_them) if is_there and at <= MOST_COUNTED else "",
    )


def _place(at: int, all_of_them: int) -> str:
    known = f"{all_of_them:,}" if all_of_them <= MOST_COUNTED else f"{MOST_COUNTED:,}+"
    return f"{at:,} of {known}"
