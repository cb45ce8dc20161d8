"""`make bench`: p50 and p95 of Casewell's operations beside hand-written SQL behind bare Flask.

Both sides hold the same data, are served by the same server with the same workers and threads,
and each operation is timed on one right after the other, once their answers are found equal.
Needs the shared data set beside the checkout (or CASEWELL_PERF=its folder); PostgreSQL by
CASEWELL_TEST_POSTGRES.

`make bench ARGS=intake` measures the taking in of mail instead, `ARGS=online` a whole firm with
the inbox open, `ARGS=tags` filters by tags and tags of many clients, `ARGS=timeline` a long
timeline, `ARGS=paint` a first visit in the browser: see the modules of these names.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import intake, online, paint, tags, taking_in, timeline
from bench.dataset import EVERYONES_INDEX, MANAGER, dataset_of, load, token_of
from bench.operations import OPERATIONS, TAKING_IN, Operation
from bench.serving import Served, casewell_served, databases, installed, served

ROOT = Path(__file__).parents[1]
COMPARED = 10
ROUNDS = 5
SECONDS_EACH = 60.0


def main() -> int:
    if sys.argv[1:2] == ["tags"]:
        return tags.main(sys.argv[2:])
    if sys.argv[1:2] == ["timeline"]:
        return timeline.main(sys.argv[2:])
    perf = perf_folder()
    sys.path.insert(0, str(perf))  # the shared modules, which lie beside the checkout
    if sys.argv[1:2] == ["intake"]:
        return intake.main(sys.argv[2:], perf)
    if sys.argv[1:2] == ["online"]:
        return online.main(sys.argv[2:], perf)
    if sys.argv[1:2] == ["paint"]:
        return paint.main(sys.argv[2:])
    arguments = argparse.ArgumentParser(prog="bench", description=__doc__)
    arguments.add_argument("--size", default="S", choices=("XS", "S", "M", "L"))
    arguments.add_argument("--databases", default="sqlite,postgresql")
    arguments.add_argument("--ops", default=",".join([*OPERATIONS, TAKING_IN[0]]))
    arguments.add_argument("-n", type=int, default=200, help="requests in each round")
    given = arguments.parse_args()
    for database in given.databases.split(","):
        with tempfile.TemporaryDirectory() as folder:
            report(measure(database, Path(folder), perf, given), database, given.size)
    return 0


def perf_folder() -> Path:
    """Return where the shared data set lies; says what to do where it does not."""
    perf = Path(os.environ.get("CASEWELL_PERF") or ROOT.parent / "shared" / "perf")
    if not perf.is_dir():
        raise SystemExit(
            "The shared data set is not beside this checkout: set CASEWELL_PERF to its folder."
        )
    return perf


def measure(
    database: str, folder: Path, perf: Path, given: argparse.Namespace
) -> dict[str, tuple[Any, Any]]:
    """Return what was found for each operation: (Casewell, by hand)."""
    import limit

    data = dataset_of(given.size)
    wanted = given.ops.split(",")
    found: dict[str, tuple[Any, Any]] = {}
    with databases(database, folder) as (our_url, their_store):
        runtime = installed(folder, our_url)
        timed(f"{database}: Casewell's side", lambda: load(runtime, data))
        store = limit.open_store(their_store)
        timed(f"{database}: the hand-written side", lambda: load_by_hand(store, data))
        store.sql["INDEX"] = EVERYONES_INDEX
        store.tx(lambda q: q("INDEX"))
        here = {"STORE": their_store}
        with (
            casewell_served(runtime) as ours,
            served("bench.by_hand:app", here, perf, ROOT) as theirs,
        ):
            for name, operation in OPERATIONS.items():
                if name in wanted:
                    found[name] = compare(name, operation, data, ours, theirs, given.n)
        if TAKING_IN[0] in wanted:
            found[TAKING_IN[0]] = (
                taking_in.casewell(runtime, data, given.n),
                taking_in.by_hand(store, data, given.n),
            )
        runtime.database.close()
    return found


def load_by_hand(store: Any, data: Any) -> None:
    """Load the other side. Its last step asks for a checkpoint, which not every role may do."""
    import psycopg

    steps: list[str] = []
    try:
        store.load(data, steps.append)
    except psycopg.errors.InsufficientPrivilege:
        if steps[-1:] != ["vacuum"]:
            raise
        print("No checkpoint before measuring: this role lacks pg_checkpoint.", flush=True)


def timed(what: str, act: Callable[[], object]) -> None:
    started = time.perf_counter()
    act()
    print(f"{what} loaded in {time.perf_counter() - started:.0f} s", flush=True)


def compare(
    name: str, operation: Operation, data: Any, ours: Served, theirs: Served, n: int
) -> tuple[Any, Any]:
    """Time one operation on both sides, once they are seen to answer alike."""
    us = runner_of(ours, operation, operation.ours, data, with_token=True)
    them = runner_of(theirs, operation, operation.theirs, data, with_token=False)
    if not operation.changes:
        for turn in range(COMPARED):
            said = operation.ours_says(ask(us, turn)), operation.theirs_says(ask(them, turn))
            if said[0] != said[1]:
                raise SystemExit(f"{name}: the sides differ in turn {turn}:\n{said[0]}\n{said[1]}")
    # What is read once is read: such an operation has one round. All others take turns, so that
    # whatever else the machine does meanwhile meets both sides.
    rounds, count = (1, min(n, len(data.unread) - 20)) if operation.changes else (ROUNDS, n)
    sides = ((them, theirs), (us, ours))
    passes: list[list[dict[str, Any]]] = [[], []]
    for _ in range(rounds):
        for found, (side, server) in zip(passes, sides, strict=True):
            found.append(dict(side.run("it", count, 1, SECONDS_EACH / rounds, (server.pid,))))
    if bad := sum(one["bad"] for found in passes for one in found):
        raise SystemExit(f"{name}: {bad} requests were refused.")
    by_hand, casewell = map(middle, passes)
    return casewell, by_hand


def middle(passes: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the middle of each figure over the rounds; p50 and p95 may be of different rounds."""
    names = [name for name in ("p50_ms", "p95_ms", "cpu_ms", "rows") if name in passes[0]]
    return {name: statistics.median(one[name] for one in passes) for name in names}


