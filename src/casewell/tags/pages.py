"""The pages of tags: managing them, and giving them to one client."""

from collections.abc import Mapping

from flask import Blueprint, request, url_for
from werkzeug.wrappers import Response

from casewell.clients import words
from casewell.clients.queries import find_client
from casewell.kernel import web
from casewell.kernel.access import EDITORS
from casewell.kernel.errors import CasewellError, InvalidInput, NotFound
from casewell.kernel.forms import parse
from casewell.staff.current import current_actor
from casewell.tags.changes import recent_changes
from casewell.tags.colours import HUES
from casewell.tags.errors import NotConfirmed
from casewell.tags.forms import ChangedTag, Choosing, GivenTag, Into, TagForm
from casewell.tags.queries import ClientTags, find_tag, may_manage, tag_lines
from casewell.tags.service import TYPED_FROM, TagService

blueprint = Blueprint("tags", __name__, template_folder="templates")
blueprint.context_processor(words.for_templates)
CHANGE_WORDS = {
    "running": "Changing tags",
    "done": "Done",
    "cancelled": "Cancelled",
    "undoing": "Undoing",
    "undone": "Undone",
    "failed": "Stopped",
}


def service() -> TagService:
    return TagService(web.db(), web.identity(), current_actor(), web.now)


@blueprint.get("/tags")
def index() -> Response:
    return _index({})


@blueprint.post("/tags")
def create() -> Response:
    try:
        tag = service().create(parse(TagForm, request.form))
    except CasewellError as error:
        web.db().rollback()
        return _index(request.form, error=error, status=error.status)
    web.toast(f'Tag "{tag.name}" made')
    return web.go("tags.index")


def _index(
    values: Mapping[str, str], *, error: CasewellError | None = None, status: int = 200
) -> Response:
    viewer = web.identity()
    return web.render(
        "tags/index.html",
        lines=tag_lines(web.db(), viewer),
        changes=recent_changes(web.db(), viewer),
        change_words=CHANGE_WORDS,
        may_manage=may_manage(viewer),
        values=values,
        errors=_fields(error),
        hues=HUES,
        status=status,
    )


def _fields(error: CasewellError | None) -> dict[str, str]:
    if error is None:
        return {}
    return error.fields or {"name": error.message}


@blueprint.get("/tags/<int:tag_id>")
def show(tag_id: int) -> Response:
    tag = find_tag(web.db(), tag_id)
    values = {"name": tag.name, "colour": tag.colour, "description": tag.description}
    return _show(tag_id, values)


@blueprint.post("/tags/<int:tag_id>")
def save(tag_id: int) -> Response:
    find_tag(web.db(), tag_id)
    try:
        whole = parse(TagForm, request.form)  # all of it: what is empty is to be empty
        tag = service().change(tag_id, ChangedTag(**whole.model_dump()))
    except CasewellError as error:
        web.db().rollback()
        return _show(tag_id, request.form, error=error, status=error.status)
    web.toast(f'Tag "{tag.name}" saved')
    return web.go("tags.index")


def _show(
    tag_id: int,
    values: Mapping[str, str],
    *,
    error: CasewellError | None = None,
    status: int = 200,
) -> Response:
    lines = tag_lines(web.db(), web.identity())
    line = next((one for one in lines if one.id == tag_id), None)
    if line is None:
        raise NotFound
    return web.render(
        "tags/show.html",
        tag=line,
        others=[(one.id, one.name) for one in lines if one.id != tag_id],
        values=values,
        errors=_fields(error),
        hues=HUES,
        typed=line.clients >= TYPED_FROM,
        status=status,
    )


@blueprint.get("/tags/<int:tag_id>/merge")
def preview(tag_id: int) -> Response:
    """Show what a merge would do, before it is done."""
    tag = find_tag(web.db(), tag_id)
    wanted = parse(Into, request.args)
    clients, both = service().preview_merge(tag_id, wanted.into)
    return web.render(
        "tags/merge.html",
        tag=tag,
        into=find_tag(web.db(), wanted.into),
        clients=clients,
        both=both,
    )


