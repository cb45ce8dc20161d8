"""How often one account may ask for what its pages ask by themselves, or what weighs much.

Kept in each web process by itself and written nowhere: it guards the machine, not a secret.
"""

import threading
from collections import Counter
from datetime import datetime, timedelta

from flask import current_app

from casewell.kernel.errors import TooManyRequests


class Pace:
    """At most `most` times in each `window`, for one key."""

    def __init__(self, most: int, window: timedelta, message: str) -> None:
        self._most, self._window, self._message = most, window, message
        self._lock = threading.Lock()
        self._until: datetime | None = None
        self._counted: Counter[str] = Counter()

    def note(self, key: str, now: datetime) -> None:
        """Count one. Raises TooManyRequests."""
        with self._lock:
            if self._until is None or now >= self._until:
                self._until, self._counted = now + self._window, Counter()
            self._counted[key] += 1
            if self._counted[key] > self._most:
                left = self._until - now
                raise TooManyRequests(
                    self._message, retry_after=max(1, -(-left // timedelta(seconds=1)))
                )


def pace_of(name: str, most: int, window: timedelta, message: str) -> Pace:
    """Return this application's one of that name."""
    paces: dict[str, Pace] = current_app.extensions.setdefault("casewell.paces", {})
    return paces.setdefault(name, Pace(most, window, message))
