"""Putting one client's file into another's, so that it can be taken apart again."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients.models import Client, ClientEmail, ClientPhone

# What the kept client takes over where it has nothing itself, and what nothing is.
FILLED: dict[str, Any] = {
    "street": "",
    "city": "",
    "state": "",
    "postal_code": "",
    "time_zone": None,
    "preferred_channel": None,
    "date_of_birth": None,
    "ssn": None,
    "ssn_last4": None,
    "main_responsible_id": None,
}


def join(session: Session, kept: Client, merged: Client) -> dict[str, Any]:
    """Move the merged client's addresses and numbers over; return what is needed to undo it.

    Both must be loaded with their addresses and numbers. One that both have stays where it is.
    """
    has = {email.normal_form for email in kept.emails}
    emails = [email.id for email in merged.emails if email.normal_form not in has]
    numbers = {phone.e164 for phone in kept.phones}
    phones = [phone.id for phone in merged.phones if phone.e164 not in numbers]
    filled = fields_taken_over(kept, merged)
    for name in filled:
        setattr(kept, name, getattr(merged, name))
    merged.merged_into_id = kept.id
    session.flush()
    _move(session, ClientEmail, emails, kept.id, after=len(kept.emails))
    _move(session, ClientPhone, phones, kept.id, after=len(kept.phones))
    return {"emails": emails, "phones": phones, "filled": filled}


def fields_taken_over(kept: Client, merged: Client) -> list[str]:
    """Return the fields that the kept client would get from the other."""
    return [
        name
        for name, nothing in FILLED.items()
        if getattr(kept, name) == nothing
        and getattr(merged, name) != nothing
        and not (
            name == "main_responsible_id"
            and merged.main_responsible_id == kept.second_responsible_id
        )
    ]


def part(session: Session, kept: Client, merged: Client, moved: dict[str, Any]) -> None:
    """Take a merge back. What was edited in the kept client since then stays."""
    for name in moved["filled"]:
        if _comparable(kept, name) == _comparable(merged, name):
            setattr(kept, name, FILLED[name])
    merged.merged_into_id = None
    session.flush()
    _move(session, ClientEmail, moved["emails"], merged.id, came_from=kept.id)
    _move(session, ClientPhone, moved["phones"], merged.id, came_from=kept.id)


def _comparable(client: Client, name: str) -> object:
    # A sealed text differs each time it is sealed; its last four digits stand for it.
    return client.ssn_last4 if name == "ssn" else getattr(client, name)


def _move(
    session: Session,
    model: type[ClientEmail] | type[ClientPhone],
    ids: list[int],
    client_id: int,
    *,
    after: int = 0,
    came_from: int | None = None,
) -> None:
    if not ids:
        return
    move = sa.update(model).where(model.id.in_(ids))
    if came_from is not None:
        move = move.where(model.client_id == came_from)
    values = {"client_id": client_id, "position": model.position + after}
    session.execute(move.values(values).execution_options(synchronize_session=False))
