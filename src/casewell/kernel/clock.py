"""The time, always with its zone."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the present moment in UTC. Code that decides by time takes a `Clock` instead."""
    return datetime.now(UTC)
