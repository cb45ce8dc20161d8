"""What notes take as input, from forms and from JSON."""

from typing import Annotated

from pydantic import Field, StringConstraints

from casewell.kernel.db import LARGEST_ID
from casewell.kernel.forms import Form, Query, Text
from casewell.notes.models import LONGEST_NOTE, NoteKind

Words = Annotated[Text, StringConstraints(min_length=1, max_length=LONGEST_NOTE)]


class NoteForm(Form):
    text: Words
    kind: NoteKind = NoteKind.GENERAL


class NewNote(NoteForm):
    client_id: Annotated[int, Field(ge=1, le=LARGEST_ID)]


class NoteQuery(Query):
    cursor: Annotated[str, StringConstraints(max_length=500)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
