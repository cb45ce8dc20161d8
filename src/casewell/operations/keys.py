"""Writing every encrypted value anew under the key that encrypts now."""

import sqlalchemy as sa

from casewell.kernel.crypto import CannotDecrypt
from casewell.kernel.db import Base
from casewell.kernel.runtime import Runtime
from casewell.kernel.types import Encrypted

BATCH = 200


def rotate(runtime: Runtime) -> tuple[int, int]:
    """Return how many values were written anew, and how many could not be opened.

    Works in small transactions, so that nobody waits; cut off, it can be run again.
    """
    renewed = unreadable = 0
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, Encrypted):
                done, lost = _rotate_column(runtime, table, column)
                renewed, unreadable = renewed + done, unreadable + lost
    return renewed, unreadable


def _rotate_column(runtime: Runtime, table: sa.Table, column: sa.Column[object]) -> tuple[int, int]:
    renewed = unreadable = last = 0
    while True:
        with runtime.database.writing() as session:
            rows = session.execute(
                sa.select(table.c.id, column)
                .where(column.is_not(None), table.c.id > last)
                .order_by(table.c.id)
                .limit(BATCH)
            ).all()
            for row_id, sealed in rows:
                try:
                    new = sealed.with_current_key()
                except CannotDecrypt:
                    unreadable += 1
                    continue
                # Only if nobody changed it meanwhile.
                session.execute(
                    table.update()
                    .where(table.c.id == row_id, column == sealed)
                    .values({column.name: new})
                )
                renewed += 1
        if not rows:
            return renewed, unreadable
        last = rows[-1].id
