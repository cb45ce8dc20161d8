"""Files of messages over HTTP: uploaded to a draft, downloaded, shown inside a mail's frame."""

from collections.abc import Sequence
from typing import Any, BinaryIO, cast

import sqlalchemy as sa
from flask import url_for
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response

from casewell.clients.models import Client
from casewell.clients.queries import clients_visible_to
from casewell.inbox.cards import size_in_words
from casewell.inbox.forms import MAX_FILES
from casewell.inbox.queries import in_triage_of
from casewell.kernel import web
from casewell.kernel.access import Identity
from casewell.kernel.crypto import process_key
from casewell.kernel.downloads import as_download, streamed
from casewell.kernel.errors import InvalidInput, NotFound
from casewell.messages import files
from casewell.messages.file_kinds import shown_name
from casewell.messages.models import Attachment, UnifiedMessage
from casewell.staff.models import Staff, StaffSession

PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
LINK_SECONDS = 600


def keep_uploads(client_id: int, uploads: Sequence[FileStorage]) -> list[int]:
    """Keep files for an answer that is not sent yet. Raises InvalidInput or TooLarge."""
    given = [one for one in uploads if one.filename]
    if len(given) > MAX_FILES:
        raise InvalidInput(f"Attach at most {MAX_FILES} files.")
    return [_keep(client_id, one).id for one in given]


def _keep(client_id: int, upload: FileStorage) -> Attachment:
    return files.store_attachment(
        web.db(),
        web.runtime(),
        content=cast(BinaryIO, upload.stream),
        name=shown_name(upload.filename or "", upload.mimetype),
        content_type=upload.mimetype,
        staff_id=web.identity().staff_id,
        client_id=client_id,
        now=web.now(),
    )


def drafts_of(client_id: int) -> list[dict[str, Any]]:
    """Return the files this person has uploaded for a client and not sent yet."""
    rows = web.db().execute(
        sa.select(Attachment.id, Attachment.shown_name, Attachment.size)
        .where(
            Attachment.message_id.is_(None),
            Attachment.staff_id == web.identity().staff_id,
            Attachment.client_id == client_id,
        )
        .order_by(Attachment.id)
    )
    return [{"id": row.id, "name": row.shown_name, "size": size_in_words(row.size)} for row in rows]


def find_attachment(viewer: Identity, attachment_id: int) -> Attachment:
    """Return a file of a message the viewer may see, in a thread or in triage, or of their draft.

    Raises NotFound.
    """
    clients = sa.select(Client.id).where(clients_visible_to(viewer))
    own_draft = sa.and_(
        Attachment.message_id.is_(None),
        Attachment.staff_id == viewer.staff_id,
        Attachment.client_id.in_(clients),
    )
    reachable = sa.or_(UnifiedMessage.client_id.in_(clients), own_draft, in_triage_of(viewer))
    found = (
        web.db()
        .scalars(
            sa.select(Attachment)
            .outerjoin(UnifiedMessage, UnifiedMessage.id == Attachment.message_id)
            .where(Attachment.id == attachment_id, reachable)
        )
        .one_or_none()
    )
    if found is None or found.file_key is None:
        raise NotFound
    return found


def send_download(file: Attachment) -> Response:
    """Answer with a file to be saved: whatever it holds, it never opens as a page of ours."""
    content = files.open_attachment(web.runtime(), file)
    return as_download(streamed(content, file.size), file.shown_name)


def send_picture(file: Attachment) -> Response:
    """Answer with a raster image for a mail's frame. Raises NotFound for any other type."""
    if file.content_type not in PICTURES:
        raise NotFound
    answer = streamed(files.open_attachment(web.runtime(), file), file.size)
    answer.mimetype = file.content_type
    answer.headers["Content-Disposition"] = "inline"
    return answer


def picture_link(attachment_id: int) -> str:
    """Return a signed address for ten minutes: a sandboxed frame sends no cookie."""
    viewer = web.identity()
    token = _signer().dumps([attachment_id, viewer.staff_id, viewer.session_id])
    return url_for("inbox.picture", token=token, _external=True)


def picture_of(token: str) -> Attachment:
    """Return the picture of a signed address, if its person may still see it. Raises NotFound.

    It is worth nothing once the browser it was made for is signed out.
    """
    try:
        attachment_id, staff_id, session_id = _signer().loads(token, max_age=LINK_SECONDS)
    except BadSignature as error:
        raise NotFound from error
    role = web.db().scalar(
        sa.select(Staff.role)
        .join(StaffSession, StaffSession.staff_id == Staff.id)
        .where(Staff.id == staff_id, Staff.deactivated_at.is_(None), StaffSession.id == session_id)
    )
    if role is None:
        raise NotFound
    return find_attachment(Identity(staff_id, role, "session"), attachment_id)


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(process_key("pictures"), salt="inline")
