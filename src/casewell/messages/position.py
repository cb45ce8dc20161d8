"""A place in the order of a conversation."""

from datetime import datetime
from typing import NamedTuple


class Position(NamedTuple):
    """Messages stand in order of time, then of id."""

    at: datetime
    id: int

    @property
    def before(self) -> "Position":
        """The place right before the message that stands here."""
        return Position(self.at, self.id - 1)
