"""Notes for programs: `/api/notes`. Nothing here is ever shown to a client."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from casewell.clients.queries import find_client
from casewell.kernel import web
from casewell.kernel.api import Api
from casewell.kernel.paging import keyset_page
from casewell.notes.forms import NewNote, NoteQuery
from casewell.notes.models import CaseNote, NoteKind
from casewell.notes.queries import notes_of
from casewell.notes.service import NoteService
from casewell.staff.current import current_actor
from casewell.staff.models import Staff

api = Api("notes", "/notes", tag="Notes")


class NoteOut(BaseModel):
    """An internal note."""

    id: int
    client_id: int
    kind: NoteKind
    text: str
    created_at: datetime
    edited_at: datetime | None
    staff_id: int
    author: str


class NotePage(BaseModel):
    items: list[NoteOut]
    next: str | None = Field(description="Give it as `cursor` for the next page.")


def notes() -> NoteService:
    return NoteService(web.db(), web.identity(), current_actor(), web.now)


@api.get(
    "/client/<int:client_id>",
    summary="A client's internal notes, newest first",
    query=NoteQuery,
    answers=NotePage,
)
def of_client(client_id: int, query: NoteQuery) -> dict[str, Any]:
    find_client(web.db(), web.identity(), client_id)
    page = keyset_page(
        web.db(),
        notes_of(web.identity(), client_id),
        by=(CaseNote.created_at, CaseNote.id),
        after=query.cursor,
        size=query.limit,
    )
    return {"items": [dict(row._mapping) for row in page.items], "next": page.next}


@api.post(
    "",
    summary="Write an internal note about a client",
    body=NewNote,
    answers=NoteOut,
    status=201,
    errors=(404,),
)
def write(body: NewNote) -> dict[str, Any]:
    """An @ and a name tells a colleague of it. No note is ever shown to a client."""
    note = notes().write(body.client_id, body.text, body.kind)
    author = web.db().get_one(Staff, note.staff_id).name
    names = ("id", "client_id", "kind", "text", "created_at", "edited_at", "staff_id")
    return {**{name: getattr(note, name) for name in names}, "author": author}
