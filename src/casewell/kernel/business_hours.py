"""How much of a stretch of time a firm was open: pure, on the clock of the firm's own zone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

OpeningHours = tuple[time, time]
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# Monday to Friday, nine to five: [opens, closes] of each weekday, or None, as it is kept.
USUAL: list[list[str] | None] = [["09:00", "17:00"]] * 5 + [None] * 2
_DAY = timedelta(days=1)
_NONE = timedelta(0)


@dataclass(frozen=True)
class BusinessHours:
    """When a firm is open, Monday first; None: closed all day."""

    zone: ZoneInfo
    days: Sequence[OpeningHours | None]

    @classmethod
    def of(cls, zone: str, kept: Sequence[Sequence[str] | None]) -> "BusinessHours":
        """Return them from how they are kept: ["09:00", "17:00"] of each weekday, or None."""
        days = [
            (time.fromisoformat(day[0]), time.fromisoformat(day[1])) if day else None
            for day in kept
        ]
        return cls(ZoneInfo(zone), days)

    def between(self, start: datetime, end: datetime, *, most: timedelta) -> timedelta:
        """Return how long the firm was open from `start` to `end`; counting stops at `most`.

        An hour that the clock skips in spring is not there, and one that it repeats in autumn
        counts once where a day begins or ends in it.
        """
        day, last = start.astimezone(self.zone).date(), end.astimezone(self.zone).date()
        total = _NONE
        while day <= last and total < most:
            hours = self.days[day.weekday()]
            if hours is not None:
                opens, closes = (self._moment(day, at) for at in hours)
                total += max(min(closes, end) - max(opens, start), _NONE)
            day += _DAY
        return min(total, most)

    def _moment(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, self.zone).astimezone(UTC)
