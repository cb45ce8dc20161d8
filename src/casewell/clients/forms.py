"""What staff and programs may say about a client: one set of fields for pages and API."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from casewell.clients import phones
from casewell.clients.models import ClientStatus, PreferredChannel
from casewell.clients.states import is_zone, state_code
from casewell.kernel.addresses import normal_domain
from casewell.kernel.db import LARGEST_ID
from casewell.kernel.forms import Form, Line

MOST_ADDRESSES = 10
OLDEST = timedelta(days=130 * 366)


def check_address(text: str) -> str:
    """Return an e-mail address as given. Raises ValueError where mail can't be sent to it."""
    local, at, domain = text.rpartition("@")
    labels = normal_domain(domain).split(".")
    if (
        not at
        or not 1 <= len(local) <= 64
        or len(text) > 254
        or re.search(r"[\s<>()\[\]\\,;:\"@\x00-\x1f\x7f]", local)
        or local.startswith(".")
        or local.endswith(".")
        or ".." in local
        or len(labels) < 2
        or not all(re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", label) for label in labels)
    ):
        raise ValueError("is not an e-mail address")
    return text


def _phone(text: str) -> str:
    return phones.read_phone(text).as_typed


def _state(text: object) -> object:
    if not isinstance(text, str) or not text.strip():
        return text
    if (code := state_code(text)) is None:
        raise ValueError("is not a state of the US")
    return code


def _zone(name: str) -> str:
    if not is_zone(name):
        raise ValueError("is not a time zone")
    return name


def _born(day: date) -> date:
    today = datetime.now(UTC).date()
    if not today - OLDEST <= day <= today:
        raise ValueError("is not a date of birth")
    return day


def _postal_code(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9 -]*", text):
        raise ValueError("is not a ZIP code")
    return text


def _language(tag: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", tag):
        raise ValueError("is not a language tag, such as en or es-MX")
    return tag


def _ssn(text: str) -> str:
    """Return nine digits. The rules are the Social Security Administration's, plus ITINs (9xx)."""
    digits = re.sub(r"[\s-]", "", text)
    if (
        not re.fullmatch(r"[0-9]{9}", digits)
        or digits[:3] in ("000", "666")
        or digits[3:5] == "00"
        or digits[5:] == "0000"
    ):
        raise ValueError("is not an SSN: nine digits, such as 900-12-3456")
    return digits


Name = Annotated[Line, StringConstraints(max_length=100)]
EmailAddress = Annotated[Line, AfterValidator(check_address)]
PhoneNumber = Annotated[
    Line, StringConstraints(max_length=phones.TYPED_CHARS), AfterValidator(_phone)
]
State = Annotated[Line, BeforeValidator(_state), StringConstraints(max_length=2)]
Reference = Annotated[Line, StringConstraints(max_length=32)]
Street = Line
BirthDate = Annotated[date, AfterValidator(_born)]
TimeZone = Annotated[Line, AfterValidator(_zone)]
PostalCode = Annotated[Line, StringConstraints(max_length=10), AfterValidator(_postal_code)]
Language = Annotated[Line, StringConstraints(max_length=35), AfterValidator(_language)]
SSN = Annotated[Line, AfterValidator(_ssn)]
Reason = Annotated[Line, StringConstraints(min_length=3, max_length=200)]
RowId = Annotated[int, Field(ge=1, le=LARGEST_ID)]


class ClientDetails(Form):
    """Everything about a client that is edited together."""

    first_name: Name = ""
    last_name: Name = ""
    reference: Reference | None = None
    emails: list[EmailAddress] = Field([], max_length=MOST_ADDRESSES)
    phones: list[PhoneNumber] = Field([], max_length=MOST_ADDRESSES)
    street: Street = ""
    city: Name = ""
    state: State = ""
    postal_code: PostalCode = ""
    time_zone: TimeZone | None = None
    language: Language = "en"
    preferred_channel: PreferredChannel | None = None
    date_of_birth: BirthDate | None = None

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not self.first_name and not self.last_name:
            raise ValueError("Give a first or a last name")
        return self


class NewClient(ClientDetails):
    status: ClientStatus = ClientStatus.LEAD
    main_responsible_id: RowId | None = None
    second_responsible_id: RowId | None = None
    ssn: SSN | None = None


class EditedClient(ClientDetails):
    """The edit page's form. `version` is when the client was last changed before it was opened."""

    version: datetime


class Responsible(Form):
    main_responsible_id: RowId | None = None
    second_responsible_id: RowId | None = None


class NewStatus(Form):
    status: ClientStatus


class NewSSN(Form):
    ssn: SSN | None = None


class Reveal(Form):
    reason: Reason


class MergeChoice(Form):
    """The other client, whose file goes into this one's."""

    merged_id: RowId
