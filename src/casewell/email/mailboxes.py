"""Connecting, changing, pausing and removing mailboxes."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from casewell.email.forms import MailboxForm
from casewell.email.models import PASSWORD_CONTEXT, Mailbox, MailboxState
from casewell.email.polling import poll_mailbox, server_of
from casewell.kernel.crypto import CannotDecrypt
from casewell.kernel.errors import InvalidInput, NotFound
from casewell.kernel.jobs import hint_after_commit
from casewell.kernel.runtime import Runtime
from casewell.kernel.types import Sealed
from casewell.ledger.service import Actor, audit
from casewell.providers.errors import Insecure, ProviderError, SignInRefused
from casewell.providers.mail_in import MailAccount, check_account
from casewell.providers.wire import Login

COLUMNS = ("name", "address", "host", "port", "security", "username", "folder", "since")
# What a mail's number (UID) on the server belongs to.
PLACE = ("host", "username", "folder")
NEEDED = "This is needed."
TWICE = "This folder of this mailbox is connected already."


def all_mailboxes(session: Session) -> Sequence[Mailbox]:
    return session.scalars(sa.select(Mailbox).order_by(Mailbox.name, Mailbox.id)).all()


def find_mailbox(session: Session, mailbox_id: int) -> Mailbox:
    """Raises NotFound."""
    found = session.get(Mailbox, mailbox_id)
    if found is None:
        raise NotFound
    return found


def try_out(runtime: Runtime, form: MailboxForm, mailbox_id: int | None = None) -> None:
    """Sign in once, so that a mistake is told at its field and not by silence.

    Called before anything asks for a writing session: a server may take its time. Raises
    InvalidInput.
    """
    login = Login(form.username, form.password or _stored_password(runtime, mailbox_id))
    account = MailAccount(server_of(form.host, form.port, form.security), login)
    try:
        folders = check_account(account)
    except SignInRefused as error:
        raise InvalidInput(error.message, fields={"password": error.message}) from error
    except Insecure as error:
        raise InvalidInput(error.message, fields={"security": error.message}) from error
    except ProviderError as error:
        raise InvalidInput(error.message, fields={"host": error.message}) from error
    if form.folder not in folders:
        known = ", ".join(folders[:8])
        raise InvalidInput(
            "The mailbox has no such folder.", fields={"folder": f"Choose one of: {known}."}
        )


def _stored_password(runtime: Runtime, mailbox_id: int | None) -> str:
    if mailbox_id is None:
        raise InvalidInput("Check the fields marked below.", fields={"password": NEEDED})
    with runtime.database.reading() as session:
        sealed = find_mailbox(session, mailbox_id).password
    try:
        return sealed.open()
    except CannotDecrypt as error:
        words = "The stored one can't be read any more. Enter it again."
        raise InvalidInput(words, fields={"password": words}) from error


class MailboxService:
    """What owners do with mailboxes; each act is in the audit ledger."""

    def __init__(self, session: Session, runtime: Runtime, actor: Actor) -> None:
        self._session = session
        self._runtime = runtime
        self._actor = actor

    def connect(self, form: MailboxForm) -> Mailbox:
        """Watch a new mailbox, which has been tried out. Raises InvalidInput."""
        mailbox = Mailbox(created_at=self._runtime.now())
        self._fill(mailbox, form)
        self._session.add(mailbox)
        self._flush()
        self._plan(mailbox)
        self._note("mailbox.connected", mailbox)
        return mailbox

    def change(self, mailbox_id: int, form: MailboxForm) -> Mailbox:
        """Change a mailbox to what has been tried out. Raises NotFound, InvalidInput."""
        mailbox = find_mailbox(self._session, mailbox_id)
        before = [getattr(mailbox, name) for name in PLACE]
        reaches_back = form.since < mailbox.since
        self._fill(mailbox, form)
        if reaches_back or before != [getattr(mailbox, name) for name in PLACE]:
            # Look through the whole window; what is here already is recognised.
            mailbox.uid_validity, mailbox.last_uid = None, 0
            mailbox.first_uid_to = mailbox.first_total = None
        mailbox.compared_at = mailbox.server_mails = None
        mailbox.missing_mails, mailbox.missing_uids = 0, []
        self._flush()
        self._plan(mailbox)
        self._note("mailbox.changed", mailbox)
        return mailbox

    def pause(self, mailbox_id: int) -> Mailbox:
        """Look at it no more until it is resumed. Nothing that came in is touched."""
        mailbox = find_mailbox(self._session, mailbox_id)
        self._enter(mailbox, MailboxState.PAUSED)
        mailbox.due_at = mailbox.lease_until = None
        self._note("mailbox.paused", mailbox)
        return mailbox

    def look_now(self, mailbox_id: int) -> Mailbox:
        """Resume, or look at once instead of at the next turn; and compare with the server."""
        mailbox = find_mailbox(self._session, mailbox_id)
        if mailbox.state is not MailboxState.WORKING:
            self._enter(mailbox, MailboxState.CONNECTING)
        mailbox.refusals, mailbox.last_error, mailbox.compared_at = 0, None, None
        self._plan(mailbox)
        self._note("mailbox.resumed", mailbox)
        return mailbox

    def remove(self, mailbox_id: int) -> Mailbox:
        """Watch it no more and forget its password. What came in stays."""
        mailbox = find_mailbox(self._session, mailbox_id)
        self._session.delete(mailbox)
        self._session.flush()
        self._note("mailbox.removed", mailbox)
        return mailbox

    def _fill(self, mailbox: Mailbox, form: MailboxForm) -> None:
        for name in COLUMNS:
            setattr(mailbox, name, getattr(form, name))
        if form.password:
            mailbox.password = Sealed.seal(form.password, PASSWORD_CONTEXT)
        self._enter(mailbox, MailboxState.CONNECTING)
        mailbox.refusals = mailbox.attempts = 0
        mailbox.last_error = mailbox.lease_until = None

    def _flush(self) -> None:
        try:
            self._session.flush()
        except IntegrityError as error:
            self._session.rollback()
            raise InvalidInput(TWICE, fields={"folder": TWICE}) from error

    def _enter(self, mailbox: Mailbox, state: MailboxState) -> None:
        mailbox.state, mailbox.state_since = state, self._runtime.now()

    def _plan(self, mailbox: Mailbox) -> None:
        """Let it be looked at now; whoever is looking at it already goes on."""
        mailbox.due_at = self._runtime.now()
        self._session.flush()
        hint_after_commit(self._session, self._runtime.hints, poll_mailbox, mailbox.id)

    def _note(self, kind: str, mailbox: Mailbox) -> None:
        audit(
            self._session,
            kind,
            now=self._runtime.now(),
            actor=self._actor,
            data={"mailbox": mailbox.name, "address": mailbox.address},
        )
