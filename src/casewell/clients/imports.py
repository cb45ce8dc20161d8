"""Importing clients from a CSV file: uploaded, mapped, looked at, then taken in by a worker."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, BinaryIO

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients import csv_files
from casewell.clients.csv_files import Row, Shape, UnreadableFile
from casewell.clients.exporting import inert
from casewell.clients.import_fields import Field, guess, read_person
from casewell.clients.import_rows import Existing
from casewell.clients.models import (
    ClientImport,
    ClientImportRow,
    ImportState,
    RowOutcome,
    folded,
)
from casewell.clients.queries import possible_responsible
from casewell.kernel.db import lock_row, on_commit
from casewell.kernel.errors import Conflict, InvalidInput, NotFound, ServiceUnavailable, TooLarge
from casewell.kernel.runtime import Runtime
from casewell.ledger.service import Actor, audit
from casewell.providers.errors import ProviderError
from casewell.providers.files import FileStore, FileTooLarge, open_verified
from casewell.staff.models import Staff

MOST_BYTES = 25_000_000
PREVIEWED = 20


class NotStartable(Conflict):
    code = "import_not_startable"


@dataclass(frozen=True)
class PreviewedRow:
    """A row as it would be taken in; `problem` says why it would be refused."""

    line: int
    cells: Sequence[str]
    problem: str


def upload(
    session: Session,
    runtime: Runtime,
    content: BinaryIO,
    file_name: str,
    staff_id: int,
    *,
    most_bytes: int | None = MOST_BYTES,
) -> ClientImport:
    """Keep a file and guess what its columns are. Raises UnreadableFile or TooLarge."""
    store = runtime.provider(FileStore)
    try:
        kept = store.put(content, max_bytes=most_bytes)
    except FileTooLarge as error:
        limit = f"{(most_bytes or 0) // 1_000_000} MB"
        raise TooLarge(
            f"This file has more than {limit}. Split it, or import it with the command line."
        ) from error
    except ProviderError as error:
        raise ServiceUnavailable(f"The file could not be kept: {error.message}") from error
    try:
        with store.open(kept.key) as file:
            shape = csv_files.inspect(file)
    except UnreadableFile:
        store.delete(kept.key)
        raise
    made = ClientImport(
        staff_id=staff_id,
        file_name=(file_name.strip() or "clients.csv")[-255:],
        file_key=kept.key,
        sha256=kept.sha256,
        encoding=shape.encoding,
        delimiter=shape.delimiter,
        columns=shape.columns,
        mapping=_stored(guess(shape.columns), Existing.UPDATE),
        rows_total=shape.rows,
        created_at=runtime.now(),
    )
    session.add(made)
    session.flush()
    return made


def find_import(session: Session, import_id: int, *, hold: bool = False) -> ClientImport:
    """Raises NotFound."""
    if import_id >= 2**63:
        raise NotFound
    if hold:
        lock_row(session, ClientImport, import_id)
    found = session.get(ClientImport, import_id, populate_existing=hold)
    if found is None:
        raise NotFound
    return found


def recent_imports(session: Session, most: int = 10) -> Sequence[ClientImport]:
    query = sa.select(ClientImport).order_by(ClientImport.id.desc()).limit(most)
    return session.scalars(query).all()


def mapping_of(row: ClientImport) -> dict[str, Field]:
    return {column: Field(field) for column, field in row.mapping["columns"].items()}


def existing_of(row: ClientImport) -> Existing:
    return Existing(row.mapping["existing"])


def set_mapping(row: ClientImport, mapping: Mapping[str, Field], existing: Existing) -> None:
    """Say what the columns are, before the import starts. Raises NotStartable."""
    if row.state is not ImportState.UPLOADED:
        raise NotStartable("This import has been started already.")
    row.mapping = _stored({c: f for c, f in mapping.items() if c in row.columns}, existing)


def cancel(session: Session, runtime: Runtime, row: ClientImport) -> None:
    """Stop before the next rows; what has been taken in stays."""
    if row.state in (ImportState.UPLOADED, ImportState.RUNNING):
        finish(session, runtime, row, ImportState.CANCELLED)


def preview(session: Session, runtime: Runtime, row: ClientImport) -> list[PreviewedRow]:
    """Return the first rows, each with what would be wrong with it. Raises UnreadableFile."""
    staff = staff_by_name(session)
    shape = shape_of(row)
    with opened(runtime, row) as file:
        return [
            PreviewedRow(one.line, _masked(one, row), _problem(one, row, staff))
            for one in islice(csv_files.data_rows(file, shape), PREVIEWED)
        ]


def repeated_columns(runtime: Runtime, row: ClientImport) -> list[str]:
    """Return the names that stand over several columns of the file."""
    with opened(runtime, row) as file:
        return csv_files.repeated(file, shape_of(row))


def staff_by_name(session: Session) -> dict[str, int]:
    """Return the people who may be responsible, by folded name and by e-mail address.

    Two of one name can only be told by their addresses.
    """
    people = session.execute(
        sa.select(Staff.id, Staff.name, Staff.email).where(
            Staff.id.in_([person.id for person in possible_responsible(session)])
        )
    ).all()
    names = [folded(person.name) for person in people]
    found = {name: p.id for name, p in zip(names, people, strict=True) if names.count(name) == 1}
    return found | {folded(person.email): person.id for person in people}


def shape_of(row: ClientImport) -> Shape:
    return Shape(row.encoding, row.delimiter, row.columns, row.rows_total or 0)


def report(session: Session, import_id: int, batch: int = 1_000) -> Iterator[str]:
    """Yield the report as CSV: what became of each row, and why one was refused."""
    yield "\ufeff" + _csv_line(["Line", "Outcome", "Client", "Reason"])
    last = 0
    while True:
        rows = session.execute(
            sa.select(
                ClientImportRow.line,
                ClientImportRow.outcome,
                ClientImportRow.client_id,
                ClientImportRow.reason,
            )
            .where(ClientImportRow.import_id == import_id, ClientImportRow.line > last)
            .order_by(ClientImportRow.line)
            .limit(batch)
        ).all()
        if not rows:
            return
        yield "".join(
            _csv_line(["" if cell is None else str(cell) for cell in row]) for row in rows
        )
        last = rows[-1].line


def refused_rows(session: Session, import_id: int, most: int = 50) -> Sequence[sa.Row[int, str]]:
    """Return line and reason of the first rows that were refused."""
    query = (
        sa.select(ClientImportRow.line, ClientImportRow.reason)
        .where(
            ClientImportRow.import_id == import_id,
            ClientImportRow.outcome == RowOutcome.REFUSED,
        )
        .order_by(ClientImportRow.line)
        .limit(most)
    )
    return session.execute(query).all()


def finish(session: Session, runtime: Runtime, row: ClientImport, state: ImportState) -> None:
    """End an import. The file goes: it may hold SSNs, and nobody needs it any more."""
    row.state, row.due_at, row.lease_until = state, None, None
    row.finished_at = runtime.now()
    store, key = runtime.provider(FileStore), row.file_key
    if key is not None:
        on_commit(session, partial(store.delete, key))
        row.file_key = None
    staff = session.get_one(Staff, row.staff_id)
    audit(
        session,
        "clients.imported",
        now=runtime.now(),
        actor=Actor.of_staff(staff),
        data={
            "import_id": row.id,
            "file": row.file_name,
            "state": state.value,
            "created": row.created,
            "updated": row.updated,
            "refused": row.refused,
        },
    )


def opened(runtime: Runtime, row: ClientImport) -> BinaryIO:
    """Open the file that was uploaded, and no other. Raises ServiceUnavailable."""
    if row.file_key is None:
        raise ServiceUnavailable("This import has ended; its file is gone.")
    try:
        return open_verified(runtime.provider(FileStore), row.file_key, row.sha256)
    except ProviderError as error:
        raise ServiceUnavailable(f"The file can't be read any more: {error.message}") from error


def _problem(one: Row, row: ClientImport, staff: Mapping[str, int]) -> str:
    try:
        read_person(one.cells, row.columns, mapping_of(row), staff)
    except InvalidInput as error:
        return str(error)
    return ""


def _masked(one: Row, row: ClientImport) -> list[str]:
    """Return a row's cells as far as the page shows them: of an SSN its end."""
    mapping = mapping_of(row)
    cells = [*one.cells, *[""] * len(row.columns)][: len(row.columns)]
    return [
        f"•••{cell[-4:]}" if cell and mapping.get(column) is Field.SSN else cell[:80]
        for column, cell in zip(row.columns, cells, strict=True)
    ]


def _stored(mapping: Mapping[str, Field], existing: Existing) -> dict[str, Any]:
    return {
        "columns": {column: field.value for column, field in mapping.items()},
        "existing": existing.value,
    }


def _csv_line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([inert(cell) for cell in cells])
    return line.getvalue()
