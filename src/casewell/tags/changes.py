"""Giving tags to many clients at once, or taking them: in batches, each whole or not at all."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients.listing import chosen
from casewell.clients.models import Client
from casewell.kernel.access import MANAGERS, Identity
from casewell.kernel.db import LARGEST_ID, Base
from casewell.kernel.errors import NotFound
from casewell.ledger.service import Actor, record_each
from casewell.tags.errors import CannotUndo, NothingAsked
from casewell.tags.forms import TagChangeForm
from casewell.tags.models import ChangeState, ClientTag, TagChange, TagChangeClient
from casewell.tags.queries import named
from casewell.tags.service import BATCH, give, tag_event, take, visible_of

UNDONE_WITHIN = timedelta(hours=24)
_steps = Base.metadata.tables[TagChangeClient.__tablename__]
_NOTE = (
    sa.update(_steps)
    .where(
        _steps.c.change_id == sa.bindparam("of_change"),
        _steps.c.client_id == sa.bindparam("of_client"),
    )
    .values(added=sa.bindparam("now_added"), removed=sa.bindparam("now_removed"))
)


def begin(session: Session, viewer: Identity, wanted: TagChangeForm, now: datetime) -> TagChange:
    """Note what somebody wants for which clients; `go_through` does it.

    Whom a filter holds is settled here: a client that comes to match later is not touched.
    Raises NothingAsked, or NotFound for a tag that is absent or clients none of whom they see.
    """
    if not wanted.add and not wanted.remove:
        raise NothingAsked
    change = TagChange(
        staff_id=viewer.staff_id,
        adds=sorted(set(wanted.add)),
        removes=sorted(set(wanted.remove)),
        added_names=named(session, wanted.add),
        removed_names=named(session, wanted.remove),
        total=0,
        created_at=now,
    )
    session.add(change)
    session.flush()
    if wanted.filter is not None:
        found = sa.select(Client.id).where(*chosen(session, viewer, wanted.filter))
    else:
        found = visible_of(viewer, wanted.clients or [])
    ids = found.order_by(None).subquery()
    session.execute(
        sa.insert(_steps).from_select(
            ["change_id", "client_id"], sa.select(sa.literal(change.id), ids.c.id)
        )
    )
    change.total = (
        session.scalar(
            sa.select(sa.func.count()).select_from(_steps).where(_steps.c.change_id == change.id)
        )
        or 0
    )
    if not change.total:
        raise NotFound("None of these clients is there for you.")
    return change


def go_through(
    session: Session, change: TagChange, viewer: Identity, actor: Actor, now: datetime
) -> bool:
    """Do the next batch of what is wanted, or undo it; return whether there is more to do.

    The caller holds the row, and commits: what a batch did and that it is done stand together.
    """
    undoing = change.state is ChangeState.UNDOING
    its_turn = _steps.c.added.is_not(None) if undoing else _steps.c.added.is_(None)
    steps = session.execute(
        sa.select(_steps.c.client_id, _steps.c.added, _steps.c.removed)
        .where(_steps.c.change_id == change.id, its_turn)
        .order_by(_steps.c.client_id)
        .limit(BATCH)
    ).all()
    seen = session.scalars(visible_of(viewer, [step.client_id for step in steps])).all()
    batch = _Batch(session, change, actor, now)
    if undoing:
        batch.undo([step for step in steps if step.client_id in set(seen)])
        change.done -= len(steps)
    else:
        batch.do(seen)
        change.done += len(steps)
        change.changed += len(batch.given.keys() | batch.taken.keys())
    noted = [
        {
            "of_change": change.id,
            "of_client": one,
            "now_added": None if undoing else batch.given.get(one, []),
            "now_removed": None if undoing else batch.taken.get(one, []),
        }
        for one in (step.client_id for step in steps)
    ]
    if noted:
        session.connection().execute(_NOTE, noted)
    if len(steps) == BATCH:
        return True
    change.state = ChangeState.UNDONE if undoing else ChangeState.DONE
    change.finished_at, change.due_at, change.lease_until = now, None, None
    return False


class _Batch:
    """Some clients whose tags change in one transaction; a tag that is gone changes nothing.

    `given` and `taken` are the tags that each client had not, and had, by number.
    """

    def __init__(self, session: Session, change: TagChange, actor: Actor, now: datetime) -> None:
        self._session, self._change, self._actor, self._now = session, change, actor, now
        wanted = [*change.adds, *change.removes]
        self._tags = {
            tag.id: tag
            for tag in session.scalars(sa.select(ClientTag).where(ClientTag.id.in_(wanted)))
        }
        self.given: dict[int, list[int]] = {}
        self.taken: dict[int, list[int]] = {}

    def do(self, client_ids: Sequence[int]) -> None:
        for tag_id in self._change.adds:
            self._give(tag_id, client_ids)
        for tag_id in self._change.removes:
            self._take(tag_id, client_ids)

    def undo(self, steps: Sequence[Any]) -> None:
        for tag_id in self._change.adds:
            self._take(tag_id, [step.client_id for step in steps if tag_id in step.added])
        for tag_id in self._change.removes:
            self._give(tag_id, [step.client_id for step in steps if tag_id in step.removed])

    def _give(self, tag_id: int, client_ids: Sequence[int]) -> None:
        if (tag := self._tags.get(tag_id)) is None:
            return
        staff_id = self._change.staff_id
        fresh = give(self._session, tag_id, client_ids, staff_id=staff_id, now=self._now)
        self._tell("tag.added", tag, fresh)
        for one in fresh:
            self.given.setdefault(one, []).append(tag_id)

    def _take(self, tag_id: int, client_ids: Sequence[int]) -> None:
        if (tag := self._tags.get(tag_id)) is None:
            return
        had = take(self._session, tag_id, client_ids)
        self._tell("tag.removed", tag, had)
        for one in had:
            self.taken.setdefault(one, []).append(tag_id)

    def _tell(self, kind: str, tag: ClientTag, client_ids: Sequence[int]) -> None:
        told = {"change": self._change.id}
        if self._change.state is ChangeState.UNDOING:
            told["undone"] = True
        record_each(
            self._session,
            [tag_event(one, kind, tag, self._actor, self._now, **told) for one in client_ids],
            now=self._now,
        )


def find_change(
    session: Session, viewer: Identity, change_id: int, *, hold: bool = False
) -> TagChange:
    """Return a change that the viewer began; managers see all. Raises NotFound."""
    query = sa.select(TagChange).where(TagChange.id == min(change_id, LARGEST_ID))
    if viewer.role not in MANAGERS.roles:
        query = query.where(TagChange.staff_id == viewer.staff_id)
    if hold:
        query = query.with_for_update()
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise NotFound
    return found


def recent_changes(session: Session, viewer: Identity, most: int = 10) -> Sequence[TagChange]:
    """Return the newest changes of many clients that the viewer may see."""
    query = sa.select(TagChange).order_by(TagChange.created_at.desc(), TagChange.id.desc())
    if viewer.role not in MANAGERS.roles:
        query = query.where(TagChange.staff_id == viewer.staff_id)
    return session.scalars(query.limit(most)).all()


def cancel(change: TagChange, now: datetime) -> None:
    """Stop where it is: the batches that are done stay, and can be undone."""
    if change.state is ChangeState.RUNNING:
        change.state, change.finished_at, change.due_at = ChangeState.CANCELLED, now, None


def may_undo(change: TagChange, now: datetime) -> bool:
    ended = change.state in (ChangeState.DONE, ChangeState.CANCELLED, ChangeState.FAILED)
    return ended and bool(change.changed) and now < change.created_at + UNDONE_WITHIN


def begin_undo(change: TagChange, viewer: Identity, now: datetime) -> None:
    """Let it be taken back. Raises CannotUndo a day later, or where there is nothing to undo."""
    if not may_undo(change, now):
        raise CannotUndo(
            "This can't be undone any more: a day has passed, or there is nothing to take back."
        )
    change.state, change.finished_at, change.last_error = ChangeState.UNDOING, None, None
    change.undone_by_id = viewer.staff_id
