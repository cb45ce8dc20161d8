"""Time that a firm is open, on its own clock."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewell.kernel.business_hours import USUAL, BusinessHours

CHICAGO = ZoneInfo("America/Chicago")
ZONES = ["America/Chicago", "America/New_York", "Europe/London", "Australia/Lord_Howe", "UTC"]
EVER = timedelta(days=10_000)
MINUTE = timedelta(minutes=1)
BEGINNING = datetime(2025, 1, 1, tzinfo=UTC)
moments = st.integers(0, 3 * 365 * 24 * 3600).map(lambda at: BEGINNING + timedelta(seconds=at))
clock = st.integers(0, 24 * 60 - 1).map(lambda at: time(at // 60, at % 60))
opening = st.tuples(clock, clock).filter(lambda hours: hours[0] < hours[1])
weeks = st.lists(st.none() | opening, min_size=7, max_size=7)
firms = st.builds(BusinessHours, st.sampled_from(ZONES).map(ZoneInfo), weeks)
# By the hour, and where no clock is ever moved: so that counting minutes is a fair measure.
by_day = st.tuples(st.integers(5, 22), st.integers(5, 22)).filter(lambda both: both[0] < both[1])
plain_weeks = st.lists(
    st.none() | by_day.map(lambda both: (time(both[0]), time(both[1]))), min_size=7, max_size=7
)


def usual() -> BusinessHours:
    return BusinessHours.of("America/Chicago", USUAL)


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=CHICAGO)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        (local(2026, 3, 10, 10), local(2026, 3, 10, 13), 3),
        # Written in the evening: the clock starts in the morning.
        (local(2026, 3, 10, 20), local(2026, 3, 11, 10), 1),
        # A weekend is no time at all.
        (local(2026, 3, 13, 16), local(2026, 3, 16, 10), 2),
        (local(2026, 3, 14, 8), local(2026, 3, 15, 22), 0),
        # Clocks go forward on March 8 and back on November 1: no day of the firm is longer for it.
        (local(2026, 3, 6, 9), local(2026, 3, 9, 17), 16),
        (local(2026, 10, 30, 9), local(2026, 11, 2, 17), 16),
        (local(2026, 3, 10, 12), local(2026, 3, 10, 11), 0),
    ],
)
def test_only_hours_the_firm_is_open_count(start: datetime, end: datetime, hours: int) -> None:
    assert usual().between(start, end, most=EVER) == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 8), 22), (date(2026, 11, 1), 24), (date(2026, 11, 8), 23)]
)
def test_a_day_that_is_open_throughout_has_the_hours_of_its_clock(day: date, hours: int) -> None:
    always = BusinessHours(CHICAGO, [(time(0), time(23))] * 7)
    start = datetime.combine(day, time(0), CHICAGO)
    assert always.between(start, start + timedelta(days=1), most=EVER) == timedelta(hours=hours)


def test_counting_stops_at_what_is_asked_for() -> None:
    start = local(2001, 1, 1, 9)
    assert usual().between(start, local(2026, 1, 1), most=timedelta(hours=8)).seconds == 8 * 3600


@given(firms, moments, moments, moments)
def test_parts_make_the_whole(
    firm: BusinessHours, one: datetime, two: datetime, three: datetime
) -> None:
    first, middle, last = sorted((one, two, three))
    parts = firm.between(first, middle, most=EVER) + firm.between(middle, last, most=EVER)
    assert parts == firm.between(first, last, most=EVER)


@given(firms, moments, moments)
def test_no_more_is_counted_than_has_passed(
    firm: BusinessHours, one: datetime, two: datetime
) -> None:
    first, last = sorted((one, two))
    assert timedelta(0) <= firm.between(first, last, most=EVER) <= last - first


@given(
    st.sampled_from(ZONES).map(ZoneInfo),
    plain_weeks,
    moments,
    st.integers(0, 60 * 24 * 4),
)
def test_it_is_what_somebody_counts_who_looks_at_the_clock_each_minute(
    zone: ZoneInfo, days: list[tuple[time, time] | None], start: datetime, minutes: int
) -> None:
    start = start.replace(second=0, microsecond=0)
    counted = timedelta(0)
    for number in range(minutes):
        here = (start + number * MINUTE).astimezone(zone)
        hours = days[here.weekday()]
        if hours is not None and hours[0] <= here.time() < hours[1]:
            counted += MINUTE
    end = start + minutes * MINUTE
    assert BusinessHours(zone, days).between(start, end, most=EVER) == counted
