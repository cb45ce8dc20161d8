"""The tab Timeline of a client's page."""

from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask import Blueprint, request, url_for
from werkzeug.wrappers import Response

from casewell.clients import words
from casewell.kernel import forms, web
from casewell.kernel.access import EDITORS
from casewell.kernel.errors import InvalidInput
from casewell.kernel.times import short_time
from casewell.portal.publishing import published_among, words_for_client
from casewell.portal.service import PortalAccounts
from casewell.staff.current import current_staff
from casewell.staff.models import Staff
from casewell.timeline.api import publishing
from casewell.timeline.bursts import fold
from casewell.timeline.forms import SeenForm, TimelineQuery, Topic
from casewell.timeline.service import MOST_COUNTED, Timeline

blueprint = Blueprint("timeline", __name__, template_folder="templates")
blueprint.context_processor(words.for_templates)
TOPICS = (
    (Topic.MESSAGES, "Messages", "message-2"),
    (Topic.CALLS, "Calls", "phone"),
    (Topic.NOTES, "Notes", "note"),
    (Topic.DETAILS, "Details", "user"),
    (Topic.TEAM, "Team", "users"),
    (Topic.PORTAL, "Portal", "world"),
    (Topic.TAGS, "Tags", "tag"),
    (Topic.DOCUMENTS, "Documents", "file-text"),
    (Topic.EVIDENCE, "Evidence", "file-zip"),
)
OTHERS = (("client", "The client"), ("system", "Casewell itself"), ("provider", "A provider"))


@blueprint.get("/clients/<int:client_id>/timeline")
def show(client_id: int) -> Response:
    timeline = Timeline(web.db(), web.identity(), client_id)
    wanted, errors = _wanted()
    zone = ZoneInfo(current_staff().time_zone)
    told, on = timeline.page(wanted, web.now(), zone)
    looked = timeline.looked()
    return web.render(
        "timeline/show.html",
        "timeline/_more.html" if wanted.cursor else "timeline/_entries.html",
        client=timeline.client,
        wanted=wanted,
        errors=errors,
        topics=TOPICS,
        people=_people,
        activity=fold(told),
        published=published_among(web.db(), [one.id for one in told]),
        for_client=words_for_client,
        last_day=request.args.get("day", ""),
        more=_address(client_id, wanted, cursor=on, day=told[-1].day) if on and told else None,
        address=lambda **changes: _address(client_id, wanted, cursor=None, **changes),
        looked=looked,
        may_edit=web.identity().role in EDITORS,
        seen_up_to=looked.seq,
        looked_at=short_time(looked.at, web.now(), zone) if looked.at else "",
        new_words=f"{MOST_COUNTED}+" if looked.new > MOST_COUNTED else str(looked.new),
    )


@blueprint.post("/clients/<int:client_id>/timeline/seen")
def seen(client_id: int) -> Response:
    """Note how far one has looked: what is recorded from then on is new."""
    timeline = Timeline(web.db(), web.identity(), client_id)
    timeline.mark_seen(forms.parse(SeenForm, request.form).seq, web.now())
    if web.is_htmx():
        return Response(status=204)
    return web.go("timeline.show", client_id=client_id)


@blueprint.post("/clients/<int:client_id>/timeline/<int:event_id>/publish")
def publish(client_id: int, event_id: int) -> Response:
    """Let the client read an entry in the portal."""
    words = publishing(client_id).publish(event_id)
    account = PortalAccounts(web.db(), web.runtime(), None).of(client_id)
    later = "" if account else " They see it once you have invited them to the portal."
    undo = url_for(".unpublish", client_id=client_id, event_id=event_id)
    web.toast(f'The client reads now: "{words}".{later}', undo=undo)
    return _flag(client_id, event_id, words, is_published=True)


@blueprint.post("/clients/<int:client_id>/timeline/<int:event_id>/unpublish")
def unpublish(client_id: int, event_id: int) -> Response:
    words = publishing(client_id).unpublish(event_id)
    undo = url_for(".publish", client_id=client_id, event_id=event_id)
    web.toast(f'The client no longer reads: "{words}"', undo=undo)
    return _flag(client_id, event_id, words, is_published=False)


def _flag(client_id: int, event_id: int, words: str, *, is_published: bool) -> Response:
    """Answer with the entry's button as it is now, or with the page it stands on."""
    if not web.is_htmx():
        return web.go("timeline.show", client_id=client_id, _anchor=f"entry-{event_id}")
    return web.render(
        "timeline/_flag.html",
        client_id=client_id,
        event_id=event_id,
        words=words,
        is_published=is_published,
    )


def _wanted() -> tuple[TimelineQuery, dict[str, str]]:
    """Return what the address asks for; where it is nonsense, all, and what is wrong with it."""
    try:
        return forms.parse(TimelineQuery, request.args), {}
    except InvalidInput as error:
        return TimelineQuery(), error.fields


def _address(client_id: int, wanted: TimelineQuery, **changes: Any) -> str:
    given = {**wanted.model_dump(mode="json", exclude_defaults=True), **changes}
    within = request.args.get("within")  # the list somebody came from goes on from here, too
    return url_for("timeline.show", client_id=client_id, within=within, **given)


def _people() -> list[tuple[Any, str]]:
    rows = web.db().execute(sa.select(Staff.id, Staff.name).order_by(Staff.name, Staff.id))
    return [*((row.id, row.name) for row in rows), *OTHERS]
