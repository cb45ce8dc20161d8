"""Tags for programs: `/api/tags` and `/api/clients/<id>/tags`."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from casewell.clients.queries import find_client
from casewell.clients.tagging import ShownTag
from casewell.kernel import web
from casewell.kernel.api import Api
from casewell.kernel.errors import NotFound
from casewell.staff.current import current_actor
from casewell.tags import changes, jobs
from casewell.tags.forms import ChangedTag, GivenTag, Into, TagChangeForm, TagForm
from casewell.tags.models import ChangeState, TagChange
from casewell.tags.queries import ClientTags, TagLine, tag_lines
from casewell.tags.service import TagService

api = Api("tags", "/tags", tag="Tags")
of_clients = Api("client_tags", "/clients", tag="Tags")


class TagOut(BaseModel):
    """A tag; `clients` counts those that you may see."""

    id: int
    name: str
    colour: str
    description: str
    maker: str | None
    created_at: datetime
    clients: int
    last_used_at: datetime | None


class TagList(BaseModel):
    items: list[TagOut]


class ShownTagOut(BaseModel):
    id: int
    name: str
    colour: str


class ShownTagList(BaseModel):
    items: list[ShownTagOut]


class MergePreview(BaseModel):
    """How many clients would move, and how many of them have the other tag already."""

    clients: int
    have_both: int


class TagChangeOut(BaseModel):
    """A change of many clients' tags. `done` counts down again while it is undone."""

    id: int
    state: ChangeState
    added: list[str]
    removed: list[str]
    total: int
    done: int
    changed: int = Field(description="How many had not been as was asked.")
    created_at: datetime
    finished_at: datetime | None
    may_undo: bool


def tags() -> TagService:
    return TagService(web.db(), web.identity(), current_actor(), web.now)


@api.get("", answers=TagList, summary="List the tags of the firm")
def list_all() -> dict[str, Any]:
    """By name, each with how many clients have it and when it was last given."""
    return {"items": [vars(one) for one in tag_lines(web.db(), web.identity())]}


@api.post("", answers=TagOut, body=TagForm, status=201, errors=(409,), summary="Make a tag")
def create(body: TagForm) -> dict[str, Any]:
    return _line(tags().create(body).id)


@api.get("/<int:tag_id>", answers=TagOut, summary="Read a tag")
def show(tag_id: int) -> dict[str, Any]:
    return _line(tag_id)


@api.patch("/<int:tag_id>", answers=TagOut, body=ChangedTag, errors=(409,), summary="Change a tag")
def change(tag_id: int, body: ChangedTag) -> dict[str, Any]:
    tags().change(tag_id, body)
    return _line(tag_id)


@api.delete("/<int:tag_id>", status=204, summary="Delete a tag")
def delete(tag_id: int) -> None:
    """It is taken from everyone who has it."""
    tags().delete(tag_id, _line(tag_id)["name"])


@api.get(
    "/<int:tag_id>/merge/<int:into_id>", answers=MergePreview, summary="Preview a merge of tags"
)
def preview_merge(tag_id: int, into_id: int) -> dict[str, int]:
    clients, both = tags().preview_merge(tag_id, into_id)
    return {"clients": clients, "have_both": both}


@api.post("/<int:tag_id>/merge", answers=TagOut, body=Into, summary="Merge a tag into another")
def merge(tag_id: int, body: Into) -> dict[str, Any]:
    """Everyone who has it has the other one then; the first is deleted."""
    return _line(tags().merge(tag_id, body.into).id)


@api.post(
    "/changes",
    answers=TagChangeOut,
    body=TagChangeForm,
    status=202,
    errors=(404,),
    summary="Give or take tags of many clients",
)
def begin_change(body: TagChangeForm) -> dict[str, Any]:
    """Up to 500 clients are changed at once, more by and by: ask for the change to see how far.

    Each batch is done whole or not at all. It can be undone for 24 hours.
    """
    began = changes.begin(web.db(), web.identity(), body, web.now())
    jobs.start(web.db(), web.runtime(), began, web.identity(), current_actor())
    return _change(began)


@api.get("/changes/<int:change_id>", answers=TagChangeOut, summary="See how far a change is")
def show_change(change_id: int) -> dict[str, Any]:
    return _change(changes.find_change(web.db(), web.identity(), change_id))


@api.post("/changes/<int:change_id>/cancel", answers=TagChangeOut, summary="Stop a change")
def cancel_change(change_id: int) -> dict[str, Any]:
    """The batches that are done stay, and can be undone."""
    found = changes.find_change(web.db(), web.identity(), change_id, hold=True)
    changes.cancel(found, web.now())
    return _change(found)


@api.post(
    "/changes/<int:change_id>/undo",
    answers=TagChangeOut,
    status=202,
    errors=(409,),
    summary="Undo a change",
)
def undo_change(change_id: int) -> dict[str, Any]:
    """For 24 hours; what others changed since then stays as they left it."""
    found = changes.find_change(web.db(), web.identity(), change_id, hold=True)
    changes.begin_undo(found, web.identity(), web.now())
    jobs.start(web.db(), web.runtime(), found, web.identity(), current_actor())
    return _change(found)


@of_clients.get("/<int:client_id>/tags", answers=ShownTagList, summary="List a client's tags")
def of_client(client_id: int) -> dict[str, Any]:
    find_client(web.db(), web.identity(), client_id)
    return _of(client_id)


@of_clients.post(
    "/<int:client_id>/tags", answers=ShownTagList, body=GivenTag, summary="Give a client a tag"
)
def give(client_id: int, body: GivenTag) -> dict[str, Any]:
    """By its number or its name; a manager makes one that is new. Twice does it once."""
    if body.tag is not None:
        tags().assign(client_id, body.tag)
    else:
        tags().assign_named(client_id, body.name or "")
    return _of(client_id)


@of_clients.delete(
    "/<int:client_id>/tags/<int:tag_id>", answers=ShownTagList, summary="Take a tag from a client"
)
def take(client_id: int, tag_id: int) -> dict[str, Any]:
    tags().remove(client_id, tag_id)
    return _of(client_id)


def _line(tag_id: int) -> dict[str, Any]:
    found: list[TagLine] = tag_lines(web.db(), web.identity(), [tag_id])
    if not found:
        raise NotFound
    return vars(found[0])


def _of(client_id: int) -> dict[str, Any]:
    found: list[ShownTag] = list(ClientTags().tags_of(web.db(), [client_id]).get(client_id, ()))
    return {"items": [vars(one) for one in found]}


def _change(change: TagChange) -> dict[str, Any]:
    names = ("id", "state", "total", "done", "changed", "created_at", "finished_at")
    return {
        **{name: getattr(change, name) for name in names},
        "added": change.added_names,
        "removed": change.removed_names,
        "may_undo": changes.may_undo(change, web.now()),
    }
