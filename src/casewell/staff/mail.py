"""Mails of Casewell itself: queued as rows, written and sent by a worker.

The request that asks for a reset does the same work whether or not there is such an account;
only the worker looks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from casewell.kernel.jobs import back_off, claim, hint_after_commit, job
from casewell.kernel.runtime import Runtime
from casewell.kernel.settings import Settings
from casewell.providers.errors import ProviderError, Unavailable
from casewell.providers.mail_out import MailSender
from casewell.staff import links
from casewell.staff.models import Firm, LinkKind, Staff, SystemMail, SystemMailKind

MOST_ATTEMPTS = 8

log = structlog.get_logger()


@dataclass(frozen=True)
class Letter:
    subject: str
    text: str


LetterWriter = Callable[[Session, SystemMail, Settings, datetime], Letter | None]


class _Wiring:
    writers: Mapping[SystemMailKind, LetterWriter] = {}


def use_letters(writers: Mapping[SystemMailKind, LetterWriter]) -> None:
    """Say who writes the mails that packages above queue; the table is in `casewell.wiring`."""
    _Wiring.writers = writers


def queue(
    session: Session,
    runtime: Runtime,
    kind: SystemMailKind,
    to: str,
    data: dict[str, Any] | None = None,
) -> None:
    """Have a mail written and sent after this transaction's commit. `data` holds no secret."""
    now = runtime.now()
    mail = SystemMail(kind=kind, to=to, data=data or {}, created_at=now, due_at=now)
    session.add(mail)
    session.flush()
    hint_after_commit(session, runtime.hints, send_system_mail, mail.id)


@job(SystemMail)
def send_system_mail(runtime: Runtime, mail_id: int) -> None:
    """Write and send one mail.

    A worker that dies in between sends it again: its link replaces the one of the first copy.
    """
    now = runtime.now()
    with runtime.database.writing() as session:
        if not claim(session, SystemMail, mail_id, now):
            return
    with runtime.database.writing() as session:
        mail = session.get_one(SystemMail, mail_id)
        letter = _write(session, mail, runtime.settings, now)
        if letter is None:
            mail.due_at = mail.lease_until = None
            return
        firm_name = session.scalar(sa.select(Firm.name)) or "Casewell"
    raw = _as_mime(letter, mail.to, runtime.settings, firm_name, now)
    error: ProviderError | None = None
    try:
        sender = runtime.provider(MailSender)
        sender.send(runtime.settings.mail_from, [mail.to], raw)
    except ProviderError as refused:
        error = refused
        log.warning("system_mail_not_sent", kind=mail.kind, error=str(refused))
    with runtime.database.writing() as session:
        _record(session.get_one(SystemMail, mail_id), error, runtime.now())


def _record(mail: SystemMail, error: ProviderError | None, now: datetime) -> None:
    mail.lease_until = mail.due_at = None
    if error is None:
        mail.sent_at, mail.last_error = now, None
        return
    mail.last_error = error.message
    # One that may have arrived is not sent twice: its reader can ask for another.
    if isinstance(error, Unavailable) and mail.attempts < MOST_ATTEMPTS:
        mail.due_at = now + back_off(mail.attempts, error.retry_after)


def _write(session: Session, mail: SystemMail, settings: Settings, now: datetime) -> Letter | None:
    """Return what the mail says, with a fresh link in it; None: there is nobody to tell."""
    match mail.kind:
        case SystemMailKind.ACCOUNT_CHANGED:
            return Letter("Your Casewell account was changed", _CHANGED.format(**mail.data))
        case SystemMailKind.PASSWORD_RESET:
            staff = session.scalar(sa.select(Staff).where(Staff.email == mail.to))
            if staff is None or not staff.is_active or staff.password_hash is None:
                return None
            token = links.issue(session, staff.id, LinkKind.PASSWORD_RESET, now)
            return Letter(
                "Choose a new password",
                _RESET.format(name=staff.name, link=f"{settings.public_url}/reset/{token}"),
            )
        case SystemMailKind.INVITATION:
            staff = session.get(Staff, mail.data["staff_id"])
            if staff is None or not staff.is_active or staff.password_hash is not None:
                return None
            token = links.issue(session, staff.id, LinkKind.INVITATION, now)
            link = f"{settings.public_url}/invitation/{token}"
            return Letter(
                "You are invited to Casewell",
                _INVITATION.format(name=staff.name, by=mail.data["by"], link=link),
            )
        case SystemMailKind.EMAIL_CHANGE_OLD | SystemMailKind.EMAIL_CHANGE_NEW:
            staff = session.get(Staff, mail.data["staff_id"])
            if staff is None or not staff.is_active:
                return None
            new = mail.data["email"]
            token = links.issue(session, staff.id, LinkKind(mail.kind.value), now, email=new)
            link = f"{settings.public_url}/email-change/{token}"
            return Letter(
                "Confirm your new e-mail address",
                _EMAIL_CHANGE.format(name=staff.name, email=new, link=link),
            )
        case _:
            return _Wiring.writers[mail.kind](session, mail, settings, now)


def _as_mime(letter: Letter, to: str, settings: Settings, firm_name: str, now: datetime) -> bytes:
    mail = EmailMessage(policy=SMTP)
    name = " ".join((settings.mail_from_name or firm_name).split())
    mail["From"] = Address(name, addr_spec=settings.mail_from)
    mail["To"] = Address(addr_spec=to)
    mail["Subject"] = letter.subject
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = make_msgid(domain=settings.mail_from.rpartition("@")[2])
    # RFC 3834, and what Exchange reads: nobody's absence notice should answer this.
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(letter.text)
    return mail.as_bytes()


_RESET = """\
Hello {name},

somebody, probably you, asked for a new password for your Casewell account.
Open this page within 60 minutes to choose one:

{link}

If it was not you, do nothing: your password stays as it is.
"""

_INVITATION = """\
Hello {name},

{by} has made a Casewell account for you.
Open this page within 7 days to choose a password:

{link}

If you don't expect this, do nothing.
"""

_EMAIL_CHANGE = """\
Hello {name},

your Casewell account is about to use this e-mail address: {email}
The change happens once it is confirmed at the old and at the new address.
Open this page within 24 hours to confirm it here:

{link}

If it was not you, don't open it, change your password, and tell the owner of your firm.
"""

_CHANGED = """\
Hello {name},

this changed in your Casewell account: {what}
All other browsers and API tokens of the account were signed out.

If it was not you, reset your password at once and tell the owner of your firm.
"""
