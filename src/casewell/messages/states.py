"""What the team does with a conversation: done, put off until later, opened again."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.kernel.db import insert_into
from casewell.kernel.jobs import claim, hint_after_commit, job
from casewell.kernel.runtime import Runtime
from casewell.ledger.service import SYSTEM, Actor, Event, record
from casewell.messages.errors import SnoozeInThePast
from casewell.messages.locks import hold_client
from casewell.messages.models import Conversation, ConversationState, Snooze


def mark_done(session: Session, conversation: Conversation, actor: Actor, now: datetime) -> None:
    """Say that nothing is left to do here; the client's next message opens it again."""
    _change(
        session,
        conversation,
        ConversationState.DONE,
        Event(conversation.client_id, "conversation.done", actor, now),
        now,
        settled_at=now,
        waiting_since=None,
    )


def reopen(session: Session, conversation: Conversation, actor: Actor, now: datetime) -> None:
    """Open one that is done or snoozed."""
    event = Event(conversation.client_id, "conversation.reopened", actor, now)
    _change(session, conversation, ConversationState.OPEN, event, now)


def snooze(
    session: Session,
    runtime: Runtime,
    conversation: Conversation,
    until: datetime | None,
    actor: Actor,
) -> None:
    """Put it out of sight until a time; None: until the client writes, which ends any snooze.

    Raises SnoozeInThePast.
    """
    now = runtime.now()
    if until is not None and until <= now:
        raise SnoozeInThePast
    data = {"until": until.isoformat() if until else None}
    event = Event(conversation.client_id, "conversation.snoozed", actor, now, data)
    _change(session, conversation, ConversationState.SNOOZED, event, now, snoozed_until=until)
    row = session.scalar(
        insert_into(session, Snooze)
        .values(conversation_id=conversation.id, staff_id=actor.id, due_at=until, attempts=0)
        .on_conflict_do_update(
            index_elements=["conversation_id"],
            set_={"staff_id": actor.id, "due_at": until, "lease_until": None, "attempts": 0},
        )
        .returning(Snooze.id)
    )
    if until is not None and row is not None:
        hint_after_commit(session, runtime.hints, wake, row, until)


@job(Snooze)
def wake(runtime: Runtime, snooze_id: int) -> None:
    """Bring a conversation back whose time has come, unless somebody was quicker."""
    now = runtime.now()
    with runtime.database.writing() as session:
        client_id = session.scalar(
            sa.select(Conversation.client_id)
            .join(Snooze, Snooze.conversation_id == Conversation.id)
            .where(Snooze.id == snooze_id)
        )
        if client_id is None:
            return
        hold_client(session, client_id)
        if not claim(session, Snooze, snooze_id, now):
            return
        row = session.get_one(Snooze, snooze_id)
        row.due_at = row.lease_until = None
        woken = session.execute(
            sa.update(Conversation)
            .where(
                Conversation.id == row.conversation_id,
                Conversation.state == ConversationState.SNOOZED,
                Conversation.snoozed_until <= now,
            )
            .values(state=ConversationState.OPEN, snoozed_until=None)
            .execution_options(synchronize_session=False)
        )
        if woken.rowcount:  # type: ignore[attr-defined]
            data = {"snoozed_by": row.staff_id}
            told = Event(
                client_id,
                "conversation.woken",
                SYSTEM,
                now,
                data,
                "conversation",
                row.conversation_id,
            )
            record(session, told, now=now)


def _change(
    session: Session,
    conversation: Conversation,
    state: ConversationState,
    event: Event,
    now: datetime,
    **values: Any,
) -> None:
    """Move it to a state, and tell the ledger where that changes anything."""
    hold_client(session, conversation.client_id)
    changes = {"snoozed_until": None, **values}
    differs = Conversation.state != state
    if state is ConversationState.SNOOZED:
        differs = sa.or_(
            differs, Conversation.snoozed_until.is_distinct_from(changes["snoozed_until"])
        )
    changed = session.execute(
        sa.update(Conversation)
        .where(Conversation.id == conversation.id, differs)
        .values(state=state, **changes)
        .execution_options(synchronize_session=False)
    )
    session.expire(conversation)
    if changed.rowcount:  # type: ignore[attr-defined]
        record(
            session,
            Event(
                event.client_id,
                event.kind,
                event.actor,
                event.occurred_at,
                event.data,
                "conversation",
                conversation.id,
            ),
            now=now,
        )
