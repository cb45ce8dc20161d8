"""From the columns of somebody else's file to the fields of a client."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from casewell.clients.exporting import FORMULA_STARTS
from casewell.clients.forms import NewClient
from casewell.clients.models import ClientStatus, folded
from casewell.clients.words import CHANNEL_WORDS, LANGUAGES, STATUS_WORDS
from casewell.kernel.errors import InvalidInput
from casewell.kernel.forms import parse

SEVERAL = re.compile(r"\s*[;,\n]\s*")
LONGEST_KEY = 190


class Field(StrEnum):
    """What a column may be. Only `email` and `phone` may be several columns."""

    CASEWELL_ID = "casewell_id"
    KEY = "key"
    REFERENCE = "reference"
    NAME = "name"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    EMAIL = "email"
    PHONE = "phone"
    STATUS = "status"
    MAIN = "main_responsible"
    SECOND = "second_responsible"
    STREET = "street"
    CITY = "city"
    STATE = "state"
    POSTAL_CODE = "postal_code"
    TIME_ZONE = "time_zone"
    LANGUAGE = "language"
    CHANNEL = "preferred_channel"
    BORN = "date_of_birth"
    SSN = "ssn"


FIELD_LABELS = {
    Field.NAME: "Full name",
    Field.FIRST_NAME: "First name",
    Field.LAST_NAME: "Last name",
    Field.EMAIL: "Email",
    Field.PHONE: "Phone",
    Field.REFERENCE: "Reference",
    Field.STATUS: "Status",
    Field.MAIN: "Main responsible (name or email)",
    Field.SECOND: "Second responsible (name or email)",
    Field.STREET: "Street",
    Field.CITY: "City",
    Field.STATE: "State",
    Field.POSTAL_CODE: "ZIP code",
    Field.TIME_ZONE: "Time zone",
    Field.LANGUAGE: "Language",
    Field.CHANNEL: "Preferred channel",
    Field.BORN: "Date of birth",
    Field.SSN: "SSN",
    Field.KEY: "Id in the other program",
    Field.CASEWELL_ID: "Casewell id",
}
_HEADINGS = {
    Field.CASEWELL_ID: "casewell id",
    Field.KEY: "id, client id, customer id, contact id, record id, external id, account id",
    Field.REFERENCE: "reference, ref, case, case number, case no, file, file number, file no",
    Field.NAME: "name, full name, client, client name, contact, contact name, customer",
    Field.FIRST_NAME: "first name, first, given name, forename, fname, vorname",
    Field.LAST_NAME: "last name, last, surname, family name, lname, nachname",
    Field.EMAIL: "email, e mail, email address, e mail address, mail, primary email, email 1, "
    "email 2, secondary email, other email, work email, home email, personal email",
    Field.PHONE: "phone, phone number, telephone, tel, mobile, mobile phone, cell, cell phone, "
    "primary phone, home phone, work phone, phone 1, phone 2, mobile number, cellphone",
    Field.STATUS: "status, client status, stage",
    Field.MAIN: "main responsible, responsible, owner, assigned to, assignee, case manager",
    Field.SECOND: "second responsible, attorney, co owner",
    Field.STREET: "street, address, street address, address 1, address line 1, mailing street",
    Field.CITY: "city, town, mailing city",
    Field.STATE: "state, province, mailing state",
    Field.POSTAL_CODE: "zip, zip code, zipcode, postal code, postcode, mailing zip",
    Field.TIME_ZONE: "time zone, timezone",
    Field.LANGUAGE: "language, preferred language",
    Field.CHANNEL: "preferred channel, preferred contact, contact method",
    Field.BORN: "date of birth, dob, birth date, birthdate, birthday",
    Field.SSN: "ssn, social security number, social security",
}
_BY_HEADING = {
    heading: field for field, headings in _HEADINGS.items() for heading in headings.split(", ")
}
MANY = {Field.EMAIL, Field.PHONE}
_STATUSES = {folded(word): status for status, word in STATUS_WORDS.items()} | {
    status.value: status for status in ClientStatus
}
_CHANNELS = {folded(word): channel.value for channel, word in CHANNEL_WORDS.items()}
_LANGUAGES = {folded(name): tag for tag, name in LANGUAGES}
_DATES = ("%Y-%m-%d", "%m/%d/%Y", "%m-%d-%Y", "%Y/%m/%d")


def guess(columns: Sequence[str]) -> dict[str, Field]:
    """Return which field each column seems to be, by its heading alone."""
    mapping: dict[str, Field] = {}
    for column in columns:
        heading = " ".join(re.findall(r"[a-z0-9]+", folded(re.sub(r" \(\d+\)$", "", column))))
        field = _BY_HEADING.get(heading)
        if field is not None and (field in MANY or field not in mapping.values()):
            mapping[column] = field
    if Field.FIRST_NAME in mapping.values() or Field.LAST_NAME in mapping.values():
        mapping = {column: field for column, field in mapping.items() if field is not Field.NAME}
    return mapping


def mapping_problem(mapping: Mapping[str, Field]) -> str | None:
    """Return what keeps a mapping from being used, or None."""
    fields = list(mapping.values())
    for field in fields:
        if field not in MANY and fields.count(field) > 1:
            return f"Two columns are set to “{FIELD_LABELS[field]}”. Keep one of them."
    if not {Field.NAME, Field.FIRST_NAME, Field.LAST_NAME} & set(fields):
        return "Choose the column that holds the name."
    return None


@dataclass(frozen=True)
class Person:
    """A client as a row gives it; `given` names the details that the row says something of."""

    details: NewClient
    given: frozenset[str]
    casewell_id: int | None
    key: str | None


def read_person(
    cells: Sequence[str],
    columns: Sequence[str],
    mapping: Mapping[str, Field],
    staff: Mapping[str, int],
) -> Person:
    """Return the client that a row tells of.

    `staff` maps folded names and e-mail addresses to ids. Raises InvalidInput with a sentence
    for each field that can't be used.
    """
    if any(cells[len(columns) :]):
        raise InvalidInput("has more values than there are columns")
    values, problems = _values(_by_field(cells, columns, mapping), staff)
    key, given_id = values.pop("key", None), values.pop("casewell_id", None)
    try:
        details = parse(NewClient, values)
    except InvalidInput as error:
        raise _refusal({**error.fields, **problems}) from error
    if problems:
        raise _refusal(problems)
    return Person(details, frozenset(values), given_id, key)


def _refusal(problems: Mapping[str, str]) -> InvalidInput:
    return InvalidInput("; ".join(_sentences(problems)), fields=problems)


def _by_field(
    cells: Sequence[str], columns: Sequence[str], mapping: Mapping[str, Field]
) -> dict[Field, list[str]]:
    found: dict[Field, list[str]] = {}
    for column, cell in zip(columns, cells, strict=False):
        field = mapping.get(column)
        if field is not None and cell:
            found.setdefault(field, []).append(_as_typed(cell))
    return found


def _as_typed(cell: str) -> str:
    """Return a cell without the mark that keeps it from being a formula in a spreadsheet."""
    return cell[1:] if cell[0] == "'" and cell[1:].startswith(FORMULA_STARTS) else cell


def _values(
    found: Mapping[Field, list[str]], staff: Mapping[str, int]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return values for the client's form, and problems by field."""
    values: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for field, texts in found.items():
        text = texts[0]
        match field:
            case Field.EMAIL | Field.PHONE:
                each = [one for text in texts for one in SEVERAL.split(text) if one]
                values[f"{field}s"] = each
            case Field.NAME:
                values["first_name"], values["last_name"] = _split_name(text)
            case Field.STATUS:
                _look_up(values, problems, "status", text, _STATUSES, "is not a status")
            case Field.CHANNEL:
                _look_up(values, problems, field.value, text, _CHANNELS, "is not a channel")
            case Field.LANGUAGE:
                values["language"] = _LANGUAGES.get(folded(text), text)
            case Field.MAIN | Field.SECOND:
                _look_up(values, problems, f"{field}_id", text, staff, "is nobody of the firm")
            case Field.BORN:
                _read_date(values, problems, text)
            case Field.CASEWELL_ID:
                if re.fullmatch(r"[0-9]{1,18}", text):
                    values[field.value] = int(text)
                else:
                    problems[field.value] = "is not a number"
            case Field.KEY:
                if len(text) <= LONGEST_KEY:
                    values[field.value] = text
                else:
                    problems[field.value] = f"has more than {LONGEST_KEY} characters"
            case _:
                values[field.value] = text
    return values, problems


