"""Taking a practice's old mail in from a file, and watching it come."""

from typing import BinaryIO, cast

from flask import Blueprint, request
from werkzeug.wrappers import Response

from casewell.email import history
from casewell.email.models import MailImport
from casewell.email.reconciliation import Stands
from casewell.email.words import IMPORT_TONES, IMPORT_WORDS, STANDS_WORDS
from casewell.kernel import web
from casewell.kernel.errors import CasewellError
from casewell.kernel.settings import Settings
from casewell.staff.current import current_actor

blueprint = Blueprint("mail_imports", __name__, template_folder="templates")
# What a form adds to the file it carries.
FORM_BYTES = 100_000


def _largest(settings: Settings) -> int:
    return settings.mail_import_max_bytes + FORM_BYTES


@blueprint.get("/settings/mail-import")
def index() -> Response:
    return _upload_page()


@blueprint.post("/settings/mail-import")
@web.takes_bodies_up_to(_largest)
def upload() -> Response:
    file = request.files.get("file")
    if file is None or not file.filename:
        return _upload_page("Choose a file.", 422)
    try:
        kept = history.keep_file(web.runtime(), cast(BinaryIO, file.stream))
    except CasewellError as error:
        return _upload_page(error.message, error.status)
    made = history.begin_with(web.db(), web.runtime(), current_actor(), kept, file.filename)
    return web.go("mail_imports.show", import_id=made.id)


@blueprint.get("/settings/mail-import/<int:import_id>")
def show(import_id: int) -> Response:
    return _progress_page(history.find_import(web.db(), import_id))


@blueprint.get("/settings/mail-import/<int:import_id>/progress")
def progress(import_id: int) -> Response:
    """The part that asks for itself again until the import has ended."""
    return _progress_page(history.find_import(web.db(), import_id))


@blueprint.post("/settings/mail-import/<int:import_id>/cancel")
def cancel(import_id: int) -> Response:
    row = history.find_import(web.db(), import_id, hold=True)
    history.cancel(web.db(), web.runtime(), row)
    web.toast("Import cancelled")
    return web.go("mail_imports.show", import_id=import_id)


def _upload_page(error: str = "", status: int = 200) -> Response:
    return web.render(
        "email/import_upload.html",
        status=status,
        error=error,
        past=history.recent_imports(web.db()),
        words=IMPORT_WORDS,
        tones=IMPORT_TONES,
        limit=web.runtime().settings.mail_import_max_bytes,
    )


def _progress_page(row: MailImport) -> Response:
    is_going_on = row.state in history.GOING_ON
    # Counting a large archive every two seconds would cost more than reading it.
    outcome = {} if is_going_on else history.outcome(web.db(), row.id)
    done, total, unit = _how_far(row)
    return web.render(
        "email/import_run.html",
        "email/_import_progress.html",
        run=row,
        words=IMPORT_WORDS,
        done=done,
        total=total,
        unit=unit,
        is_going_on=is_going_on,
        is_busy=is_going_on or Stands.WAITING in outcome,
        outcome=[(STANDS_WORDS[stand], count, stand) for stand, count in outcome.items()],
        in_triage=outcome.get(Stands.IN_TRIAGE, 0),
        unreadable=outcome.get(Stands.QUARANTINED, 0),
    )


def _how_far(row: MailImport) -> tuple[int, int, str]:
    """Return how much has been read, of how much, and in what that is counted."""
    if row.path is None:
        return _kilobytes(row.position), _kilobytes(row.total), "kB"
    # Of a file these are bytes, of a folder files.
    return (row.position * 100 // row.total if row.total else 0), 100, "percent"


def _kilobytes(size: int) -> int:
    return -(-size // 1000)
