"""Kept files and the rows that name them, compared: what is missing, damaged or of no use.

Rows are the truth. Nothing here deletes by itself: a file that no row names is removed only by
`casewell files --delete-unused`, and only once it has been known for a week.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.health.models import FileFault, FileFaultKind
from casewell.kernel.db import Base
from casewell.kernel.jobs import periodic
from casewell.kernel.runtime import Runtime
from casewell.providers.files import FileDamaged, FileMissing, FileStore, open_verified

# A file is put before the transaction that names it ends.
STILL_BEING_NAMED = timedelta(days=1)
KEPT_THOUGH_UNUSED = timedelta(days=7)
# Files are looked at in parts, by the first two digits of their keys: no run is long or large.
PARTS = 256
EVERY = timedelta(minutes=5)
# Each day looks at every name, and reads this share of the files whole.
DAYS_TO_READ_ALL = 7
MOST_SHOWN = 50
BATCH = 1000


@dataclass(frozen=True)
class Named:
    """A row that names a file; `sha256` None: nobody noted what was put there."""

    table: str
    row_id: int
    sha256: str | None


@periodic(every=EVERY)
def reconcile_files(runtime: Runtime) -> None:
    """Look at one part: within a day, each has had its turn."""
    since_midnight = timedelta(hours=runtime.now().hour, minutes=runtime.now().minute)
    part = since_midnight // EVERY
    if part < PARTS:
        reconcile(runtime, [part])
    else:
        runtime.provider(FileStore).discard_unfinished(runtime.now() - STILL_BEING_NAMED)


def reconcile(
    runtime: Runtime, parts: Iterable[int] = range(PARTS), *, whole: bool = False
) -> Counter[FileFaultKind]:
    """Compare files with rows, remember each fault, and return how many of each kind there are.

    `whole` reads every file instead of this day's share.
    """
    for part in parts:
        _reconcile_part(runtime, f"{part:02x}", whole=whole)
    with runtime.database.reading() as session:
        return count_faults(session)


def _reconcile_part(runtime: Runtime, prefix: str, *, whole: bool) -> None:
    store, now = runtime.provider(FileStore), runtime.now()
    # Rows before files: what is put meanwhile is young, what is deleted meanwhile is looked for.
    with runtime.database.reading() as session:
        named = dict(_named_files(session, prefix))
    stored = {one.key: one for one in store.keys(prefix)}
    found: dict[str, FileFaultKind] = {}
    for key, file in stored.items():
        if key not in named and file.modified_at < now - STILL_BEING_NAMED:
            found[key] = FileFaultKind.UNUSED
    looked_at = set(stored) - set(named)
    for key, row in named.items():
        if key not in stored:
            found[key] = FileFaultKind.MISSING
        elif row.sha256 is None:
            looked_at.add(key)
        elif whole or int(key, 16) % DAYS_TO_READ_ALL == now.toordinal() % DAYS_TO_READ_ALL:
            looked_at.add(key)
            try:
                open_verified(store, key, row.sha256).close()
            except FileDamaged:
                found[key] = FileFaultKind.DAMAGED
            except FileMissing:
                found[key] = FileFaultKind.MISSING
    with runtime.database.writing() as session:
        for key in [key for key in found if found[key] is FileFaultKind.MISSING]:
            if not _is_named(session, key):
                del found[key]  # it went together with its row
        _remember(session, prefix, found, named, set(stored) - looked_at, now)


def _remember(
    session: Session,
    prefix: str,
    found: Mapping[str, FileFaultKind],
    named: Mapping[str, Named],
    not_looked_at: set[str],
    now: datetime,
) -> None:
    """Keep since when each fault stands; forget those that were mended."""
    known = {
        row.key: row
        for row in session.scalars(sa.select(FileFault).where(_begins(FileFault.key, prefix)))
    }
    for key, kind in found.items():
        row = known.pop(key, None)
        if row is not None and row.kind is kind:
            row.checked_at = now
            continue
        if row is not None:
            session.delete(row)
            session.flush()
        of = named.get(key)
        session.add(
            FileFault(
                key=key,
                kind=kind,
                table=of.table if of else None,
                row_id=of.row_id if of else None,
                found_at=now,
                checked_at=now,
            )
        )
    for key, row in known.items():
        if row.kind is FileFaultKind.DAMAGED and key in not_looked_at:
            continue  # another day reads it again
        session.delete(row)


def delete_unused(runtime: Runtime) -> int:
    """Delete files that no row has named for a week, and names now; return how many."""
    store, now = runtime.provider(FileStore), runtime.now()
    deleted = 0
    with runtime.database.writing() as session:
        old = sa.select(FileFault).where(
            FileFault.kind == FileFaultKind.UNUSED, FileFault.found_at < now - KEPT_THOUGH_UNUSED
        )
        for row in session.scalars(old).all():
            if not _is_named(session, row.key):
                store.delete(row.key)
                deleted += 1
            session.delete(row)
    return deleted


def count_faults(session: Session) -> Counter[FileFaultKind]:
    rows = session.execute(sa.select(FileFault.kind, sa.func.count()).group_by(FileFault.kind))
    return Counter({FileFaultKind(kind): number for kind, number in rows})


def newest_faults(session: Session) -> list[FileFault]:
    query = sa.select(FileFault).order_by(FileFault.found_at.desc(), FileFault.key)
    return list(session.scalars(query.limit(MOST_SHOWN)))


def _tables() -> list[sa.Table]:
    """Return every table whose rows name files: those with a `file_key`."""
    return [table for table in Base.metadata.sorted_tables if "file_key" in table.c]


def _named_files(session: Session, prefix: str) -> Iterator[tuple[str, Named]]:
    for table in _tables():
        digest = table.c.sha256 if "sha256" in table.c else sa.null()
        query = sa.select(table.c.file_key, table.c.id, digest).where(
            _begins(table.c.file_key, prefix)
        )
        for key, row_id, sha256 in session.execute(query.execution_options(yield_per=BATCH)):
            yield key, Named(table.name, row_id, sha256)


def _begins(key: Any, prefix: str) -> sa.ColumnElement[bool]:
    """Return a condition that an index serves whatever the collation: keys are hex digits."""
    return sa.and_(key >= prefix, key < prefix + "g")


def _is_named(session: Session, key: str) -> bool:
    return any(
        session.execute(sa.select(table.c.id).where(table.c.file_key == key)).first()
        for table in _tables()
    )
