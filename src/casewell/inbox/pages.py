"""The inbox: the list, the thread, the composer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask import request, url_for
from sqlalchemy.orm import joinedload, selectinload
from werkzeug.wrappers import Response

from casewell.clients.activity import recent_activity
from casewell.clients.models import Client, ClientStatus
from casewell.clients.queries import clients_named, find_client, possible_responsible
from casewell.clients.tagging import ShownTag, tagging
from casewell.clients.words import STATUS_WORDS
from casewell.inbox import composer, files, presence
from casewell.inbox.api import counts, inbox
from casewell.inbox.blueprint import blueprint
from casewell.inbox.cards import Card, Reader, client_addresses, make_cards, size_in_words
from casewell.inbox.changes import newest_message, newest_note
from casewell.inbox.errors import NeedsConfirmation, NothingUnread, SearchNotUnderstood
from casewell.inbox.excerpts import excerpt
from casewell.inbox.forms import ConversationQuery, ReplyForm, pressed_again
from casewell.inbox.narrowing import Narrowing
from casewell.inbox.note_cards import KINDS, note_time, with_notes
from casewell.inbox.queries import ConversationList, files_with
from casewell.inbox.reader import acting, answer_clock, reader
from casewell.inbox.service import Thread
from casewell.inbox.teamwork import AnswerClock, in_hand
from casewell.inbox.writers import ReplyDraft
from casewell.kernel import forms, web
from casewell.kernel.access import EDITORS, Role
from casewell.kernel.errors import CasewellError, InvalidInput, MalformedRequest
from casewell.kernel.searched import as_parameters
from casewell.kernel.times import clock_time, full_time, short_future, short_time
from casewell.messages import conversations, states, team
from casewell.messages.models import Channel, Conversation, ConversationState, Direction, Lane
from casewell.notes.mentions import may_be_named, who_read
from casewell.notes.models import NoteKind
from casewell.notes.queries import kinds_for

MORE_THAN_UNREAD = 5
MOST_CLIENTS = 20
MOST_RECENT = 8
ANY_STATE = ConversationList(state=None)
MOST_TAGS = 8
MOST_LINES = 4  # of each section of the rail
LANES = {
    Lane.ALL: "All",
    Lane.EMAIL: "Email",
    Lane.SMS: "SMS",
    Lane.PORTAL: "Portal",
    Lane.CALL: "Calls",
}
SCOPES = (
    ("mine", "My clients", "user"),
    ("assigned", "In my hands", "user-check"),
    ("unassigned", "In nobody's hands", "user-question"),
    ("all", "All clients", "users"),
)
STATUS_TONES = {
    ClientStatus.LEAD: "lead",
    ClientStatus.ONBOARDING: "lead",
    ClientStatus.ACTIVE: "active",
    ClientStatus.WAITING: "wait",
    ClientStatus.COMPLETED: "closed",
    ClientStatus.CANCELLED: "closed",
}
STATUS_HUES = {
    ClientStatus.LEAD: "violet",
    ClientStatus.ONBOARDING: "blue",
    ClientStatus.WAITING: "yellow",
    ClientStatus.COMPLETED: "green",
    ClientStatus.CANCELLED: "red",
}


@dataclass(frozen=True)
class Label:
    """What stands under a conversation, in the shape of a tag."""

    name: str
    colour: str


@dataclass(frozen=True)
class Filters:
    """What the list is narrowed to; every link of the page carries it on."""

    query: ConversationQuery
    q: str = ""

    @property
    def conversations(self) -> ConversationList:
        return ConversationList(
            self.query.scope,
            self.query.lane,
            self.query.conversation_state,
            self.query.unread,
            self.query.waiting,
        )

    def link(self, **changes: Any) -> str:
        return url_for("inbox.index", **{**self.carried(), **changes})

    def carried(self) -> dict[str, Any]:
        """Return what differs from a plain inbox, as a link's parameters."""
        given = {
            "scope": self.query.scope,
            "lane": self.query.lane.value,
            "state": self.query.state,
            "unread": "1" if self.query.unread else "",
            "waiting": "1" if self.query.waiting else "",
            "client": str(self.query.client or ""),
            "tag": str(self.query.tag or ""),
        }
        plain = {"scope": default_scope(), "lane": "all", "state": "open"}
        differs = {name: value for name, value in given.items() if value != plain.get(name, "")}
        return {**differs, **as_parameters(self.q)}


