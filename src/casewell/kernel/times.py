"""Times in the reader's zone, in the words of the screens."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

WEEK = 7
MINUTES_OF_HOUR = 60
MINUTES_OF_DAY = 24 * 60


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return when a day begins there, in UTC; the very first days there are, by Greenwich."""
    try:
        return datetime.combine(day, time(), zone).astimezone(UTC)
    except OverflowError:
        return datetime.combine(day, time(), UTC)


def clock_time(at: datetime, zone: ZoneInfo) -> str:
    """Return "9:42 AM"."""
    local = at.astimezone(zone)
    return f"{local.hour % 12 or 12}:{local:%M %p}"


def short_time(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Return "9:42 AM" today, "Mon" within a week, "Nov 13" this year, "Nov 13, 2024" before."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    if local.date() == today:
        return clock_time(at, zone)
    if 0 < (today - local.date()).days < WEEK:
        return f"{local:%a}"
    if local.year == today.year:
        return f"{local:%b} {local.day}"
    return f"{local:%b} {local.day}, {local.year}"


def ago(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Return "just now", "2 min ago", "3 h ago" within a day, else the short time."""
    minutes = int((now - at).total_seconds()) // 60
    if minutes < 1:
        return "just now"
    if minutes < MINUTES_OF_HOUR:
        return f"{minutes} min ago"
    if minutes < MINUTES_OF_DAY:
        return f"{minutes // MINUTES_OF_HOUR} h ago"
    return short_time(at, now, zone)


def full_time(at: datetime, zone: ZoneInfo) -> str:
    """Return "Fri, Nov 13, 2026, 4:06 PM CST": what a short time shows on hover."""
    local = at.astimezone(zone)
    return f"{local:%a, %b} {local.day}, {local.year}, {clock_time(at, zone)} {local:%Z}"


def day_name(day: date, today: date) -> str:
    """Return "Today", "Yesterday", "Friday, November 13" or, of another year, with the year."""
    match (today - day).days:
        case 0:
            return "Today"
        case 1:
            return "Yesterday"
    name = f"{day:%A, %B} {day.day}"
    return name if day.year == today.year else f"{name}, {day.year}"


def short_future(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Return "4:00 PM" today, "Mon, 9:00 AM" within a week, "Dec 4, 9:00 AM" after that."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    days = (local.date() - today).days
    if days == 0:
        return clock_time(at, zone)
    day = f"{local:%a}" if 0 < days < WEEK else f"{local:%b} {local.day}"
    return f"{day}, {clock_time(at, zone)}"
