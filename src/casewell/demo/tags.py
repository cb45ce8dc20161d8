"""How the demo firm groups its clients."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients.models import Client, ClientStatus
from casewell.kernel.access import Identity
from casewell.ledger.service import Actor, record_each
from casewell.staff.models import Staff
from casewell.tags.forms import TagForm
from casewell.tags.service import BATCH, TagService, give, tag_event

SEED = 5
# Name, colour, description, and one of how many clients has it.
TAGS = (
    ("Identity theft", "red", "Police report and FTC affidavit are needed", 5),
    ("Mixed file", "violet", "Accounts of somebody else in the report", 9),
    ("Round 1", "blue", "First letters are out", 3),
    ("Round 2", "blue", "", 4),
    ("FDCPA", "orange", "A collector may owe damages", 8),
    ("Prefers SMS", "teal", "", 6),
    ("VIP", "#b8860b", "Answer the same day", 15),
    ("Litigation", "pink", "Suit is filed, or about to be", 12),
)
NEW = ("New intake", "green", "Retainer or ID is missing")


def add(session: Session, staff: Sequence[Staff], now: datetime) -> None:
    """Give the clients tags, some days ago."""
    random = Random(SEED)  # noqa: S311 the same firm each time
    owner = staff[0]
    service = TagService(
        session,
        Identity(owner.id, owner.role, "session"),
        Actor.of_staff(owner),
        lambda: now - timedelta(days=400),
    )
    clients = session.execute(sa.select(Client.id, Client.status).order_by(Client.id)).all()
    new = (ClientStatus.LEAD, ClientStatus.ONBOARDING)
    groups = [
        (form, [row.id for row in clients if row.status not in new and not random.randrange(each)])
        for *form, each in TAGS
    ]
    groups.append((list(NEW), [row.id for row in clients if row.status in new]))
    for number, ((name, colour, description), ids) in enumerate(groups):
        tag = service.create(TagForm(name=name, colour=colour, description=description))
        at = now - timedelta(days=3 * number + 2, hours=number)
        for begin in range(0, len(ids), BATCH):
            batch = ids[begin : begin + BATCH]
            give(session, tag.id, batch, staff_id=owner.id, now=at)
            told = [tag_event(one, "tag.added", tag, Actor.of_staff(owner), at) for one in batch]
            record_each(session, told, now=at)