def default_scope() -> str:
    """Return "all" for those who read along but are responsible for nobody."""
    return "all" if web.identity().role is Role.VIEWER else "mine"


def filters(arguments: Mapping[str, str] | None = None) -> Filters:
    """Return the filters of this request's address, or of a form that becomes one.

    Raises MalformedRequest or BadCursor.
    """
    given = dict(request.args if arguments is None else arguments)
    given.setdefault("scope", default_scope())
    try:
        query = forms.parse(ConversationQuery, {k: v for k, v in given.items() if v != ""})
    except InvalidInput as error:
        raise MalformedRequest("This address is not one of the inbox. Start again.") from error
    return Filters(query, web.looked_for(most=200))


@blueprint.get("/inbox")
def index() -> Response:
    chosen = filters()
    context = list_context(chosen, reader())
    context["more"] = chosen.query.after is not None and web.is_htmx()
    target = request.headers.get("HX-Target", "")
    partial = "inbox/_list.html" if target == "list-pane" else "inbox/_rows.html"
    answer = web.render("inbox/index.html", partial, view="list", thread=None, **context)
    if target == "conv-list" and not context["more"]:
        answer.headers["HX-Push-Url"] = chosen.link()
    return answer


@blueprint.post("/inbox/search")
def search() -> Response:
    """Turn the search form into the list's address, where nothing private is readable."""
    return Response(status=303, headers={"Location": filters(request.form).link()})


@blueprint.get("/inbox/c/<int:client_id>")
def conversation(client_id: int) -> Response:
    """A whole page, the thread alone, or (with `before` or `after`) more of its messages."""
    person = reader()
    before, after = request.args.get("before"), request.args.get("after_message")
    if web.is_htmx() and (before or after):
        client = find_client(web.db(), web.identity(), client_id)
        part = inbox().get_conversation_thread(client_id, before=before, after=after)
        context = messages_context(client, part, person)
        context["part"] = with_notes(
            web.db(),
            web.identity(),
            client_id,
            part,
            context["cards"],
            person,
            before=before,
            after=after,
        )
        return web.render("inbox/_messages.html", **context)
    context = thread_context(client_id, person)
    chosen = filters()
    if web.is_htmx():
        return web.render("inbox/_opened.html", filters=chosen, **context)
    listed = list_context(chosen, person, current=client_id)
    return web.render("inbox/index.html", view="thread", **{**listed, **context})


@blueprint.post("/inbox/c/<int:client_id>/reply")
def reply(client_id: int) -> Response:
    find_client(web.db(), web.identity(), client_id)
    try:
        form = forms.parse(ReplyForm, _without_files())
        uploaded = files.keep_uploads(client_id, request.files.getlist("files"))
        draft = ReplyDraft(
            client_id,
            form.body,
            form.subject,
            form.to,
            form.cc,
            [*form.attachments, *uploaded],
            form.channel,
            composer.in_utc(form.leaves_at),
            form.seen,
            frozenset(form.confirm),
        )
        made = inbox().reply(draft, idempotency_key=form.key)
    except CasewellError as error:
        if error.status == 404:
            raise
        return _reply_refused(client_id, error)
    if form.done:
        talk = conversations.conversation_of(web.db(), client_id)
        states.mark_done(web.db(), talk, actor=acting(), now=web.now())
    undo = url_for("inbox.undo", message_id=made.message_id, reopen=1 if form.done else None)
    said = composer.queued_in_words(made, form.leaves_at, reader())
    if not web.is_htmx():
        web.toast(said, undo=undo)
        return web.go("inbox.conversation", client_id=client_id, sent=made.channel.value)
    return web.render(
        "inbox/_sent.html",
        card=_card(client_id, made.message_id),
        client_id=client_id,
        filters=filters(),
        undo=undo,
        said=said,
        seen=newest_message(web.db()),
        key=uuid4().hex,
        may_edit=True,
        state=ConversationState.DONE if form.done else None,
        **_row_change(client_id),
    )


