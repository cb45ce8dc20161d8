"""The words in which pages speak of mailboxes and of what became of their mails."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from casewell.email.models import Mailbox, MailboxState, MailImportState
from casewell.email.reconciliation import Stands
from casewell.kernel.times import ago, clock_time

STANDS_WORDS = {
    Stands.IN_CONVERSATIONS: "In conversations",
    Stands.IN_TRIAGE: "In triage",
    Stands.SET_ASIDE: "Set aside in triage",
    Stands.WAITING: "Waiting to be read",
    Stands.DUPLICATE: "Copies of mail that is here",
    Stands.SKIPPED: "Skipped",
    Stands.QUARANTINED: "Could not be read",
}
IMPORT_WORDS = {
    MailImportState.WAITING: "Waiting",
    MailImportState.RUNNING: "Reading",
    MailImportState.DONE: "Done",
    MailImportState.CANCELLED: "Cancelled",
    MailImportState.FAILED: "Stopped",
}
IMPORT_TONES = {
    MailImportState.WAITING: "",
    MailImportState.RUNNING: "info",
    MailImportState.DONE: "success",
    MailImportState.CANCELLED: "warning",
    MailImportState.FAILED: "danger",
}
_STATES = {
    MailboxState.CONNECTING: ("Connecting", "wait"),
    MailboxState.WORKING: ("Connected", "active"),
    MailboxState.SIGN_IN_REFUSED: ("Sign-in refused", "late"),
    MailboxState.UNREACHABLE: ("Not reachable", "late"),
    MailboxState.PAUSED: ("Paused", "closed"),
}


def shown(mailbox: Mailbox, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """Return a mailbox as pages show it: how it stands, in words, and what a person has to do."""
    label, tone = _STATES[mailbox.state]
    first = mailbox.first_total if mailbox.is_connecting else None
    return {
        "id": mailbox.id,
        "name": mailbox.name,
        "address": mailbox.address,
        "label": label,
        "tone": tone,
        "facts": _facts(mailbox, now, zone),
        "problem": _problem(mailbox, now, zone),
        "needs_password": mailbox.state is MailboxState.SIGN_IN_REFUSED,
        "is_paused": mailbox.state is MailboxState.PAUSED,
        "first_total": first,
        "first_done": min(mailbox.first_done, first or 0),
        "missing": mailbox.missing_mails,
        "busy": mailbox.due_at is not None
        and (mailbox.state is MailboxState.CONNECTING or mailbox.is_connecting),
    }


def _facts(mailbox: Mailbox, now: datetime, zone: ZoneInfo) -> list[str]:
    facts = [mailbox.address]
    if mailbox.last_mail_at is not None:
        facts.append(f"last mail {ago(mailbox.last_mail_at, now, zone)}")
    elif mailbox.last_success_at is not None:
        facts.append("no mail yet")
    if mailbox.state is MailboxState.PAUSED:
        facts.append(f"paused {ago(mailbox.state_since, now, zone)}")
    elif mailbox.last_success_at is not None:
        facts.append(f"looked at {ago(mailbox.last_success_at, now, zone)}")
    return facts


def _problem(mailbox: Mailbox, now: datetime, zone: ZoneInfo) -> tuple[str, str] | None:
    """Return what is wrong, and what happens or is to be done next."""
    if mailbox.last_error is None or mailbox.state is MailboxState.PAUSED:
        return None
    if mailbox.state is MailboxState.SIGN_IN_REFUSED:
        return (
            mailbox.last_error,
            "Casewell stopped trying, so that the account is not locked. Mail waits on the server. "
            "Enter the password again.",
        )
    if mailbox.due_at is None or mailbox.due_at <= now:
        return mailbox.last_error, "It is being tried again."
    return mailbox.last_error, f"Next try at {clock_time(mailbox.due_at, zone)}."
