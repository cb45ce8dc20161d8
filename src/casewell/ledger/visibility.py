"""Which entries of the ledger one may read: of a thing only they are told who may read it."""

from collections.abc import Callable, Mapping

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from casewell.kernel.access import Role
from casewell.ledger.models import ActivityEvent

# What must hold for a role to be told of a thing; None: it is told of each.
Readable = Callable[[Role], ColumnElement[bool] | None]


class _Wiring:
    readable: Mapping[str, Readable] = {}


def use_readable(readable: Mapping[str, Readable]) -> None:
    """Let packages above say who reads of their things, by `subject_type`.

    The one table is in `casewell.wiring`.
    """
    _Wiring.readable = readable


def visible_to(role: Role) -> ColumnElement[bool]:
    """Return what holds for the entries about a client that a role may read, all else aside."""
    kind = ActivityEvent.subject_type
    told = [
        sa.or_(kind.is_(None), kind != subject, condition)
        for subject, readable in _Wiring.readable.items()
        if (condition := readable(role)) is not None
    ]
    return sa.and_(sa.true(), *told)