@blueprint.post("/tags/<int:tag_id>/merge")
def merge(tag_id: int) -> Response:
    name = find_tag(web.db(), tag_id).name
    into = service().merge(tag_id, parse(Into, request.form).into)
    web.toast(f'"{name}" merged into "{into.name}"')
    return web.go("tags.index")


@blueprint.post("/tags/<int:tag_id>/delete")
def delete(tag_id: int) -> Response:
    tag = find_tag(web.db(), tag_id)
    name = tag.name
    values = {"name": tag.name, "colour": tag.colour, "description": tag.description}
    try:
        number = service().delete(tag_id, request.form.get("confirm"))
    except NotConfirmed as error:
        return _show(tag_id, values, error=error, status=422)
    taken = f", taken from {number:,} client{'' if number == 1 else 's'}" if number else ""
    web.toast(f'Tag "{name}" deleted{taken}')
    return web.go("tags.index")


@blueprint.get("/tags/choices")
def choices() -> Response:
    """Answer with the tags whose name holds what was typed: the choices of a filter."""
    asked = parse(Choosing, request.args)
    chosen = asked.tag
    found = ClientTags().offered(web.db(), asked.find, chosen)
    return web.render("tags/_choices.html", offered=found, chosen=chosen)


@blueprint.get("/clients/<int:client_id>/tags")
def of_client(client_id: int) -> Response:
    return _of_client(client_id)


@blueprint.post("/clients/<int:client_id>/tags")
def assign(client_id: int) -> Response:
    try:
        given = parse(GivenTag, request.form)
        if given.tag is not None:
            tag, fresh = service().assign(client_id, given.tag)
        else:
            tag, fresh = service().assign_named(client_id, given.name or "")
    except InvalidInput:
        return _of_client(client_id, error="Type the name of a tag.", status=422)
    except CasewellError as error:
        if error.status == 404:
            raise
        return _of_client(client_id, error=error.message, status=error.status)
    undo = url_for("tags.remove", client_id=client_id, tag_id=tag.id) if fresh else None
    web.toast(f'Tag "{tag.name}" added' if fresh else f'They have "{tag.name}" already', undo=undo)
    return _back(client_id)


@blueprint.post("/clients/<int:client_id>/tags/<int:tag_id>/add")
def add(client_id: int, tag_id: int) -> Response:
    """Give back what was taken: the undo of `remove`."""
    tag, _ = service().assign(client_id, tag_id)
    web.toast(f'Tag "{tag.name}" added')
    return _back(client_id)


@blueprint.post("/clients/<int:client_id>/tags/<int:tag_id>/remove")
def remove(client_id: int, tag_id: int) -> Response:
    tag, had = service().remove(client_id, tag_id)
    undo = url_for("tags.add", client_id=client_id, tag_id=tag_id) if had else None
    web.toast(f'Tag "{tag.name}" removed', undo=undo)
    return _back(client_id)


def _back(client_id: int) -> Response:
    default = url_for("clients.show", client_id=client_id)
    return web.go_to(web.safe_next(request.values.get("next"), default))


def _of_client(client_id: int, *, error: str = "", status: int = 200) -> Response:
    session, viewer = web.db(), web.identity()
    client = find_client(session, viewer, client_id)
    has = list(ClientTags().tags_of(session, [client_id]).get(client_id, ()))
    known = {one.id for one in has}
    return web.render(
        "tags/of_client.html",
        "tags/_of_client_dialog.html",
        client=client,
        has=has,
        offered=[one for one in ClientTags().offered(session) if one.id not in known],
        may_edit=viewer.role in EDITORS,
        may_make=may_manage(viewer),
        error=error,
        next=request.values.get("next"),
        status=status,
    )
