"""The bar under the list: one act for all conversations that are ticked."""

from collections.abc import Callable
from typing import Any

from flask import request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from casewell.inbox.blueprint import blueprint
from casewell.inbox.forms import MAX_SELECTED, SelectionForm, SnoozeForm
from casewell.inbox.pages import filters
from casewell.inbox.reader import acting, reader
from casewell.inbox.selection import Selection
from casewell.inbox.teamwork import snooze_until
from casewell.kernel import forms, web
from casewell.kernel.errors import CasewellError, InvalidInput
from casewell.kernel.times import short_future
from casewell.messages.models import Conversation
from casewell.staff.models import Staff


@blueprint.post("/inbox/selected/<any(done,reopen,snooze,assign,take,give_back,read,unread):act>")
def selected(act: str) -> Response:
    """Do one thing with several conversations, named in the form or, to undo, in the address.

    What is refused is said in a toast: the list still stands, ticked as it was.
    """
    back = filters().link()
    try:
        form = _form()
        back = web.safe_next(form.next, back)
        chosen = Selection(web.db(), web.identity(), web.runtime(), acting(), form.clients)
        text, undo = _ACTS[act](chosen, form)
    except CasewellError as error:
        if error.status != 422:
            raise
        web.db().rollback()
        web.toast(error.message, kind="error")
        return web.go_to(back)
    web.toast(text, undo=undo)
    return web.go_to(back)


def _form() -> SelectionForm:
    """Return the form, or what an address names of it beside the list's own parameters."""
    given: MultiDict[str, str] = MultiDict(request.form)
    if "clients" not in given:
        named = SelectionForm.model_fields.keys()
        given = MultiDict(one for one in request.args.items(multi=True) if one[0] in named)
    if len(given.getlist("clients")) > MAX_SELECTED:
        raise InvalidInput(f"Select up to {MAX_SELECTED} conversations at once.")
    return forms.parse(SelectionForm, given)


Answer = tuple[str, str | None]


def _done(chosen: Selection, _form: SelectionForm) -> Answer:
    moved = chosen.mark_done()
    return f"{_number(moved)} marked done.", _undo("reopen", moved)


def _reopen(chosen: Selection, _form: SelectionForm) -> Answer:
    moved = chosen.reopen()
    return f"{_number(moved)} reopened.", None


def _snooze(chosen: Selection, form: SelectionForm) -> Answer:
    person = reader()
    until = snooze_until(SnoozeForm(until=form.until), person)
    moved = chosen.snooze(until)
    words = short_future(until, person.now, person.zone) if until else "they answer"
    return f"{_number(moved)} snoozed until {words}.", _undo("reopen", moved)


def _assign(chosen: Selection, form: SelectionForm) -> Answer:
    return _given_to(chosen, form.assignee_id, form.words)


def _take(chosen: Selection, _form: SelectionForm) -> Answer:
    return _given_to(chosen, web.identity().staff_id, "")


def _given_to(chosen: Selection, staff_id: int | None, words: str) -> Answer:
    given = chosen.assign(staff_id, words)
    name = "nobody"
    if staff_id == web.identity().staff_id:
        name = "you"
    elif staff_id is not None:
        name = web.db().get_one(Staff, staff_id).name
    text = f"{_number(given)} with {name} now."
    left = sum(talk.assignee_id != staff_id for talk in chosen.talks)
    if left:
        text += f" {left} stayed: {name} may not see {'it' if left == 1 else 'them'}."
    before = [had or 0 for _, had in given]
    return text, _undo("give_back", [talk for talk, _ in given], before=before)


def _give_back(chosen: Selection, form: SelectionForm) -> Answer:
    before = dict(zip(form.clients, form.before, strict=False))
    chosen.give_back({client_id: had or None for client_id, had in before.items()})
    return "Undone.", None


def _read(chosen: Selection, _form: SelectionForm) -> Answer:
    return f"{_number(chosen.mark_read())} marked read.", None


def _unread(chosen: Selection, _form: SelectionForm) -> Answer:
    return f"{_number(chosen.mark_unread())} marked unread.", None


_ACTS: dict[str, Callable[[Selection, SelectionForm], Answer]] = {
    "done": _done,
    "reopen": _reopen,
    "snooze": _snooze,
    "assign": _assign,
    "take": _take,
    "give_back": _give_back,
    "read": _read,
    "unread": _unread,
}


def _number(changed: list[Any]) -> str:
    return f"{len(changed)} conversation{'' if len(changed) == 1 else 's'}"


def _undo(act: str, changed: list[Conversation], **values: Any) -> str | None:
    if not changed:
        return None
    clients = [talk.client_id for talk in changed]
    carried = filters().carried()
    return url_for("inbox.selected", act=act, clients=clients, **values, **carried)
