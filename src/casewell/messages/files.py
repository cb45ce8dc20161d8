"""Files of messages: kept under random names, and never handed out other than they were put."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import BinaryIO

from sqlalchemy.orm import Session

from casewell.kernel.db import on_commit
from casewell.kernel.errors import NotFound, TooLarge
from casewell.kernel.runtime import Runtime
from casewell.messages.errors import AttachmentUnreadable
from casewell.messages.models import Attachment
from casewell.providers.errors import ProviderError
from casewell.providers.files import FileMissing, FileStore, FileTooLarge, open_verified

# Base64 adds a third; the rest is room for headers and text.
SHARE_OF_A_MAIL = 0.7


def store_attachment(
    session: Session,
    runtime: Runtime,
    *,
    content: bytes | BinaryIO,
    name: str,
    content_type: str,
    staff_id: int | None,
    client_id: int,
    now: datetime,
) -> Attachment:
    """Keep a file for a draft to a client, or (without `staff_id`) one of the client's own.

    `name` is shown to people and sent along; it never names anything on this machine. Raises
    TooLarge, or AttachmentUnreadable.
    """
    limit = largest_files(runtime)
    try:
        stored = _store(runtime).put(content, limit)
    except FileTooLarge as error:
        raise TooLarge(f"A file may have at most {limit // 1_000_000} MB.") from error
    except ProviderError as error:
        raise AttachmentUnreadable(error.message) from error
    attachment = Attachment(
        staff_id=staff_id,
        client_id=client_id,
        shown_name=_one_line(name)[:255] or "file",
        content_type=_one_line(content_type)[:127] or "application/octet-stream",
        size=stored.size,
        sha256=stored.sha256,
        file_key=stored.key,
        created_at=now,
    )
    session.add(attachment)
    session.flush()
    return attachment


def discard(session: Session, runtime: Runtime, attachment: Attachment) -> None:
    """Forget a file of a draft; its bytes go once the transaction stands."""
    if attachment.file_key is not None:
        on_commit(session, partial(_store(runtime).delete, attachment.file_key))
    session.delete(attachment)
    session.flush()


def largest_files(runtime: Runtime) -> int:
    """Return how many bytes the files of one message may have together."""
    return int(runtime.settings.mail_max_bytes * SHARE_OF_A_MAIL)


def open_attachment(runtime: Runtime, attachment: Attachment) -> BinaryIO:
    """Open a file whose bytes are those that were put there.

    Raises NotFound where they are gone, AttachmentUnreadable where they are not the same.
    """
    if attachment.file_key is None:
        raise NotFound(attachment.note or "This file was not kept.")
    try:
        return open_verified(_store(runtime), attachment.file_key, attachment.sha256)
    except FileMissing as error:
        raise NotFound("This file is no longer there.") from error
    except ProviderError as error:
        raise AttachmentUnreadable(error.message) from error


def read_attachment(runtime: Runtime, attachment: Attachment) -> bytes:
    """Raises what `open_attachment` does."""
    with open_attachment(runtime, attachment) as content:
        return content.read()


def missing(runtime: Runtime, attachments: Iterable[Attachment]) -> list[Attachment]:
    """Return those whose bytes are not in the store."""
    store = _store(runtime)
    return [one for one in attachments if one.file_key is None or not store.exists(one.file_key)]


def _store(runtime: Runtime) -> FileStore:
    return runtime.provider(FileStore)


def _one_line(words: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in words).split())
