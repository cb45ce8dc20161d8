"""Fetching the files of inbound texts: from the carrier's own host, within limits, once."""

from io import BytesIO
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.kernel.jobs import back_off, claim, job
from casewell.kernel.runtime import Runtime
from casewell.messages.file_kinds import shown_name, sniff
from casewell.messages.models import Attachment
from casewell.providers.errors import ProviderError, Unavailable, Unconfirmed
from casewell.providers.files import FileStore
from casewell.providers.http import WebClient
from casewell.sms.models import MediaFetch

MOST_ATTEMPTS = 6
MOST_BYTES = 20_000_000
REDIRECTS = 3
NOT_THE_CARRIERS = "Not fetched: its address is not the carrier's."
NOT_FETCHED = "Not fetched: the carrier did not hand it out."


class Refused(Exception):
    """The file will not be fetched, for a reason to show."""


@job(MediaFetch)
def fetch_media(runtime: Runtime, fetch_id: int) -> None:
    """Fetch one file. Done twice, the second bytes are given up again."""
    with runtime.database.writing() as session:
        if not claim(session, MediaFetch, fetch_id, runtime.now()):
            return
        fetch = session.get_one(MediaFetch, fetch_id)
        url, attempts = fetch.url, fetch.attempts
    try:
        content = _download(runtime, url)
    except Refused as refused:
        _end(runtime, fetch_id, note=str(refused))
    except (Unavailable, Unconfirmed) as error:
        if attempts < MOST_ATTEMPTS:
            _later(runtime, fetch_id, attempts, error.message)
        else:
            _end(runtime, fetch_id, note=NOT_FETCHED)
    except ProviderError:
        _end(runtime, fetch_id, note=NOT_FETCHED)
    else:
        _keep(runtime, fetch_id, content)


def _download(runtime: Runtime, url: str) -> bytes:
    """Return the file. Only the carrier's host is asked, and only it learns who asks."""
    settings = runtime.settings
    asked, carrier = urlsplit(url), urlsplit(settings.twilio_url)
    if (asked.scheme, asked.netloc) != (carrier.scheme, carrier.netloc):
        raise Refused(NOT_THE_CARRIERS)
    if not settings.twilio_auth_tokens:
        raise Refused(NOT_FETCHED)
    content = BytesIO()
    answer = runtime.provider(WebClient).download(
        url,
        content.write,
        most=MOST_BYTES,
        auth=(settings.twilio_account_sid, settings.twilio_auth_tokens[0]),
        redirects=REDIRECTS,
    )
    if answer.status == 429 or answer.status >= 500:
        raise Unavailable(NOT_FETCHED, retry_after=answer.retry_after)
    if answer.status != 200:
        raise Refused(NOT_FETCHED)
    return content.getvalue()


def _keep(runtime: Runtime, fetch_id: int, content: bytes) -> None:
    files = runtime.provider(FileStore)
    try:
        stored = files.put(content)
    except ProviderError as error:
        _later(runtime, fetch_id, 1, error.message)
        return
    kind = sniff(content)
    with runtime.database.writing() as session:
        attachment_id = session.get_one(MediaFetch, fetch_id).attachment_id
        taken = session.execute(
            sa.update(Attachment)
            .where(Attachment.id == attachment_id, Attachment.file_key.is_(None))
            .values(
                file_key=stored.key,
                sha256=stored.sha256,
                size=stored.size,
                content_type=kind[:127],
                shown_name=shown_name("", kind),
                note="",
            )
            .execution_options(synchronize_session=False)
        )
        _done(session, fetch_id)
    if not taken.rowcount:  # type: ignore[attr-defined]
        files.delete(stored.key)


def _end(runtime: Runtime, fetch_id: int, *, note: str) -> None:
    with runtime.database.writing() as session:
        attachment_id = session.get_one(MediaFetch, fetch_id).attachment_id
        session.execute(
            sa.update(Attachment)
            .where(Attachment.id == attachment_id, Attachment.file_key.is_(None))
            .values(note=note)
            .execution_options(synchronize_session=False)
        )
        _done(session, fetch_id, note)


def _later(runtime: Runtime, fetch_id: int, attempts: int, reason: str) -> None:
    with runtime.database.writing() as session:
        session.execute(
            sa.update(MediaFetch)
            .where(MediaFetch.id == fetch_id)
            .values(due_at=runtime.now() + back_off(attempts), lease_until=None, last_error=reason)
        )


def _done(session: Session, fetch_id: int, error: str | None = None) -> None:
    session.execute(
        sa.update(MediaFetch)
        .where(MediaFetch.id == fetch_id)
        .values(due_at=None, lease_until=None, last_error=error)
    )
