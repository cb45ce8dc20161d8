"""`make bench ARGS=tags`: filters by tags, and tags of many clients at once.

100,000 clients and 1,000 tags, each on some hundreds of clients, a few on many thousands. Two tags
and a status, the number of what is found included, over HTTP; then a tag for 20,000 clients,
cancelled halfway, undone, and given whole.
"""

import argparse
import time
from collections.abc import Iterator
from random import Random
from typing import Any

import sqlalchemy as sa

from bench import firm
from bench.dataset import MANAGER
from bench.serving import alone, casewell_served
from casewell.clients.listing import Wanted
from casewell.clients.models import Client, ClientStatus
from casewell.kernel.access import Identity, Role
from casewell.kernel.jobs import perform
from casewell.kernel.runtime import Runtime
from casewell.ledger.service import Actor, verify
from casewell.staff.models import Staff
from casewell.tags import changes, jobs
from casewell.tags.forms import TagChangeForm
from casewell.tags.models import ClientTag, ClientTagAssignment, TagChange
from casewell.tags.service import BATCH

SEED = 7
COMMON = 20  # tags that one client in ten has
EACH = 300  # clients of each other tag


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench tags", description=__doc__)
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--clients", type=int, default=100_000)
    parser.add_argument("--tags", type=int, default=1_000)
    parser.add_argument("--changed", type=int, default=20_000)
    parser.add_argument("-n", type=int, default=300, help="requests of each kind")
    given = parser.parse_args(arguments)
    for database in given.databases.split(","):
        with alone(database) as runtime:
            load(runtime, given)
            for words, line in [*filtered(runtime, given), *changed(runtime, given)]:
                print(f"{database}: {words}: {line}", flush=True)
    return 0


def load(runtime: Runtime, given: Any) -> None:
    firm.found(runtime, given.clients)
    now = runtime.now()
    with runtime.database.writing() as session:
        connection = session.connection()
        firm.insert(
            connection,
            ClientTag,
            (
                {
                    "id": number,
                    "name": f"Tag {number}",
                    "name_key": f"tag {number}",
                    "colour": "blue",
                    "created_at": now,
                }
                for number in range(1, given.tags + 1)
            ),
        )
        firm.insert(
            connection,
            ClientTagAssignment,
            (
                {"client_id": client, "tag_id": tag, "staff_id": MANAGER, "assigned_at": now}
                for tag, client in _pairs(given)
            ),
        )
    firm.analyze(runtime)


def _pairs(given: Any) -> Iterator[tuple[int, int]]:
    random = Random(SEED)
    everyone = range(1, given.clients + 1)
    for tag in range(1, given.tags + 1):
        many = given.clients // 10 if tag <= COMMON else min(EACH, given.clients)
        for client in random.sample(everyone, many):
            yield tag, client


def filtered(runtime: Runtime, given: Any) -> Iterator[tuple[str, str]]:
    random = Random(SEED)
    kinds = {
        "two common tags": lambda: random.sample(range(1, COMMON + 1), 2),
        "two rare tags": lambda: random.sample(range(COMMON + 1, given.tags + 1), 2),
        "a common and a rare tag": lambda: [
            random.randint(1, COMMON),
            random.randint(COMMON + 1, given.tags),
        ],
    }
    with casewell_served(runtime) as served:
        for words, choose in kinds.items():
            for match in ("all", "any", "none"):
                paths = []
                for _ in range(given.n):
                    first, second = choose()
                    status = random.choice(list(ClientStatus))
                    paths.append(
                        f"/api/clients?tag={first}&tag={second}&tags={match}&status={status}"
                    )
                took = firm.timed(served, paths)
                yield f"{words}, {match}, and a status", firm.spread(took)


def changed(runtime: Runtime, given: Any) -> Iterator[tuple[str, str]]:
    with runtime.database.writing() as session:
        tag = ClientTag(
            id=given.tags + 1,
            name="Everyone",
            name_key="everyone",
            colour="red",
            created_at=runtime.now(),
        )
        session.add(tag)
        tag_id = tag.id
        session.execute(sa.update(Client).where(Client.id <= given.changed).values(state="IL"))
    whole = TagChangeForm(add=[tag_id], filter=Wanted(state="IL"))
    seconds, change = _timed(runtime, whole)
    yield f"a tag for {change.total:,} clients", f"{seconds:.1f} s"
    yield "undone", f"{_undo(runtime, change.id):.1f} s, {_number(runtime, tag_id)} left"
    half = given.changed // BATCH // 2
    seconds, change = _timed(runtime, whole, batches=half)
    yield f"cancelled after {change.done:,}", f"{_number(runtime, tag_id):,} have it"
    yield "undone", f"{_undo(runtime, change.id):.1f} s, {_number(runtime, tag_id)} left"
    with runtime.database.reading() as session:
        yield "faults in the ledger", str(len(list(verify(session))))


def _timed(
    runtime: Runtime, wanted: TagChangeForm, batches: int | None = None
) -> tuple[float, TagChange]:
    """Begin a change and let a worker do it, or so many batches of it, after which it is
    cancelled."""
    viewer = Identity(MANAGER, Role.MANAGER, "session")
    started = time.perf_counter()
    with runtime.database.writing() as session:
        change = changes.begin(session, viewer, wanted, runtime.now())
        staff = session.get_one(Staff, MANAGER)
        jobs.start(session, runtime, change, viewer, Actor.of_staff(staff))
    if batches is not None:
        jobs.BATCHES_IN_A_RUN, usual = batches, jobs.BATCHES_IN_A_RUN
    perform(runtime, "change_tags", change.id)
    if batches is not None:
        jobs.BATCHES_IN_A_RUN = usual
        with runtime.database.writing() as session:
            changes.cancel(changes.find_change(session, viewer, change.id), runtime.now())
    with runtime.database.reading() as session:
        return time.perf_counter() - started, changes.find_change(session, viewer, change.id)


def _undo(runtime: Runtime, change_id: int) -> float:
    viewer = Identity(MANAGER, Role.MANAGER, "session")
    started = time.perf_counter()
    with runtime.database.writing() as session:
        change = changes.find_change(session, viewer, change_id)
        changes.begin_undo(change, viewer, runtime.now())
        staff = session.get_one(Staff, MANAGER)
        jobs.start(session, runtime, change, viewer, Actor.of_staff(staff))
    perform(runtime, "change_tags", change_id)
    return time.perf_counter() - started


def _number(runtime: Runtime, tag_id: int) -> int:
    with runtime.database.reading() as session:
        query = sa.select(sa.func.count()).where(ClientTagAssignment.tag_id == tag_id)
        return session.scalar(query) or 0
