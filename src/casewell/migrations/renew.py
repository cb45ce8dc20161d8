"""`python -m casewell.migrations.renew`: write the first migration anew from the models.

Only until a first version is tagged; from then on migrations are added, never rewritten.
"""

import sys
import tempfile
from pathlib import Path

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.runtime.migration import MigrationContext

from casewell.kernel.db import Database
from casewell.kernel.search import postgresql_index, sqlite_index, sqlite_spans
from casewell.migrations import HERE
from casewell.migrations.schema import SEARCH_INDEXES, SEARCHED_BY_TIME, compared, rendered
from casewell.models import Base

FIRST = HERE / "versions" / "2026_11_24_first.py"
HEAD = '''"""The whole schema of the first version."""

import sqlalchemy as sa
from alembic import op

import casewell.kernel.types

revision = "first"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
'''


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'empty.db'}")
        with database.engine.connect() as connection:
            context = MigrationContext.configure(
                connection, opts={"include_object": compared, "render_item": rendered}
            )
            script = produce_migrations(context, Base.metadata)
            assert script.upgrade_ops is not None
            body = render_python_code(script.upgrade_ops, render_item=rendered)
            body = "\n".join(line for line in body.splitlines() if "# ###" not in line)
        database.close()
    lines = [
        '    if op.get_bind().dialect.name == "sqlite":',
        *(
            f"        op.execute({statement!r})"
            for table, columns in SEARCH_INDEXES.items()
            for statement in sqlite_index(table, columns)
        ),
        *(
            f"        op.execute({statement!r})"
            for table, time in SEARCHED_BY_TIME.items()
            for statement in sqlite_spans(table, time)
        ),
        "    else:",
        *(
            f"        op.execute({postgresql_index(table, columns)!r})"
            for table, columns in SEARCH_INDEXES.items()
        ),
    ]
    FIRST.write_text(HEAD + body.rstrip() + "\n" + "\n".join(lines) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
