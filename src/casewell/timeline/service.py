"""One client's timeline, as one person sees it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients.activity import NEWEST_FIRST, Happening, entries_of, in_words
from casewell.clients.contacts import Written
from casewell.clients.queries import find_client
from casewell.kernel.access import Identity
from casewell.kernel.db import insert_into
from casewell.kernel.paging import keyset_page
from casewell.ledger.models import ActivityEvent
from casewell.notes.models import CaseNote
from casewell.notes.queries import notes_of
from casewell.timeline.forms import TimelineQuery
from casewell.timeline.models import TimelineMark
from casewell.timeline.queries import narrowed

MOST_COUNTED = 99
NOTE_SHOWN = 280
NOTE_KINDS = ("note.added", "note.changed")


@dataclass(frozen=True)
class Looked:
    """Up to where somebody has seen a timeline, and how much came since; None: never before."""

    seq: int | None = None
    at: datetime | None = None
    newest: int = 0
    new: int = 0


class Timeline:
    """The ledger of one client. Raises NotFound where the viewer may not see the client."""

    def __init__(self, session: Session, viewer: Identity, client_id: int) -> None:
        self._session, self._viewer = session, viewer
        self.client = find_client(session, viewer, client_id)

    def page(
        self, wanted: TimelineQuery, now: datetime, zone: ZoneInfo
    ) -> tuple[Sequence[Happening], str | None]:
        """Return entries, newest first by when they happened, and the cursor of the next ones.

        Raises BadCursor.
        """
        found = keyset_page(
            self._session,
            narrowed(self._viewer, self.client.id, wanted, zone),
            by=NEWEST_FIRST,
            after=wanted.cursor,
            size=wanted.limit,
        )
        told = in_words(self._session, found.items, now, zone)
        return self._with_notes(told), found.next

    def _with_notes(self, told: Sequence[Happening]) -> list[Happening]:
        """Let what tells of a note say its words, once, while the note is there."""
        ids = {one.row.subject_id for one in told if one.kind in NOTE_KINDS}
        if not ids:
            return list(told)
        query = notes_of(self._viewer, self.client.id).where(CaseNote.id.in_(sorted(ids)))
        notes = {note.id: note for note in self._session.execute(query)}
        shown: list[Happening] = []
        for one in told:
            note = notes.pop(one.row.subject_id, None) if one.kind in NOTE_KINDS else None
            if note is None:
                shown.append(one)
            else:
                words = Written("note", "", note.text[:NOTE_SHOWN])
                shown.append(replace(one, written=words))
        return shown

    def looked(self) -> Looked:
        """Return how far the viewer has seen it."""
        mark = self._session.get(TimelineMark, (self._viewer.staff_id, self.client.id))
        seq = 0 if mark is None else mark.seq
        newer = (
            entries_of(self._viewer, self.client.id)
            .with_only_columns(ActivityEvent.seq)
            .where(ActivityEvent.seq > seq)
            .order_by(ActivityEvent.seq.desc())
            .limit(MOST_COUNTED + 1)
        )
        seqs = self._session.scalars(newer).all()
        newest = seqs[0] if seqs else seq
        if mark is None:
            return Looked(newest=newest)
        return Looked(mark.seq, mark.seen_at, newest, len(seqs))

    def mark_seen(self, seq: int, now: datetime) -> None:
        """Note that the viewer has seen it up to an entry; never back."""
        last = self._session.scalar(
            sa.select(sa.func.max(ActivityEvent.seq)).where(
                ActivityEvent.client_id == self.client.id
            )
        )
        row = {
            "staff_id": self._viewer.staff_id,
            "client_id": self.client.id,
            "seq": min(seq, last or 0),
            "seen_at": now,
        }
        insert = insert_into(self._session, TimelineMark).values(row)
        self._session.execute(
            insert.on_conflict_do_update(
                index_elements=["staff_id", "client_id"],
                set_={"seq": insert.excluded.seq, "seen_at": insert.excluded.seen_at},
                where=TimelineMark.seq < insert.excluded.seq,
            )
        )
