"""The page of an open conversation says that somebody is here, and learns who else is."""

from typing import Annotated

from flask import request
from pydantic import StringConstraints
from werkzeug.wrappers import Response

from casewell.inbox import pace, presence
from casewell.inbox.api import inbox
from casewell.inbox.blueprint import blueprint
from casewell.kernel import forms, web
from casewell.kernel.forms import Line, Query


class Beat(Query):
    """`shown` is what the page says of colleagues already."""

    typing: bool = False
    shown: Annotated[Line, StringConstraints(max_length=500)] = ""


@blueprint.post("/inbox/c/<int:client_id>/here")
def here(client_id: int) -> Response:
    """204 while nothing changed, so that nobody is told the same twice."""
    session, viewer, now = web.db(), web.identity(), web.now()
    pace.asks_again(viewer)
    inbox().must_see(client_id)
    beat = forms.parse(Beat, request.form)
    presence.here(session, client_id, viewer.staff_id, now, typing=beat.typing)
    others = presence.others_here(session, client_id, viewer.staff_id, now)
    words = presence.in_words(others)
    if words == beat.shown:
        return Response(status=204)
    return web.render(
        "inbox/_presence.html", client_id=client_id, others=others, words=words, beaten=True
    )
