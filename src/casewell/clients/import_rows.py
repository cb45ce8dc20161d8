"""One row of an import: whom it means, and what became of it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from casewell.clients import changes
from casewell.clients.csv_files import Row
from casewell.clients.forms import ClientDetails, Responsible
from casewell.clients.import_fields import Field, Person, read_person
from casewell.clients.models import Client, ClientEmail, ClientPhone, RowOutcome
from casewell.clients.phones import read_phone
from casewell.clients.queries import WHOLE, clients_visible_to
from casewell.clients.service import ClientService
from casewell.kernel.access import Identity
from casewell.kernel.addresses import normal_form
from casewell.kernel.errors import CasewellError, InvalidInput
from casewell.kernel.forms import parse

LONGEST_REASON = 500


class Existing(StrEnum):
    """What to do with a client who is here already."""

    UPDATE = "update"
    KEEP = "keep"


@dataclass(frozen=True)
class Result:
    outcome: RowOutcome
    client_id: int | None = None
    reason: str = ""


class RowImporter:
    """Takes rows in, one after the other; each stands or falls alone.

    Two runs over the same rows create nothing twice: a row means the client with its id in the
    other program, its reference, or its name together with an e-mail address or a phone number.
    A row that has none of these is remembered by what it says.
    """

    def __init__(
        self,
        session: Session,
        viewer: Identity,
        service: ClientService,
        *,
        import_id: int,
        columns: Sequence[str],
        mapping: Mapping[str, Field],
        existing: Existing,
        staff: Mapping[str, int],
    ) -> None:
        self._session = session
        self._viewer = viewer
        self._service = service
        self._import_id = import_id
        self._columns = columns
        self._mapping = mapping
        self._existing = existing
        self._staff = staff

    def take(self, row: Row) -> Result:
        try:
            with self._session.begin_nested():
                return self._take(row)
        except CasewellError as error:
            return Result(RowOutcome.REFUSED, reason=str(error)[:LONGEST_REASON])
        except IntegrityError:
            reason = "Another client was given the same value at this moment. Import it again."
            return Result(RowOutcome.REFUSED, reason=reason)

    def _take(self, row: Row) -> Result:
        person = read_person(row.cells, self._columns, self._mapping, self._staff)
        client = self._client_meant(person)
        if client is None:
            client = self._service.create(
                person.details, import_id=self._import_id, import_key=_key(person)
            )
            return Result(RowOutcome.CREATED, client.id)
        if self._existing is Existing.KEEP:
            return Result(RowOutcome.UNCHANGED, client.id)
        before = client.updated_at
        self._update(client, person)
        if client.import_key is None and person.key is not None:
            client.import_key = _key(person)
        changed = client.updated_at != before
        return Result(RowOutcome.UPDATED if changed else RowOutcome.UNCHANGED, client.id)

    def _update(self, client: Client, person: Person) -> None:
        """Write what the row says; what it says nothing of stays."""
        new, given = person.details, person.given
        stands = changes.details_of(client)
        said = {name: getattr(new, name) for name in given if name in ClientDetails.model_fields}
        said["emails"] = _joined(stands["emails"], new.emails, normal_form)
        said["phones"] = _joined(stands["phones"], new.phones, lambda text: read_phone(text).e164)
        whole = {name: value for name, value in (stands | said).items() if value is not None}
        self._service.edit(client.id, parse(ClientDetails, whole))
        if "status" in given:
            self._service.change_status(client.id, new.status)
        people: dict[str, Any] = {
            name: getattr(new, name) if name in given else getattr(client, name)
            for name in Responsible.model_fields
        }
        self._service.assign(client.id, Responsible(**people))
        if new.ssn is not None and new.ssn[-4:] != client.ssn_last4:
            self._service.set_ssn(client.id, new.ssn)

    def _client_meant(self, person: Person) -> Client | None:
        """Return the client a row means. Raises InvalidInput where it may mean several."""
        for condition in _conditions(person):
            query = sa.select(Client).where(condition).options(*WHOLE).limit(2)
            found = self._session.scalars(query).unique().all()
            if len(found) > 1:
                raise InvalidInput("Several clients have this name and address or phone")
            if found:
                return self._as_it_stands(found[0])
        return None

    def _as_it_stands(self, client: Client) -> Client:
        """Return the client, or the one it has been merged into since."""
        while client.merged_into_id is not None:
            client = self._session.get_one(Client, client.merged_into_id, options=WHOLE)
        visible = sa.select(Client.id).where(
            Client.id == client.id, clients_visible_to(self._viewer)
        )
        if self._session.scalar(visible) is None:
            raise InvalidInput("This client belongs to somebody else")
        return client


def _conditions(person: Person) -> list[sa.ColumnElement[bool]]:
    """Return what identifies a client, the surest first."""
    found: list[sa.ColumnElement[bool]] = []
    details = person.details
    if person.casewell_id is not None:
        found.append(Client.id == person.casewell_id)
    if person.key is not None or not _can_be_found(person):
        found.append(Client.import_key == _key(person))
    if details.reference is not None:
        found.append(Client.reference == details.reference)
    probe = Client()
    probe.rename(details.first_name, details.last_name)
    same_name = sa.and_(Client.sort_name == probe.sort_name, Client.merged_into_id.is_(None))
    for address in details.emails:
        has = sa.select(ClientEmail.client_id).where(
            ClientEmail.normal_form == normal_form(address)
        )
        found.append(sa.and_(same_name, Client.id.in_(has)))
    for number in details.phones:
        has = sa.select(ClientPhone.client_id).where(ClientPhone.e164 == read_phone(number).e164)
        found.append(sa.and_(same_name, Client.id.in_(has)))
    return found


def _can_be_found(person: Person) -> bool:
    """Whether something other than the row itself says who this is."""
    details = person.details
    return bool(person.key or details.reference or details.emails or details.phones)


def _key(person: Person) -> str | None:
    """Return what is kept to know this client again in a later run."""
    if person.key is not None:
        return f"id:{person.key}"
    if _can_be_found(person):
        return None
    said = person.details.model_dump_json(
        include={"first_name", "last_name", "date_of_birth", "street", "postal_code"}
    )
    return f"row:{hashlib.sha256(said.encode()).hexdigest()}"


def _joined(stands: Sequence[str], new: Sequence[str], form: Any) -> list[str]:
    """Return what stands and, after it, what is new."""
    known = {form(one) for one in stands}
    return [*stands, *(one for one in new if form(one) not in known)]
