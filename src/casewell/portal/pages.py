"""The client's messages: one page that works without JavaScript and is kept fresh with it."""

from datetime import datetime
from typing import Any, cast
from uuid import uuid4
from zoneinfo import ZoneInfo

from flask import Blueprint, g, redirect, request, url_for
from werkzeug.wrappers import Response

from casewell.kernel import web
from casewell.kernel.downloads import as_download, streamed
from casewell.kernel.errors import CasewellError
from casewell.kernel.forms import parse
from casewell.kernel.times import clock_time, day_name, full_time
from casewell.messages.files import open_attachment
from casewell.messages.models import Direction
from casewell.portal import forms
from casewell.portal.identify import client_zone, current_account, responsible_name
from casewell.portal.messages import PortalMessages, Upload, Written
from casewell.portal.sign_in import count_message

blueprint = Blueprint(
    "portal_messages", __name__, url_prefix="/portal", template_folder="templates"
)


@blueprint.get("/messages")
def index() -> Response:
    return _page(request.args.get("before"))


@blueprint.get("/messages/changes")
def changes() -> Response:
    """Answer with the newest messages, or with nothing where the page shows them already."""
    written = _messages().page(known=request.args.get("version", ""))
    if written is None:
        return Response(status=204)
    return web.render("portal/_messages.html", **_shown(written))


@blueprint.post("/messages")
def write() -> Response:
    count_message(web.runtime(), web.client().account_id)
    try:
        given = parse(forms.NewMessage, request.form)
        uploads = [
            Upload(one.filename, cast(Any, one.stream))
            for one in request.files.getlist("file")
            if one.filename
        ]
        _messages().write(given.body, uploads, given.key)
    except CasewellError as error:
        if error.status not in (413, 422):
            raise
        web.db().rollback()
        g.pop("client_account", None)  # read again: it was part of what is rolled back
        return _page(error=error)
    return redirect(url_for(".index") + "#end", 303)


@blueprint.post("/messages/seen")
def seen() -> Response:
    _messages().seen(parse(forms.Seen, request.form).up_to)
    return Response(status=204)


@blueprint.get("/messages/<public_id>/files/<int:position>")
def file(public_id: str, position: int) -> Response:
    found = _messages().file(public_id, position)
    content = open_attachment(web.runtime(), found)
    return as_download(streamed(content, found.size), found.shown_name)


def _messages() -> PortalMessages:
    return PortalMessages(web.db(), web.runtime(), current_account())


def _page(before: str | None = None, error: CasewellError | None = None) -> Response:
    written = _messages().page(before)
    assert written is not None
    return web.render(
        "portal/messages.html",
        status=error.status if error else 200,
        error=error.message if error else "",
        body=request.form.get("body", "") if error else "",
        key=uuid4().hex,
        person=responsible_name(),
        is_newest=before is None,
        **_shown(written),
    )


def _shown(written: Written) -> dict[str, Any]:
    """Return what the template shows: words and public names, no number of any row."""
    zone = client_zone()
    rows = [_line(row, written, zone) for row in reversed(written.rows)]
    return {
        "rows": rows,
        "older": written.older,
        "version": written.version,
        "newest": written.rows[0].public_id if written.rows else "",
        "unseen": written.unseen,
    }


def _line(row: Any, written: Written, zone: ZoneInfo) -> dict[str, Any]:
    mine = row.direction == Direction.INBOUND
    at: datetime = row.occurred_at
    return {
        "public_id": row.public_id,
        "is_mine": mine,
        "is_new": not mine and row.seen_at is None,
        "name": row.staff_name or "",
        "text": row.body_text,
        "day": day_name(at.astimezone(zone).date(), web.now().astimezone(zone).date()),
        "time": clock_time(at, zone),
        "iso": at.isoformat(),
        "full": full_time(at, zone),
        "is_read": mine and row.seen_at is not None,
        "files": written.files.get(row.id, []),
    }
