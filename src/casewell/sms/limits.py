"""How many texts may leave: what one number, one prefix, one person and the whole firm may cost.

Whoever can make Casewell send, by a stolen token or a form that somebody puts up, could be paid
for each text to numbers of their own. Each count is one conditional write, so that of two who send
at once only one gets the last place.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients.phones import may_be_texted, shown
from casewell.kernel.db import insert_into
from casewell.kernel.jobs import periodic
from casewell.kernel.runtime import Runtime
from casewell.kernel.settings import Settings
from casewell.kernel.times import midnight
from casewell.messages.errors import LimitReached, MonthUsedUp
from casewell.messages.models import UnifiedMessage
from casewell.sms.models import Counted, SMSMessage, TextCount
from casewell.sms.segments import segments
from casewell.staff.models import Firm

# Numbers are handed out to carriers in blocks of a thousand: of +1 312 555 0148, all +1 312 555 0.
PREFIX_LENGTH = len("+13125550")
# STOP and HELP are answered so often in a day to one number,
ANSWERS_A_DAY = 5
# and up to this share above the month's limit.
ANSWERS_ABOVE = 0.1
KEEP_DAYS, KEEP_MONTHS = timedelta(days=7), timedelta(days=400)
ORDER = {counted: place for place, counted in enumerate(Counted)}


@dataclass(frozen=True)
class Count:
    """One count, and the most it may come to; None: it is counted, and refuses nothing."""

    counted: Counted
    key: str
    day: date
    amount: int
    most: int | None = None


NEARLY_USED = 80  # percent


@dataclass(frozen=True)
class MonthsUse:
    """Segments of this month, those included that wait to leave in it."""

    used: int
    most: int

    @property
    def percent(self) -> int:
        return self.used * 100 // self.most

    @property
    def is_nearly_used(self) -> bool:
        return self.percent >= NEARLY_USED


class TextLimits:
    """Counts texts, for the outbox."""

    def day_of(self, session: Session, at: datetime) -> date:
        return at.astimezone(_zone(session)).date()

    def move(
        self,
        session: Session,
        runtime: Runtime,
        message: UnifiedMessage,
        *,
        to: date,
        of: date | None = None,
    ) -> None:
        changes = _limited(_counts(message, to), runtime.settings)
        if of is not None:
            changes += _less(_counts(message, of))
        try:
            with session.begin_nested():
                _apply(session, changes)
        except _Full as full:
            raise _refusal(session, runtime, full.count) from None

    def take_back(self, session: Session, message: UnifiedMessage, day: date) -> None:
        _apply(session, _less(_counts(message, day)))


class _Full(Exception):
    def __init__(self, count: Count) -> None:
        self.count = count


def spent(session: Session, runtime: Runtime, number: str) -> str:
    """Return why no more texts may go to a number now, or ""; the last word has the outbox."""
    day = TextLimits().day_of(session, runtime.now())
    counts = [one for one in _of_one(number, None, 1, day) if one.counted is not Counted.SOURCE]
    asked = _limited(counts, runtime.settings)
    used = _used(session, asked)
    for one in asked:
        if used.get((one.counted, one.key, one.day), 0) + one.amount > (one.most or 0):
            return _refusal(session, runtime, one).message
    return ""


def months_use(session: Session, runtime: Runtime) -> MonthsUse:
    """Return what of the month's limit is used."""
    month = TextLimits().day_of(session, runtime.now()).replace(day=1)
    used = session.scalar(
        sa.select(TextCount.used).where(
            TextCount.counted == Counted.MONTH, TextCount.key == "", TextCount.day == month
        )
    )
    return MonthsUse(used or 0, runtime.settings.sms_month_segments)


def may_answer(session: Session, runtime: Runtime, number: str, text: str) -> bool:
    """Whether STOP or HELP from a number is answered with a text; if so, it is counted."""
    settings = runtime.settings
    if not may_be_texted(number, settings.text_countries):
        return False
    day = TextLimits().day_of(session, runtime.now())
    parts = segments(text).count
    above = int(settings.sms_month_segments * (1 + ANSWERS_ABOVE))
    counts = [
        Count(Counted.ANSWERS, number, day, 1, ANSWERS_A_DAY),
        Count(Counted.DAY, "", day, 1),
        Count(Counted.MONTH, "", day.replace(day=1), parts, above),
    ]
    try:
        with session.begin_nested():
            _apply(session, counts)
    except _Full:
        return False
    return True


@periodic(every=timedelta(hours=24))
def forget_counts(runtime: Runtime) -> None:
    """Delete counts that no limit looks at any more: they hold numbers of people."""
    today = runtime.now().date()
    months = TextCount.counted == Counted.MONTH
    with runtime.database.writing() as session:
        session.execute(sa.delete(TextCount).where(~months, TextCount.day < today - KEEP_DAYS))
        session.execute(sa.delete(TextCount).where(months, TextCount.day < today - KEEP_MONTHS))


