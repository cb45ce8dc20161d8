"""Messages in the portal, as one client reads and writes them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from os import SEEK_END
from typing import Any, BinaryIO

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.kernel.crypto import new_token
from casewell.kernel.errors import InvalidInput, NotFound, TooLarge
from casewell.kernel.runtime import Runtime
from casewell.messages.file_kinds import shown_name, sniff
from casewell.messages.files import largest_files, store_attachment
from casewell.messages.intake import Match, take_in
from casewell.messages.locks import hold_client
from casewell.messages.models import (
    Attachment,
    Channel,
    Direction,
    MessageStatus,
    UnifiedMessage,
    preview_of,
)
from casewell.portal import queries, receipts
from casewell.portal.models import ClientAccount, ClientMessage

PAGE = 30
MOST_FILES = 10
SNIFFED = 2048
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Upload:
    name: str
    content: BinaryIO

    @property
    def size(self) -> int:
        end = self.content.seek(0, SEEK_END)
        self.content.seek(0)
        return end


@dataclass(frozen=True)
class Written:
    """A part of a conversation, newest first; `older` is where an earlier part goes on.

    `version` changes whenever what is shown would.
    """

    rows: Sequence[Any]
    files: dict[int, list[Any]]
    older: str | None
    version: str

    @property
    def unseen(self) -> int:
        return sum(row.direction == Direction.OUTBOUND and not row.seen_at for row in self.rows)


class PortalMessages:
    """The messages of `account`'s client, and of nobody else."""

    def __init__(self, session: Session, runtime: Runtime, account: ClientAccount) -> None:
        self._session = session
        self._runtime = runtime
        self._account = account
        self._who = {"client": account.client_id}

    def page(self, before: str | None = None, known: str | None = None) -> Written | None:
        """Return a page, newest first; None where the reader has this version. Raises NotFound."""
        query = queries.MESSAGES
        if before is not None:
            place = self._place(before)
            query = query.where(sa.tuple_(*queries.ORDER) < sa.tuple_(*place))
        query = query.order_by(*queries.NEWEST_FIRST).limit(PAGE + 1)
        found = self._session.execute(query, self._who).all()
        rows = found[:PAGE]
        version = _version(rows)
        if known == version:
            return None
        files: dict[int, list[Any]] = {}
        if rows:
            for file in self._session.execute(queries.files_of([row.id for row in rows])):
                files.setdefault(file.message_id, []).append(file)
        return Written(rows, files, rows[-1].public_id if len(found) > PAGE else None, version)

    def write(self, body: str, uploads: Sequence[Upload], key: str) -> None:
        """Send a message to the firm, once for each key. Raises InvalidInput or TooLarge."""
        client_id, now = self._account.client_id, self._runtime.now()
        body = body.strip()
        if not body and not uploads:
            raise InvalidInput("Write a message first.", fields={"body": "Write a message first."})
        if len(uploads) > MOST_FILES:
            raise InvalidInput(f"Send at most {MOST_FILES} files at a time.")
        hold_client(self._session, client_id)
        key = f"portal:{self._account.id}:{key}"
        known = sa.select(UnifiedMessage.__table__.c.id).where(
            UnifiedMessage.__table__.c.idempotency_key == key
        )
        if self._session.scalar(known) is not None:
            return
        self._check_room(uploads)
        files = [self._store(one) for one in uploads]
        message = ClientMessage(
            channel=Channel.PORTAL,
            direction=Direction.INBOUND,
            status=MessageStatus.RECEIVED,
            preview=preview_of(body or ", ".join(one.shown_name for one in files)),
            body_text=body,
            occurred_at=now,
            recorded_at=now,
            sender_verified=True,
            idempotency_key=key,
            public_id=new_token(),
        )
        take_in(
            self._session,
            message,
            Match(client_id=client_id),
            address=self._account.email,
            name=self._account.client.name,
            now=now,
        )
        for position, file in enumerate(files):
            file.message_id, file.position = message.id, position
        self._session.flush()

    def seen(self, up_to: str) -> None:
        """Note that everything up to a message was on the client's screen. Raises NotFound."""
        at, message_id = self._place(up_to)
        receipts.seen_by_client(
            self._session, self._account.client_id, at, message_id, self._runtime.now()
        )

    def file(self, public_id: str, position: int) -> Attachment:
        """Raises NotFound."""
        found = self._session.scalar(queries.file_of(public_id, position), self._who)
        if found is None:
            raise NotFound
        file: Attachment = found
        return file

    def _place(self, public_id: str) -> Any:
        place = self._session.execute(queries.one(public_id), self._who).one_or_none()
        if place is None:
            raise NotFound
        return place

    def _store(self, upload: Upload) -> Attachment:
        kind = sniff(upload.content.read(SNIFFED))
        upload.content.seek(0)
        return store_attachment(
            self._session,
            self._runtime,
            content=upload.content,
            name=shown_name(upload.name, kind),
            content_type=kind,
            staff_id=None,
            client_id=self._account.client_id,
            now=self._runtime.now(),
        )

    def _check_room(self, uploads: Sequence[Upload]) -> None:
        """Refuse what is too large before any of it is stored."""
        size, limit = sum(one.size for one in uploads), largest_files(self._runtime)
        if size > limit:
            raise TooLarge(f"Together the files have more than {limit // 1_000_000} MB.")
        today = self._session.scalar(
            sa.select(sa.func.coalesce(sa.func.sum(Attachment.size), 0)).where(
                Attachment.client_id == self._account.client_id,
                Attachment.staff_id.is_(None),
                Attachment.created_at > self._runtime.now() - DAY,
            )
        )
        if uploads and int(today or 0) + size > self._runtime.settings.attachment_quota_bytes:
            raise TooLarge("You have sent very many files today. Send these tomorrow, or call us.")


def _version(rows: Sequence[Any]) -> str:
    told = "".join(f"{row.public_id}{row.seen_at is not None}" for row in rows)
    return hashlib.sha256(told.encode()).hexdigest()[:16]
