"""`make bench ARGS=timeline`: the timeline of a client to whom 50,000 things happened.

The first page, and the tenth by the cursors that lead there, over HTTP; both whole and narrowed
to one topic.
"""

import argparse
import json
import urllib.request
from datetime import timedelta
from typing import Any

from bench import firm
from bench.dataset import MANAGER, token_of
from bench.serving import Served, alone, casewell_served
from casewell.kernel.runtime import Runtime
from casewell.ledger.models import ActorKind
from casewell.ledger.service import Actor, Event, record_all

KINDS = (
    ("client.changed", {"changes": {"city": {"from": "Peoria", "to": "Chicago"}}}),
    ("tag.added", {"tag": "Round 1"}),
    ("client.status_changed", {"from": "lead", "to": "active"}),
    ("conversation.done", {}),
    ("message.delivered", {}),
)
TENTH = 9  # pages before it


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench timeline", description=__doc__)
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("-n", type=int, default=300, help="requests for each page")
    given = parser.parse_args(arguments)
    for database in given.databases.split(","):
        with alone(database) as runtime:
            load(runtime, given.events)
            with casewell_served(runtime) as served:
                for words, query in (("all of it", ""), ("one topic", "&topic=tags")):
                    first = f"/api/clients/1/timeline?limit=50{query}"
                    for name, path in (("first", first), ("tenth", _tenth(served, first))):
                        took = firm.timed(served, [path] * given.n)
                        print(f"{database}: {words}, {name} page: {firm.spread(took)}", flush=True)
    return 0


def load(runtime: Runtime, events: int) -> None:
    firm.found(runtime, 20)
    actor = Actor(ActorKind.STAFF, MANAGER, "Bench Manager")
    began = runtime.now() - timedelta(minutes=events)
    with runtime.database.writing() as session:
        for client_id in range(1, 21):
            number = events if client_id == 1 else events // 20
            for start in range(0, number, 1000):
                told: list[Any] = []
                for index in range(start, min(start + 1000, number)):
                    kind, data = KINDS[index % len(KINDS)]
                    at = began + timedelta(minutes=index)
                    told.append((Event(client_id, kind, actor, at, data), at))
                record_all(session, client_id, told)
    firm.analyze(runtime)


def _tenth(served: Served, path: str) -> str:
    """Return the address of the tenth page from this one."""
    headers = {"Authorization": f"Bearer {token_of(MANAGER)}"}
    address = path
    for _ in range(TENTH):
        request = urllib.request.Request(served.base + address, headers=headers)
        with urllib.request.urlopen(request) as answer:
            address = f"{path}&cursor={json.load(answer)['next']}"
    return address
