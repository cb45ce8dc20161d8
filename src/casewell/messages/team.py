"""Who of the team has a conversation in hand, and who reads along."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients.models import Client
from casewell.clients.queries import sees_client
from casewell.kernel.access import Role
from casewell.kernel.db import insert_ignoring
from casewell.ledger.service import Actor, Event, record
from casewell.messages import readers
from casewell.messages.errors import MayNotSee
from casewell.messages.locks import hold_client
from casewell.messages.models import Conversation, Follower
from casewell.staff.models import NotificationKind, Staff
from casewell.staff.notifications import notify


def possible_assignees(session: Session, client_id: int) -> Sequence[sa.Row[int, str]]:
    """Return (id, name) of everyone who may see a client and answer them, by name."""
    return session.execute(
        sa.select(Staff.id, Staff.name).where(_may_take(client_id)).order_by(Staff.name, Staff.id)
    ).all()


def assign(
    session: Session,
    conversation: Conversation,
    staff_id: int | None,
    *,
    actor: Actor,
    now: datetime,
    words: str = "",
) -> bool:
    """Give a conversation to a colleague, or to nobody; return whether that changed anything.

    `words` tell them why. Raises MayNotSee.
    """
    name: str | None = None
    if staff_id is not None:
        able = sa.select(Staff.name).where(Staff.id == staff_id, _may_take(conversation.client_id))
        name = session.scalar(able)
        if name is None:
            raise MayNotSee
    hold_client(session, conversation.client_id)
    changed = session.execute(
        sa.update(Conversation)
        .where(
            Conversation.id == conversation.id, Conversation.assignee_id.is_distinct_from(staff_id)
        )
        .values(assignee_id=staff_id)
        .execution_options(synchronize_session=False)
    )
    session.expire(conversation)
    if not changed.rowcount:  # type: ignore[attr-defined]
        return False
    data = {"assignee_id": staff_id, "assignee": name}
    if words:
        data["words"] = words
    kind = "conversation.assigned" if staff_id is not None else "conversation.unassigned"
    event = Event(conversation.client_id, kind, actor, now, data, "conversation", conversation.id)
    record(session, event, now=now)
    return True


def follow(session: Session, conversation: Conversation, staff_id: int) -> None:
    """Let somebody read along: what comes from now on is unread for them."""
    insert_ignoring(session, Follower, {"conversation_id": conversation.id, "staff_id": staff_id})
    readers.keep_readers(session, conversation.client_id)


def unfollow(session: Session, conversation: Conversation, staff_id: int) -> None:
    session.execute(
        sa.delete(Follower)
        .where(Follower.conversation_id == conversation.id, Follower.staff_id == staff_id)
        .execution_options(synchronize_session=False)
    )
    readers.keep_readers(session, conversation.client_id)


def follows(session: Session, client_id: int, staff_id: int) -> bool:
    return (
        session.scalar(
            sa.select(Follower.staff_id)
            .join(Conversation, Conversation.id == Follower.conversation_id)
            .where(Conversation.client_id == client_id, Follower.staff_id == staff_id)
        )
        is not None
    )


def tell_assignee(session: Session, event: Event) -> None:
    """Tell a colleague that a conversation is theirs now: a reaction to `conversation.assigned`."""
    assert event.subject_id is not None
    assignee = event.data.get("assignee_id")
    if assignee is None or assignee == event.actor.id:
        return
    notify(
        session,
        [assignee],
        NotificationKind.ASSIGNED,
        client_id=event.client_id,
        subject_id=event.subject_id,
        actor_name=event.actor.name,
        at=event.occurred_at,
    )


def tell_who_snoozed(session: Session, event: Event) -> None:
    """Tell who put it off that its time has come: a reaction to `conversation.woken`."""
    assert event.subject_id is not None
    who = event.data.get("snoozed_by")
    if who is not None:
        notify(
            session,
            [who],
            NotificationKind.WOKEN,
            client_id=event.client_id,
            subject_id=event.subject_id,
            actor_name=event.actor.name,
            at=event.occurred_at,
        )


def release(session: Session, event: Event) -> None:
    """Take a conversation from somebody who may no longer see its client, and give it to whoever
    is mainly responsible now: a reaction to `client.assigned`."""
    talk = session.scalar(sa.select(Conversation).where(Conversation.client_id == event.client_id))
    if talk is None or talk.assignee_id is None:
        return
    able = sa.select(Staff.id).where(Staff.id == talk.assignee_id, _may_take(event.client_id))
    if session.scalar(able) is None:
        in_charge = session.scalar(
            sa.select(Client.main_responsible_id)
            .join(Staff, Staff.id == Client.main_responsible_id)
            .where(Client.id == event.client_id, _may_take(event.client_id))
        )
        assign(session, talk, in_charge, actor=event.actor, now=event.occurred_at)


def _may_take(client_id: int) -> sa.ColumnElement[bool]:
    """Return a condition on `Staff`: sees this client, and answers clients."""
    return sa.and_(sees_client(client_id), Staff.role != Role.VIEWER)
