"""How the demo firm's mail came in: by a mailbox, by an import, and one that is unreadable."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.email.models import (
    PASSWORD_CONTEXT,
    InboundMail,
    InboundState,
    Mailbox,
    MailboxState,
    MailImport,
    MailImportState,
    Source,
)
from casewell.kernel.runtime import Runtime
from casewell.kernel.types import Sealed
from casewell.messages.models import Channel, Direction, UnifiedMessage
from casewell.providers.files import FileStore
from casewell.staff.models import Staff

WINDOW = timedelta(days=90)
UID_VALIDITY = 1_767_225_600
ADDRESS = "office@harborlaw.example"
# What a fax gateway sent: words, but no mail around them.
UNREADABLE = b"\r\nFAX 2 PAGES  CSID 312 555 0144\r\n\r\n(no header came with this)\r\n"


def tell_how_mail_came(session: Session, runtime: Runtime, owner: Staff, now: datetime) -> None:
    """Give every mail of the firm where it came from.

    The mailbox is paused: its server exists as little as the firm does.
    """
    since = now - WINDOW
    mailbox = Mailbox(
        name="Office mailbox",
        address=ADDRESS,
        host="imap.harborlaw.example",
        username=ADDRESS,
        password=Sealed.seal("a password of nobody", PASSWORD_CONTEXT),
        since=since.date(),
        state=MailboxState.PAUSED,
        state_since=now,
        uid_validity=UID_VALIDITY,
        last_success_at=now,
        compared_at=now,
        created_at=since,
    )
    archive = MailImport(
        staff_id=owner.id,
        name="office-archive.mbox",
        state=MailImportState.DONE,
        total=1,
        position=1,
        created_at=since,
        finished_at=since + timedelta(minutes=4),
    )
    session.add_all([mailbox, archive])
    session.flush()
    received = UnifiedMessage.occurred_at
    seen = _note(session, received >= since, Source.IMAP, mailbox_id=mailbox.id)
    _note(session, received < since, Source.IMPORT, import_id=archive.id)
    _keep_unreadable(session, runtime, mailbox, seen + 1, now - timedelta(days=6))
    mailbox.server_mails = mailbox.last_uid = seen + 1
    mailbox.last_mail_at = session.scalar(sa.select(sa.func.max(received)).where(*_INBOUND))


_INBOUND = (
    UnifiedMessage.channel == Channel.EMAIL,
    UnifiedMessage.direction == Direction.INBOUND,
)


def _note(
    session: Session,
    which: sa.ColumnElement[bool],
    source: Source,
    *,
    mailbox_id: int | None = None,
    import_id: int | None = None,
) -> int:
    """Write down for some messages that they came as mails; return how many those were."""
    number = sa.func.row_number().over(order_by=(UnifiedMessage.occurred_at, UnifiedMessage.id))
    columns: dict[str, Any] = {
        "source": sa.literal(source, InboundMail.source.type),
        "mailbox_id": sa.literal(mailbox_id, sa.Integer()),
        "import_id": sa.literal(import_id, sa.Integer()),
        "uid_validity": sa.literal(UID_VALIDITY if mailbox_id else None, sa.Integer()),
        "uid": number if mailbox_id else sa.literal(None, sa.Integer()),
        "received_at": UnifiedMessage.occurred_at,
        "recorded_at": UnifiedMessage.recorded_at,
        "size": sa.func.length(UnifiedMessage.body_text) + 1_800,
        "sha256": sa.literal("demo-") + sa.cast(UnifiedMessage.id, sa.String),
        "state": sa.literal(InboundState.TAKEN_IN, InboundMail.state.type),
        "reason": sa.literal(""),
        "is_history": UnifiedMessage.is_history,
        "is_whole": sa.true(),
        "message_id": UnifiedMessage.id,
        "attempts": sa.literal(1),
    }
    mails = sa.select(*columns.values()).where(*_INBOUND, which)
    session.execute(sa.insert(InboundMail).from_select(list(columns), mails))
    own = InboundMail.mailbox_id == mailbox_id if mailbox_id else InboundMail.import_id == import_id
    return session.scalar(sa.select(sa.func.count()).where(own)) or 0


def _keep_unreadable(
    session: Session, runtime: Runtime, mailbox: Mailbox, uid: int, at: datetime
) -> None:
    kept = runtime.provider(FileStore).put(UNREADABLE)
    session.add(
        InboundMail(
            source=Source.IMAP,
            mailbox_id=mailbox.id,
            uid_validity=UID_VALIDITY,
            uid=uid,
            received_at=at,
            recorded_at=at,
            size=kept.size,
            sha256=kept.sha256,
            file_key=kept.key,
            state=InboundState.QUARANTINED,
            reason="it has no header",
        )
    )
