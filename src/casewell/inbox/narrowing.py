"""What the API asks of a list of conversations beyond the page's own lists."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Select

from casewell.inbox import queries
from casewell.inbox.queries import ConversationList, Keys, talks
from casewell.kernel.access import Role
from casewell.kernel.db import BigId
from casewell.kernel.types import UTCDateTime
from casewell.tags.models import ClientTagAssignment

given = ClientTagAssignment.__table__
Assigned = Literal["to_anyone", "to_one", "to_nobody"]


@dataclass(frozen=True)
class Narrowing:
    """One client, one assignee (0: nobody), what happened since, clients with a tag; None: not."""

    client_id: int | None = None
    assignee_id: int | None = None
    since: datetime | None = None
    tag_id: int | None = None

    @property
    def assigned(self) -> Assigned:
        if self.assignee_id is None:
            return "to_anyone"
        return "to_one" if self.assignee_id else "to_nobody"

    @property
    def values(self) -> dict[str, Any]:
        """Return what a narrowed statement is run with, beside the list's own values."""
        given = {
            "client": self.client_id,
            "assignee": self.assignee_id,
            "since": self.since,
            "tag": self.tag_id,
        }
        return {name: value for name, value in given.items() if value}

    def of(self, role: Role, wanted: ConversationList) -> tuple[Select[Any], Keys]:
        return _narrowed(
            role,
            wanted,
            self.client_id is not None,
            self.assigned,
            self.since is not None,
            self.tag_id is not None,
        )


@cache
def _narrowed(
    role: Role,
    wanted: ConversationList,
    one_client: bool,
    assigned: Assigned,
    since: bool,
    tagged: bool,
) -> tuple[Select[Any], Keys]:
    query, keys = queries.conversations(role, wanted)
    if one_client:
        query = query.where(talks.c.client_id == queries.ONE_CLIENT)
    if assigned == "to_one":
        query = query.where(talks.c.assignee_id == sa.bindparam("assignee", type_=BigId))
    elif assigned == "to_nobody":
        query = query.where(talks.c.assignee_id.is_(None))
    if since:
        query = query.where(keys[0] >= sa.bindparam("since", type_=UTCDateTime()))
    if tagged:
        having = sa.select(given.c.client_id).where(given.c.tag_id == sa.bindparam("tag"))
        query = query.where(talks.c.client_id.in_(having))
    return query, keys