def _look_up(
    values: dict[str, Any],
    problems: dict[str, str],
    name: str,
    text: str,
    known: Mapping[str, Any],
    problem: str,
) -> None:
    if (value := known.get(folded(text))) is not None:
        values[name] = value
    else:
        problems[name] = f"“{text[:60]}” {problem}"


def _read_date(values: dict[str, Any], problems: dict[str, str], text: str) -> None:
    for pattern in _DATES:
        try:
            day: date = datetime.strptime(text, pattern).date()  # noqa: DTZ007 a date alone
        except ValueError:
            continue
        values["date_of_birth"] = day
        return
    problems["date_of_birth"] = "is not a date such as 1984-03-21 or 3/21/1984"


def _split_name(text: str) -> tuple[str, str]:
    """Return first and last name of "Vega, Marisol" or "Marisol Vega"."""
    last, comma, first = text.partition(",")
    if comma:
        return first.strip(), last.strip()
    first, _, last = text.strip().rpartition(" ")
    return (first.strip(), last) if first else (last, "")


def _sentences(problems: Mapping[str, str]) -> list[str]:
    return [
        f"{_label(name)} {text[:1].lower()}{text[1:].rstrip('.')}"
        for name, text in problems.items()
    ]


def _label(name: str) -> str:
    name = name.split(".")[0].removesuffix("_id")
    name = {"emails": "email", "phones": "phone"}.get(name, name)
    try:
        return FIELD_LABELS[Field(name)].partition(" (")[0]
    except ValueError:
        return "Row:"
