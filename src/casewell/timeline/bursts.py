"""Many entries of one kind, one after the other, told of as one."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from casewell.clients.activity import Happening, name_of

FROM = 3
WITHIN = timedelta(minutes=10)  # between one and the next


def fold(happenings: Iterable[Happening]) -> list[Happening]:
    """Return entries with those of a burst in one, as its `entries`.

    A burst is the same thing, done or undone by the same one several times. What has words of its
    own stands for itself.
    """
    told: list[Happening] = []
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


def _closed(run: list[Happening]) -> Sequence[Happening]:
    if len(run) < FROM:
        return run
    newest, times = run[0], len(run)
    sentence = f"{name_of(newest.kind)}, {times} times"
    if newest.kind == "client.changed":
        fields = sum(len(one.changes) for one in run)
        sentence = f"{fields} fields changed, {times} times"
    return [replace(newest, sentence=sentence, entries=run)]
