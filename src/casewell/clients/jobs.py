"""The worker's part of an import: rows taken in by batches, resumable at any of them."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import islice

from sqlalchemy.orm import Session

from casewell.clients import csv_files
from casewell.clients.csv_files import Row, UnreadableFile
from casewell.clients.import_fields import mapping_problem
from casewell.clients.import_rows import Result, RowImporter
from casewell.clients.imports import (
    NotStartable,
    existing_of,
    find_import,
    finish,
    mapping_of,
    opened,
    shape_of,
    staff_by_name,
)
from casewell.clients.models import ClientImport, ClientImportRow, ImportState, RowOutcome
from casewell.clients.service import ClientService
from casewell.kernel.access import MANAGERS, Identity
from casewell.kernel.errors import InvalidInput, ServiceUnavailable
from casewell.kernel.jobs import claim, hint_after_commit, job
from casewell.kernel.runtime import Runtime
from casewell.ledger.service import Actor
from casewell.staff.models import Staff

BATCH = 100
# After so many batches a run lets other work have the worker, and goes on later.
BATCHES_IN_A_RUN = 200
LEASE = timedelta(minutes=5)


def start(session: Session, runtime: Runtime, row: ClientImport) -> None:
    """Let a worker take the rows in. Raises InvalidInput for a mapping that can't be used."""
    if row.state is not ImportState.UPLOADED:
        raise NotStartable("This import has been started already.")
    if problem := mapping_problem(mapping_of(row)):
        raise InvalidInput(problem, fields={"mapping": problem})
    row.state, row.due_at = ImportState.RUNNING, runtime.now()
    hint_after_commit(session, runtime.hints, import_clients, row.id)


@job(ClientImport)
def import_clients(runtime: Runtime, import_id: int) -> None:
    """Take rows in from where the last attempt stopped."""
    with runtime.database.writing() as session:
        if not claim(session, ClientImport, import_id, runtime.now(), lease=LEASE):
            return
        row = session.get_one(ClientImport, import_id)
        session.expunge(row)
    try:
        with opened(runtime, row) as file:
            rows = csv_files.data_rows(file, shape_of(row), skip=row.rows_done)
            for _ in range(BATCHES_IN_A_RUN):
                batch = list(islice(rows, BATCH))
                if not _take_in(runtime, row, batch):
                    return
        _pause(runtime, row)
    except (UnreadableFile, ServiceUnavailable) as error:
        _fail(runtime, import_id, error.message)


def _take_in(runtime: Runtime, run: ClientImport, batch: Sequence[Row]) -> bool:
    """Take some rows in, in one transaction. Returns whether there is more to do."""
    with runtime.database.writing() as session:
        row = find_import(session, run.id, hold=True)
        if row.state is not ImportState.RUNNING or row.attempts != run.attempts:
            return False  # cancelled, or our lease ran out and another worker has it
        if not batch:
            finish(session, runtime, row, ImportState.DONE)
            return False
        importer = _importer(session, runtime, row)
        if importer is None:
            row.last_error = "The person who started it may not import clients any more."
            finish(session, runtime, row, ImportState.FAILED)
            return False
        results = [(one, importer.take(one)) for one in batch]
        session.add_all([_noted(row, one, result) for one, result in results])
        row.rows_done += len(batch)
        row.lease_until = runtime.now() + LEASE
    return True


def _importer(session: Session, runtime: Runtime, row: ClientImport) -> RowImporter | None:
    staff = session.get_one(Staff, row.staff_id)
    if not staff.is_active or staff.role not in MANAGERS.roles:
        return None
    viewer = Identity(staff.id, staff.role, "session")
    return RowImporter(
        session,
        viewer,
        ClientService(session, viewer, Actor.of_staff(staff), runtime.now),
        import_id=row.id,
        columns=row.columns,
        mapping=mapping_of(row),
        existing=existing_of(row),
        staff=staff_by_name(session),
    )


def _noted(row: ClientImport, one: Row, result: Result) -> ClientImportRow:
    """Count a row's outcome and return its line of the report."""
    match result.outcome:
        case RowOutcome.CREATED:
            row.created += 1
        case RowOutcome.UPDATED:
            row.updated += 1
        case RowOutcome.UNCHANGED:
            row.unchanged += 1
        case RowOutcome.REFUSED:
            row.refused += 1
    return ClientImportRow(
        import_id=row.id,
        line=one.line,
        outcome=result.outcome,
        client_id=result.client_id,
        reason=result.reason,
    )


def _pause(runtime: Runtime, run: ClientImport) -> None:
    with runtime.database.writing() as session:
        row = find_import(session, run.id, hold=True)
        if row.state is ImportState.RUNNING and row.attempts == run.attempts:
            row.lease_until, row.due_at = None, runtime.now()
            hint_after_commit(session, runtime.hints, import_clients, row.id)


def _fail(runtime: Runtime, import_id: int, reason: str) -> None:
    with runtime.database.writing() as session:
        row = find_import(session, import_id, hold=True)
        row.last_error = reason
        finish(session, runtime, row, ImportState.FAILED)
