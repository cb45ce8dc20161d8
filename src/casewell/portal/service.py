"""Clients' accounts: what the firm does with them, and what clients do with their own."""

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from casewell.clients.models import Client, ClientEmail
from casewell.kernel.addresses import normal_form
from casewell.kernel.runtime import Runtime
from casewell.ledger.service import Actor, Event, audit, record
from casewell.portal import links, sessions
from casewell.portal.errors import AccountDisabled, AddressTaken, NoAccount, NotOnFile
from casewell.portal.models import ClientAccount
from casewell.staff import mail, passwords
from casewell.staff.models import Firm, SystemMailKind


class PortalAccounts:
    """The accounts of clients, as `actor` acts on them. Who may is settled before."""

    def __init__(self, session: Session, runtime: Runtime, actor: Actor | None) -> None:
        self._session = session
        self._runtime = runtime
        self._actor = actor
        self._now = runtime.now()

    def of(self, client_id: int) -> ClientAccount | None:
        return self._session.scalar(
            sa.select(ClientAccount).where(ClientAccount.client_id == client_id)
        )

    # What staff do

    def invite(self, client: Client, email: str) -> ClientAccount:
        """Give a client an account, or invite them anew: with another address they start again.

        Raises NotOnFile, AddressTaken or AccountDisabled.
        """
        form = normal_form(email)
        on_file = sa.select(ClientEmail.id).where(
            ClientEmail.client_id == client.id, ClientEmail.normal_form == form
        )
        if self._session.scalar(on_file.limit(1)) is None:
            raise NotOnFile
        account = self.of(client.id)
        if account is not None and not account.is_enabled:
            raise AccountDisabled
        try:
            with self._session.begin_nested():
                account = self._with_address(client, account, form)
        except IntegrityError as error:
            raise AddressTaken from error
        mail.queue(self._session, self._runtime, SystemMailKind.CLIENT_INVITATION, form)
        self._record(account, "portal.invited", {"email": form})
        return account

    def send_link(self, client: Client) -> ClientAccount:
        """Send a link to sign in. Raises NoAccount, AccountDisabled."""
        account = self._present(client)
        if not account.is_enabled:
            raise AccountDisabled
        mail.queue(self._session, self._runtime, SystemMailKind.CLIENT_LINK, account.email)
        self._record(account, "portal.link_sent", {"email": account.email})
        return account

    def disable(self, client: Client) -> None:
        """Sign a client out everywhere and let them in no more. Raises NoAccount."""
        account = self._present(client)
        if account.is_enabled:
            account.disabled_at = self._now
            self._end_access(account)
            self._record(account, "portal.disabled")

    def enable(self, client: Client) -> None:
        """Raises NoAccount."""
        account = self._present(client)
        if not account.is_enabled:
            account.disabled_at = None
            self._record(account, "portal.enabled")

    # What clients do

    def ask_for_link(self, email: str) -> None:
        """Queue a mail: the same work for every address, known or not."""
        mail.queue(self._session, self._runtime, SystemMailKind.CLIENT_LINK, email)

    def enter_by_link(self, token: str) -> ClientAccount:
        """Use a link up; return whose it is. Raises ClientLinkNotValid."""
        account = links.use_up(self._session, token, self._now)
        links.withdraw(self._session, account.id)
        return account

    def change_password(self, account_id: int, password: str) -> ClientAccount:
        """Set a password; every browser has to sign in anew. Raises WeakPassword."""
        account = self._session.scalars(
            sa.select(ClientAccount)
            .where(ClientAccount.id == account_id)
            .options(joinedload(ClientAccount.client))
        ).one()
        firm = self._session.scalar(sa.select(Firm.name)) or ""
        passwords.check_strength(password, email=account.email, name=account.client.name, firm=firm)
        account.password_hash = passwords.hash_password(password)
        self._end_access(account)
        audit(
            self._session,
            "portal.password_changed",
            now=self._now,
            actor=Actor.of_client(account.client),
            data={"client_id": account.client_id},
        )
        return account

    # Inside

    def _present(self, client: Client) -> ClientAccount:
        account = self.of(client.id)
        if account is None:
            raise NoAccount
        return account

    def _end_access(self, account: ClientAccount) -> None:
        sessions.end_all(self._session, account.id)
        links.withdraw(self._session, account.id)

    def _with_address(
        self, client: Client, account: ClientAccount | None, form: str
    ) -> ClientAccount:
        """Return the account with this address; another one than before ends what it gave."""
        if account is None:
            account = ClientAccount(client_id=client.id, email=form, created_at=self._now)
            self._session.add(account)
        elif account.email != form:
            self._end_access(account)
            account.email, account.password_hash = form, None
        self._session.flush()
        return account

    def _record(
        self, account: ClientAccount, kind: str, data: dict[str, str] | None = None
    ) -> None:
        assert self._actor is not None
        event = Event(account.client_id, kind, self._actor, self._now, data or {})
        record(self._session, event, now=self._now)
