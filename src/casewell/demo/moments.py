"""When the demo firm and a client wrote or spoke to each other, and what they said."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from casewell.clients.models import ClientStatus
from casewell.demo import scripts
from casewell.demo.people import DemoClient
from casewell.messages.models import MessageStatus
from casewell.staff.models import Staff

SCENES_PER_CLIENT = 14
# The first clients have something unread today.
UNREAD_CLIENTS = 9
# How long it has been quiet around those whose case is closed, in days.
QUIET_DAYS = 45


@dataclass(frozen=True)
class Moment:
    """One line of a scene, placed in time."""

    at: datetime
    line: scripts.Line
    subject: str
    text: str
    thread: str
    staff_id: int
    status: MessageStatus = MessageStatus.DELIVERED


def moments_of(
    random: Random, demo: DemoClient, staff: Sequence[Staff], now: datetime, number: int
) -> Iterator[Moment]:
    zone = ZoneInfo(demo.time_zone)
    lasts = demo.months_ago * 30
    if demo.status is ClientStatus.LEAD:
        chosen = [(0, 2 + random.randrange(10))]
    else:
        count = max(3, SCENES_PER_CLIENT * demo.months_ago // 8)
        # Whoever came and left within a month was quiet for a shorter time.
        ended = min(QUIET_DAYS, lasts - 10) if demo.is_closed else 0
        days = sorted((random.randrange(ended + 1, lasts + 2) for _ in range(count)), reverse=True)
        chosen = [(random.randrange(1, len(scripts.SCENES)), day) for day in days]
        chosen[0] = (0, lasts + 1)
        if number < UNREAD_CLIENTS * 2 and not ended:
            chosen.append((1 + number % (len(scripts.SCENES) - 1), 0))
    for turn, (scene, days_ago) in enumerate(chosen):
        yield from _scene(random, demo, staff, now, zone, scene, days_ago, turn)


def _scene(
    random: Random,
    demo: DemoClient,
    staff: Sequence[Staff],
    now: datetime,
    zone: ZoneInfo,
    scene: int,
    days_ago: int,
    turn: int,
) -> Iterator[Moment]:
    lines = scripts.SCENES[scene]
    at = (now - timedelta(days=days_ago)).astimezone(zone)
    at = at.replace(hour=9 + random.randrange(7), minute=random.randrange(60), second=0)
    words = _words(random, demo, staff, at, 1 + turn % 3)
    gaps = [timedelta(minutes=random.randrange(4, 170)) for _ in lines]
    if days_ago == 0:
        # Today's scene ends with the client's word, shortly before now.
        while len(lines) > 1 and not lines[-1].by_client:
            lines = lines[:-1]
        gaps = [timedelta(minutes=random.randrange(6, 25)) for _ in lines]
        at = now.astimezone(zone) - sum(gaps, timedelta()) - timedelta(minutes=random.randrange(90))
    for line, gap in zip(lines, gaps, strict=False):
        at += gap
        yield Moment(
            at=min(at, now),
            line=line,
            subject=line.subject.format_map(words),
            text=line.text.format_map(words),
            thread=f"{turn}",
            staff_id=staff[demo.main].id,
        )


def _words(
    random: Random, demo: DemoClient, staff: Sequence[Staff], at: datetime, round_number: int
) -> dict[str, Any]:
    ahead = at + timedelta(days=30)
    before = at - timedelta(days=24)
    return {
        "first": demo.first_name,
        "staff_first": staff[demo.main].name.split()[0],
        "attorney": staff[1].name,
        "bureau": random.choice(scripts.BUREAUS),
        "furnisher": random.choice(scripts.FURNISHERS),
        "item": random.choice(scripts.ITEMS),
        "other_city": random.choice(scripts.CITIES),
        "round": round_number,
        "street": demo.street,
        "city": demo.city,
        "weekday": f"{at + timedelta(days=2):%A}",
        "month_ahead": f"{ahead:%B} {ahead.day}",
        "day_before": f"{before:%B} {before.day}",
    }
