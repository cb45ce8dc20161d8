"""What the inbox takes as input, from forms and from JSON."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    Field,
    NaiveDatetime,
    StringConstraints,
    field_validator,
    model_validator,
)

from casewell.kernel.db import LARGEST_ID
from casewell.kernel.errors import InvalidInput
from casewell.kernel.forms import Form, Line, Query, Text
from casewell.messages.models import Channel, ConversationState, Lane

MAX_BODY = 200_000
MAX_CC = 20
MAX_FILES = 20
MAX_SELECTED = 100
BETWEEN_ADDRESSES = re.compile(r"[,;\s]+")


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("Give a time that a calendar has") from error


Body = Annotated[Text, StringConstraints(min_length=1, max_length=MAX_BODY)]
Subject = Annotated[Line, StringConstraints(max_length=255)]
Address = Annotated[Line, StringConstraints(max_length=320)]
Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
# A channel and an address, number or nothing: "sms:+13125550148".
Via = Annotated[Line, StringConstraints(max_length=340, pattern=r"^(email|sms|portal):")]
Question = Annotated[Line, StringConstraints(max_length=40)]
Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Cursor = Annotated[str, StringConstraints(max_length=500)]


class ConversationQuery(Query):
    """Which conversations a page lists; `after` is the `next` of the part before."""

    scope: Literal["mine", "assigned", "unassigned", "all"] = "mine"
    lane: Lane = Lane.ALL
    state: Literal["open", "snoozed", "done", "any"] = "open"
    unread: bool = False
    waiting: bool = False
    client: Id | None = None
    tag: Id | None = None
    after: Cursor | None = None
    size: Annotated[int, Field(ge=1, le=200)] = 50

    @property
    def conversation_state(self) -> ConversationState | None:
        return None if self.state == "any" else ConversationState(self.state)


class PageQuery(Query):
    """A list of the API; `cursor` is the `next` of the page before."""

    cursor: Cursor | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class MessagesQuery(PageQuery):
    """Which messages of one client the API tells of."""

    since: Instant | None = Field(
        None, description="From this time on, such as 2026-03-10T15:00:00Z."
    )


class InboxQuery(PageQuery):
    """Which conversations the API tells of."""

    channel: Channel | None = Field(None, description="With a message of this channel.")
    waiting: bool = Field(False, description="Those whose client waits for an answer.")
    client: Id | None = Field(None, description="Of one client.")
    tag: Id | None = Field(None, description="Of clients with this tag.")
    unread: bool = Field(False, description="Only those with messages that wait for you.")
    status: Literal["open", "snoozed", "done", "any"] = "open"
    assignee: Literal["me", "none"] | Id | None = Field(
        None, description="Assigned to you, to nobody, or to a colleague by number."
    )
    since: Instant | None = Field(
        None, description="With a message at or after this time, such as 2026-03-10T15:00:00Z."
    )

    @property
    def state(self) -> ConversationState | None:
        return None if self.status == "any" else ConversationState(self.status)

    @property
    def lane(self) -> Lane:
        return Lane.ALL if self.channel is None else Lane(self.channel.value)


class SearchQuery(PageQuery):
    q: Annotated[Line, StringConstraints(min_length=1, max_length=200)]


class Marks(Query):
    """Up to where a page that asks for changes knows."""

    seen: Annotated[int, Field(ge=0, le=LARGEST_ID)] = 0
    shown: Annotated[int, Field(ge=0, le=1000)] = 0
    client: Id | None = None
    thread_seen: Annotated[int, Field(ge=0, le=LARGEST_ID)] = 0
    notes_seen: Annotated[int, Field(ge=0, le=LARGEST_ID)] = 0
    told: Annotated[int, Field(ge=0, le=1000)] = 0
    present: Annotated[Line, StringConstraints(max_length=20)] = ""


class NewReply(Form):
    """An answer to a client. What is left out is taken from the client's last mail."""

    client_id: Id
    body: Body
    subject: Subject | None = None
    to: Address | None = Field(None, description="One of the client's addresses.")
    cc: list[Address] = Field([], max_length=MAX_CC)
    attachments: list[Id] = Field(
        [], max_length=MAX_FILES, description="Files uploaded for this client, not sent yet."
    )
    channel: Channel | None = Field(
        None,
        description="Unless said: how the client last wrote, what they prefer, what may leave.",
    )
    send_at: AwareDatetime | None = Field(None, description="Not before this time.")
    seen: Annotated[int, Field(ge=0, le=LARGEST_ID)] | None = Field(
        None, description="The newest message you know of: asks if a colleague answered since."
    )
    confirm: list[Question] = Field(
        [], max_length=10, description="Codes of questions you answer with: send anyway."
    )