def runner_of(
    server: Served, operation: Operation, request: dict[str, Any], data: Any, *, with_token: bool
) -> Any:
    """Return the shared driver for one operation on one side."""
    import bench_http

    class Runner(bench_http.Runner):  # type: ignore[misc, name-defined]
        def auth(self, values: dict[str, Any]) -> dict[str, str]:
            if not with_token:
                return {}
            asking = values["staff_id"]
            if operation.asked_by == "manager":
                asking = MANAGER
            elif operation.asked_by == "responsible":
                asking = data.owner[self._client(values)]
            return {"Authorization": f"Bearer {token_of(asking)}"}

        def _client(self, values: dict[str, Any]) -> int:
            if "{unread_id}" in request.get("path", ""):
                return int(data.unread[values["unread_id"]])
            busiest = "{busy_client_id}" in request.get("path", "")
            return int(values["busy_client_id" if busiest else "client_id"])

    return Runner(server.base, {"ops": {"it": request}}, data, {"unread_id": list(data.unread)})


def ask(runner: Any, turn: int) -> dict[str, Any]:
    status, body, _ = runner.h.send(*runner.prepare(runner.m["ops"]["it"], turn))
    if status != 200:
        raise SystemExit(f"HTTP {status}: {body[:300]!r}")
    return dict(json.loads(body))


def report(found: dict[str, tuple[Any, Any]], database: str, size: str) -> None:
    words = {name: operation.words for name, operation in OPERATIONS.items()}
    words[TAKING_IN[0]] = TAKING_IN[1]
    print(
        f"\n{database}, data set {size}: p50 / p95 in ms; CPU of the web server in ms a request\n"
    )
    print(f"{'':<40}{'Casewell':>22}{'by hand':>22}{'p50':>8}{'p95':>6}{'rows':>7}")
    for name, (ours, theirs) in found.items():
        line = f"{name:<10}{words[name]:<30}"
        for side in (ours, theirs):
            cpu = f" ({side['cpu_ms']:.1f})" if "cpu_ms" in side else ""
            line += f"{side['p50_ms']:.2f} / {side['p95_ms']:.2f}{cpu}".rjust(22)
        line += (
            f"{ours['p50_ms'] / theirs['p50_ms']:>7.1f}x{ours['p95_ms'] / theirs['p95_ms']:>5.1f}x"
        )
        print(line + f"{ours.get('rows', 1):>6.0f}")
    if TAKING_IN[0] in found:
        rate = found[TAKING_IN[0]][0]["per_second"]
        print(f"\nOne process stores {rate:.0f} messages a second (matched, counted, searchable).")
    print(flush=True)


if __name__ == "__main__":
    sys.exit(main())
