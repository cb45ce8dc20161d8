"""The files of a mail: kept under random names, up to so much in a day from one sender, and for
one client."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.email.models import EmailMessage
from casewell.email.parsed import ParsedMail
from casewell.email.threads import thread_client
from casewell.kernel.addresses import normal_form
from casewell.kernel.runtime import Runtime
from casewell.messages.models import Attachment, Channel, TriageSender, UnifiedMessage
from casewell.messages.queries import owners
from casewell.providers.files import FileStore

DAY = timedelta(days=1)
NOT_KEPT = "Not kept: the daily limit for this sender or client was reached."


def store_attachments(
    session: Session, runtime: Runtime, parsed: ParsedMail, *, unlimited: bool
) -> list[Attachment]:
    """Store the files of a mail; above the daily quota only their names are kept."""
    files = runtime.provider(FileStore)
    now = runtime.now()
    room = runtime.settings.attachment_quota_bytes
    if not unlimited:
        room -= _kept_today(session, parsed, now)
    rows = []
    for one in parsed.attachments:
        row = Attachment(
            position=one.index,
            shown_name=one.shown_name,
            content_type=one.content_type_sniffed[:127],
            content_id=one.content_id and one.content_id[:255],
            is_inline=one.inline,
            size=one.size,
            sha256="",
            file_key=None,
            note=NOT_KEPT,
            created_at=now,
        )
        if unlimited or one.size <= room:
            stored = files.put(one.content)
            row.sha256, row.file_key, row.note = stored.sha256, stored.key, ""
            room -= one.size
        rows.append(row)
    return rows


def is_over(files: Sequence[Attachment]) -> bool:
    """Whether the quota kept one of these from being stored."""
    return any(one.file_key is None and one.note == NOT_KEPT for one in files)


def _kept_today(session: Session, parsed: ParsedMail, now: datetime) -> int:
    """Return the bytes of files kept in a day of this sender, and for the clients whose address
    that is.

    A sender who varies the spelling is one sender; one who writes in a client's thread uses the
    client's room.
    """
    address = parsed.author.email if parsed.author else ""
    form = normal_form(address)
    recent = UnifiedMessage.occurred_at > now - DAY
    mine = sa.union(
        sa.select(UnifiedMessage.id)
        .join(TriageSender, TriageSender.id == UnifiedMessage.triage_sender_id)
        .where(TriageSender.channel == Channel.EMAIL, TriageSender.address == form, recent),
        sa.select(UnifiedMessage.id).where(
            UnifiedMessage.client_id.in_(_clients_of(session, parsed, form)), recent
        ),
        sa.select(EmailMessage.__table__.c.id).where(
            EmailMessage.__table__.c.from_address == address
        ),
    )
    total = session.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(Attachment.size), 0)).where(
            Attachment.message_id.in_(mine),
            Attachment.file_key.is_not(None),
            Attachment.created_at > now - DAY,
        )
    )
    return int(total or 0)


def _clients_of(session: Session, parsed: ParsedMail, form: str) -> list[int]:
    """Return the clients whose conversation a mail would stand in."""
    threads = thread_client(session, parsed)
    return [*session.scalars(owners(Channel.EMAIL, form)), *([threads] if threads else [])]
