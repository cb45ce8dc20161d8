"""What tags take as input, from forms and from JSON."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from casewell.clients.forms import RowId
from casewell.clients.listing import MOST_CHOSEN, Wanted
from casewell.kernel.forms import Form, Line, Query, Text
from casewell.tags.colours import check_colour
from casewell.tags.models import LONGEST_NAME

MOST_AT_ONCE = 20
MOST_NAMED = 5_000  # clients by their numbers; a filter may hold all

TagName = Annotated[Line, StringConstraints(min_length=1, max_length=LONGEST_NAME)]
Colour = Annotated[str, AfterValidator(check_colour)]
Description = Annotated[Text, StringConstraints(max_length=300)]


class TagForm(Form):
    """`colour` is red, orange, yellow, green, teal, blue, violet or pink, or #rrggbb."""

    name: TagName
    colour: Colour = "blue"
    description: Description = ""


class ChangedTag(Form):
    """What to change; a field that is left out stays."""

    name: TagName | None = None
    colour: Colour | None = None
    description: Description | None = None


class Into(Form):
    """`into` is the tag that stays."""

    into: RowId


class Choosing(Query):
    """What somebody types to find a tag, and those that are ticked already."""

    find: Annotated[Line, StringConstraints(max_length=LONGEST_NAME)] = ""
    tag: list[RowId] = Field(default_factory=list, max_length=MOST_CHOSEN)


class GivenTag(Form):
    """A tag by its number or by its name."""

    tag: RowId | None = None
    name: TagName | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.tag is None) == (self.name is None):
            raise ValueError("give `tag` or `name`")
        return self


class TagChangeForm(Form):
    """Tags to give and to take, by their numbers, and whose: `clients`, or all of `filter`."""

    add: list[RowId] = Field(default_factory=list, max_length=MOST_AT_ONCE)
    remove: list[RowId] = Field(default_factory=list, max_length=MOST_AT_ONCE)
    clients: list[RowId] | None = Field(None, max_length=MOST_NAMED)
    filter: Wanted | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if (self.clients is None) == (self.filter is None):
            raise ValueError("give `clients` or `filter`")
        if set(self.add) & set(self.remove):
            raise ValueError("a tag can't be both added and removed")
        return self
