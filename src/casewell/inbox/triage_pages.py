"""Triage: mail that matches nobody, or several clients, until a person says whose it is."""

from typing import Any

from flask import Blueprint, request, url_for
from werkzeug.wrappers import Response

from casewell.clients.queries import clients_named, find_client
from casewell.inbox import queries
from casewell.inbox.cards import make_cards
from casewell.inbox.forms import LinkSender, NewClientFromSender
from casewell.inbox.reader import acting, reader
from casewell.kernel import forms, web
from casewell.kernel.access import EDITORS
from casewell.kernel.errors import InvalidInput, NotFound
from casewell.kernel.paging import keyset_page
from casewell.kernel.times import full_time, short_time
from casewell.messages.models import TriageReason, TriageSender, TriageState
from casewell.messages.triage import TriageService

blueprint = Blueprint("triage", __name__, template_folder="templates")
MOST_CLIENTS = 8
STATES = {
    TriageState.WAITING: "Waiting",
    TriageState.SET_ASIDE: "Set aside",
    TriageState.LINKED: "Linked",
}
REASONS = {
    TriageReason.UNKNOWN: "No client has this address.",
    TriageReason.AMBIGUOUS: "More than one client has this address.",
    TriageReason.UNVERIFIED: "The sender could not be verified: anyone may have written this.",
}


def triage() -> TriageService:
    return TriageService(web.db(), web.identity(), acting(), web.now())


@blueprint.get("/triage")
def index() -> Response:
    """The tray: one line per sender, newest first."""
    state = _state(request.args.get("state", "waiting"))
    person, service = reader(), triage()
    page = service.waiting(request.args.get("after"), state=state)
    rows = [
        {
            "sender": sender,
            "time": short_time(sender.last_at, person.now, person.zone),
            "full": full_time(sender.last_at, person.zone),
        }
        for sender in page.items
    ]
    return web.render(
        "triage/index.html",
        "triage/_senders.html",
        rows=rows,
        state=state,
        states=STATES,
        waiting=service.count(),
        next=page.next,
    )


@blueprint.get("/triage/<int:sender_id>")
def show(sender_id: int) -> Response:
    return _page(sender_id)


@blueprint.post("/triage/<int:sender_id>/clients")
def choices(sender_id: int) -> Response:
    """Clients by name, to link a sender to: a fragment of the page, or the page itself."""
    if not web.is_htmx():
        return _page(sender_id)
    sender = _sender(sender_id)
    return web.render("triage/_choices.html", sender=sender, found=_found(), query=_query())


@blueprint.post("/triage/<int:sender_id>/link")
def link(sender_id: int) -> Response:
    try:
        form = forms.parse(LinkSender, request.form)
    except InvalidInput as error:
        return _page(sender_id, status=422, error=error)
    client = find_client(web.db(), web.identity(), form.client_id)
    triage().link(sender_id, client.id)
    web.toast(f"Linked to {client.name}.", undo=url_for("triage.undo", sender_id=sender_id))
    return web.go("inbox.conversation", client_id=client.id)


@blueprint.post("/triage/<int:sender_id>/client")
def create_client(sender_id: int) -> Response:
    try:
        form = forms.parse(NewClientFromSender, request.form)
        client = triage().create_client(sender_id, form.first_name, form.last_name)
    except InvalidInput as error:
        return _page(sender_id, status=422, error=error)
    web.toast(f"{client.name} created.", undo=url_for("triage.undo", sender_id=sender_id))
    return web.go("inbox.conversation", client_id=client.id)


@blueprint.post("/triage/<int:sender_id>/set-aside")
def set_aside(sender_id: int) -> Response:
    triage().set_aside(sender_id)
    web.toast(
        "Set aside. What comes from there stays out of the way.",
        undo=url_for("triage.undo", sender_id=sender_id),
    )
    return web.go("triage.index")


@blueprint.post("/triage/<int:sender_id>/undo")
def undo(sender_id: int) -> Response:
    """Take the decision about a sender back: its messages wait again."""
    triage().undo(sender_id)
    web.toast("Taken back. It waits in triage again.")
    return web.go("triage.show", sender_id=sender_id)


def _page(sender_id: int, status: int = 200, error: InvalidInput | None = None) -> Response:
    sender = _sender(sender_id)
    person = reader()
    newest = queries.messages.c
    page = keyset_page(
        web.db(),
        queries.triage_messages(sender_id),
        by=(newest.occurred_at, newest.id),
        after=request.args.get("after"),
        size=20,
    )
    first, _, last = sender.name.strip().rpartition(" ")
    names = (first, last) if first else (last, "")
    return web.render(
        "triage/show.html",
        status=status,
        sender=sender,
        why=REASONS[sender.reason],
        cards=make_cards(web.db(), page.items, person),
        next=page.next,
        reader=person,
        query=_query(),
        found=_found() or _candidates(sender),
        names=request.form if error else {"first_name": names[0], "last_name": names[1]},
        fields=error.fields if error else {},
        may_edit=False,
        may_decide=web.identity().role in EDITORS,
    )


def _sender(sender_id: int) -> TriageSender:
    return triage().sender(sender_id)


def _query() -> str:
    return web.looked_for()


def _found() -> Any:
    """Return clients of the name that is looked for; none before anything is."""
    query = _query()
    return clients_named(web.db(), web.identity(), query, MOST_CLIENTS) if query else ()


def _candidates(sender: TriageSender) -> list[dict[str, Any]]:
    """Return the clients whose address it is, to be chosen from at once."""
    return [
        {"id": row.id, "name": f"{row.first_name} {row.last_name}".strip(), "reference": None}
        for row in triage().candidates(sender.id)
    ]


def _state(given: str) -> TriageState:
    try:
        return TriageState(given)
    except ValueError as error:
        raise NotFound from error
