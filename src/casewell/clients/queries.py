"""Who may see which client, and finding clients. Every other package asks here."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload
from sqlalchemy.orm.interfaces import ORMOption
from sqlalchemy.sql.elements import ColumnElement

from casewell.clients.models import Client, ClientEmail, ClientPhone
from casewell.clients.search import matching
from casewell.kernel.access import Identity, Role
from casewell.kernel.db import LARGEST_ID, BigId
from casewell.kernel.errors import NotFound
from casewell.staff.models import Staff

_columns = Client.__table__.c  # plain ones: a list over columns alone stays without the ORM
_BOTH = (_columns.main_responsible_id, _columns.second_responsible_id)
# Whoever looks, in a statement made once: it refuses to run without {"viewer": their id}.
VIEWER: sa.BindParameter[int] = sa.bindparam("viewer", type_=BigId)
WHOLE: tuple[ORMOption, ...] = (
    selectinload(Client.emails),
    selectinload(Client.phones),
    joinedload(Client.main_responsible),
    joinedload(Client.second_responsible),
)
"""Loads a client with everything its page shows."""


def clients_visible_to(viewer: Identity) -> ColumnElement[bool]:
    """Return the one access filter, a condition on `Client`. Merged clients are never visible."""
    return _visible(viewer.role, responsible_is(viewer.staff_id))


def clients_visible_as(role: Role) -> ColumnElement[bool]:
    """Return the same filter for a statement that is made once; whose it is, `VIEWER` says.

    It is for what is walked in an order of its own, such as an inbox: no index serves it, so a
    database can't gather all of somebody's clients first to show the newest few.
    """
    return _visible(role, sa.or_(*(sa.func.coalesce(one == VIEWER, sa.false()) for one in _BOTH)))


def _visible(role: Role, is_theirs: ColumnElement[bool]) -> ColumnElement[bool]:
    present = _columns.merged_into_id.is_(None)
    return present if role is not Role.CASE_MANAGER else sa.and_(present, is_theirs)


def responsible_is(staff_id: int) -> ColumnElement[bool]:
    """Return a condition on `Client`: that person is its main or second responsible."""
    return sa.or_(*(one == staff_id for one in _BOTH))


def sees_client(client_id: int) -> ColumnElement[bool]:
    """Return the same filter from the other side, a condition on `Staff`: active, and may see the
    client."""
    responsible = (
        sa.exists()
        .where(
            Client.id == client_id,
            sa.or_(
                Client.main_responsible_id == Staff.id, Client.second_responsible_id == Staff.id
            ),
        )
        .correlate(Staff)
    )
    return sa.and_(
        Staff.deactivated_at.is_(None), sa.or_(Staff.role != Role.CASE_MANAGER, responsible)
    )


def find_client(session: Session, viewer: Identity, client_id: int, *options: ORMOption) -> Client:
    """Return a client the viewer may see. Raises NotFound, whether it is absent or not theirs."""
    if client_id > LARGEST_ID:
        raise NotFound
    query = sa.select(Client).where(Client.id == client_id, clients_visible_to(viewer))
    found = session.scalars(query.options(*options)).one_or_none()
    if found is None:
        raise NotFound
    return found


def clients_with_email(session: Session, normal_form: str) -> list[int]:
    """Return the ids of the clients that have this address, in its normal form."""
    query = (
        sa.select(Client.id)
        .join(ClientEmail, ClientEmail.client_id == Client.id)
        .where(ClientEmail.normal_form == normal_form, Client.merged_into_id.is_(None))
        .order_by(Client.id)
    )
    return list(session.scalars(query))


def clients_with_phone(session: Session, e164: str) -> list[int]:
    """Return the ids of the clients that have this number."""
    query = (
        sa.select(Client.id)
        .join(ClientPhone, ClientPhone.client_id == Client.id)
        .where(ClientPhone.e164 == e164, Client.merged_into_id.is_(None))
        .order_by(Client.id)
    )
    return list(session.scalars(query))


def clients_named(
    session: Session, viewer: Identity, query: str, most: int = 8
) -> Sequence[sa.Row[Any]]:
    """Return (id, name, reference) of visible clients that a query finds, by name."""
    name = sa.func.trim(Client.first_name + " " + Client.last_name).label("name")
    found = (
        sa.select(Client.id, name, Client.reference)
        .where(clients_visible_to(viewer), matching(session, query))
        .order_by(Client.sort_name, Client.id)
        .limit(most)
    )
    return session.execute(found).all()


def possible_responsible(session: Session) -> Sequence[sa.Row[int, str]]:
    """Return (id, name) of everyone who may be responsible for a client, by name."""
    query = (
        sa.select(Staff.id, Staff.name)
        .where(Staff.deactivated_at.is_(None), Staff.role != Role.VIEWER)
        .order_by(Staff.name, Staff.id)
    )
    return session.execute(query).all()
