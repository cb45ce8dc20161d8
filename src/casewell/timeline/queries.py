"""Reading a client's ledger, narrowed; whose client it is has been asked before."""

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from casewell.clients.activity import entries_of
from casewell.kernel.access import Identity
from casewell.kernel.times import midnight
from casewell.ledger.models import ActivityEvent, ActorKind
from casewell.timeline.forms import TimelineQuery, Topic

PREFIXES = {
    Topic.MESSAGES: ("message.",),
    Topic.CALLS: ("call.",),
    Topic.NOTES: ("note.",),
    Topic.DETAILS: ("client.",),
    Topic.TEAM: ("conversation.", "triage."),
    Topic.PORTAL: ("portal.",),
    Topic.TAGS: ("tag.",),
    Topic.EVIDENCE: ("evidence.",),
    Topic.DOCUMENTS: ("document.",),
}


def narrowed(
    viewer: Identity, client_id: int, wanted: TimelineQuery, zone: ZoneInfo
) -> sa.Select[Any]:
    """Return the entries that are wanted, without an order."""
    query = entries_of(viewer, client_id)
    if wanted.topic is not None:
        begins = [ActivityEvent.kind.startswith(prefix) for prefix in PREFIXES[wanted.topic]]
        query = query.where(sa.or_(*begins))
    if wanted.person is not None:
        query = query.where(*_by(wanted.person))
    if wanted.since is not None:
        query = query.where(ActivityEvent.occurred_at >= midnight(wanted.since, zone))
    if wanted.until is not None and wanted.until < date.max:
        end = midnight(wanted.until + timedelta(days=1), zone)
        query = query.where(ActivityEvent.occurred_at < end)
    return query


def _by(person: str) -> list[sa.ColumnElement[bool]]:
    if person.isdigit():
        return [
            ActivityEvent.actor_kind == ActorKind.STAFF,
            ActivityEvent.actor_id == int(person),
        ]
    return [ActivityEvent.actor_kind == ActorKind(person)]