def _without_files() -> Any:
    given = request.form.copy()
    given.poplist("files")
    return given


def _reply_refused(client_id: int, error: CasewellError) -> Response:
    """Answer 422 with the reason, and with everything that was written."""
    web.db().rollback()
    asks = isinstance(error, NeedsConfirmation)
    reason: dict[str, Any] = {
        "error": error.message,
        "error_fields": {} if asks else error.fields,
        "questions": error.fields if asks else {},
        "anyway": pressed_again(request.form, error.fields) if asks else "",
    }
    if web.is_htmx():
        return web.render("inbox/_refused.html", status=422, **reason)
    person = reader()
    context = thread_context(client_id, person)
    context["composer"] |= {
        **reason,
        "body": request.form.get("body", ""),
        "subject": request.form.get("subject", ""),
        "via": request.form.get("via", ""),
        "cc": ", ".join(filter(None, request.form.getlist("cc"))),
        "key": request.form.get("key") or uuid4().hex,
    }
    listed = list_context(filters(), person, current=client_id)
    return web.render("inbox/index.html", status=422, view="thread", **{**listed, **context})


@blueprint.post("/inbox/c/<int:client_id>/read")
def mark_read(client_id: int) -> Response:
    """For browsers without scripts; with them the page reports what was in sight."""
    part = inbox().get_conversation_thread(client_id, size=1)
    if part.messages:
        inbox().mark_read(part.messages[-1].id)
    return web.go("inbox.conversation", client_id=client_id)


@blueprint.post("/inbox/c/<int:client_id>/unread")
def mark_unread(client_id: int) -> Response:
    try:
        inbox().mark_unread(client_id)
    except NothingUnread as error:
        if not web.is_htmx():
            web.toast(error.message, kind="error")
            return web.go("inbox.index")
        raise
    web.toast("Marked unread.")
    return web.go("inbox.index")


@blueprint.post("/inbox/c/<int:client_id>/done")
def done(client_id: int) -> Response:
    return _set_state(client_id, ConversationState.DONE)


@blueprint.post("/inbox/c/<int:client_id>/reopen")
def reopen(client_id: int) -> Response:
    return _set_state(client_id, ConversationState.OPEN)


def _set_state(client_id: int, state: ConversationState) -> Response:
    session = web.db()
    client = find_client(session, web.identity(), client_id)
    talk = conversations.conversation_of(session, client.id)
    if state is ConversationState.DONE:
        states.mark_done(session, talk, actor=acting(), now=web.now())
        text, back = f"{client.name} marked done.", "inbox.reopen"
    else:
        states.reopen(session, talk, actor=acting(), now=web.now())
        text, back = f"{client.name} reopened.", "inbox.done"
    undo = url_for(back, client_id=client_id)
    if web.is_htmx():
        return web.render(
            "inbox/_state_changed.html",
            client_id=client_id,
            filters=filters(),
            state=state,
            text=text,
            undo=undo,
            **_row_change(client_id),
        )
    web.toast(text, undo=undo)
    return web.go("inbox.conversation", client_id=client_id)


@blueprint.get("/inbox/new")
def new() -> Response:
    """Choose whom to write to."""
    recent = inbox().get_staff_inbox(wanted=ANY_STATE, size=MOST_RECENT).items
    return web.render("inbox/new.html", "inbox/_choices.html", found=[], recent=recent, query="")


@blueprint.post("/inbox/new")
def find() -> Response:
    """Look for whom to write to; by POST, so that what is looked for is in no address."""
    query = web.looked_for()
    if not query:
        return new()
    with web.runtime().database.reading() as session:
        found = clients_named(session, web.identity(), query, MOST_CLIENTS)
    return web.render("inbox/new.html", "inbox/_choices.html", found=found, recent=[], query=query)


