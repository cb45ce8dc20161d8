"""Writing details to a client, and telling what that changed."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Any

from casewell.clients.forms import ClientDetails
from casewell.clients.models import Client, ClientEmail, ClientPhone
from casewell.clients.phones import read_phone
from casewell.kernel.addresses import normal_form

# Field to what it was and is, in values of JSON: what the ledger keeps.
Changes = dict[str, dict[str, Any]]

PLAIN_FIELDS = (
    "reference",
    "street",
    "city",
    "state",
    "postal_code",
    "time_zone",
    "language",
    "preferred_channel",
    "date_of_birth",
)


def details_of(client: Client) -> dict[str, Any]:
    """Return what `ClientDetails` is made of, as it stands; the reverse of `apply`."""
    plain = {name: getattr(client, name) for name in ("first_name", "last_name", *PLAIN_FIELDS)}
    return plain | {
        "emails": [email.address for email in client.emails],
        "phones": [phone.as_typed for phone in client.phones],
    }


def apply(details: ClientDetails, client: Client) -> Changes:
    """Make the client what `details` say; return what was different.

    The client's e-mail addresses and phones must be loaded; a new one has empty lists of both.
    """
    before = details_of(client)
    if (client.first_name, client.last_name) != (details.first_name, details.last_name):
        client.rename(details.first_name, details.last_name)
    for name in PLAIN_FIELDS:
        setattr(client, name, getattr(details, name))
    _set_emails(client, details.emails)
    _set_phones(client, details.phones)
    after = details_of(client)
    return {
        name: {"from": plain(before[name]), "to": plain(after[name])}
        for name in before
        if before[name] != after[name]
    }


def plain(value: object) -> Any:
    """Return a value as JSON keeps it."""
    if isinstance(value, StrEnum):
        return value.value
    return value.isoformat() if isinstance(value, date) else value


def _set_emails(client: Client, addresses: Sequence[str]) -> None:
    """Keep the rows of addresses that stay: what is known of them (bounced, for one) stays too."""
    had = {email.normal_form: email for email in client.emails}
    wanted = {normal_form(address): address for address in reversed(addresses)}
    kept = []
    for position, (form, address) in enumerate(reversed(wanted.items())):
        email = had.get(form) or ClientEmail(normal_form=form)
        email.address, email.position = address, position
        kept.append(email)
    client.emails = kept


def _set_phones(client: Client, numbers: Sequence[str]) -> None:
    had = {phone.e164: phone for phone in client.phones}
    wanted = {read_phone(number).e164: number for number in reversed(numbers)}
    kept = []
    for position, (e164, typed) in enumerate(reversed(wanted.items())):
        phone = had.get(e164) or ClientPhone(e164=e164)
        phone.as_typed, phone.position = typed, position
        kept.append(phone)
    client.phones = kept
