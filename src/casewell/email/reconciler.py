"""E-mail in the table of channels: what was seen of every door, and what became of it."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.email.arrival import take_in_mail
from casewell.email.models import InboundMail, InboundState, Mailbox, MailboxState
from casewell.email.polling import poll_mailbox
from casewell.kernel.jobs import hint_after_commit
from casewell.kernel.runtime import Runtime
from casewell.messages.reconciling import Stand, counted

MOST_REASONS = 5
MOST_REPAIRED = 500
WORDS = {
    InboundState.DUPLICATE: "Copies of a mail that is here",
    InboundState.SKIPPED: "Our own mail come back",
}


@dataclass(frozen=True)
class EmailReconciler:
    label: str = "E-mail"
    about: str = "Every mail that was seen: in mailboxes, by webhook and in imports."

    def stand(self, session: Session, now: datetime) -> Stand:
        number = sa.func.count()
        states = sa.select(InboundMail.state, number.label("mails")).group_by(InboundMail.state)
        by_state = {row.state: row.mails for row in session.execute(states)}
        missing, last_at = session.execute(
            sa.select(
                sa.func.coalesce(sa.func.sum(Mailbox.missing_mails), 0),
                sa.func.max(Mailbox.last_mail_at),
            )
        ).one()
        why_not = [(words, by_state[state]) for state, words in WORDS.items() if state in by_state]
        if by_state.get(InboundState.QUARANTINED):
            why_not += [
                (f"Unreadable: {reason or 'no reason was kept.'}", count)
                for reason, count in session.execute(
                    sa.select(InboundMail.reason, number)
                    .where(InboundMail.state == InboundState.QUARANTINED)
                    .group_by(InboundMail.reason)
                    .order_by(number.desc(), InboundMail.reason)
                    .limit(MOST_REASONS)
                )
            ]
        if missing:
            why_not.append(("On the server and not here", int(missing)))
        return Stand(
            sum(by_state.values()) + int(missing),
            by_state.get(InboundState.TAKEN_IN, 0),
            by_state.get(InboundState.STORED, 0),
            why_not,
            last_at,
        )

    def repair(self, session: Session, runtime: Runtime) -> str:
        """Read again what could not be read or waits, and look at the servers at once."""
        now = runtime.now()
        again = session.scalars(
            sa.select(InboundMail.id)
            .where(InboundMail.state.in_([InboundState.QUARANTINED, InboundState.STORED]))
            .order_by(InboundMail.id)
            .limit(MOST_REPAIRED)
        ).all()
        free = sa.or_(InboundMail.lease_until.is_(None), InboundMail.lease_until < now)
        due = session.scalars(
            sa.update(InboundMail)
            .where(InboundMail.id.in_(again), free)
            .values(state=InboundState.STORED, reason="", due_at=now, attempts=0, lease_until=None)
            .returning(InboundMail.id)
            .execution_options(synchronize_session=False)
        ).all()
        boxes = session.scalars(
            sa.update(Mailbox)
            .where(Mailbox.state.in_([MailboxState.WORKING, MailboxState.CONNECTING]))
            .values(due_at=now, compared_at=None)
            .returning(Mailbox.id)
            .execution_options(synchronize_session=False)
        ).all()
        for inbound_id in due:
            hint_after_commit(session, runtime.hints, take_in_mail, inbound_id)
        for mailbox_id in boxes:
            hint_after_commit(session, runtime.hints, poll_mailbox, mailbox_id)
        read = f"{counted(len(due), 'mail is', 'mails are')} read again" if due else ""
        looked = f"{counted(len(boxes), 'mailbox is', 'mailboxes are')} looked at" if boxes else ""
        done = " and ".join(filter(None, (read, looked)))
        return f"{done}. What comes of it shows here in a minute." if done else "No mail waits."