def list_context(chosen: Filters, person: Reader, current: int | None = None) -> dict[str, Any]:
    """Return what the list pane shows: conversations, or hits while something is looked for."""
    service = inbox()
    unread = counts()
    offered = _tags_offered(chosen)
    context = {
        "filters": chosen,
        "counts": unread,
        "current": current,
        "lanes": [
            {
                "label": label,
                "href": chosen.link(lane=lane.value if lane is not Lane.ALL else None),
                "current": lane is chosen.query.lane,
                "count": unread[lane.value],
                "count_kind": "unread" if lane is chosen.query.lane else "open",
                "count_id": f"unread-{lane.value}",
            }
            for lane, label in LANES.items()
        ],
        "scopes": scopes(),
        "scope_name": {one[0]: one[1] for one in SCOPES}[chosen.query.scope],
        "narrowed": narrowed_in_words(chosen, offered),
        "sees_all": web.identity().role is not Role.CASE_MANAGER,
        "may_edit": web.identity().role in EDITORS,
        "people": partial(possible_responsible, web.db()),
        "tags_offered": offered,
        "seen": newest_message(web.db()),
        "present": presence.in_list(
            web.db(), web.identity(), web.now(), own=chosen.query.scope != "all"
        ),
    }
    if chosen.q:
        try:
            page = service.search_messages(chosen.q, after=chosen.query.after)
        except SearchNotUnderstood as error:
            return {**context, "rows": [], "hits": [], "next": None, "problem": error.message}
        hits = [_hit(row, chosen, person) for row in page.items]
        return {**context, "rows": [], "hits": hits, "next": _next(chosen, page.next)}
    page = service.get_staff_inbox(
        wanted=chosen.conversations,
        narrowing=Narrowing(client_id=chosen.query.client, tag_id=chosen.query.tag),
        after=chosen.query.after,
    )
    clock = answer_clock()
    tagged = tagging().tags_of(web.db(), [row.client_id for row in page.items])
    rows = [
        _row(row, chosen, person, clock, current, tagged.get(row.client_id, ()))
        for row in page.items
    ]
    return {**context, "rows": rows, "hits": [], "next": _next(chosen, page.next)}


def _tags_offered(chosen: Filters) -> list[ShownTag]:
    """Return some tags to narrow the list to, the chosen one first."""
    ticked = [chosen.query.tag] if chosen.query.tag else []
    return list(tagging().offered(web.db(), chosen=ticked))[:MOST_TAGS]


def scopes() -> list[tuple[str, str, str]]:
    """Return whose conversations a person can list: value, label, icon."""
    sees_all = web.identity().role is not Role.CASE_MANAGER
    return [one for one in SCOPES if sees_all or one[0] != "all"]


def narrowed_in_words(chosen: Filters, tags: Sequence[ShownTag]) -> str:
    """Return what a list leaves out, for the line over it."""
    query = chosen.query
    words = {"open": "", "snoozed": "Snoozed", "done": "Done", "any": "Open, snoozed and done"}
    client = ""
    if query.client is not None:
        client = f"of {find_client(web.db(), web.identity(), query.client).name}"
    tagged = ""
    if query.tag is not None:
        names = [one.name for one in tags if one.id == query.tag]
        tagged = f"tagged {names[0]}" if names else "with a tag that is gone"
    parts = [
        words[query.state],
        "unread" if query.unread else "",
        "waiting for an answer" if query.waiting else "",
        client,
        tagged,
    ]
    said = ", ".join(part for part in parts if part)
    return said[:1].upper() + said[1:]


def _next(chosen: Filters, cursor: str | None) -> str | None:
    return chosen.link(after=cursor) if cursor else None