def _counts(message: UnifiedMessage, day: date) -> Iterable[Count]:
    """Return what a message adds to the counts of a day."""
    assert isinstance(message, SMSMessage)
    parts = segments(message.body_text).count
    return _of_one(message.to_number, message.staff_id, parts, day)


def _of_one(number: str, staff_id: int | None, parts: int, day: date) -> Iterator[Count]:
    yield Count(Counted.NUMBER, number, day, 1)
    yield Count(Counted.PREFIX, number[:PREFIX_LENGTH], day, 1)
    yield Count(Counted.SOURCE, "" if staff_id is None else str(staff_id), day, 1)
    yield Count(Counted.DAY, "", day, 1)
    yield Count(Counted.MONTH, "", day.replace(day=1), parts)


def _limited(counts: Iterable[Count], settings: Settings) -> list[Count]:
    most = {
        Counted.NUMBER: settings.sms_day_per_number,
        Counted.PREFIX: settings.sms_day_per_prefix,
        Counted.SOURCE: settings.sms_day_per_source,
        Counted.DAY: settings.sms_day,
        Counted.MONTH: settings.sms_month_segments,
    }
    return [replace(one, most=most[one.counted]) for one in counts]


def _less(counts: Iterable[Count]) -> list[Count]:
    return [replace(one, amount=-one.amount) for one in counts]


def _apply(session: Session, changes: Iterable[Count]) -> None:
    """Write counts, in one order for all. Raises _Full.

    What one change adds and another takes off, such as in a month that stays the same, is left
    as it is: a text that is counted already can't be refused for itself.
    """
    sums: dict[tuple[int, str, date], Count] = {}
    for one in changes:
        place = (ORDER[one.counted], one.key, one.day)
        same = sums.get(place)
        amount = one.amount + (same.amount if same else 0)
        most = one.most if one.most is not None else same.most if same else None
        sums[place] = Count(one.counted, one.key, one.day, amount, most)
    for _, one in sorted(sums.items()):
        if one.amount > 0:
            _add(session, one)
        elif one.amount < 0:
            _take_off(session, one)


def _add(session: Session, one: Count) -> None:
    if one.most is not None and one.amount > one.most:
        raise _Full(one)
    insert = insert_into(session, TextCount).values(
        counted=one.counted, key=one.key, day=one.day, used=one.amount
    )
    fits = None if one.most is None else TextCount.used + one.amount <= one.most
    added = insert.on_conflict_do_update(
        index_elements=["counted", "key", "day"],
        set_={"used": TextCount.used + one.amount},
        where=fits,
    )
    if session.scalar(added.returning(TextCount.used)) is None:
        raise _Full(one)


def _take_off(session: Session, one: Count) -> None:
    session.execute(
        sa.update(TextCount)
        .where(TextCount.counted == one.counted, TextCount.key == one.key, TextCount.day == one.day)
        .values(used=TextCount.used + one.amount)
        .execution_options(synchronize_session=False)
    )


def _used(session: Session, asked: Iterable[Count]) -> dict[tuple[Counted, str, date], int]:
    rows = session.execute(
        sa.select(TextCount.counted, TextCount.key, TextCount.day, TextCount.used).where(
            sa.or_(
                *(
                    sa.and_(
                        TextCount.counted == one.counted,
                        TextCount.key == one.key,
                        TextCount.day == one.day,
                    )
                    for one in asked
                )
            )
        )
    )
    return {(row.counted, row.key, row.day): row.used for row in rows}


def _refusal(session: Session, runtime: Runtime, full: Count) -> LimitReached:
    zone, now = _zone(session), runtime.now()
    today = now.astimezone(zone).date()
    if full.counted is Counted.MONTH:
        after = (full.day + timedelta(days=31)).replace(day=1)
        text = (
            f"The firm's texts for {full.day:%B} are used up: {full.most:,} segments. Write by "
            "email or in the portal, or ask an owner to raise the limit."
        )
        return MonthUsedUp(text, until=midnight(after, zone), now=now)
    when = "today" if full.day == today else f"on {full.day:%b} {full.day.day}"
    most = f"{full.most:,} {'text' if full.most == 1 else 'texts'}"
    text = {
        Counted.NUMBER: f"{shown(full.key)} gets {most} {when}, the most for one number.",
        Counted.PREFIX: f"Numbers that begin with {full.key} get {most} {when}, the most for one "
        "block of numbers.",
        Counted.SOURCE: f"{'You send' if full.key else 'Automatic texts come to'} {most} {when}, "
        "the most for one sender.",
        Counted.DAY: f"The firm sends {most} {when}, the most in a day.",
    }[full.counted]
    text = f"{text} Write by email or in the portal, or on another day."
    return LimitReached(text, until=midnight(full.day + timedelta(days=1), zone), now=now)


def _zone(session: Session) -> ZoneInfo:
    """Return the firm's time zone: its day is what people mean by one."""
    return ZoneInfo(session.scalar(sa.select(Firm.time_zone)) or "UTC")