class ReplyForm(Form):
    """The composer. `key` makes a second press of Send harmless; `done` closes the conversation."""

    body: Body
    key: Annotated[Line, StringConstraints(min_length=8, max_length=64)]
    via: Via | None = None
    subject: Subject | None = None
    cc: list[Address] = Field([], max_length=MAX_CC)
    attachments: list[Id] = Field([], max_length=MAX_FILES)
    # Both in the writer's own zone, as browsers give it; the second one only where it is pressed.
    send_at: NaiveDatetime | None = None
    other_time: NaiveDatetime | None = None
    at_other_time: bool = False
    seen: Annotated[int, Field(ge=0, le=LARGEST_ID)] | None = None
    confirm: list[Question] = Field([], max_length=10)
    done: bool = False

    @model_validator(mode="before")
    @classmethod
    def _press_again(cls, given: object) -> object:
        """Read the one button that says "send anyway": see `pressed_again`."""
        if not isinstance(given, dict) or "anyway" not in given:
            return given
        given = dict(given)
        pressed: dict[str, list[str]] = {}
        for part in str(given.pop("anyway"))[:400].split():
            name, _, value = part.partition("=")
            pressed.setdefault(name, []).append(value)
        if "confirm" in pressed:
            given["confirm"] = pressed["confirm"]
        for name in ("done", "send_at"):
            if name in pressed:
                given[name] = pressed[name][0]
        return given

    @property
    def leaves_at(self) -> datetime | None:
        """Raises InvalidInput where another time was asked for, and none given."""
        if not self.at_other_time:
            return self.send_at
        if self.other_time is None:
            text = "Choose a day and a time first."
            raise InvalidInput(text, fields={"send_at": text})
        return self.other_time

    @property
    def channel(self) -> Channel | None:
        return Channel(self.via.partition(":")[0]) if self.via else None

    @property
    def to(self) -> str | None:
        return self.via.partition(":")[2] if self.via else None

    @field_validator("cc", mode="before")
    @classmethod
    def _split(cls, given: object) -> object:
        """Addresses as people type them: separated by commas, semicolons or white space."""
        if not isinstance(given, list):
            return given
        return [
            part
            for one in given
            if isinstance(one, str)
            for part in BETWEEN_ADDRESSES.split(one)
            if part
        ]


def pressed_again(given: Mapping[str, str], questions: Iterable[str]) -> str:
    """Return what the button "send anyway" says: what was pressed before, and what it answers."""
    earlier = [part for part in given.get("anyway", "").split() if part.startswith("confirm=")]
    asked = [f"confirm={code}" for code in questions]
    pressed = [f"{name}={given[name]}" for name in ("done", "send_at") if given.get(name)]
    if given.get("at_other_time"):
        pressed.append(f"send_at={given.get('other_time', '')}")
    pressed += [part for part in given.get("anyway", "").split() if not part.startswith("confirm=")]
    return " ".join(dict.fromkeys([*earlier, *asked, *pressed]))


class LinkSender(Form):
    client_id: Id


class NewClientFromSender(Form):
    first_name: Annotated[Line, StringConstraints(max_length=100)] = ""
    last_name: Annotated[Line, StringConstraints(max_length=100)] = ""


class SnoozeForm(Form):
    """Until when: one of the usual times, a time of one's own, or the client's next words."""

    until: Literal["later", "tomorrow", "monday", "answer", "time"]
    # On the clock of who presses it.
    at: NaiveDatetime | None = None


class AssignForm(Form):
    assignee_id: Id | None = None
    words: Annotated[Line, StringConstraints(max_length=500)] = ""


class SelectionForm(Form):
    """Several conversations at once, and what an act needs to know besides."""

    clients: list[Id] = Field(min_length=1, max_length=MAX_SELECTED)
    until: Literal["later", "tomorrow", "monday", "answer"] = "tomorrow"
    assignee_id: Id | None = None
    words: Annotated[Line, StringConstraints(max_length=500)] = ""
    # To undo: beside each client, whose it was before; 0: nobody's.
    before: list[Annotated[int, Field(ge=0, le=LARGEST_ID)]] = Field([], max_length=MAX_SELECTED)
    next: Annotated[str, StringConstraints(max_length=2000)] = ""

    @model_validator(mode="after")
    def _one_beside_each(self) -> "SelectionForm":
        if self.before and len(self.before) != len(self.clients):
            raise ValueError("Say of each conversation whose it was.")
        return self
