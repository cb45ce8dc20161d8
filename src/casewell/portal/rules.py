"""What the gate asks about a message that is to stand in the portal."""

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.messages.decisions import Reason
from casewell.messages.models import UnifiedMessage
from casewell.portal.models import ClientAccount


def may_reach(session: Session, message: UnifiedMessage, _recipient: str) -> Iterator[Reason]:
    """Refuse what its reader could not sign in to read."""
    account = session.execute(
        sa.select(ClientAccount.disabled_at).where(ClientAccount.client_id == message.client_id)
    ).one_or_none()
    if account is None:
        text = "This client has no portal account. Invite them on their page first."
        yield Reason("no_portal_account", text)
    elif account.disabled_at is not None:
        text = "This client's portal account is turned off. Turn it on on their page first."
        yield Reason("portal_account_disabled", text)
