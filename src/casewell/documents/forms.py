"""What documents take as input, from forms and from JSON."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from casewell.documents.models import LONGEST_TITLE, DocumentKind
from casewell.kernel.forms import Form, Line, Query

MOST_FILES = 20

Title = Annotated[Line, StringConstraints(min_length=1, max_length=LONGEST_TITLE)]


class DocumentForm(Form):
    title: Title
    kind: DocumentKind = DocumentKind.OTHER


class FiledForm(Form):
    """Without a title it is called as its file."""

    title: Title | None = None
    kind: DocumentKind = DocumentKind.OTHER


class ChangedDocument(Form):
    """What to change; a field that is left out stays."""

    title: Title | None = None
    kind: DocumentKind | None = None


class DocumentQuery(Query):
    """`kind` may be "unfiled": files of messages that nobody has filed yet."""

    q: Annotated[Line, StringConstraints(max_length=100)] = ""
    kind: DocumentKind | Literal["unfiled", "withdrawn"] | None = None
    cursor: Annotated[str, StringConstraints(max_length=500)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
