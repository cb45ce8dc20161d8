"""A client's timeline for programs."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field

from casewell.kernel import web
from casewell.kernel.api import Api
from casewell.ledger.models import ActorKind
from casewell.portal.publishing import Publishing, published_among, words_for_client
from casewell.staff.current import current_actor, current_staff
from casewell.timeline.forms import TimelineQuery
from casewell.timeline.service import Timeline

api = Api("timeline", "/clients", tag="Timeline")


class ChangeOut(BaseModel):
    what: str
    before: str = Field(description="Empty where there was nothing.")
    after: str


class EntryOut(BaseModel):
    """One entry of the client's ledger."""

    id: int
    seq: int = Field(description="Its place in the client's chain, in the order of recording.")
    kind: str
    summary: str
    text: str = Field(description="What the message or the note says; empty for all else.")
    occurred_at: datetime
    recorded_at: datetime
    actor_kind: ActorKind
    actor_id: int | None
    actor_name: str
    subject_type: str | None
    subject_id: int | None
    changes: list[ChangeOut]
    portal_text: str = Field(
        description="What the client would read of it; empty where it can't be published."
    )
    published: bool = Field(description="Whether the client reads it in the portal.")


class EntryPage(BaseModel):
    items: list[EntryOut]
    next: str | None = Field(description="Give it as `cursor` for the next page.")


@api.get(
    "/<int:client_id>/timeline",
    summary="Everything that happened to a client, newest first",
    query=TimelineQuery,
    answers=EntryPage,
)
def entries(client_id: int, query: TimelineQuery) -> dict[str, Any]:
    """By when it happened. A message that was sent is told of once, where it left."""
    zone = ZoneInfo(current_staff().time_zone)
    told, on = Timeline(web.db(), web.identity(), client_id).page(query, web.now(), zone)
    published = published_among(web.db(), [one.id for one in told])
    items = [
        {
            "id": one.id,
            "seq": one.seq,
            "kind": one.kind,
            "summary": one.sentence,
            "text": one.written.preview if one.written else "",
            "occurred_at": one.at,
            "recorded_at": one.recorded_at,
            "actor_kind": one.row.actor_kind,
            "actor_id": one.row.actor_id,
            "actor_name": one.actor,
            "subject_type": one.row.subject_type,
            "subject_id": one.row.subject_id,
            "changes": [
                {"what": change.what, "before": change.before, "after": change.after}
                for change in one.changes
            ],
            "portal_text": words_for_client(one.kind, one.row.data),
            "published": one.id in published,
        }
        for one in told
    ]
    return {"items": items, "next": on}


@api.put(
    "/<int:client_id>/timeline/<int:event_id>/published",
    status=204,
    summary="Let the client read an entry in the portal",
)
def publish(client_id: int, event_id: int) -> None:
    """They read its `portal_text`, never the entry's own words. Twice is once."""
    publishing(client_id).publish(event_id)


@api.delete(
    "/<int:client_id>/timeline/<int:event_id>/published",
    status=204,
    summary="Take an entry back from the client",
)
def unpublish(client_id: int, event_id: int) -> None:
    publishing(client_id).unpublish(event_id)


def publishing(client_id: int) -> Publishing:
    return Publishing(web.db(), web.identity(), client_id, current_actor(), web.now())
