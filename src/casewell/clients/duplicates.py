"""Clients that may be the same person: the same address, number or name."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients.models import Client, ClientEmail, ClientPhone, ClientStatus
from casewell.clients.queries import clients_visible_to
from casewell.kernel.access import Identity

MOST = 10


@dataclass(frozen=True)
class Likeness:
    """A client, and what it has in common with another."""

    id: int
    name: str
    reference: str | None
    status: ClientStatus
    same: Sequence[str]


def clients_like(
    session: Session,
    viewer: Identity,
    *,
    sort_name: str,
    emails: Iterable[str],
    phones: Iterable[str],
    apart_from: int = 0,
) -> list[Likeness]:
    """Return visible clients that share a name, an address (normal form) or a number (E.164).

    Those with most in common come first, at most ten.
    """
    shared: list[sa.Select[int, str]] = [
        sa.select(Client.id, sa.literal("name")).where(Client.sort_name == sort_name)
    ]
    if emails := list(emails):
        shared.append(
            sa.select(ClientEmail.client_id, sa.literal("email")).where(
                ClientEmail.normal_form.in_(emails)
            )
        )
    if phones := list(phones):
        shared.append(
            sa.select(ClientPhone.client_id, sa.literal("phone")).where(
                ClientPhone.e164.in_(phones)
            )
        )
    same = sa.union(*shared).subquery()
    query = (
        sa.select(
            Client.id,
            Client.first_name,
            Client.last_name,
            Client.reference,
            Client.status,
            same.c[1].label("same"),
        )
        .join(same, same.c[0] == Client.id)
        .where(clients_visible_to(viewer), Client.id != apart_from)
        .order_by(Client.id)
        .limit(MOST * 3)
    )
    reasons: dict[int, list[str]] = defaultdict(list)
    rows = session.execute(query).all()
    for row in rows:
        reasons[row.id].append(row.same)
    found = {
        row.id: Likeness(
            row.id,
            f"{row.first_name} {row.last_name}".strip(),
            row.reference,
            row.status,
            sorted(reasons[row.id]),
        )
        for row in rows
    }
    return sorted(found.values(), key=lambda one: (-len(one.same), one.id))[:MOST]


def duplicates_of(session: Session, viewer: Identity, client: Client) -> list[Likeness]:
    """Return clients that may be the same person as one that is loaded whole."""
    return clients_like(
        session,
        viewer,
        sort_name=client.sort_name,
        emails=[email.normal_form for email in client.emails],
        phones=[phone.e164 for phone in client.phones],
        apart_from=client.id,
    )
