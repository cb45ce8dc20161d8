"""The checks of each part: does it work, and if not, what to do.

A check returns a `Finding` in words for a person; it never raises for what it checks.
"""

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from casewell.email.floods import floods
from casewell.email.models import InboundMail, InboundState, Mailbox, MailboxState
from casewell.health.files import count_faults
from casewell.health.findings import Check, Finding
from casewell.health.ledger_checks import check_anchors
from casewell.health.models import FileFaultKind, PartHealth, Standing
from casewell.health.text_checks import check_sms
from casewell.kernel.jobs import PeriodRun
from casewell.kernel.runtime import Runtime
from casewell.messages.models import Channel, ChannelState, Delivery, MessageStatus
from casewell.migrations import is_current
from casewell.providers.errors import ProviderError
from casewell.providers.files import FileStore
from casewell.providers.mail_out import MailSender
from casewell.staff.models import Firm
from casewell.webhooks.models import HookState, Webhook

WORKER_SILENCE = timedelta(minutes=3)
QUEUE_AGE = timedelta(minutes=15)
MAIL_SILENCE = timedelta(minutes=15)
HOOK_SILENCE = timedelta(minutes=15)
LITTLE_SPACE = 1_000_000_000

log = structlog.get_logger()


def check_database(runtime: Runtime, session: Session) -> Finding:
    """The database answers and has the schema this version expects."""
    session.execute(sa.select(1))
    kind = "SQLite" if runtime.database.is_sqlite else "PostgreSQL"
    if not is_current(runtime.database):
        return Finding(
            Standing.FAILING,
            f"{kind} answers, but its schema is not this version's.",
            "Run `casewell migrate`, then start Casewell again.",
        )
    return Finding(Standing.WORKING, f"{kind} answers; the schema is up to date.")


def check_jobs(runtime: Runtime, session: Session) -> Finding:
    """A worker ticks, and nothing is long overdue."""
    last = session.scalar(sa.select(sa.func.max(PeriodRun.started_at)))
    if last is None or runtime.now() - last > WORKER_SILENCE:
        return Finding(
            Standing.FAILING,
            "No worker has reported in the last three minutes. Mail is not fetched or sent.",
            "Start `casewell worker`, or `casewell serve` with its embedded worker.",
        )
    overdue = session.scalar(
        sa.select(sa.func.count())
        .select_from(Delivery)
        .where(Delivery.due_at < runtime.now() - QUEUE_AGE)
    )
    if overdue:
        return Finding(
            Standing.ATTENTION,
            f"{overdue} messages have been waiting for more than 15 minutes.",
            "Look at the outbox for the reason of each.",
        )
    return Finding(Standing.WORKING, "A worker is at work; nothing is overdue.")


def check_mail_in(runtime: Runtime, session: Session) -> Finding:
    """Every mailbox is being read."""
    mailboxes = session.scalars(sa.select(Mailbox).order_by(Mailbox.name)).all()
    if not mailboxes:
        return Finding(
            Standing.OFF,
            "No mailbox is connected.",
            "Connect one under Settings, Channels.",
        )
    refused = [one.name for one in mailboxes if one.state is MailboxState.SIGN_IN_REFUSED]
    if refused:
        return Finding(
            Standing.FAILING,
            f"The mail server refuses to sign in: {', '.join(refused)}.",
            "Enter the password again under Settings, Channels. Casewell stopped trying so that "
            "the account is not locked.",
        )
    silent = [
        one.name
        for one in mailboxes
        if one.state is not MailboxState.PAUSED
        and runtime.now() - (one.last_success_at or one.created_at) > MAIL_SILENCE
    ]
    if silent:
        return Finding(
            Standing.FAILING,
            f"Not read for more than 15 minutes: {', '.join(silent)}.",
            "Check the server's name and port under Settings, Channels, and the network.",
        )
    missing = [f"{one.missing_mails} of {one.name}" for one in mailboxes if one.missing_mails]
    if missing:
        return Finding(
            Standing.FAILING,
            f"Mails that are on the server and not here: {', '.join(missing)}.",
            "Casewell fetches them again each hour. Settings, Channels names them; look at them "
            "on the server until they are here.",
        )
    unread = session.scalar(
        sa.select(sa.func.count())
        .select_from(InboundMail)
        .where(InboundMail.state == InboundState.QUARANTINED)
    )
    if unread:
        return Finding(
            Standing.ATTENTION,
            "1 mail could not be read. It is kept as it came."
            if unread == 1
            else f"{unread} mails could not be read. They are kept as they came.",
            "Look at each under Settings, Channels, Unreadable mail.",
        )
    read = sum(one.state is not MailboxState.PAUSED for one in mailboxes)
    paused = f" {len(mailboxes) - read} paused." if read < len(mailboxes) else ""
    return Finding(Standing.WORKING, f"{read} of {len(mailboxes)} mailboxes are read.{paused}")


