"""What the team does with a conversation: give it to somebody, put it off, read along."""

from typing import Any

from flask import request, url_for
from werkzeug.wrappers import Response

from casewell.clients.models import Client
from casewell.clients.queries import find_client
from casewell.inbox.blueprint import blueprint
from casewell.inbox.forms import AssignForm, SnoozeForm
from casewell.inbox.reader import acting, reader
from casewell.inbox.teamwork import snooze_until
from casewell.kernel import forms, web
from casewell.kernel.errors import CasewellError
from casewell.kernel.times import short_future
from casewell.messages import states, team
from casewell.messages.conversations import conversation_of


@blueprint.post("/inbox/c/<int:client_id>/snooze")
def snooze(client_id: int) -> Response:
    client = _client(client_id)
    person = reader()
    until = snooze_until(forms.parse(SnoozeForm, request.form), person)
    talk = conversation_of(web.db(), client.id)
    states.snooze(web.db(), web.runtime(), talk, until, acting())
    words = short_future(until, person.now, person.zone) if until else "they answer"
    undo = url_for("inbox.reopen", client_id=client.id)
    web.toast(f"{client.name} snoozed until {words}.", undo=undo)
    return web.go("inbox.index")


@blueprint.get("/inbox/c/<int:client_id>/assign")
def assigning(client_id: int) -> Response:
    return _assign_page(_client(client_id))


@blueprint.post("/inbox/c/<int:client_id>/assign")
def assign(client_id: int) -> Response:
    """Give a conversation to a colleague, with a word why; nobody is a choice as well."""
    client = _client(client_id)
    talk = conversation_of(web.db(), client.id)
    before = talk.assignee_id
    try:
        form = forms.parse(AssignForm, request.form)
        team.assign(
            web.db(), talk, form.assignee_id, actor=acting(), now=web.now(), words=form.words
        )
    except CasewellError as error:
        if error.status != 422:
            raise
        web.db().rollback()
        return _assign_page(_client(client_id), error)
    name = dict(team.possible_assignees(web.db(), client.id)).get(form.assignee_id or 0)
    undo = url_for("inbox.assign_back", client_id=client.id, to=before or None)
    text = f"{client.name} is with {name} now." if name else f"{client.name} is with nobody now."
    web.toast(text, undo=undo)
    return web.go("inbox.conversation", client_id=client.id)


@blueprint.post("/inbox/c/<int:client_id>/assign-back")
def assign_back(client_id: int) -> Response:
    """Undo an assignment: give it to whom it was with."""
    client = _client(client_id)
    talk = conversation_of(web.db(), client.id)
    team.assign(web.db(), talk, web.row_number("to"), actor=acting(), now=web.now())
    web.toast("Undone.")
    return web.go("inbox.conversation", client_id=client.id)


@blueprint.post("/inbox/c/<int:client_id>/take")
def take(client_id: int) -> Response:
    """Take a conversation in hand oneself."""
    client = _client(client_id)
    talk = conversation_of(web.db(), client.id)
    before = talk.assignee_id
    me = web.identity().staff_id
    team.assign(web.db(), talk, me, actor=acting(), now=web.now())
    undo = url_for("inbox.assign_back", client_id=client.id, to=before or None)
    web.toast(f"{client.name} is with you now.", undo=undo)
    return web.go("inbox.conversation", client_id=client.id)


@blueprint.post("/inbox/c/<int:client_id>/follow")
def follow(client_id: int) -> Response:
    client = _client(client_id)
    team.follow(web.db(), conversation_of(web.db(), client.id), web.identity().staff_id)
    undo = url_for("inbox.unfollow", client_id=client.id)
    web.toast(f"You follow {client.name}.", undo=undo)
    return web.go("inbox.conversation", client_id=client.id)


@blueprint.post("/inbox/c/<int:client_id>/unfollow")
def unfollow(client_id: int) -> Response:
    client = _client(client_id)
    team.unfollow(web.db(), conversation_of(web.db(), client.id), web.identity().staff_id)
    web.toast(f"You no longer follow {client.name}.")
    return web.go("inbox.conversation", client_id=client.id)


def _client(client_id: int) -> Client:
    return find_client(web.db(), web.identity(), client_id)


def _assign_page(client: Client, error: CasewellError | None = None) -> Response:
    talk = conversation_of(web.db(), client.id)
    people: list[tuple[Any, str]] = [
        (row.id, row.name) for row in team.possible_assignees(web.db(), client.id)
    ]
    return web.render(
        "inbox/assign.html",
        "inbox/_assign_dialog.html",
        status=error.status if error else 200,
        client=client,
        client_id=client.id,
        people=people,
        chosen=request.form.get("assignee_id") or talk.assignee_id or "",
        given=request.form.get("words", ""),
        errors=(error.fields or {"assignee_id": error.message}) if error else {},
    )