def _row(
    row: Any,
    chosen: Filters,
    person: Reader,
    clock: AnswerClock,
    current: int | None,
    tags: Sequence[ShownTag],
) -> dict[str, Any]:
    href = url_for("inbox.conversation", client_id=row.client_id, **chosen.carried())
    return {
        "id": f"conv-{row.client_id}",
        "href": href,
        "name": row.name or "No name",
        "key": row.client_id,
        "channel": str(row.channel),
        "at": row.last_at,
        "time": short_time(row.last_at, person.now, person.zone),
        "full": full_time(row.last_at, person.zone),
        "preview": f"You: {row.preview}" if row.direction == Direction.OUTBOUND else row.preview,
        "unread": row.unread,
        "current": row.client_id == current,
        "tags": [*_labels(row, person, clock), *tags],
        "owner": row.assignee,
        "owner_key": row.assignee_id,
        "bar": "selected" if web.identity().role in EDITORS else "",
        "attrs": {
            "hx-get": href,
            "hx-target": "#thread",
            "hx-swap": "outerHTML",
            "hx-push-url": "true",
            "data-conversation": row.client_id,
        },
    }


def _labels(row: Any, person: Reader, clock: AnswerClock) -> list[Label]:
    """Return what stands under a conversation: the client's status, and what it waits for."""
    labels = []
    if row.status != ClientStatus.ACTIVE:
        status = ClientStatus(row.status)
        labels.append(Label(STATUS_WORDS[status], STATUS_HUES[status]))
    if row.state == ConversationState.SNOOZED:
        until = row.snoozed_until
        words = short_future(until, person.now, person.zone) if until else "they answer"
        labels.append(Label(f"Until {words}", "violet"))
    elif row.waiting_since is not None:
        words, hue = clock.read(row.waiting_since)
        labels.append(Label(words, hue))
    return labels


def _row_change(client_id: int) -> dict[str, Any]:
    """Return how the list beside the thread changes: the row as it stands, or that it left."""
    wanted = filters().conversations.state
    state = web.db().scalar(
        sa.select(Conversation.state).where(Conversation.client_id == client_id)
    )
    if wanted is not None and state != wanted:
        return {"row": None, "row_gone": f"conv-{client_id}"}
    return {"row": row_of(client_id), "row_gone": None}


def row_of(client_id: int) -> dict[str, Any] | None:
    """Return the list row of one conversation as it stands now, for an htmx answer."""
    chosen = filters()
    wanted = ConversationList(chosen.query.scope, chosen.query.lane, None)
    row = inbox().get_list_row(client_id, wanted)
    if row is None:
        return None
    tags = tagging().tags_of(web.db(), [client_id]).get(client_id, ())
    return _row(row, chosen, reader(), answer_clock(), client_id, tags)


def _hit(row: Any, chosen: Filters, person: Reader) -> dict[str, Any]:
    href = url_for(
        "inbox.conversation", client_id=row.client_id, message=row.id, **chosen.carried()
    )
    return {
        "href": href,
        "name": row.client_name or "No name",
        "key": row.client_id,
        "channel": str(row.channel),
        "at": row.occurred_at,
        "time": short_time(row.occurred_at, person.now, person.zone),
        "full": full_time(row.occurred_at, person.zone),
        "subject": excerpt(row.subject, chosen.q),
        "excerpt": excerpt(row.body or row.preview, chosen.q),
    }