def check_mail_flood(runtime: Runtime, session: Session) -> Finding:
    """Nobody sends far more than a person would."""
    found = floods(session, runtime.now())
    if not found:
        return Finding(Standing.WORKING, "No more mail comes in than usual.")
    if not found.senders:
        return Finding(
            Standing.ATTENTION,
            f"{found.strangers} unknown senders wrote for the first time in the last hour.",
            "All of it is kept. Look at a few under Triage before you answer any, and let your "
            "mail provider stop them.",
        )
    who = ", ".join(f"{count} mails from {name}" for name, count in found.senders.items())
    return Finding(
        Standing.ATTENTION,
        f"In the last hour came {who}.",
        "All of it is kept. Ask your mail provider to stop the sender; a sender under Triage can "
        "be set aside.",
    )


def check_mail_out(runtime: Runtime, session: Session) -> Finding:
    """Mail leaves, and nothing waits for a person."""
    firm = session.get(Firm, 1)
    if firm is not None and firm.sending_paused_at is not None:
        return Finding(
            Standing.ATTENTION,
            f"Sending is paused: {firm.sending_paused_reason}",
            "An owner can resume it under Settings, Firm.",
        )
    sender = runtime.provider(MailSender)
    if sender.kind == "console":
        return Finding(
            Standing.OFF,
            "No mail server is set. Mail goes to the local outbox page instead.",
            "Set CASEWELL_SMTP_HOST and what goes with it.",
        )
    stop = session.get(ChannelState, Channel.EMAIL)
    if stop is not None and stop.stopped_at is not None:
        return Finding(
            Standing.FAILING,
            f"Sending e-mail has stopped: {stop.reason}",
            "Mend the reason, then press “Try again” on the outbox page.",
        )
    try:
        sender.check()
    except ProviderError as failure:
        return Finding(
            Standing.FAILING, failure.message, "Check the CASEWELL_SMTP_ settings and the server."
        )
    waiting = session.scalar(
        sa.select(sa.func.count())
        .select_from(Delivery)
        .where(Delivery.status == MessageStatus.UNCONFIRMED)
    )
    if waiting:
        return Finding(
            Standing.ATTENTION,
            f"{waiting} messages may or may not have been sent.",
            "Decide each one on the outbox page.",
        )
    return Finding(Standing.WORKING, "The mail server takes mail.")


