"""The list of clients: which, in what order, and what it shows of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, Self
from urllib.parse import parse_qsl

import sqlalchemy as sa
from pydantic import Field, model_validator
from sqlalchemy.orm import Session, aliased
from werkzeug.datastructures import MultiDict

from casewell.clients.forms import RowId
from casewell.clients.models import Client, ClientEmail, ClientPhone, ClientStatus
from casewell.clients.queries import clients_visible_to, responsible_is
from casewell.clients.search import LONGEST_QUERY, matching
from casewell.clients.states import state_code
from casewell.clients.tagging import Match, ShownTag, tagging
from casewell.kernel.access import Identity
from casewell.kernel.errors import InvalidInput, MalformedRequest
from casewell.kernel.forms import Query, Text, parse
from casewell.kernel.paging import Page, keyset_page
from casewell.kernel.searched import read_words
from casewell.staff.models import Staff

PAGE = 50
COUNTED = 1_000
MOST_CHOSEN = 20
MOST_PARAMETERS = 50


class Sort(StrEnum):
    NAME = "name"
    NEWEST = "newest"
    OLDEST = "oldest"
    STATUS = "status"


class Wanted(Query):
    """Which clients, in which order; the parameters of the list's address."""

    view: Literal["mine", "all"] = "all"
    status: ClientStatus | None = None
    responsible: RowId | None = None
    state: str | None = Field(None, max_length=2, pattern="^[A-Za-z]{2}$")
    q: Text = Field("", max_length=LONGEST_QUERY)
    tag: list[RowId] = Field(default_factory=list, max_length=MOST_CHOSEN)
    tags: Match = Match.ANY
    sort: Sort = Sort.NAME

    @model_validator(mode="after")
    def _match_something(self) -> Self:
        if not self.tag:
            self.tags = Match.ANY  # it says nothing then
        return self


def wanted_by(arguments: MultiDict[str, str]) -> Wanted:
    """Return what the address asks for; a private query stands in it encrypted."""
    wanted = parse(Wanted, arguments)
    if "s" in arguments:
        wanted.q = read_words(arguments, most=LONGEST_QUERY)
    return wanted


def wanted_at(address: str) -> Wanted:
    """Return what a list's own address asks for, or the part of it behind the question mark.

    Raises MalformedRequest for what is no address of the list.
    """
    try:
        pairs = parse_qsl(address.rpartition("?")[2], max_num_fields=MOST_PARAMETERS)
        return wanted_by(MultiDict(pairs))
    except (ValueError, InvalidInput) as error:
        raise MalformedRequest("This is not an address of the list of clients.") from error


@dataclass(frozen=True)
class ListedClient:
    """One row of the list."""

    id: int
    name: str
    reference: str | None
    status: ClientStatus
    state: str
    responsible_id: int | None
    responsible: str | None
    email: str | None
    phone: str | None
    created_at: Any
    tags: Sequence[ShownTag]


main = aliased(Staff)
_COLUMNS: list[Any] = [
    Client.id,
    Client.first_name,
    Client.last_name,
    Client.sort_name,
    Client.reference,
    Client.status,
    Client.state,
    Client.created_at,
    Client.updated_at,
    Client.main_responsible_id,
    main.name.label("responsible"),
]
ORDER = {
    Sort.NAME: ((Client.sort_name, Client.id), True),
    Sort.NEWEST: ((Client.created_at, Client.id), False),
    Sort.OLDEST: ((Client.created_at, Client.id), True),
    Sort.STATUS: ((Client.status, Client.sort_name, Client.id), True),
}


def chosen(session: Session, viewer: Identity, wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    """Return the conditions on `Client` that the viewer's rights and wishes make."""
    found = [clients_visible_to(viewer)]
    if wanted.view == "mine":
        found.append(responsible_is(viewer.staff_id))
    if wanted.status is not None:
        found.append(Client.status == wanted.status)
    if wanted.responsible is not None:
        found.append(responsible_is(wanted.responsible))
    if wanted.state is not None:
        found.append(Client.state == (state_code(wanted.state) or wanted.state))
    if wanted.tag:
        found.append(tagging().having(wanted.tag, wanted.tags))
    if wanted.q:
        found.append(matching(session, wanted.q))
    return found


def list_clients(
    session: Session,
    viewer: Identity,
    wanted: Wanted,
    *,
    after: str | None = None,
    size: int = PAGE,
) -> Page[ListedClient]:
    """Return one page of the list, in four statements whatever its size. Raises BadCursor."""
    query = (
        sa.select(*_COLUMNS)
        .outerjoin(main, main.id == Client.main_responsible_id)
        .where(*chosen(session, viewer, wanted))
    )
    keys, ascending = ORDER[wanted.sort]
    page = keyset_page(session, query, by=keys, after=after, size=size, ascending=ascending)
    ids = [row.id for row in page.items]
    emails = first_of(
        session, ClientEmail.client_id, ClientEmail.address, ClientEmail.position, ids
    )
    phones = first_of(session, ClientPhone.client_id, ClientPhone.e164, ClientPhone.position, ids)
    tags = tagging().tags_of(session, ids)
    return Page(
        [
            ListedClient(
                id=row.id,
                name=f"{row.first_name} {row.last_name}".strip(),
                reference=row.reference,
                status=row.status,
                state=row.state,
                responsible_id=row.main_responsible_id,
                responsible=row.responsible,
                email=emails.get(row.id),
                phone=phones.get(row.id),
                created_at=row.created_at,
                tags=tags.get(row.id, ()),
            )
            for row in page.items
        ],
        page.next,
    )


def count_clients(session: Session, viewer: Identity, wanted: Wanted) -> int:
    """Return how many clients the list holds; it stops counting just past `COUNTED`."""
    some = sa.select(Client.id).where(*chosen(session, viewer, wanted)).limit(COUNTED + 1)
    return session.scalar(sa.select(sa.func.count()).select_from(some.subquery())) or 0


def first_of(
    session: Session, owner: Any, value: Any, position: Any, client_ids: Sequence[int]
) -> dict[int, str]:
    """Return the first e-mail address, or phone number, of each of these clients."""
    if not client_ids:
        return {}
    # The first comes last: of several with one owner a dict keeps the last.
    query = sa.select(owner, value).where(owner.in_(client_ids)).order_by(owner, position.desc())
    return dict(iter(session.execute(query)))
