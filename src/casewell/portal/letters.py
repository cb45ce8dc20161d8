"""What Casewell itself writes to clients: links to sign in, and that something waits for them."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from casewell.kernel.settings import Settings
from casewell.portal import links
from casewell.portal.models import ClientAccount, ClientLinkKind
from casewell.staff.mail import Letter
from casewell.staff.models import Firm, SystemMail, SystemMailKind


def write(session: Session, mail: SystemMail, settings: Settings, now: datetime) -> Letter | None:
    """Return what a mail to a client says; None: there is nobody to tell any more."""
    account = session.scalar(
        sa.select(ClientAccount)
        .where(ClientAccount.email == mail.to, ClientAccount.disabled_at.is_(None))
        .options(joinedload(ClientAccount.client))
    )
    if account is None or account.client.merged_into_id is not None:
        return None
    firm = session.scalar(sa.select(Firm.name)) or "Your law firm"
    portal = f"{settings.public_url}/portal"
    words = {"name": account.client.first_name or account.client.name, "firm": firm}
    match mail.kind:
        case SystemMailKind.CLIENT_MESSAGE:
            text = _MESSAGE.format(**words, link=f"{portal}/messages")
            return Letter("You have a new message", text)
        case SystemMailKind.CLIENT_INVITATION:
            token = links.issue(session, account.id, ClientLinkKind.INVITATION, now)
            text = _INVITATION.format(**words, link=f"{portal}/enter/{token}")
            return Letter(f"Your portal at {firm}", text)
        case _:
            token = links.issue(session, account.id, ClientLinkKind.SIGN_IN, now)
            text = _SIGN_IN.format(**words, link=f"{portal}/enter/{token}")
            return Letter(f"Sign in at {firm}", text)


_MESSAGE = """\
Hello {name},

you have a new message from {firm}. Sign in to read it:

{link}
"""

_INVITATION = """\
Hello {name},

{firm} has opened a portal for you, where you can read and write messages.
Open this page within 7 days to sign in:

{link}

If you don't expect this, do nothing.
"""

_SIGN_IN = """\
Hello {name},

open this page within 15 minutes to sign in at {firm}:

{link}

If you did not ask for it, do nothing.
"""
