"""Internal notes in a thread: each stands among the messages of its time, on exactly one page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from casewell.inbox.cards import Card, Reader
from casewell.inbox.service import Thread
from casewell.kernel.access import Identity
from casewell.kernel.paging import make_cursor, read_cursor
from casewell.kernel.times import clock_time, full_time
from casewell.notes.models import CHANGEABLE_FOR, CaseNote, NoteKind
from casewell.notes.queries import notes_between, notes_of

MOST_NOTES = 100  # in one part of a thread
KINDS = {
    NoteKind.GENERAL: "",
    NoteKind.INSTRUCTION: "Instruction",
    NoteKind.PRIVILEGED: "Privileged",
    NoteKind.BILLING: "Billing",
}


@dataclass(frozen=True)
class NoteCard:
    """One internal note in a thread."""

    id: int
    day: date
    at: datetime
    author: str
    kind: str
    text: str
    time: str
    iso: str
    full: str
    is_changeable: bool
    is_edited: bool
    is_note: bool = True
    is_unread: bool = False


@dataclass(frozen=True)
class MixedPart:
    """A part of a thread: messages and notes, oldest first, and the cursors of what lies around."""

    entries: Sequence[Card | NoteCard]
    before: str | None
    after: str | None


def with_notes(
    session: Session,
    viewer: Identity,
    client_id: int,
    part: Thread,
    cards: Sequence[Card],
    reader: Reader,
    *,
    before: str | None = None,
    after: str | None = None,
    here: datetime | None = None,
) -> MixedPart:
    """Return a part of a thread together with the notes that belong to it.

    A part holds the notes from its oldest message on, up to the oldest one of the part that
    follows; the first part also those before, the last one those after. `before` and `after` are
    the cursors it was asked for with, `here` a time that it lies around. Where many notes stand
    between its messages it ends early, and the next part goes on from there.
    """
    begin = end = None
    if after is not None:
        begin = read_cursor(after, 2)[0]
    elif part.before is not None and part.messages:
        begin = part.messages[0].occurred_at
    if before is not None:
        end = read_cursor(before, 2)[0]
    elif part.after is not None and part.messages:
        end = part.messages[-1].occurred_at
    wanted = partial(_some_notes, session, viewer, client_id)
    older: list[Any] = []
    newer: list[Any] = []
    cut_begin = cut_end = None
    if after is None:
        older, cut_begin = wanted(begin, here or end, newest_first=True)
    if after is not None or here is not None:
        newer, cut_end = wanted(here or begin, end, newest_first=False)
    times = {row.id: row.occurred_at for row in part.messages}
    kept = [
        card
        for card in cards
        if (cut_begin is None or times[card.id] >= cut_begin)
        and (cut_end is None or times[card.id] < cut_end)
    ]
    notes = [note_card(row, viewer, reader) for row in (*older, *newer)]
    return MixedPart(
        in_order(kept, times, notes),
        part.before if cut_begin is None else make_cursor([cut_begin, 0]),
        part.after if cut_end is None else make_cursor([cut_end, 0]),
    )


def _some_notes(
    session: Session,
    viewer: Identity,
    client_id: int,
    begin: datetime | None,
    end: datetime | None,
    *,
    newest_first: bool,
) -> tuple[list[Any], datetime | None]:
    """Return the notes nearest to one bound, oldest first, and where they end if there are more.

    Notes of one instant stay together.
    """
    query = notes_between(viewer, client_id, begin, end)
    keys = (CaseNote.created_at, CaseNote.id)
    order = [key.desc() for key in keys] if newest_first else list(keys)
    rows = list(session.execute(query.order_by(*order).limit(MOST_NOTES + 1)))
    if len(rows) <= MOST_NOTES:
        return rows[::-1] if newest_first else rows, None
    more = rows[-1].created_at
    kept = [row for row in rows if row.created_at != more]
    if kept:
        return (kept[::-1], kept[-1].created_at) if newest_first else (kept, more)
    same = list(session.execute(query.where(CaseNote.created_at == more).order_by(CaseNote.id)))
    return same, more if newest_first else more + timedelta.resolution


def in_order(
    cards: Sequence[Card], times: Mapping[int, datetime], notes: Sequence[NoteCard]
) -> list[Card | NoteCard]:
    """Return messages and notes as a thread shows them; of one instant the messages come first.

    `times`: when each message occurred, by its id.
    """
    entries: list[tuple[datetime, int, Card | NoteCard]] = [
        (times[card.id], 0, card) for card in cards
    ]
    entries += [(note.at, 1, note) for note in notes]
    return [entry for _, _, entry in sorted(entries, key=lambda one: one[:2])]


def note_time(session: Session, viewer: Identity, client_id: int, note_id: int) -> datetime | None:
    """Return when a note was written, None where the viewer sees no such note of the client."""
    query = notes_of(viewer, client_id).where(CaseNote.id == note_id)
    return session.scalar(query.with_only_columns(CaseNote.created_at))


def note_card(row: Any, viewer: Identity, reader: Reader) -> NoteCard:
    return NoteCard(
        id=row.id,
        day=row.created_at.astimezone(reader.zone).date(),
        at=row.created_at,
        author=row.author,
        kind=KINDS[NoteKind(row.kind)],
        text=row.text,
        time=clock_time(row.created_at, reader.zone),
        iso=row.created_at.isoformat(),
        full=full_time(row.created_at, reader.zone),
        is_changeable=row.staff_id == viewer.staff_id
        and reader.now < row.created_at + CHANGEABLE_FOR,
        is_edited=row.edited_at is not None,
    )
