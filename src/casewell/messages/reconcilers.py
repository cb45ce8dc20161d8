"""What can be said of every channel alike: what is written here, what waits to leave, the lists."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.kernel.jobs import hint_after_commit
from casewell.kernel.runtime import Runtime
from casewell.messages.consistency import found_wrong, sample
from casewell.messages.conversations import rebuild
from casewell.messages.locks import hold_client
from casewell.messages.models import Channel, Conversation, Delivery, UnifiedMessage
from casewell.messages.reconciling import Stand, counted
from casewell.messages.sending import deliver

DAYS = 7
OVERDUE = timedelta(minutes=15)
MOST_REASONS = 5
MOST_HINTS = 500
LOOKED_AT = 100
LOOKED_AT_IN_REPAIR = 2_000
BATCH = 200


@dataclass(frozen=True)
class WrittenHere:
    """A channel whose messages are stored by the very act of writing them."""

    channel: Channel
    label: str
    about: str = f"Messages of the last {DAYS} days. They are stored as they are written."

    def stand(self, session: Session, now: datetime) -> Stand:
        row = session.execute(
            sa.select(
                sa.func.count(),
                sa.func.count(UnifiedMessage.client_id),
                sa.func.max(UnifiedMessage.occurred_at),
            ).where(
                UnifiedMessage.channel == self.channel,
                UnifiedMessage.occurred_at >= now - timedelta(days=DAYS),
            )
        ).one()
        seen, placed, last_at = row
        in_triage = [("Nobody has said yet whose they are: see Triage.", seen - placed)]
        return Stand(seen, seen, 0, [one for one in in_triage if one[1]], last_at)

    def repair(self, session: Session, runtime: Runtime) -> str:
        return f"{self.label}: nothing is missing, for nothing comes from elsewhere."


@dataclass(frozen=True)
class Outbox:
    """What waits to leave, over every channel."""

    label: str = "Messages going out"
    about: str = "What has not left yet, over every channel."

    def stand(self, session: Session, now: datetime) -> Stand:
        waits = Delivery.due_at.is_not(None)
        waiting = session.scalar(sa.select(sa.func.count()).select_from(Delivery).where(waits))
        number = sa.func.count()
        reason = sa.func.coalesce(Delivery.last_error, "")
        late = session.execute(
            sa.select(reason, number)
            .where(Delivery.due_at < now - OVERDUE)
            .group_by(reason)
            .order_by(number.desc(), reason)
            .limit(MOST_REASONS)
        )
        why_not = [(words or "Overdue: no worker has taken it.", count) for words, count in late]
        return Stand(None, None, waiting or 0, why_not)

    def repair(self, session: Session, runtime: Runtime) -> str:
        """Tell the workers again of what is due; whoever holds one at this moment goes on."""
        due = session.scalars(
            sa.select(Delivery.id)
            .where(Delivery.due_at <= runtime.now())
            .order_by(Delivery.due_at)
            .limit(MOST_HINTS)
        ).all()
        for delivery_id in due:
            hint_after_commit(session, runtime.hints, deliver, delivery_id)
        if not due:
            return "Nothing is due to leave."
        return f"The workers were told again of {counted(len(due), 'message', 'messages')}."


@dataclass(frozen=True)
class Lists:
    """The rows that lists and unread counts are read from, checked against the messages."""

    label: str = "Lists and unread counts"
    about: str = f"{LOOKED_AT} conversations, compared with their messages as this page was made."

    def stand(self, session: Session, now: datetime) -> Stand:
        looked_at = sample(session, LOOKED_AT)
        wrong = len(found_wrong(session, looked_at))
        reason = "The list or a count is not what the messages say."
        return Stand(len(looked_at), len(looked_at) - wrong, 0, [(reason, wrong)] if wrong else [])

    def repair(self, session: Session, runtime: Runtime) -> str:
        """Compare many more, and make anew what is wrong."""
        looked_at = sample(session, LOOKED_AT_IN_REPAIR)
        wrong = [
            one
            for start in range(0, len(looked_at), BATCH)
            for one in found_wrong(session, looked_at[start : start + BATCH])
        ]
        theirs = sa.select(Conversation.id, Conversation.client_id).where(
            Conversation.id.in_(wrong)
        )
        of = {row.id: row.client_id for row in session.execute(theirs)}
        for conversation_id in sorted(wrong, key=of.__getitem__):
            hold_client(session, of[conversation_id])
            rebuild(session, conversation_id)
        said = counted(len(looked_at), "conversation was", "conversations were")
        if not wrong:
            return f"{said} compared with the messages. All of them are right."
        return f"{said} compared with the messages, and {len(wrong):,} made anew."
