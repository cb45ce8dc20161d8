"""Giving tags to many clients at once, and taking them: the bar under the list of clients.

Its routes are on the blueprint of `tags.pages`.
"""

import re
from typing import Any

import sqlalchemy as sa
from flask import request, url_for
from pydantic import Field
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from casewell.clients.forms import RowId
from casewell.clients.listing import Wanted, chosen, wanted_at
from casewell.clients.models import Client
from casewell.kernel import web
from casewell.kernel.errors import CasewellError, InvalidInput, NotFound
from casewell.kernel.forms import Form, parse
from casewell.staff.current import current_actor
from casewell.tags import changes, jobs
from casewell.tags.errors import NothingAsked
from casewell.tags.forms import TagChangeForm, TagName
from casewell.tags.models import ChangeState, TagChange
from casewell.tags.pages import CHANGE_WORDS, blueprint, service
from casewell.tags.queries import ClientTags, may_manage, shares
from casewell.tags.service import visible_of

__all__ = ["blueprint"]

MOST_TICKED = 500
LONGEST_ADDRESS = 4_000


class Ticked(Form):
    """Clients of a list that are ticked; with `whole` all that the list holds, by its address."""

    clients: list[RowId] = Field(default_factory=list, max_length=MOST_TICKED)
    whole: bool = False
    listed: str = Field("", max_length=LONGEST_ADDRESS)

    def wanted(self) -> Wanted:
        return wanted_at(self.listed)

    def found(self) -> sa.Select[Any]:
        """Return the ids of those of them that the viewer may see."""
        viewer = web.identity()
        if self.whole:
            return sa.select(Client.id).where(*chosen(web.db(), viewer, self.wanted()))
        return visible_of(viewer, self.clients)


@blueprint.post("/clients/tags")
def choose() -> Response:
    """Ask which tags the ticked clients get and lose."""
    return _choose(parse(Ticked, _ticked_of(request.form)))


def _choose(ticked: Ticked, *, error: str = "", status: int = 200) -> Response:
    session = web.db()
    found = ticked.found().order_by(None)
    number = session.scalar(sa.select(sa.func.count()).select_from(found.subquery())) or 0
    if not number:
        raise NotFound("None of these clients is there for you.")
    have = shares(session, found)
    return web.render(
        "tags/choose.html",
        "tags/_choose_dialog.html",
        ticked=ticked,
        number=number,
        have=have,
        offered=ClientTags().offered(session, chosen=sorted(have)),
        may_make=may_manage(web.identity()),
        error=error,
        status=status,
    )


@blueprint.post("/clients/tags/apply")
def apply() -> Response:
    """Begin the change; one of few clients is done with the answer."""
    ticked = parse(Ticked, _ticked_of(request.form))
    acts: dict[str, list[int]] = {"add": [], "remove": []}
    for name, act in request.form.items():
        if act in acts and re.fullmatch(r"tag-[1-9][0-9]{0,17}", name):
            acts[act].append(int(name.removeprefix("tag-")))
    session, viewer, now = web.db(), web.identity(), web.now()
    try:
        if request.form.get("name", "").strip():
            given = parse(_Named, {"name": request.form["name"]})
            acts["add"].append(service().tag_called(given.name).id)
        whose = {"filter": ticked.wanted()} if ticked.whole else {"clients": ticked.clients}
        change = changes.begin(session, viewer, parse(TagChangeForm, {**acts, **whose}), now)
    except (InvalidInput, NothingAsked) as error:
        session.rollback()
        return _choose(ticked, error=next(iter(_sentences(error))), status=422)
    jobs.start(session, web.runtime(), change, viewer, current_actor())
    if change.state is not ChangeState.DONE:
        return web.go("tags.change", change_id=change.id)
    undo = url_for("tags.undo_change", change_id=change.id) if change.changed else None
    web.toast(told_of(change), undo=undo)
    return web.go_to(web.safe_next(ticked.listed, url_for("clients.index")))


class _Named(Form):
    name: TagName


def _sentences(error: CasewellError) -> list[str]:
    return [*error.fields.values(), error.message]


def _ticked_of(form: MultiDict[str, str]) -> MultiDict[str, str]:
    """Return of a form what says whose tags change; the rest says which."""
    return MultiDict(
        (name, value) for name, value in form.items(multi=True) if name in Ticked.model_fields
    )


def told_of(change: TagChange) -> str:
    """Return what a change did, in a line."""
    if not change.changed:
        return "Their tags were like that already"
    many = f"{change.changed:,} client{'' if change.changed == 1 else 's'}"
    return f"Tags of {many} changed"


@blueprint.get("/tags/changes/<int:change_id>")
def change(change_id: int) -> Response:
    found = changes.find_change(web.db(), web.identity(), change_id)
    return web.render(
        "tags/change.html",
        "tags/_change.html",
        change=found,
        change_words=CHANGE_WORDS,
        may_undo=changes.may_undo(found, web.now()),
    )


@blueprint.post("/tags/changes/<int:change_id>/cancel")
def cancel_change(change_id: int) -> Response:
    found = changes.find_change(web.db(), web.identity(), change_id, hold=True)
    changes.cancel(found, web.now())
    return web.go("tags.change", change_id=change_id)


@blueprint.post("/tags/changes/<int:change_id>/undo")
def undo_change(change_id: int) -> Response:
    found = changes.find_change(web.db(), web.identity(), change_id, hold=True)
    changes.begin_undo(found, web.identity(), web.now())
    jobs.start(web.db(), web.runtime(), found, web.identity(), current_actor())
    if found.state is ChangeState.UNDONE:
        web.toast("Tags are as they were before")
        return web.go_to(web.safe_next(request.values.get("next"), url_for("clients.index")))
    return web.go("tags.change", change_id=change_id)
