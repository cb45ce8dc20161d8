"""The mails by which an anchor leaves the reach of whoever runs the database."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.kernel.settings import Settings
from casewell.staff.mail import Letter
from casewell.staff.models import Firm, SystemMail, SystemMailKind


def write(session: Session, mail: SystemMail, _settings: Settings, _now: datetime) -> Letter:
    firm = session.scalar(sa.select(Firm.name)) or "your firm"
    if mail.kind is SystemMailKind.ANCHOR_ADDRESS_CHANGED:
        return Letter(f"Ledger anchors of {firm} go elsewhere", _CHANGED.format(**mail.data))
    day = mail.data["day"]
    return Letter(f"Ledger anchor of {firm}, {day}", _ANCHOR.format(firm=firm, **mail.data))


_ANCHOR = """\
One number stands for the whole ledger of {firm} as it was on {day}:

Head: {head}

Written at: {at}
Anchors file until then (SHA-256): {file}

Keep this mail where nobody who runs the database can change it. Whoever rewrites what the
ledger says of the time before can no longer make it fit this number. To check:

casewell verify --anchors anchors.jsonl --head {head}

One of these comes each day. If one is missing, ask why.
"""

_CHANGED = """\
{by} has changed where the daily anchors of the ledger are mailed to: {to}

No more of them come to this address. If that is a surprise, ask an owner of the firm.
"""
