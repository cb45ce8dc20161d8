"""Alembic's entry: runs migrations on the connection it is handed, never on one of its own."""

from typing import Any

from alembic import context

from casewell.migrations.schema import compared, rendered
from casewell.models import Base

connection = context.config.attributes["connection"]
options: dict[str, Any] = {"include_object": compared, "render_item": rendered}
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=True,
    # Ours is: the engine says BEGIN before the first statement, on SQLite too.
    transactional_ddl=True,
    **options,
)
context.run_migrations()
