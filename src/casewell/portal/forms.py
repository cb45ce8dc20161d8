"""What clients enter, and what staff enter about their accounts."""

from typing import Annotated

from pydantic import StringConstraints, field_validator

from casewell.kernel.addresses import normal_form
from casewell.kernel.forms import Form, Line, Text

# Long ones are refused before they are hashed.
Password = Annotated[Text, StringConstraints(max_length=1000, strip_whitespace=False)]


class SignIn(Form):
    email: Line
    password: Password

    @field_validator("email")
    @classmethod
    def _in_normal_form(cls, value: str) -> str:
        return normal_form(value)


class LinkRequest(Form):
    """The button beside the password's: what stands in its field is left alone."""

    email: Line
    password: Password = ""

    @field_validator("email")
    @classmethod
    def _in_normal_form(cls, value: str) -> str:
        return normal_form(value)


class PasswordChange(Form):
    """`current_password` is needed where there is one."""

    current_password: Password = ""
    password: Password


class Invitation(Form):
    email: Line


class NewMessage(Form):
    body: Annotated[Text, StringConstraints(max_length=10_000)] = ""
    key: Annotated[Line, StringConstraints(min_length=8, max_length=64)]


class Seen(Form):
    up_to: Annotated[Line, StringConstraints(max_length=43)]
