"""Work that waits: rows that are due, leases on them, and the sweep that finds them.

A kind of work is a table with the columns of `Work` and a job, a function that is handed a row's
id and does what is due. Running it twice does it once: it claims the row by a conditional
UPDATE, commits, acts, and records. A worker that dies leaves a lease, which runs out.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from casewell.kernel.db import Base, PrimaryKey, on_commit
from casewell.kernel.hints import Hints
from casewell.kernel.runtime import Runtime

LEASE = timedelta(minutes=2)
FIRST_RETRY = timedelta(seconds=15)
LONGEST_RETRY = timedelta(hours=1)
SWEEP_BATCH = 500
KEEP_RUNS = timedelta(days=14)

log = structlog.get_logger()


class Work:
    """Columns of a row that may be due. `due_at` null: nothing is to be done."""

    due_at: Mapped[datetime | None] = mapped_column(default=None)
    lease_until: Mapped[datetime | None] = mapped_column(default=None)
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    last_error: Mapped[str | None] = mapped_column(sa.Text, default=None)


class PeriodRun(Base):
    """One run of a schedule in one period: two workers that tick at once make one row."""

    __tablename__ = "period_runs"
    __table_args__ = (sa.UniqueConstraint("schedule", "period"),)

    id: Mapped[PrimaryKey]
    schedule: Mapped[str] = mapped_column(sa.String(64))
    period: Mapped[str] = mapped_column(sa.String(32))
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(sa.Text)


Job = Callable[[Runtime, int], None]
Periodic = Callable[[Runtime], None]


@dataclass(frozen=True)
class Kind:
    """A table whose due rows a job handles."""

    name: str
    model: type[Base]
    job: Job


@dataclass(frozen=True)
class Schedule:
    name: str
    every: timedelta
    act: Periodic


KINDS: dict[str, Kind] = {}
SCHEDULES: dict[str, Schedule] = {}


def job(model: type[Base]) -> Callable[[Job], Job]:
    """Register a function as the job of a table of `Work`."""

    def register(function: Job) -> Job:
        KINDS[function.__name__] = Kind(function.__name__, model, function)
        return function

    return register


def periodic(every: timedelta) -> Callable[[Periodic], Periodic]:
    """Register a function to run once in each period, whatever number of workers tick."""

    def register(function: Periodic) -> Periodic:
        SCHEDULES[function.__name__] = Schedule(function.__name__, every, function)
        return function

    return register


def hint_after_commit(
    session: Session, hints: Hints, job: Job, row_id: int, at: datetime | None = None
) -> None:
    """Tell a worker about a row once its transaction stands; a rollback tells nothing."""
    on_commit(session, partial(hints.give, job.__name__, row_id, at))


def claim(
    session: Session,
    model: type[Base],
    row_id: int,
    now: datetime,
    *,
    lease: timedelta = LEASE,
) -> bool:
    """Take a due row for `lease`; of two workers one gets it. The caller commits at once."""
    return bool(claim_all(session, model, [row_id], now, lease=lease))


def claim_all(
    session: Session,
    model: type[Base],
    row_ids: Sequence[int],
    now: datetime,
    *,
    lease: timedelta = LEASE,
) -> set[int]:
    """Take those of some rows that are due and free; return which. The caller commits at once."""
    table = Base.metadata.tables[model.__tablename__]
    taken = session.scalars(
        sa.update(table)
        .where(
            table.c.id.in_(row_ids),
            table.c.due_at <= now,
            sa.or_(table.c.lease_until.is_(None), table.c.lease_until < now),
        )
        .values(lease_until=now + lease, attempts=table.c.attempts + 1)
        .returning(table.c.id)
    )
    return set(taken)


def back_off(attempts: int, retry_after: timedelta | None = None) -> timedelta:
    """Return how long to wait after a failed attempt: doubling, jittered, at most an hour."""
    wait = min(FIRST_RETRY * 2 ** min(attempts, 12), LONGEST_RETRY)
    jittered = timedelta(seconds=wait.total_seconds() * random.uniform(0.75, 1.25))  # noqa: S311
    return max(jittered, retry_after or timedelta(0))


def due_rows(session: Session, kind: Kind, now: datetime) -> list[int]:
    """Return ids of rows that are due and that nobody holds, longest due first."""
    table = kind.model.__table__
    query = (
        sa.select(table.c.id)
        .where(
            table.c.due_at <= now,
            sa.or_(table.c.lease_until.is_(None), table.c.lease_until < now),
        )
        .order_by(table.c.due_at)
        .limit(SWEEP_BATCH)
    )
    return list(session.scalars(query))


def sweep(runtime: Runtime, act: Callable[[str, int], None] | None = None) -> int:
    """Do, or hand to `act`, everything that is due; return how many rows that was."""
    found = 0
    for kind in KINDS.values():
        with runtime.database.reading() as session:
            rows = due_rows(session, kind, runtime.now())
        for row_id in rows:
            found += 1
            (act or partial(perform, runtime))(kind.name, row_id)
    return found


def perform(runtime: Runtime, name: str, row_id: int) -> None:
    """Run one job now. A job that raises is a bug: it is logged, and its lease runs out."""
    with structlog.contextvars.bound_contextvars(job=name, row_id=row_id):
        try:
            KINDS[name].job(runtime, row_id)
        except Exception:
            log.exception("job_failed")


def tick(runtime: Runtime) -> None:
    """Run each schedule whose present period has not been begun by anyone yet."""
    for schedule in SCHEDULES.values():
        run_id = _begin_period(runtime, schedule)
        if run_id is None:
            continue
        error = None
        try:
            schedule.act(runtime)
        except Exception as failure:
            error = type(failure).__name__
            log.exception("periodic_failed", schedule=schedule.name)
        with runtime.database.writing() as session:
            session.execute(
                sa.update(PeriodRun)
                .where(PeriodRun.id == run_id)
                .values(finished_at=runtime.now(), error=error)
            )


def _begin_period(runtime: Runtime, schedule: Schedule) -> int | None:
    """Return the id of the run that is ours, or None where this period has one."""
    now = runtime.now()
    period = str(int(now.timestamp() // schedule.every.total_seconds()))
    seen = sa.select(PeriodRun.id).where(
        PeriodRun.schedule == schedule.name, PeriodRun.period == period
    )
    with runtime.database.reading() as session:
        if session.scalar(seen) is not None:
            return None
    try:
        with runtime.database.writing() as session:
            run = PeriodRun(schedule=schedule.name, period=period, started_at=now)
            session.add(run)
            session.flush()
            # What older runs tell is no longer of use to anyone.
            session.execute(
                sa.delete(PeriodRun).where(
                    PeriodRun.schedule == schedule.name,
                    PeriodRun.started_at < now - KEEP_RUNS,
                )
            )
            return run.id
    except IntegrityError:
        return None  # another worker was quicker
