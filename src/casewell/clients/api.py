"""Clients over the API."""

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, Field

from casewell.clients import changes
from casewell.clients.duplicates import duplicates_of
from casewell.clients.forms import (
    SSN,
    BirthDate,
    ClientDetails,
    EmailAddress,
    Language,
    Name,
    NewClient,
    PhoneNumber,
    PostalCode,
    Reference,
    Responsible,
    RowId,
    State,
    Street,
    TimeZone,
)
from casewell.clients.listing import Wanted, list_clients
from casewell.clients.models import Client, ClientStatus, PreferredChannel
from casewell.clients.queries import WHOLE, find_client
from casewell.clients.service import ClientService
from casewell.kernel import web
from casewell.kernel.api import Api
from casewell.kernel.forms import Form, parse
from casewell.staff.current import current_actor

api = Api("clients", "/clients", tag="Clients")


class ListQuery(Wanted):
    """`tag` may stand several times; `tags` says whether a client has any, all or none of them.

    `cursor` is the `next` of the page before; `limit` is at most 200.
    """

    cursor: str | None = Field(None, max_length=1000)
    limit: int = Field(50, ge=1, le=200)


class TagOfClient(BaseModel):
    id: int
    name: str
    colour: str


class ClientLine(BaseModel):
    """A client as lists show it."""

    id: int
    name: str
    reference: str | None
    status: ClientStatus
    state: str
    email: str | None
    phone: str | None
    responsible_id: int | None
    responsible: str | None
    created_at: datetime
    tags: list[TagOfClient]


class ClientList(BaseModel):
    items: list[ClientLine]
    next: str | None


class EmailOut(BaseModel):
    address: str
    label: str
    bounced_at: datetime | None


class PhoneOut(BaseModel):
    e164: str
    as_typed: str
    label: str


class ClientOut(BaseModel):
    """A client. The SSN is never here, only its last four digits."""

    id: int
    first_name: str
    last_name: str
    name: str
    reference: str | None
    status: ClientStatus
    emails: list[EmailOut]
    phones: list[PhoneOut]
    street: str
    city: str
    state: str
    postal_code: str
    time_zone: str | None
    language: str
    preferred_channel: PreferredChannel | None
    date_of_birth: date | None
    ssn_last4: str | None
    main_responsible_id: int | None
    second_responsible_id: int | None
    created_at: datetime
    updated_at: datetime


class ChangedClient(Form):
    """What to change; a field that is left out stays, null empties it.

    `updated_at`, where given, must be the client's: otherwise somebody changed it meanwhile, and
    the answer is 409.
    """

    first_name: Name | None = None
    last_name: Name | None = None
    reference: Reference | None = None
    emails: list[EmailAddress] | None = None
    phones: list[PhoneNumber] | None = None
    street: Street | None = None
    city: Name | None = None
    state: State | None = None
    postal_code: PostalCode | None = None
    time_zone: TimeZone | None = None
    language: Language | None = None
    preferred_channel: PreferredChannel | None = None
    date_of_birth: BirthDate | None = None
    status: ClientStatus | None = None
    main_responsible_id: RowId | None = None
    second_responsible_id: RowId | None = None
    ssn: SSN | None = None
    updated_at: datetime | None = None


class LikenessOut(BaseModel):
    id: int
    name: str
    reference: str | None
    status: ClientStatus
    same: list[str]


class LikenessList(BaseModel):
    items: list[LikenessOut]


@api.get("", answers=ClientList, query=ListQuery, summary="List clients")
def list_all(query: ListQuery) -> dict[str, Any]:
    """The clients you may see, one page at a time."""
    page = list_clients(web.db(), web.identity(), query, after=query.cursor, size=query.limit)
    lines = [{**vars(one), "tags": [vars(tag) for tag in one.tags]} for one in page.items]
    return {"items": lines, "next": page.next}


@api.post("", answers=ClientOut, body=NewClient, status=201, errors=(409,), summary="Add a client")
def create(body: NewClient) -> ClientOut:
    """Give a first or a last name; everything else may come later."""
    return _out(_service().create(body))


@api.get("/<int:client_id>", answers=ClientOut, summary="Read a client")
def show(client_id: int) -> ClientOut:
    return _out(find_client(web.db(), web.identity(), client_id, *WHOLE))


@api.patch(
    "/<int:client_id>",
    answers=ClientOut,
    body=ChangedClient,
    errors=(409,),
    summary="Change a client",
)
def change(client_id: int, body: ChangedClient) -> ClientOut:
    """Change single fields, atomically."""
    client = find_client(web.db(), web.identity(), client_id, *WHOLE)
    given = body.model_dump(exclude_unset=True)
    details = {name: value for name, value in given.items() if name in ClientDetails.model_fields}
    service = _service()
    if details or body.updated_at is not None:
        whole = changes.details_of(client) | details
        filled = {name: value for name, value in whole.items() if value is not None}
        service.edit(client_id, parse(ClientDetails, filled), version=body.updated_at)
    if body.status is not None:
        service.change_status(client_id, body.status)
    if "ssn" in given:
        service.set_ssn(client_id, body.ssn)
    if "main_responsible_id" in given or "second_responsible_id" in given:
        people = {
            "main_responsible_id": client.main_responsible_id,
            "second_responsible_id": client.second_responsible_id,
        }
        people |= {name: given[name] for name in people if name in given}
        service.assign(client_id, Responsible(**people))
    return _out(client)


@api.get(
    "/<int:client_id>/duplicates",
    answers=LikenessList,
    summary="Find clients that may be the same person",
)
def duplicates(client_id: int) -> dict[str, Any]:
    """Those with the same name, e-mail address or phone number."""
    client = find_client(web.db(), web.identity(), client_id, *WHOLE)
    return {"items": [vars(one) for one in duplicates_of(web.db(), web.identity(), client)]}


def _service() -> ClientService:
    return ClientService(web.db(), web.identity(), current_actor(), web.now)


def _out(client: Client) -> ClientOut:
    plain = {
        name: getattr(client, name) for name in ClientOut.model_fields if hasattr(client, name)
    }
    plain["emails"] = [
        EmailOut(address=one.address, label=one.label, bounced_at=one.bounced_at)
        for one in client.emails
    ]
    plain["phones"] = [
        PhoneOut(e164=one.e164, as_typed=one.as_typed, label=one.label) for one in client.phones
    ]
    return ClientOut(**plain)