def check_storage(runtime: Runtime, session: Session) -> Finding:
    """Files can be written, there is room, and files and rows agree."""
    store = runtime.provider(FileStore)
    try:
        store.check()
    except (ProviderError, OSError) as failure:
        return Finding(
            Standing.FAILING,
            f"Files can't be kept ({type(failure).__name__}).",
            "Make the folder in CASEWELL_HOME writable for the user Casewell runs as.",
        )
    free = shutil.disk_usage(runtime.settings.home).free
    if free < LITTLE_SPACE:
        return Finding(
            Standing.ATTENTION,
            f"Only {free // 1_000_000} MB are free on the disk.",
            "Make room before mail can't be kept any more.",
        )
    faults = count_faults(session)
    if lost := faults[FileFaultKind.MISSING] + faults[FileFaultKind.DAMAGED]:
        return Finding(
            Standing.ATTENTION,
            f"{lost} files are missing or are not what was put there.",
            "See which below; restore them from a backup, then run `casewell files`.",
        )
    if unused := faults[FileFaultKind.UNUSED]:
        return Finding(
            Standing.ATTENTION,
            f"{unused} files belong to nothing that is here.",
            "If no restore is under way, remove them by `casewell files --delete-unused`.",
        )
    return Finding(Standing.WORKING, f"Files are kept; {free // 1_000_000_000} GB are free.")


def check_webhooks(runtime: Runtime, session: Session) -> Finding:
    """Whoever is to be told takes what they are told."""
    hooks = session.execute(sa.select(Webhook.state, Webhook.failing_since)).all()
    stopped = sum(state is HookState.STOPPED for state, _ in hooks)
    if stopped:
        return Finding(
            Standing.FAILING,
            f"{stopped} of {len(hooks)} webhooks took no call for 3 days and were stopped.",
            "Mend the address, then try it out and resume it under Settings, Webhooks.",
        )
    long_ago = runtime.now() - HOOK_SILENCE
    failing = sum(since is not None and since < long_ago for _, since in hooks)
    if failing:
        return Finding(
            Standing.ATTENTION,
            f"{failing} of {len(hooks)} webhooks have taken no call for 15 minutes or more.",
            "See what they answer under Settings, Webhooks. Casewell tries for 3 days.",
        )
    if not hooks:
        return Finding(Standing.OFF, "No other program is told what happens here.")
    return Finding(Standing.WORKING, f"{len(hooks)} webhooks: what they are told is taken.")


# Part, its name on the page, its check. Channels to come add a line each.
PARTS: tuple[tuple[str, str, Check], ...] = (
    ("database", "Database", check_database),
    ("jobs", "Work that waits", check_jobs),
    ("mail_in", "E-mail in", check_mail_in),
    ("mail_flood", "Unusual mail", check_mail_flood),
    ("mail_out", "E-mail out", check_mail_out),
    ("sms", "SMS", check_sms),
    ("storage", "Files", check_storage),
    ("webhooks", "Webhooks", check_webhooks),
    ("ledger", "Ledger anchors", check_anchors),
)


@dataclass(frozen=True)
class Report:
    """One part as the page and `casewell doctor` show it."""

    part: str
    label: str
    standing: Standing
    since: datetime
    finding: str
    advice: str


def check_all(runtime: Runtime) -> list[Report]:
    """Run every check now, remember what changed, and return how each part stands."""
    found = {part: _run(runtime, part, check) for part, _, check in PARTS}
    now = runtime.now()
    reports = []
    with runtime.database.writing() as session:
        for part, label, _ in PARTS:
            finding = found[part]
            row = session.get(PartHealth, part)
            if row is None:
                row = PartHealth(part=part, standing=finding.standing, since=now)
                session.add(row)
            if row.standing is not finding.standing:
                row.standing, row.since = finding.standing, now
                log.warning("health_changed", part=part, standing=finding.standing.value)
            row.checked_at, row.finding, row.advice = now, finding.finding, finding.advice
            reports.append(Report(part, label, row.standing, row.since, row.finding, row.advice))
    return reports


def _run(runtime: Runtime, part: str, check: Check) -> Finding:
    try:
        with runtime.database.reading() as session:
            return check(runtime, session)
    except SQLAlchemyError as failure:
        log.warning("health_check_failed", part=part, error=type(failure).__name__)
        return Finding(
            Standing.FAILING,
            "The database does not answer as it should.",
            "See the log for the reason, and check CASEWELL_DATABASE_URL.",
        )
