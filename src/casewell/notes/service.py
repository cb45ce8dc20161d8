"""Writing notes. None of them ever becomes a message, and the ledger keeps no word of them."""

from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients.models import Client
from casewell.clients.queries import clients_visible_to, find_client
from casewell.kernel.access import Identity
from casewell.kernel.db import LARGEST_ID
from casewell.kernel.errors import NotFound
from casewell.ledger.service import Actor, Event, record
from casewell.notes.errors import KindNotForYou, NotYourNote, TooLateToChange
from casewell.notes.mentions import may_be_named, named_in, who_read
from casewell.notes.models import CaseNote, NoteKind, NoteMention
from casewell.notes.queries import kinds_for
from casewell.staff.models import NotificationKind
from casewell.staff.notifications import notify


class NoteService:
    """What one person does with notes, in one transaction."""

    def __init__(
        self, session: Session, viewer: Identity, actor: Actor, now: Callable[[], datetime]
    ) -> None:
        self._session = session
        self._viewer = viewer
        self._actor = actor
        self._now = now

    def write(self, client_id: int, text: str, kind: NoteKind = NoteKind.GENERAL) -> CaseNote:
        """Write a note, and remember whom it names. Raises NotFound or KindNotForYou."""
        client = find_client(self._session, self._viewer, client_id)
        self._check(kind)
        note = CaseNote(
            client_id=client.id,
            staff_id=self._viewer.staff_id,
            kind=kind,
            text=text.strip(),
            created_at=self._now(),
        )
        self._session.add(note)
        self._session.flush()
        self._tell(note, "note.added", {"mentions": sorted(self._name(note))})
        return note

    def edit(self, note_id: int, text: str) -> CaseNote:
        """Change one's own note, for a day. Raises NotFound, NotYourNote or TooLateToChange."""
        note = self.own(note_id)
        self._check_age(note)
        note.text, note.edited_at = text.strip(), self._now()
        named = self._name(note)
        self._tell(note, "note.changed", {"mentions": sorted(named)})
        return note

    def delete(self, note_id: int) -> CaseNote:
        """Take one's own note away, for a day; `restore` brings it back.

        Raises NotFound, NotYourNote or TooLateToChange.
        """
        note = self.own(note_id)
        self._check_age(note)
        note.deleted_at = self._now()
        self._tell(note, "note.deleted", {})
        return note

    def restore(self, note_id: int) -> CaseNote:
        note = self.own(note_id, deleted=True)
        note.deleted_at = None
        self._tell(note, "note.restored", {})
        return note

    def own(self, note_id: int, *, deleted: bool = False) -> CaseNote:
        """Return a note that the viewer wrote. Raises NotFound or NotYourNote."""
        if note_id > LARGEST_ID:
            raise NotFound
        gone = CaseNote.deleted_at.is_not(None) if deleted else CaseNote.deleted_at.is_(None)
        note = self._session.scalar(
            sa.select(CaseNote)
            .join(Client, Client.id == CaseNote.client_id)
            .where(
                CaseNote.id == note_id,
                CaseNote.kind.in_(kinds_for(self._viewer.role)),
                clients_visible_to(self._viewer),
                gone,
            )
        )
        if note is None:
            raise NotFound
        if note.staff_id != self._viewer.staff_id:
            raise NotYourNote
        return note

    def _check_age(self, note: CaseNote) -> None:
        if not note.is_changeable(self._now()):
            raise TooLateToChange

    def _check(self, kind: NoteKind) -> None:
        if kind not in kinds_for(self._viewer.role):
            raise KindNotForYou

    def _name(self, note: CaseNote) -> set[int]:
        """Remember whom a note names; return those it did not name before."""
        people = who_read(may_be_named(self._session, note.client_id), note.kind)
        named = named_in(note.text, people) - {self._viewer.staff_id}
        known = set(
            self._session.scalars(
                sa.select(NoteMention.staff_id).where(NoteMention.note_id == note.id)
            )
        )
        if gone := known - named:
            self._session.execute(
                sa.delete(NoteMention).where(
                    NoteMention.note_id == note.id, NoteMention.staff_id.in_(gone)
                )
            )
        for staff_id in sorted(named - known):
            self._session.add(NoteMention(note_id=note.id, staff_id=staff_id))
        return named - known

    def _tell(self, note: CaseNote, kind: str, data: dict[str, object]) -> None:
        now = self._now()
        facts = {"kind": note.kind.value, **data}
        event = Event(note.client_id, kind, self._actor, now, facts, "note", note.id)
        record(self._session, event, now=now)


def tell_named(session: Session, event: Event) -> None:
    """Tell colleagues that a note names them: the reaction to `note.added` and `note.changed`."""
    assert event.subject_id is not None
    notify(
        session,
        event.data.get("mentions", ()),
        NotificationKind.MENTIONED,
        client_id=event.client_id,
        subject_id=event.subject_id,
        actor_name=event.actor.name,
        at=event.occurred_at,
    )


def merge(session: Session, event: Event) -> None:
    """Give one client's notes to another: the reaction to `client.merged`."""
    kept, merged = int(event.data["kept"]), int(event.data["merged"])
    session.execute(
        sa.update(CaseNote)
        .where(CaseNote.client_id == merged)
        .values(client_id=kept, merged_from_id=sa.func.coalesce(CaseNote.merged_from_id, merged))
        .execution_options(synchronize_session=False)
    )


def unmerge(session: Session, event: Event) -> None:
    """Give back what a merge had moved: the reaction to `client.merge_undone`."""
    kept, merged = int(event.data["kept"]), int(event.data["merged"])
    session.execute(
        sa.update(CaseNote)
        .where(CaseNote.client_id == kept, CaseNote.merged_from_id == merged)
        .values(client_id=merged, merged_from_id=None)
        .execution_options(synchronize_session=False)
    )
