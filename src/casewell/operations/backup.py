"""A backup: every row and every file at one moment, in one archive that proves itself.

The archive is a tar of JSON lines (one file per table), the kept files, and a manifest with the
SHA-256 of each. It can be restored into either database. It holds no keys: encrypted columns
stay encrypted, and need the installation's `casewell.env` to be read.
"""

import hashlib
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.kernel.db import Base
from casewell.kernel.errors import CasewellError
from casewell.kernel.runtime import Runtime
from casewell.kernel.types import Encrypted, Sealed, UTCDateTime
from casewell.migrations import revision, upgrade
from casewell.providers.files import FileStore
from casewell.staff.models import Firm

FORMAT = 1
MANIFEST = "manifest.json"
BATCH = 500


class BackupRefused(CasewellError):
    """The archive or the place it should go to is not as it must be; nothing was changed."""

    code = "backup_refused"


@dataclass(frozen=True)
class Counted:
    """What an archive holds."""

    made_at: str
    rows: int
    files: int


def write_backup(runtime: Runtime, target: Path) -> Counted:
    """Write an archive while Casewell runs. The rows are of one moment; files never change.

    Appears under its name only when it is whole and has been read back.
    """
    unfinished = target.with_name(f".{target.name}.unfinished")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as raw:
            counted = _write(runtime, raw)
            raw.flush()
            os.fsync(raw.fileno())
        verify_backup(unfinished)
        unfinished.rename(target)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    return counted


def _write(runtime: Runtime, raw: BinaryIO) -> Counted:
    made_at = runtime.now().isoformat()
    digests: dict[str, str] = {}
    counts: dict[str, int] = {}
    keys: set[str] = set()
    with tarfile.open(fileobj=raw, mode="w:gz", compresslevel=3) as archive:
        with runtime.database.reading() as session:
            at_revision = revision(runtime.database)
            for table in Base.metadata.sorted_tables:
                with tempfile.TemporaryFile() as file:
                    counts[table.name] = _dump(session, table, file, keys)
                    name = f"tables/{table.name}.jsonl"
                    digests[name] = _add(archive, name, file)
        files = runtime.provider(FileStore)
        missing = []
        for key in sorted(keys):
            if not files.exists(key):
                missing.append(key)  # the nightly reconciliation tells about it
                continue
            with files.open(key) as content, tempfile.TemporaryFile() as file:
                while chunk := content.read(1 << 20):
                    file.write(chunk)
                digests[f"files/{key}"] = _add(archive, f"files/{key}", file)
        manifest = {
            "format": FORMAT,
            "made_at": made_at,
            "revision": at_revision,
            "rows": counts,
            "sha256": digests,
            "missing_files": missing,
        }
        _add(archive, MANIFEST, io.BytesIO(json.dumps(manifest, indent=1).encode()))
    return Counted(made_at, sum(counts.values()), len(keys) - len(missing))


def _dump(session: Session, table: sa.Table, file: Any, keys: set[str]) -> int:
    """Write a table as JSON lines; note each file it points at. Returns the number of rows."""
    count = 0
    query = sa.select(table).order_by(*table.primary_key)
    rows = session.execute(query.execution_options(yield_per=BATCH))
    for row in rows.mappings():
        plain = {name: _plain(value) for name, value in row.items()}
        if isinstance(key := plain.get("file_key"), str):
            keys.add(key)
        file.write(json.dumps(plain, ensure_ascii=False).encode() + b"\n")
        count += 1
    return count


def _add(archive: tarfile.TarFile, name: str, file: Any) -> str:
    file.seek(0, os.SEEK_END)
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = file.tell(), 0o600
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    file.seek(0)
    archive.addfile(entry, file)
    return digest


def _plain(value: Any) -> Any:
    match value:
        case datetime() | date():
            return value.isoformat()
        case Sealed():
            return value.ciphertext
        case StrEnum():
            return value.value
        case _:
            return value


