"""What people enter about accounts, parsed once for pages, API and command line."""

from datetime import time
from functools import cache
from typing import Annotated, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, StringConstraints, field_validator, model_validator

from casewell.kernel.access import Role, Scope
from casewell.kernel.addresses import normal_form
from casewell.kernel.business_hours import WEEKDAYS
from casewell.kernel.forms import Form, Line, Query, Text
from casewell.providers.mail_out.envelope import mailbox
from casewell.staff.models import Theme
from casewell.staff.tokens import LONGEST_DAYS

# Those of the practice come first in a list of six hundred.
US_ZONES = (
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Anchorage",
    "Pacific/Honolulu",
    "America/Puerto_Rico",
)
OPENS_AND_CLOSES = 2


@cache
def time_zones() -> tuple[str, ...]:
    """Return the name of every time zone, those of the United States first."""
    return US_ZONES + tuple(sorted(available_timezones() - set(US_ZONES) - {"localtime"}))


def _known_zone(value: str) -> str:
    if value not in time_zones():
        raise ValueError("choose one of the time zones of the list")
    return value


def _mailbox(value: str) -> str:
    address = normal_form(value)
    if len(address) > 254 or "." not in address.rpartition("@")[2] or mailbox(address) is None:
        raise ValueError("enter an e-mail address such as ana@firm.example")
    return address


Email = Annotated[Line, AfterValidator(_mailbox)]
"""An e-mail address in its normal form. Reserved domains such as .test are fine."""

TimeZone = Annotated[Line, AfterValidator(_known_zone)]
Name = Annotated[Line, StringConstraints(min_length=1)]
# Long ones are refused before they are hashed; the limit of a new one is in `passwords`.
Password = Annotated[Text, StringConstraints(max_length=1000, strip_whitespace=False)]
Code = Annotated[Line, StringConstraints(max_length=40)]
Token = Annotated[Text, StringConstraints(max_length=500)]


class NextPage(Query):
    """Where to go on to after signing in; `web.safe_next` judges it."""

    next: Annotated[Text, StringConstraints(max_length=2000)] = ""


class SignIn(Form):
    email: Line
    password: Password
    next: Text = ""

    @field_validator("email")
    @classmethod
    def _in_normal_form(cls, value: str) -> str:
        return normal_form(value)


class SecondFactorCode(Form):
    code: Code
    next: Text = ""


class EnrolmentCode(Form):
    code: Code
    sealed: Token
    next: Text = ""


class OwnEnrolment(Form):
    """Setting up or replacing one's second factor while signed in."""

    code: Code
    sealed: Token
    current_password: Password


class ResetRequest(Form):
    email: Email


class _NewPassword(Form):
    password: Password
    password_again: Password

    @field_validator("password_again")
    @classmethod
    def _twice_the_same(cls, value: str, info: object) -> str:
        given = getattr(info, "data", {}).get("password")
        if given is not None and given != value:
            raise ValueError("the two passwords differ")
        return value


class NewPassword(_NewPassword):
    """For a reset."""


class AcceptInvitation(_NewPassword):
    name: Name
    time_zone: TimeZone


class SetUp(_NewPassword):
    firm_name: Name
    time_zone: TimeZone
    name: Name
    email: Email


class Invite(Form):
    name: Name
    email: Email
    role: Role


class RoleChange(Form):
    role: Role


class Profile(Form):
    name: Name
    time_zone: TimeZone


class ThemeChoice(Form):
    theme: Theme


class PasswordChange(_NewPassword):
    current_password: Password


class EmailChange(Form):
    email: Email
    current_password: Password


class Reauthentication(Form):
    """The password again, before something that a borrowed browser must not do."""

    current_password: Password


class NewToken(Form):
    name: Annotated[Line, StringConstraints(min_length=1, max_length=100)]
    scopes: Annotated[list[Scope], Field(min_length=1)]
    days: Annotated[int, Field(ge=1, le=LONGEST_DAYS)] = 90
    current_password: Password


class FirmSettings(Form):
    name: Name
    time_zone: TimeZone


def _one_stretch(hours: list[time]) -> list[time]:
    if not hours:
        return hours
    if len(hours) != OPENS_AND_CLOSES:
        raise ValueError("say when it opens and when it closes, or neither")
    opens, closes = hours
    if opens.tzinfo is not None or closes.tzinfo is not None:
        raise ValueError("give times without a zone: they are the firm's own")
    if opens >= closes:
        raise ValueError("it must close after it opens")
    return hours


DayHours = Annotated[list[time], AfterValidator(_one_stretch)]
"""When it opens and closes, or nothing: closed all day."""


class FirmHours(Form):
    """When the firm is open, and how soon it means to answer, counted in those hours."""

    monday: DayHours = []
    tuesday: DayHours = []
    wednesday: DayHours = []
    thursday: DayHours = []
    friday: DayHours = []
    saturday: DayHours = []
    sunday: DayHours = []
    answer_within_hours: Annotated[int, Field(ge=1, le=80)]

    @property
    def week(self) -> list[list[str] | None]:
        """Return the week as it is kept."""
        days: list[list[time]] = [getattr(self, name) for name in WEEKDAYS]
        return [[at.isoformat("minutes") for at in day] if day else None for day in days]

    @model_validator(mode="after")
    def _is_open_at_all(self) -> Self:
        if not any(self.week):
            raise ValueError("open on one day at least: answers are counted in these hours")
        return self


class SecondFactorPolicy(Form):
    """`reason` is needed to turn it off and is kept with the firm."""

    required: bool = False
    reason: Annotated[Line, StringConstraints(max_length=500)] = ""
    current_password: Password


class AnchorAddress(Form):
    anchor_email: Email | None = None
    current_password: Password


class SendingPause(Form):
    reason: Annotated[Line, StringConstraints(max_length=500)] = ""
