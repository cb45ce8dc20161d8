"""Links that let a client in: a random token in a mail, its hash in a row, one success at most."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from casewell.clients.models import Client
from casewell.kernel.crypto import new_token, token_hash
from casewell.portal.errors import ClientLinkNotValid
from casewell.portal.models import ClientAccount, ClientLink, ClientLinkKind

LIFETIMES = {
    ClientLinkKind.INVITATION: timedelta(days=7),
    ClientLinkKind.SIGN_IN: timedelta(minutes=15),
}


def issue(session: Session, account_id: int, kind: ClientLinkKind, now: datetime) -> str:
    """Return the token of a new link; the account's earlier links are dead."""
    withdraw(session, account_id)
    token = new_token()
    session.add(
        ClientLink(
            account_id=account_id,
            kind=kind,
            token_hash=token_hash(token),
            created_at=now,
            expires_at=now + LIFETIMES[kind],
        )
    )
    session.flush()
    return token


def withdraw(session: Session, account_id: int) -> None:
    session.execute(sa.delete(ClientLink).where(ClientLink.account_id == account_id))


def look_at(session: Session, token: str, now: datetime) -> tuple[ClientLink, ClientAccount]:
    """Return a link that would work, and whose it is, using nothing up.

    Raises ClientLinkNotValid.
    """
    row = session.execute(
        sa.select(ClientLink, ClientAccount)
        .join(ClientAccount, ClientAccount.id == ClientLink.account_id)
        .join(Client, Client.id == ClientAccount.client_id)
        .options(joinedload(ClientAccount.client))
        .where(
            ClientLink.token_hash == token_hash(token),
            ClientLink.used_at.is_(None),
            ClientLink.expires_at > now,
            ClientAccount.disabled_at.is_(None),
            Client.merged_into_id.is_(None),
        )
    ).one_or_none()
    if row is None:
        raise ClientLinkNotValid
    return row.ClientLink, row.ClientAccount


def use_up(session: Session, token: str, now: datetime) -> ClientAccount:
    """Use a link, once: of two requests one succeeds. Raises ClientLinkNotValid."""
    link, account = look_at(session, token, now)
    taken = session.execute(
        sa.update(ClientLink)
        .where(ClientLink.id == link.id, ClientLink.used_at.is_(None))
        .values(used_at=now)
        .execution_options(synchronize_session=False)
    )
    if not taken.rowcount:  # type: ignore[attr-defined]
        raise ClientLinkNotValid
    return account