def thread_context(client_id: int, person: Reader) -> dict[str, Any]:
    """Return what the thread, its composer and the rail show of a client."""
    session, service = web.db(), inbox()
    client = find_client(
        session,
        web.identity(),
        client_id,
        selectinload(Client.emails),
        selectinload(Client.phones),
        selectinload(Client.main_responsible),
        selectinload(Client.second_responsible),
    )
    read = service.read_up_to(client_id)
    before, after = request.args.get("before"), request.args.get("after_message")
    message, note = web.row_number("message"), web.row_number("note")
    here = note_time(session, web.identity(), client_id, note) if note else None
    part = service.get_conversation_thread(
        client_id,
        before=before,
        after=after,
        around=message,
        at=here,
        size=max(30, read.unread + MORE_THAN_UNREAD),
    )
    if message and not here:
        here = next((row.occurred_at for row in part.messages if row.id == message), None)
    cards = make_cards(
        session,
        part.messages,
        person,
        read_up_to=read,
        own_addresses={one.normal_form for one in client.emails},
        client_name=client.name,
    )
    colleagues = may_be_named(session, client_id)
    others = presence.others_here(session, client_id, web.identity().staff_id, web.now())
    talk = session.scalar(
        sa.select(Conversation)
        .where(Conversation.client_id == client_id)
        .options(joinedload(Conversation.assignee))
    )
    return {
        "client": client,
        "client_id": client_id,
        "client_tags": tagging().tags_of(session, [client_id]).get(client_id, ()),
        "state": talk.state if talk else ConversationState.OPEN,
        "assignee": talk.assignee if talk else None,
        "in_hand": in_hand(talk, person, answer_clock()),
        "current_reader": web.identity().staff_id,
        "follows": team.follows(session, client_id, web.identity().staff_id),
        "status_word": STATUS_WORDS[client.status],
        "status_tone": STATUS_TONES[client.status],
        "cards": cards,
        "part": with_notes(
            session,
            web.identity(),
            client_id,
            part,
            cards,
            person,
            before=before,
            after=after,
            here=None if before or after else here,
        ),
        "writes_note": request.args.get("compose") == "note",
        "was_noted": "noted" in request.args,
        "note_kinds": note_kinds(),
        "colleagues": [one.name for one in colleagues],
        "readers_of_privileged": [one.name for one in who_read(colleagues, NoteKind.PRIVILEGED)],
        "others": others,
        "words": presence.in_words(others),
        "unread": sum(card.is_unread for card in cards),
        "thread_seen": newest_message(session),
        "notes_seen": newest_note(session, web.identity()),
        "reader": person,
        "sought": f"note-{note}" if note else f"message-{message}" if message else "",
        "since": person.day(client.created_at.astimezone(person.zone).date()),
        "local_time": _local_time(client, person),
        "composer": composer.context(client),
        "recent_files": _recent_files(client_id, person),
        "happened": recent_activity(
            session,
            web.identity(),
            client_id,
            person.now,
            person.zone,
            most=MOST_LINES,
            with_messages=False,
        ),
        "sent_by": sent_by(),
        "may_edit": web.identity().role in EDITORS,
        "counts": counts(),
    }


def note_kinds() -> list[tuple[str, str]]:
    """Return the kinds of notes that the person signed in may write, as a list offers them."""
    return [(kind.value, KINDS[kind] or "General") for kind in kinds_for(web.identity().role)]


def sent_by() -> str:
    """Return the channel of the answer that was just queued without scripts, "" for none."""
    given = request.args.get("sent", "")
    return given if given in list(Channel) else ""


def _recent_files(client_id: int, person: Reader) -> list[dict[str, Any]]:
    return [
        {
            "name": row.shown_name,
            "size": size_in_words(row.size),
            "time": short_time(row.occurred_at, person.now, person.zone),
            "href": url_for("inbox.attachment", attachment_id=row.id),
        }
        for row in web.db().execute(files_with(client_id, MOST_LINES))
    ]


def messages_context(client: Client, part: Thread, person: Reader) -> dict[str, Any]:
    return {
        "client_id": client.id,
        "client": client,
        "reader": person,
        "cards": cards_of(client, part.messages, person),
        "may_edit": web.identity().role in EDITORS,
    }


def cards_of(client: Client, rows: Any, person: Reader) -> list[Card]:
    return make_cards(
        web.db(),
        rows,
        person,
        own_addresses=client_addresses(web.db(), client.id),
        client_name=client.name,
    )


def _card(client_id: int, message_id: int) -> Card:
    client = find_client(web.db(), web.identity(), client_id)
    return cards_of(client, [inbox().get_message(message_id)], reader())[0]


def _local_time(client: Client, person: Reader) -> str:
    """Return the time at the client's place, where that is not the reader's own."""
    if not client.time_zone or client.time_zone == person.zone.key:
        return ""
    return clock_time(person.now, ZoneInfo(client.time_zone))
