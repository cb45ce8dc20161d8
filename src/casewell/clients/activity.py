"""What happened to a client lately, in one line each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients.contacts import Written, contacts
from casewell.clients.models import ClientStatus
from casewell.clients.words import FIELD_WORDS, STATUS_WORDS
from casewell.kernel.access import Identity
from casewell.kernel.times import clock_time, day_name, full_time, short_time
from casewell.ledger.models import ActivityEvent
from casewell.ledger.visibility import visible_to

MOST = 14
WORDS_OF = frozenset({"call.held", "message.received", "message.queued", "message.sent"})
_ICONS = {
    "call": "phone",
    "client": "user",
    "message": "mail",
    "conversation": "inbox",
    "note": "note",
    "triage": "user-question",
}
_SENTENCES = {
    "call.held": "Call recorded",
    "client.created": "Client added",
    "client.merge_undone": "Merge undone",
    "client.exported": "Exported",
    "client.ssn_revealed": "SSN shown",
    "message.received": "Message received",
    "message.queued": "Message written",
    "message.sent": "Message sent",
    "client.texts_allowed": "Texts allowed",
    "client.texts_stopped": "Texts stopped",
    "message.delivered": "Message delivered",
    "message.failed": "Message could not be sent",
    "message.bounced": "Message came back",
    "message.unconfirmed": "Message may not have arrived",
    "message.undone": "Message taken back before it was sent",
    "conversation.snoozed": "Conversation snoozed",
    "conversation.woken": "Conversation back from snooze",
    "conversation.unassigned": "Conversation given to nobody",
    "conversation.done": "Conversation marked done",
    "conversation.reopened": "Conversation opened again",
    "note.added": "Note written",
    "note.changed": "Note changed",
    "note.deleted": "Note deleted",
    "note.restored": "Note restored",
    "portal.disabled": "Portal account turned off",
    "portal.enabled": "Portal account turned on",
    "portal.invited": "Invited to the portal",
    "portal.link_sent": "Link to the portal sent",
    "triage.linked": "Sender linked to this client",
}


@dataclass(frozen=True)
class Happening:
    """One event in words. Where it is a message, `written` holds what it says."""

    icon: str
    sentence: str
    actor: str
    day: str
    time: str
    short_time: str
    full_time: str
    at: datetime
    kind: str
    written: Written | None


def recent_activity(
    session: Session,
    viewer: Identity,
    client_id: int,
    now: datetime,
    zone: ZoneInfo,
    *,
    most: int = MOST,
    with_messages: bool = True,
) -> list[Happening]:
    """Return the newest events of a client's ledger that the viewer may read, in their zone.

    A message that left is told of once: by its sending, not by its writing before.
    """
    query = (
        sa.select(
            ActivityEvent.kind,
            ActivityEvent.data,
            ActivityEvent.actor_name,
            ActivityEvent.occurred_at,
            ActivityEvent.subject_id,
        )
        .where(ActivityEvent.client_id == client_id, visible_to(viewer.role))
        .order_by(ActivityEvent.occurred_at.desc(), ActivityEvent.id.desc())
        .limit(most)
    )
    if not with_messages:
        query = query.where(
            ActivityEvent.kind.not_like("message.%"), ActivityEvent.kind != "call.held"
        )
    rows = session.execute(query).all()
    ids = {row.subject_id for row in rows if row.kind in WORDS_OF and row.subject_id is not None}
    written = contacts().written(session, sorted(ids))
    today = now.astimezone(zone).date()
    happenings: list[Happening] = []
    for row in rows:
        words = written.get(row.subject_id) if row.kind in WORDS_OF else None
        if words is not None and row.subject_id not in ids:
            continue
        ids.discard(row.subject_id)
        happenings.append(
            Happening(
                icon=_ICONS.get(row.kind.partition(".")[0], "bolt"),
                sentence=_sentence(row.kind, row.data),
                actor=row.actor_name,
                day=day_name(row.occurred_at.astimezone(zone).date(), today),
                time=clock_time(row.occurred_at, zone),
                short_time=short_time(row.occurred_at, now, zone),
                full_time=full_time(row.occurred_at, zone),
                at=row.occurred_at,
                kind=row.kind,
                written=words,
            )
        )
    return happenings


def _sentence(kind: str, data: Mapping[str, Any]) -> str:
    match kind:
        case "client.changed":
            names = [FIELD_WORDS.get(name, name) for name in data.get("changes", {})]
            return "Changed: " + ", ".join(names)
        case "client.status_changed":
            return f"Status changed to {STATUS_WORDS[ClientStatus(data['to'])]}"
        case "client.assigned":
            people = [name for name in (data.get("main"), data.get("second")) if name]
            return f"Assigned to {' and '.join(people)}" if people else "Nobody is responsible now"
        case "client.merged":
            return f"{data['merged_name']} merged into this client"
        case "client.ssn_changed":
            return f"SSN {data['what']}"
        case _:
            return _SENTENCES.get(kind) or kind.replace(".", " ").replace("_", " ").capitalize()
