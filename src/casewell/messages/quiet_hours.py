"""When nobody is texted: by the clock where the client is, and by the strictest rule that holds.

Federal: not before 8:00 or after 21:00 at the called party's location (47 CFR 64.1200(c)(1)).
Several states are stricter. These rules are about solicitation; Casewell keeps them for every
text, since a court may see one where the firm saw none. Reviewed 2026-11-23; the firm's counsel
decides.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Hours = tuple[time, time]
FEDERAL: Hours = (time(8), time(21))
EVENING_AT_8: Hours = (time(8), time(20))
# By state: Monday to Friday, Saturday, Sunday.
STRICTER: Mapping[str, tuple[Hours, Hours, Hours]] = {
    "CT": ((time(9), time(20)),) * 3,
    "RI": ((time(9), time(18)), (time(10), time(17)), (time(10), time(17))),
    "TX": ((time(9), time(21)), (time(9), time(21)), (time(12), time(21))),
    **dict.fromkeys(("FL", "MD", "MS", "NJ", "OK", "WA"), (EVENING_AT_8,) * 3),
}
EAST, CENTRAL = "America/New_York", "America/Chicago"
MOUNTAIN, PACIFIC = "America/Denver", "America/Los_Angeles"
ARIZONA, ALASKA, HAWAII = "America/Phoenix", "America/Anchorage", "Pacific/Honolulu"
EVERYWHERE = (EAST, CENTRAL, MOUNTAIN, ARIZONA, PACIFIC, ALASKA, HAWAII)
GROUPS: Mapping[str, Sequence[str]] = {
    "CT DC DE GA MA MD ME NC NH NJ NY OH PA RI SC VA VT WV": (EAST,),
    "AL AR IA IL LA MN MO MS OK WI": (CENTRAL,),
    "CO MT NM UT WY": (MOUNTAIN,),
    "CA WA": (PACIFIC,),
    "FL IN KY MI TN": (EAST, CENTRAL),
    "KS ND NE SD TX": (CENTRAL, MOUNTAIN),
    "ID NV OR": (MOUNTAIN, PACIFIC),
    "AK": (ALASKA, "America/Adak"),
    "AZ": (ARIZONA, MOUNTAIN),
    "HI": (HAWAII,),
    "PR": ("America/Puerto_Rico",),
    "VI": ("America/St_Thomas",),
    "GU": ("Pacific/Guam",),
}
ZONES = {state: zones for states, zones in GROUPS.items() for state in states.split()}
STEP = timedelta(minutes=15)
# The strictest rules together still leave some hours of every day.
FURTHEST = timedelta(days=2)


def zones_of(client_zone: str | None, state: str) -> Sequence[ZoneInfo]:
    """Return where a client may be: in their own zone, any of their state's, or anywhere."""
    if client_zone:
        try:
            return [ZoneInfo(client_zone)]
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass
    return [ZoneInfo(name) for name in ZONES.get(state, EVERYWHERE)]


def quiet_until(now: datetime, client_zone: str | None, state: str) -> datetime | None:
    """Return when texts may go again, or None: they may now."""
    zones = zones_of(client_zone, state)
    if not _is_quiet(now, zones, state):
        return None
    at = now - timedelta(minutes=now.minute % 15, seconds=now.second, microseconds=now.microsecond)
    while at <= now + FURTHEST:
        at += STEP
        if not _is_quiet(at, zones, state):
            return at.astimezone(UTC)
    return now + FURTHEST


def _is_quiet(at: datetime, zones: Sequence[ZoneInfo], state: str) -> bool:
    """Whether it is too early or too late anywhere the client may be."""
    for zone in zones:
        local = at.astimezone(zone)
        opens, closes = _hours(state, local.weekday())
        if not opens <= local.time() < closes:
            return True
    return False


def _hours(state: str, weekday: int) -> Hours:
    weekdays, saturday, sunday = STRICTER.get(state, (FEDERAL,) * 3)
    return {5: saturday, 6: sunday}.get(weekday, weekdays)
