"""Notes in the inbox: written beside the composer, never through it."""

from flask import request, url_for
from werkzeug.wrappers import Response

from casewell.clients.queries import find_client
from casewell.inbox.blueprint import blueprint
from casewell.inbox.note_cards import NoteCard, note_card
from casewell.inbox.reader import reader
from casewell.kernel import forms, web
from casewell.kernel.errors import InvalidInput
from casewell.notes.api import notes
from casewell.notes.forms import NoteForm
from casewell.notes.models import CaseNote
from casewell.notes.queries import notes_of


@blueprint.post("/inbox/c/<int:client_id>/notes")
def add_note(client_id: int) -> Response:
    """Write an internal note; it joins the thread, and nobody outside ever sees it."""
    find_client(web.db(), web.identity(), client_id)
    try:
        form = forms.parse(NoteForm, request.form)
    except InvalidInput as error:
        if not web.is_htmx():
            raise
        return web.render("inbox/_note_refused.html", status=422, note_error=_sentence(error))
    note = notes().write(client_id, form.text, form.kind)
    if not web.is_htmx():
        web.toast("Note saved.")
        return web.go("inbox.conversation", client_id=client_id, compose="note", noted=1)
    return web.render("inbox/_note_added.html", note=_card(client_id, note.id), may_edit=True)


@blueprint.post("/inbox/notes/<int:note_id>/edit")
def edit_note(note_id: int) -> Response:
    notes().own(note_id)
    form = forms.parse(NoteForm, request.form)
    note = notes().edit(note_id, form.text)
    if not web.is_htmx():
        web.toast("Note changed.")
        return web.go("inbox.conversation", client_id=note.client_id)
    return web.render("inbox/_note.html", card=_card(note.client_id, note.id), may_edit=True)


@blueprint.post("/inbox/notes/<int:note_id>/delete")
def delete_note(note_id: int) -> Response:
    note = notes().delete(note_id)
    undo = url_for("inbox.restore_note", note_id=note.id)
    if not web.is_htmx():
        web.toast("Note deleted.", undo=undo)
        return web.go("inbox.conversation", client_id=note.client_id)
    return web.render("inbox/_note_deleted.html", note_id=note.id, undo=undo)


@blueprint.post("/inbox/notes/<int:note_id>/restore")
def restore_note(note_id: int) -> Response:
    note = notes().restore(note_id)
    web.toast("Note restored.")
    return web.go("inbox.conversation", client_id=note.client_id)


def _card(client_id: int, note_id: int) -> NoteCard:
    web.db().flush()
    row = web.db().execute(notes_of(web.identity(), client_id).where(CaseNote.id == note_id)).one()
    return note_card(row, web.identity(), reader())


def _sentence(error: InvalidInput) -> str:
    return "Write the note first." if "text" in error.fields else error.message
