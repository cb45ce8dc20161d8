"""What happened to a client, in words: each entry of the ledger as pages and programs tell it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
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
# An entry that was recorded so much later than it happened says when that was.
LATE = timedelta(minutes=1)
MOST_NAMED = 3  # of changed fields; more are counted
WORDS_OF = frozenset({"call.held", "message.received", "message.queued", "message.sent"})
COLUMNS: tuple[Any, ...] = (
    ActivityEvent.id,
    ActivityEvent.seq,
    ActivityEvent.kind,
    ActivityEvent.data,
    ActivityEvent.actor_kind,
    ActivityEvent.actor_id,
    ActivityEvent.actor_name,
    ActivityEvent.occurred_at,
    ActivityEvent.recorded_at,
    ActivityEvent.subject_type,
    ActivityEvent.subject_id,
)
NEWEST_FIRST = (ActivityEvent.occurred_at, ActivityEvent.id)
_ICONS = {
    "call": "phone",
    "client": "user",
    "message": "mail",
    "conversation": "inbox",
    "note": "note",
    "portal": "world",
    "tag": "tag",
    "document": "file-text",
    "evidence": "file-zip",
    "triage": "user-question",
}
_SENTENCES = {
    "call.held": "Call recorded",
    "client.assigned": "Responsible people changed",
    "client.changed": "Details changed",
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
    "conversation.assigned": "Conversation given to a colleague",
    "portal.disabled": "Portal account turned off",
    "portal.enabled": "Portal account turned on",
    "portal.invited": "Invited to the portal",
    "portal.link_sent": "Link to the portal sent",
    "portal.published": "Shown to the client",
    "portal.unpublished": "No longer shown to the client",
    "document.changed": "Document changed",
    "document.filed": "Document filed",
    "document.restored": "Document brought back",
    "document.version_added": "New version of a document",
    "document.withdrawn": "Document withdrawn",
    "evidence.made": "Evidence bundle made",
    "evidence.requested": "Evidence bundle asked for",
    "tag.added": "Tag added",
    "tag.merged": "Tag merged",
    "tag.removed": "Tag removed",
    "tag.renamed": "Tag renamed",
    "triage.linked": "Sender linked to this client",
    "triage.unlinked": "Sender no longer linked to this client",
}


@dataclass(frozen=True)
class Change:
    """One value that an entry changed, as people read it; empty: there was none."""

    what: str
    before: str
    after: str


@dataclass(frozen=True)
class Happening:
    """One entry in words, or the newest of several that are told of as one, its `entries`.

    Where it is a message, `written` holds what it says.
    """

    id: int
    seq: int
    kind: str
    icon: str
    sentence: str
    actor: str
    day: str
    time: str
    short_time: str
    full_time: str
    recorded: str
    at: datetime
    recorded_at: datetime
    row: Any
    written: Written | None = None
    changes: Sequence[Change] = ()
    entries: Sequence["Happening"] = ()


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
    """Return the newest entries of a client's ledger that the viewer may read, in their zone."""
    query = entries_of(viewer, client_id)
    if not with_messages:
        query = query.where(
            ActivityEvent.kind.not_like("message.%"), ActivityEvent.kind != "call.held"
        )
    newest_first = [key.desc() for key in NEWEST_FIRST]
    rows = session.execute(query.order_by(*newest_first).limit(most)).all()
    return in_words(session, rows, now, zone)


def entries_of(viewer: Identity, client_id: int) -> sa.Select[Any]:
    """Return what the viewer may read of the ledger of a client whom they may see."""
    return sa.select(*COLUMNS).where(ActivityEvent.client_id == client_id, visible_to(viewer.role))


def in_words(
    session: Session, rows: Iterable[Any], now: datetime, zone: ZoneInfo
) -> list[Happening]:
    """Return entries, which come newest first, as the reader is told of them.

    A message that left is told of once: by its sending, not by its writing before.
    """
    rows = list(rows)
    ids = {row.subject_id for row in rows if row.kind in WORDS_OF and row.subject_id is not None}
    written = contacts().written(session, sorted(ids))
    today = now.astimezone(zone).date()
    happenings: list[Happening] = []
    for row in rows:
        words = written.get(row.subject_id) if row.kind in WORDS_OF else None
        if words is not None and row.subject_id not in ids:
            continue
        ids.discard(row.subject_id)
        late = row.recorded_at - row.occurred_at > LATE
        happenings.append(
            Happening(
                id=row.id,
                seq=row.seq,
                kind=row.kind,
                icon=_ICONS.get(row.kind.partition(".")[0], "bolt"),
                sentence=sentence_of(row.kind, row.data),
                actor=row.actor_name,
                day=day_name(row.occurred_at.astimezone(zone).date(), today),
                time=clock_time(row.occurred_at, zone),
                short_time=short_time(row.occurred_at, now, zone),
                full_time=full_time(row.occurred_at, zone),
                recorded=full_time(row.recorded_at, zone) if late else "",
                at=row.occurred_at,
                recorded_at=row.recorded_at,
                row=row,
                written=words,
                changes=changes_of(row.kind, row.data),
            )
        )
    return happenings


def name_of(kind: str) -> str:
    """Return what entries of a kind are about: "Message delivered"."""
    return _SENTENCES.get(kind) or kind.replace(".", " ").replace("_", " ").capitalize()


def sentence_of(kind: str, data: Mapping[str, Any]) -> str:
    match kind:
        case "client.changed":
            names = [FIELD_WORDS.get(name, name) for name in data.get("changes", {})]
            if len(names) > MOST_NAMED:
                return f"{len(names)} fields changed"
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
        case "conversation.assigned" if data.get("assignee"):
            return f"Conversation given to {data['assignee']}"
        case kind if kind.startswith("document.") and data.get("title"):
            return f"{name_of(kind)}: {data['title']}"
        case "portal.published" | "portal.unpublished":
            return f'{name_of(kind)}: "{data["words"]}"'
        case "tag.added" | "tag.removed" if data.get("tag"):
            undone = " (undone)" if data.get("undone") else ""
            return f"{name_of(kind)}: {data['tag']}{undone}"
        case "tag.merged" | "tag.renamed" if data.get("tag"):
            before, after = data.get("before", data["tag"]), data.get("into", data["tag"])
            verb = "is now called" if kind == "tag.renamed" else "is part of"
            return f"Tag {before} {verb} {after}"
        case "triage.linked" | "triage.unlinked" if data.get("address"):
            return f"{name_of(kind)}: {data['address']}"
        case _:
            return name_of(kind)


def changes_of(kind: str, data: Mapping[str, Any]) -> list[Change]:
    """Return old and new values of what an entry changed."""
    match kind:
        case "client.changed":
            return [
                Change(FIELD_WORDS.get(name, name), _plain(one.get("from")), _plain(one.get("to")))
                for name, one in data.get("changes", {}).items()
            ]
        case "document.changed":
            return [
                Change(name.capitalize(), _plain(one.get("from")), _plain(one.get("to")))
                for name, one in data.get("changes", {}).items()
            ]
        case "client.status_changed":
            was, now = (STATUS_WORDS[ClientStatus(data[end])] for end in ("from", "to"))
            return [Change("Status", was, now)]
        case "client.assigned":
            before = data.get("before") or {}
            return [
                Change(words, _plain(before.get(name)), _plain(data.get(name)))
                for name, words in (("main", "Main responsible"), ("second", "Second responsible"))
                if before.get(name) != data.get(name)
            ]
        case _:
            return []


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
