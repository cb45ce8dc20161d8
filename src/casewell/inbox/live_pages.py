"""An open inbox asks what came in since, and gets nothing while nothing did."""

from flask import request
from werkzeug.wrappers import Response

from casewell.clients.queries import find_client
from casewell.inbox import pace, presence
from casewell.inbox.api import counts
from casewell.inbox.blueprint import blueprint
from casewell.inbox.changes import clients_who_wrote, new_in_thread, new_notes, news_in_thread
from casewell.inbox.forms import Marks
from casewell.inbox.note_cards import in_order, note_card
from casewell.inbox.pages import cards_of, filters, row_of
from casewell.inbox.reader import reader
from casewell.kernel import forms, web
from casewell.kernel.access import EDITORS
from casewell.messages.notices import unread_notifications


@blueprint.get("/inbox/changes")
def changes() -> Response:
    """What came since the page was made: 204 while nothing did.

    `seen`, `thread_seen` and `notes_seen` are the newest that list and thread know of; `shown`,
    `told` and `present` what the page already says of new mail, notifications and colleagues.
    """
    session, viewer, chosen = web.db(), web.identity(), filters()
    pace.asks_again(viewer)
    marks = forms.parse(Marks, request.args)
    wrote = clients_who_wrote(session, viewer, chosen.conversations, since=marks.seen)
    others = [client_id for client_id in wrote if client_id != marks.client]
    told = unread_notifications(session, viewer)
    present = presence.in_list(session, viewer, web.now(), own=chosen.query.scope != "all")
    rows, notes, cards, row = [], [], [], None
    if marks.client is not None:
        news = news_in_thread(
            session, viewer, marks.client, message=marks.thread_seen, note=marks.notes_seen
        )
        if news.message is not None:
            client = find_client(session, viewer, marks.client)
            rows = new_in_thread(session, viewer, client.id, since=marks.thread_seen)
            cards, row = cards_of(client, rows, reader()), row_of(client.id)
        if news.note is not None:
            notes = new_notes(session, viewer, marks.client, since=marks.notes_seen)
    came = bool(cards) or len(others) != marks.shown
    if not came and not notes and told == marks.told and present.key == marks.present:
        return Response(status=204)
    person = reader()
    times = {one.id: one.occurred_at for one in rows}
    return web.render(
        "inbox/_changes.html",
        filters=chosen,
        marks=marks,
        new=len(others),
        cards=cards,
        entries=in_order(cards, times, [note_card(one, viewer, person) for one in notes]),
        row=row,
        reader=person,
        thread_seen=max((card.id for card in cards), default=marks.thread_seen),
        notes_seen=max((one.id for one in notes), default=marks.notes_seen),
        may_edit=viewer.role in EDITORS,
        told=told,
        present=present,
        counts=counts() if came else None,
    )
