"""The worker's part of changes of many clients' tags, resumable at any batch."""

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.kernel.access import EDITORS, Identity
from casewell.kernel.jobs import claim, hint_after_commit, job, periodic
from casewell.kernel.runtime import Runtime
from casewell.ledger.service import Actor
from casewell.staff.models import Staff
from casewell.tags.changes import UNDONE_WITHIN, go_through
from casewell.tags.models import ChangeState, TagChange, TagChangeClient
from casewell.tags.service import BATCH

# After so many batches a run lets other work have the worker, and goes on later.
BATCHES_IN_A_RUN = 100
LEASE = timedelta(minutes=5)
KEPT = timedelta(days=30)
_AT_WORK = (ChangeState.RUNNING, ChangeState.UNDOING)


def start(
    session: Session, runtime: Runtime, change: TagChange, viewer: Identity, actor: Actor
) -> None:
    """Do what a change asks for: at once where it is one batch, else by a worker."""
    if change.total <= BATCH:
        go_through(session, change, viewer, actor, runtime.now())
        if change.state in _AT_WORK:  # the batch was full: see that nothing is left
            go_through(session, change, viewer, actor, runtime.now())
        return
    change.due_at, change.attempts = runtime.now(), 0
    hint_after_commit(session, runtime.hints, change_tags, change.id)


@job(TagChange)
def change_tags(runtime: Runtime, change_id: int) -> None:
    """Go through the clients from where the last attempt stopped."""
    with runtime.database.writing() as session:
        if not claim(session, TagChange, change_id, runtime.now(), lease=LEASE):
            return
        attempts = session.get_one(TagChange, change_id).attempts
    for _ in range(BATCHES_IN_A_RUN):
        if not _next_batch(runtime, change_id, attempts):
            return
    with runtime.database.writing() as session:
        change = _held(session, change_id)
        if change.state in _AT_WORK and change.attempts == attempts:
            change.lease_until, change.due_at = None, runtime.now()
            hint_after_commit(session, runtime.hints, change_tags, change_id)


def _next_batch(runtime: Runtime, change_id: int, attempts: int) -> bool:
    with runtime.database.writing() as session:
        change = _held(session, change_id)
        if change.state not in _AT_WORK or change.attempts != attempts:
            return False  # cancelled, or our lease ran out and another worker has it
        undoing = change.state is ChangeState.UNDOING
        staff = session.get_one(Staff, (undoing and change.undone_by_id) or change.staff_id)
        if not staff.is_active or staff.role not in EDITORS:
            change.state, change.finished_at = ChangeState.FAILED, runtime.now()
            change.due_at = change.lease_until = None
            change.last_error = "The person who began it may not change clients any more."
            return False
        change.lease_until = runtime.now() + LEASE
        viewer = Identity(staff.id, staff.role, "session")
        return go_through(session, change, viewer, Actor.of_staff(staff), runtime.now())


def _held(session: Session, change_id: int) -> TagChange:
    return session.scalars(
        sa.select(TagChange).where(TagChange.id == change_id).with_for_update()
    ).one()


@periodic(timedelta(hours=1))
def forget_changes(runtime: Runtime) -> None:
    """Let go of what is needed to undo a change once it can't be undone; later of all of it."""
    now = runtime.now()
    over = sa.select(TagChange.id).where(
        TagChange.created_at < now - UNDONE_WITHIN, TagChange.state.not_in(_AT_WORK)
    )
    with runtime.database.writing() as session:
        session.execute(sa.delete(TagChangeClient).where(TagChangeClient.change_id.in_(over)))
        session.execute(
            sa.delete(TagChange).where(
                TagChange.created_at < now - KEPT, TagChange.state.not_in(_AT_WORK)
            )
        )
