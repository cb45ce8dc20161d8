"""Many entries of one kind, one after the other, told of as one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from casewell.clients.activity import Happening, name_of

FROM = 3
WITHIN = timedelta(minutes=10)  # between one and the next


@dataclass(frozen=True)
class Burst:
    """The same thing, done or undone by the same one several times; newest first."""

    entries: Sequence[Happening]
    sentence: str

    @property
    def day(self) -> str:
        return self.entries[0].day

    @property
    def icon(self) -> str:
        return self.entries[0].icon

    @property
    def actor(self) -> str:
        return self.entries[0].actor

    @property
    def time(self) -> str:
        return self.entries[0].time

    @property
    def full_time(self) -> str:
        return self.entries[0].full_time

    @property
    def at(self) -> datetime:
        return self.entries[0].at


def fold(happenings: Iterable[Happening]) -> list[Happening | Burst]:
    """Return entries with those of a burst in one; what has words of its own stands for itself."""
    told: list[Happening | Burst] = []
    run: list[Happening] = []
    for one in happenings:
        if run and not _goes_on(run[-1], one):
            told += _closed(run)
            run = []
        run.append(one)
    return [*told, *_closed(run)]


def _goes_on(before: Happening, one: Happening) -> bool:
    return (
        before.written is None
        and one.written is None
        and (before.kind, before.actor, before.day) == (one.kind, one.actor, one.day)
        and before.at - one.at <= WITHIN
    )


def _closed(run: list[Happening]) -> Sequence[Happening | Burst]:
    if len(run) < FROM:
        return run
    kind = run[0].kind
    if kind == "client.changed":
        fields = sum(len(one.changes) for one in run)
        return [Burst(run, f"{fields} fields changed, {len(run)} times")]
    return [Burst(run, f"{name_of(kind)}, {len(run)} times")]
