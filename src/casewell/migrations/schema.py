"""What Alembic needs to know about our schema beyond the models."""

from typing import Any, Literal

from alembic.autogenerate.api import AutogenContext

from casewell.kernel.types import Encrypted, UTCDateTime

# The full-text indexes, made by the databases' own statements (`kernel.search`).
SEARCH_INDEXES: dict[str, tuple[str, ...]] = {
    "clients": ("sort_name",),
    "messages": ("subject", "body_text"),
}
# Searched newest first: the column that says when a row was.
SEARCHED_BY_TIME = {"messages": "occurred_at"}
OWN_TABLES = ("huey_",)


def compared(_object: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
    """Leave the full-text indexes and huey's tables out of the comparison with the models."""
    name = name or ""
    if kind == "table" and name.startswith(OWN_TABLES):
        return False
    return not any(name.startswith(f"{table}_search") for table in SEARCH_INDEXES)


def rendered(kind: str, item: Any, context: AutogenContext) -> str | Literal[False]:
    """Write our column types by their module, so that a migration needs one import."""
    if kind == "type" and isinstance(item, UTCDateTime | Encrypted):
        context.imports.add("import casewell.kernel.types")
        argument = repr(item.context) if isinstance(item, Encrypted) else ""
        return f"casewell.kernel.types.{type(item).__name__}({argument})"
    return False
