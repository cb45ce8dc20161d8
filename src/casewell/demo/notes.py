"""What the demo firm's people wrote down for each other."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients.models import Client
from casewell.kernel.access import Identity
from casewell.ledger.service import Actor
from casewell.messages.models import Conversation
from casewell.notes.models import NoteKind
from casewell.notes.service import NoteService
from casewell.staff.models import Staff

NOTES = (
    (
        NoteKind.GENERAL,
        "Old address on Oak St. came from her sister's file. Check with @Ruth before we answer "
        "TransUnion.",
    ),
    (NoteKind.INSTRUCTION, "Calls only after 5 PM, works nights."),
    (NoteKind.GENERAL, "Sent the reports twice; the second set is the complete one."),
    (NoteKind.BILLING, "Pays on the 15th, agreed with @Joan."),
    (NoteKind.INSTRUCTION, "@{responsible} please ask for the signed authorization this week."),
    (NoteKind.PRIVILEGED, "Possible claim under 1681s-2(b); hold until the second answer is in."),
)


def add(session: Session, staff: Sequence[Staff], now: datetime) -> None:
    """Write some notes about the clients with the newest messages, minutes after these."""
    newest = session.execute(
        sa.select(Client.id, Client.main_responsible_id, Conversation.last_inbound_at)
        .join(Conversation, Conversation.client_id == Client.id)
        .where(Conversation.last_inbound_at.is_not(None))
        .order_by(Conversation.last_inbound_at.desc(), Client.id)
        .limit(3 * len(NOTES))
    ).all()
    people = {person.id: person for person in staff}
    attorney = staff[1]
    for number, row in enumerate(newest):
        kind, text = NOTES[number % len(NOTES)]
        responsible = people[row.main_responsible_id]
        by_attorney = kind is NoteKind.PRIVILEGED or "{responsible}" in text
        author = attorney if by_attorney else responsible
        at = min(now, row.last_inbound_at + timedelta(minutes=3 + number))
        service = NoteService(
            session,
            Identity(author.id, author.role, "session"),
            Actor.of_staff(author),
            lambda at=at: at,  # type: ignore[misc]
        )
        service.write(row.id, text.format(responsible=responsible.name), kind)
