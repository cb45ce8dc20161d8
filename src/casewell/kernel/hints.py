"""Hints that work waits. Rows are the truth; losing a hint costs seconds, never work."""

from datetime import datetime
from typing import Protocol


class Hints(Protocol):
    """A way to tell a worker, soon, that a row has work."""

    def give(self, job: str, row_id: int, at: datetime | None) -> None:
        """Tell that `job` is due for a row, now or at a time. Never raises: the sweep is there."""


class NoHints:
    """For the command line and tests, where the sweep alone drives work."""

    def give(self, job: str, row_id: int, at: datetime | None) -> None:
        return None
