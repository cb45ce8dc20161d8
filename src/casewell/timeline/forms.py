"""What a timeline is narrowed to, from an address or a program."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from casewell.kernel.db import LARGEST_ID
from casewell.kernel.forms import Form, Query


class Topic(StrEnum):
    """What entries are about: by what their kinds begin with."""

    MESSAGES = "messages"
    CALLS = "calls"
    NOTES = "notes"
    DETAILS = "details"
    TEAM = "team"
    PORTAL = "portal"
    TAGS = "tags"
    EVIDENCE = "evidence"
    DOCUMENTS = "documents"


Person = Annotated[str, StringConstraints(pattern=r"^(client|system|provider|[1-9][0-9]{0,17})$")]
Cursor = Annotated[str, StringConstraints(max_length=500)]


class TimelineQuery(Query):
    """`person` is a staff member's number, "client", "system" or "provider"; days are whole."""

    topic: Topic | None = None
    person: Person | None = Field(
        None, description='A staff member\'s number, "client", "system" or "provider".'
    )
    since: date | None = Field(None, description="The first day, in your time zone.")
    until: date | None = Field(None, description="The last day, in your time zone.")
    cursor: Cursor | None = Field(None, description="The `next` of the page before.")
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class SeenForm(Form):
    seq: Annotated[int, Field(ge=1, le=LARGEST_ID)]
