"""What is entered about mailboxes."""

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from casewell.clients.forms import check_address
from casewell.email.models import ImapSecurity
from casewell.kernel.forms import Form, Line

THIS_MACHINE = ("127.0.0.1", "::1", "localhost")
EARLIEST = date(1990, 1, 1)


def _sensible(day: date) -> date:
    if not EARLIEST <= day < date(2200, 1, 1):
        raise ValueError("choose a day after 1990")
    return day


class MailboxForm(Form):
    """A mailbox to watch. An empty password keeps the one that is stored."""

    name: Annotated[Line, Field(min_length=1, max_length=100)]
    address: Annotated[Line, AfterValidator(check_address)]
    host: Annotated[Line, Field(min_length=1, max_length=255)]
    port: int = Field(993, ge=1, le=65535)
    security: ImapSecurity = ImapSecurity.TLS
    username: Annotated[Line, Field(min_length=1, max_length=320)]
    password: str = Field("", max_length=500)
    folder: Annotated[Line, Field(min_length=1, max_length=255)] = "INBOX"
    since: Annotated[date, AfterValidator(_sensible)]

    @field_validator("host")
    @classmethod
    def _is_a_name(cls, host: str) -> str:
        if not all(char.isascii() and (char.isalnum() or char in "._:-[]") for char in host):
            raise ValueError("enter the name of a server, such as imap.example.com")
        return host.lower()

    @field_validator("security")
    @classmethod
    def _plain_stays_on_this_machine(
        cls, security: ImapSecurity, given: ValidationInfo
    ) -> ImapSecurity:
        if security is ImapSecurity.PLAIN and given.data.get("host") not in THIS_MACHINE:
            raise ValueError("without encryption only a server on this machine may be used")
        return security