def verify_backup(path: Path) -> dict[str, Any]:
    """Read an archive from end to end and return its manifest. Raises BackupRefused."""
    found: dict[str, str] = {}
    manifest: dict[str, Any] | None = None
    try:
        with tarfile.open(path, "r:gz") as archive:
            for entry in archive:
                file = archive.extractfile(entry)
                if file is None:
                    raise BackupRefused(f"The archive holds {entry.name!r}, which is no file.")
                if entry.name == MANIFEST:
                    manifest = json.load(file)
                else:
                    found[entry.name] = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        raise BackupRefused(f"{path.name} is not a whole archive.") from error
    if manifest is None or manifest.get("format") != FORMAT:
        raise BackupRefused(f"{path.name} was not made by this version of `casewell backup`.")
    for name in sorted(set(found) | set(manifest["sha256"])):
        if found.get(name) != manifest["sha256"].get(name):
            raise BackupRefused(f"{name} in the archive is not as it was written.")
    return manifest


def restore(runtime: Runtime, path: Path) -> Counted:
    """Fill an empty installation from an archive, with sending paused. Raises BackupRefused.

    The archive is verified whole before the first row is written.
    """
    manifest = verify_backup(path)
    upgrade(runtime.database)
    if manifest["revision"] != revision(runtime.database):
        raise BackupRefused(
            f"The archive is of schema {manifest['revision']!r}. Restore it with the version of "
            "Casewell that made it, then upgrade."
        )
    tables = {table.name: table for table in Base.metadata.sorted_tables}
    files = 0
    with runtime.database.writing() as session, tarfile.open(path, "r:gz") as archive:
        _refuse_unless_empty(session, tables)
        for entry in archive:
            file = archive.extractfile(entry)
            assert file is not None
            folder, _, name = entry.name.partition("/")
            if folder == "tables":
                _load(session, tables[name.removesuffix(".jsonl")], file)
            elif folder == "files":
                runtime.provider(FileStore).put(file, key=name)  # type: ignore[arg-type]
                files += 1
        _renumber(session, tables)
        session.execute(
            sa.update(Firm).values(
                sending_paused_at=runtime.now(),
                sending_paused_reason=f"Restored from the backup of {manifest['made_at'][:16]}. "
                "What was sent since then is not known here.",
            )
        )
    return Counted(manifest["made_at"], sum(manifest["rows"].values()), files)


def _refuse_unless_empty(session: Session, tables: dict[str, sa.Table]) -> None:
    for name in ("firm", "staff", "clients", "messages"):
        if session.execute(sa.select(sa.literal(1)).select_from(tables[name]).limit(1)).first():
            raise BackupRefused(
                "This installation holds data. Restore into a new home and database."
            )


def _load(session: Session, table: sa.Table, file: Any) -> None:
    # Rows may point at rows of their own table that come later: such columns are filled after.
    late = [
        key.parent
        for key in table.foreign_keys
        if key.column.table is table or key.column.table.name in _later(table)
    ]
    again: list[dict[str, Any]] = []
    for batch in _batches(table, file):
        for row in batch:
            values = {column.name: row[column.name] for column in late}
            if any(value is not None for value in values.values()):
                again.append({"id_": row["id"], **values})
                row.update(dict.fromkeys(values))
        session.execute(table.insert(), batch)
    for one in again:
        row_id = one.pop("id_")
        session.execute(table.update().where(table.c.id == row_id).values(one))


def _later(table: sa.Table) -> set[str]:
    names = [one.name for one in Base.metadata.sorted_tables]
    return set(names[names.index(table.name) + 1 :])


def _batches(table: sa.Table, file: Any) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for line in file:
        plain = json.loads(line)
        batch.append({c.name: _typed(c.type, plain.get(c.name)) for c in table.columns})
        if len(batch) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _typed(kind: sa.types.TypeEngine[Any], value: Any) -> Any:
    if value is None:
        return None
    if isinstance(kind, Encrypted):
        return Sealed(value, kind.context)
    if isinstance(kind, sa.Enum) and kind.enum_class is not None:
        return kind.enum_class(value)
    if isinstance(kind, sa.Date):
        return date.fromisoformat(value)
    if isinstance(kind, UTCDateTime):
        return datetime.fromisoformat(value)
    return value


def _renumber(session: Session, tables: dict[str, sa.Table]) -> None:
    """Let PostgreSQL number new rows after the restored ones."""
    if session.get_bind().dialect.name != "postgresql":
        return
    for table in tables.values():
        if "id" in table.c and table.c.id.primary_key and table.c.id.autoincrement is not False:
            sequence = session.scalar(sa.select(sa.func.pg_get_serial_sequence(table.name, "id")))
            if sequence is not None:
                highest = session.scalar(sa.select(sa.func.max(table.c.id))) or 0
                session.execute(sa.select(sa.func.setval(sequence, highest + 1, False)))
