"""Keyset paging: a page costs what its rows cost, however deep it lies."""

import base64
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Generic, TypeVar

from sqlalchemy import Integer, Select, bindparam, literal_column, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.elements import ColumnElement

from casewell.kernel.crypto import process_key
from casewell.kernel.errors import BadCursor

T = TypeVar("T")
Keys = Sequence[InstrumentedAttribute[Any] | ColumnElement[Any]]
MAX_SIZE = 200
SIGNATURE_CHARS = 22


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some rows, and the cursor of those that follow (None: these were the last)."""

    items: Sequence[T]
    next: str | None = None


def keyset_page(
    session: Session,
    query: Select[Any],
    *,
    by: Keys,
    after: str | None = None,
    size: int = 50,
    ascending: bool = False,
    values: Mapping[str, Any] | None = None,
) -> Page[Any]:
    """Return one page in order of the keys `by`, together unique; descending unless said.

    A query of one entity gives entities; of several columns, rows, which must hold each key
    column. `values` are those of a query that was made once to be run often: its pages are made
    once as well. Raises BadCursor.
    """
    size = max(1, min(size, MAX_SIZE))
    given = dict(values or {})
    if after is not None:
        given |= zip(_places(len(by)), read_cursor(after, len(by)), strict=True)
    make = _page_of if values is None else _page_made_once
    statement, whole_entity = make(query, tuple(by), after is not None, ascending, size + 1)
    result = session.execute(statement, given)
    rows: Sequence[Any] = result.scalars().all() if whole_entity else result.all()
    if len(rows) <= size:
        return Page(rows)
    last = rows[size - 1]
    return Page(rows[:size], make_cursor([getattr(last, _name(key)) for key in by]))


def _page_of(
    query: Select[Any], by: tuple[Any, ...], continues: bool, ascending: bool, rows: int
) -> tuple[Select[Any], bool]:
    """Return the statement of a page, and whether its rows are entities."""
    if continues:
        names = _places(len(by))
        marks = [bindparam(name, type_=key.type) for name, key in zip(names, by, strict=True)]
        here, there = tuple_(*by), tuple_(*marks)
        query = query.where(here > there if ascending else here < there)
    order = [key.asc() if ascending else key.desc() for key in by]
    # Written out: PostgreSQL plans a statement anew each time, which takes longer than to read the
    # page, as long as it can't know how few rows are wanted.
    statement = query.order_by(*order).limit(literal_column(str(rows), Integer))
    return statement, len(query.column_descriptions) == 1


_page_made_once = lru_cache(maxsize=256)(_page_of)


def _places(length: int) -> list[str]:
    return [f"page_after_{number}" for number in range(length)]


def _name(key: Any) -> str:
    return str(key.key)


def make_cursor(marks: Sequence[object]) -> str:
    """Return an opaque, signed cursor that holds the key values of a page's last row."""
    payload = json.dumps([_plain(mark) for mark in marks], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(payload).decode().rstrip("=") + "." + _signature(payload)


def read_cursor(cursor: str, length: int) -> list[Any]:
    """Return the key values of a cursor that this installation signed. Raises BadCursor."""
    encoded, _, signature = cursor.partition(".")
    try:
        payload = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        if not hmac.compare_digest(signature.encode(), _signature(payload).encode()):
            raise BadCursor
        marks = [_typed(mark) for mark in json.loads(payload)]
    except ValueError as error:
        raise BadCursor from error
    if len(marks) != length:
        raise BadCursor
    return marks


def _plain(mark: object) -> object:
    return {"at": mark.isoformat()} if isinstance(mark, datetime) else mark


def _typed(mark: Any) -> object:
    return datetime.fromisoformat(mark["at"]) if isinstance(mark, dict) else mark


def _signature(payload: bytes) -> str:
    digest = hmac.digest(process_key("cursor"), payload, "sha256")
    return base64.urlsafe_b64encode(digest).decode()[:SIGNATURE_CHARS]
