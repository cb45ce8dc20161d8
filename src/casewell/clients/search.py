"""Finding clients by what staff have at hand: a name, a number of the file, an address, a phone."""

import re

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.elements import ColumnElement

from casewell.clients.models import Client, ClientEmail, ClientPhone, folded
from casewell.kernel.addresses import normal_form
from casewell.kernel.search import matches

LONGEST_QUERY = 200
FEWEST_DIGITS = 4
LAST_CHARACTER = "\U0010ffff"


def matching(session: Session, query: str) -> ColumnElement[bool]:
    """Return a condition on `Client`: every word begins a name, or the whole is something else.

    That is the beginning of a reference or of an e-mail address, or a part of a phone number.
    """
    query = query.strip()[:LONGEST_QUERY]
    digits = re.sub(r"\D", "", query)
    found: list[sa.Select[int]] = []
    table = sa.Table("clients", Client.metadata)
    if (named := matches(session, table, ("sort_name",), folded(query))) is not None:
        found.append(sa.select(Client.id).where(named))
    if query:
        begins = (_begins(session, Client.reference, text) for text in {query, query.upper()})
        found.append(sa.select(Client.id).where(sa.or_(*begins)))
        address = _begins(session, ClientEmail.normal_form, normal_form(query))
        found.append(sa.select(ClientEmail.client_id).where(address))
    if len(digits) >= FEWEST_DIGITS:
        number = ClientPhone.e164.like(f"%{digits}%")
        found.append(sa.select(ClientPhone.client_id).where(number))
    return Client.id.in_(sa.union(*found)) if found else sa.false()


def _begins(
    session: Session,
    column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None],
    text: str,
) -> ColumnElement[bool]:
    """Return a condition that the column's index answers on either database."""
    if session.get_bind().dialect.name == "sqlite":
        return sa.and_(column >= text, column < text + LAST_CHARACTER)
    return column.startswith(text, autoescape=True)
