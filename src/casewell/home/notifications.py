"""What one should know of: `/notifications`."""

from datetime import datetime
from typing import Annotated, Any

import sqlalchemy as sa
from flask import Blueprint, request, url_for
from pydantic import StringConstraints
from werkzeug.wrappers import Response

from casewell.clients.models import Client
from casewell.clients.queries import clients_visible_to
from casewell.inbox.reader import reader
from casewell.kernel import forms, web
from casewell.kernel.db import LARGEST_ID
from casewell.kernel.errors import NotFound
from casewell.kernel.forms import Query
from casewell.kernel.paging import keyset_page
from casewell.kernel.times import full_time, short_time
from casewell.staff.models import Notification, NotificationKind

blueprint = Blueprint("notifications", __name__, template_folder="templates")
PAGE = 50
WORDS = {
    NotificationKind.MENTIONED: ("note", "{actor} named you in a note about {client}"),
    NotificationKind.ASSIGNED: ("user-plus", "{actor} assigned {client} to you"),
    NotificationKind.WOKEN: ("clock", "{client} is back: the time you snoozed it for is over"),
    NotificationKind.NOT_SENT: ("alert-circle", "Your message to {client} may not have arrived"),
}


# What in the conversation some of them are about, as a parameter of its address.
SOUGHT = {NotificationKind.MENTIONED: "note", NotificationKind.NOT_SENT: "message"}


class NotificationQuery(Query):
    after: Annotated[str, StringConstraints(max_length=500)] | None = None


@blueprint.get("/notifications")
def index() -> Response:
    viewer, person = web.identity(), reader()
    columns: tuple[Any, ...] = (
        Notification.id,
        Notification.kind,
        Notification.client_id,
        Notification.actor_name,
        Notification.at,
        Notification.read_at,
        sa.func.trim(Client.first_name + " " + Client.last_name).label("client"),
    )
    query = (
        sa.select(*columns)
        .join(Client, Client.id == Notification.client_id)
        .where(Notification.staff_id == viewer.staff_id, clients_visible_to(viewer))
    )
    asked = forms.parse(NotificationQuery, request.args)
    page = keyset_page(
        web.db(), query, by=(Notification.at, Notification.id), after=asked.after, size=PAGE
    )
    rows = [_row(row, person.now, person.zone) for row in page.items]
    following = url_for("notifications.index", after=page.next) if page.next else None
    return web.render(
        "home/notifications.html",
        "home/_notifications.html",
        rows=rows,
        next=following,
        any_unread=any(row["is_unread"] for row in rows),
    )


@blueprint.post("/notifications/<int:notification_id>/open")
def open_one(notification_id: int) -> Response:
    """Mark one read, and go where it leads."""
    row = _own(notification_id)
    row.read_at = row.read_at or web.now()
    sought = SOUGHT.get(row.kind)
    place = {sought: row.subject_id} if sought else {}
    return web.go("inbox.conversation", client_id=row.client_id, **place)


@blueprint.post("/notifications/<int:notification_id>/read")
def read_one(notification_id: int) -> Response:
    row = _own(notification_id)
    row.read_at = row.read_at or web.now()
    return web.go("notifications.index")


@blueprint.post("/notifications/read")
def read_all() -> Response:
    web.db().execute(
        sa.update(Notification)
        .where(Notification.staff_id == web.identity().staff_id, Notification.read_at.is_(None))
        .values(read_at=web.now())
        .execution_options(synchronize_session=False)
    )
    web.toast("All read.")
    return web.go("notifications.index")


def _own(notification_id: int) -> Notification:
    """Return one of the viewer's own, of a client they may see. Raises NotFound."""
    if notification_id > LARGEST_ID:
        raise NotFound
    row = web.db().scalar(
        sa.select(Notification)
        .join(Client, Client.id == Notification.client_id)
        .where(
            Notification.id == notification_id,
            Notification.staff_id == web.identity().staff_id,
            clients_visible_to(web.identity()),
        )
    )
    if row is None:
        raise NotFound
    return row


def _row(row: Any, now: datetime, zone: Any) -> dict[str, Any]:
    icon, words = WORDS[NotificationKind(row.kind)]
    sentence = words.format(actor=row.actor_name or "Somebody", client=row.client or "a client")
    return {
        "id": row.id,
        "icon": icon,
        "sentence": sentence,
        "is_unread": row.read_at is None,
        "time": short_time(row.at, now, zone),
        "full": full_time(row.at, zone),
        "iso": row.at.isoformat(),
    }
