"""What each channel has seen, what of it is stored, and why the rest is not: one table for all.

A channel says so by a `Reconciler`; `casewell.wiring` holds them all, and the health page asks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

from casewell.kernel.runtime import Runtime


@dataclass(frozen=True)
class Stand:
    """How a channel stands. None: nothing that could be counted.

    `why_not` are (reason, number) of what is not stored, or not as it should be.
    """

    seen: int | None
    stored: int | None
    waiting: int
    why_not: Sequence[tuple[str, int]] = ()
    last_at: datetime | None = None


class Reconciler(Protocol):
    """`label` and `about` are words for the page; `repair` is what its button does there."""

    @property
    def label(self) -> str: ...
    @property
    def about(self) -> str: ...

    def stand(self, session: Session, now: datetime) -> Stand:
        """Count, by few statements and within bounds, whatever there is."""
        ...

    def repair(self, session: Session, runtime: Runtime) -> str:
        """Look again at what is not as it should be; return what was done, as a sentence."""
        ...


class _Wiring:
    reconcilers: Mapping[str, Reconciler] = {}


def use_reconcilers(reconcilers: Mapping[str, Reconciler]) -> None:
    _Wiring.reconcilers = reconcilers


def reconcilers() -> Mapping[str, Reconciler]:
    return _Wiring.reconcilers


def counted(number: int, one: str, many: str) -> str:
    """Return "1 mail" or "2,000 mails"."""
    return f"{number:,} {one if number == 1 else many}"
