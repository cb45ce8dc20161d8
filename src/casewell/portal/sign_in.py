"""Proving to be a client: each attempt counted before it is judged, as for staff."""

from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from casewell.kernel.runtime import Runtime
from casewell.portal.errors import ClientSignInRefused, CurrentPasswordWrong
from casewell.portal.models import ClientAccount
from casewell.staff import passwords, throttle
from casewell.staff.throttle import Limit

PASSWORDS_OF_ACCOUNT = Limit("portal-password-account", 10)
PASSWORDS_FROM_SOURCE = Limit("portal-password-source", 15)
LINKS_OF_ACCOUNT = Limit("portal-mail-account", 5, timedelta(hours=1))
LINKS_TO_SOURCE = Limit("portal-mail-source", 20, timedelta(hours=1))
MESSAGES_OF_ACCOUNT = Limit("portal-messages", 60, timedelta(hours=1))
GUESSES_FROM_SOURCE = Limit("portal-link-source", 20)


@dataclass(frozen=True)
class Proven:
    """A right password; what was counted for it is still to be forgiven."""

    account_id: int
    counted: throttle.Counted

    def settle(self, session: Session) -> ClientAccount:
        """Return the account, in the transaction that signs in. Raises ClientSignInRefused."""
        account = session.scalar(
            sa.select(ClientAccount)
            .where(ClientAccount.id == self.account_id)
            .options(joinedload(ClientAccount.client))
        )
        if account is None or not account.is_enabled or account.client.merged_into_id is not None:
            raise ClientSignInRefused
        throttle.forgive(session, self.counted)
        return account


def check_password(runtime: Runtime, email: str, password: str, source: str) -> Proven:
    """Check a password outside of any transaction: hashing takes longer than a lock may.

    It takes as long for an account that doesn't exist. Raises ClientSignInRefused or
    TooManyRequests.
    """
    counted = throttle.count(
        runtime,
        (PASSWORDS_OF_ACCOUNT, email),
        (PASSWORDS_FROM_SOURCE, throttle.source_of(source)),
    )
    with runtime.database.reading() as session:
        account = session.scalar(sa.select(ClientAccount).where(ClientAccount.email == email))
    stored = account.password_hash if account is not None else None
    if not passwords.verify(stored, password) or account is None or not account.is_enabled:
        raise ClientSignInRefused
    return Proven(account.id, counted)


def check_own_password(runtime: Runtime, account_id: int, password: str, source: str) -> None:
    """Ask for the password again, if there is one, before it is changed.

    Raises CurrentPasswordWrong.
    """
    with runtime.database.reading() as session:
        account = session.get_one(ClientAccount, account_id)
    if account.password_hash is None:
        return
    try:
        proven = check_password(runtime, account.email, password, source)
    except ClientSignInRefused as error:
        raise CurrentPasswordWrong from error
    with runtime.database.writing() as session:
        throttle.forgive(session, proven.counted)


def count_mail(runtime: Runtime, email: str, source: str) -> None:
    """Count a link that is asked for. Raises TooManyRequests."""
    throttle.count(
        runtime, (LINKS_OF_ACCOUNT, email), (LINKS_TO_SOURCE, throttle.source_of(source))
    )


def count_guess(runtime: Runtime, source: str) -> None:
    """Count a link that is none. Raises TooManyRequests."""
    throttle.count(runtime, (GUESSES_FROM_SOURCE, throttle.source_of(source)))


def count_message(runtime: Runtime, account_id: int) -> None:
    """Count a message that is written. Raises TooManyRequests."""
    throttle.count(runtime, (MESSAGES_OF_ACCOUNT, str(account_id)))
