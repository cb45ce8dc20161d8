"""A firm of a manager and plain clients, for what the shared data set does not hold."""

import http.client
import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bench.dataset import MANAGER, token_of
from bench.serving import Served
from casewell.clients.models import Client, ClientStatus
from casewell.kernel.access import Role, Scope
from casewell.kernel.crypto import token_hash
from casewell.kernel.runtime import Runtime
from casewell.staff.models import ApiToken, Firm, Staff

BATCH = 2_000


def found(runtime: Runtime, clients: int) -> None:
    """Fill an empty database with a manager, whose token is that of the shared data set, and
    clients, one status after the other."""
    now = runtime.now()
    with runtime.database.writing() as session:
        session.add(
            Firm(
                id=1,
                name="Bench",
                time_zone="UTC",
                second_factor_required=False,
                second_factor_off_reason="measured by a program",
                created_at=now,
            )
        )
        session.add(
            Staff(
                id=MANAGER,
                name="Bench Manager",
                email="manager@example.test",
                role=Role.MANAGER,
                time_zone="UTC",
                preferences={},
                created_at=now,
            )
        )
        session.flush()
        session.add(
            ApiToken(
                staff_id=MANAGER,
                name="bench",
                token_hash=token_hash(token_of(MANAGER)),
                scopes=[scope.value for scope in Scope],
                created_at=now,
            )
        )
        insert(session.connection(), Client, (_client(one, now) for one in range(clients)))


def _client(number: int, now: datetime) -> dict[str, Any]:
    statuses = list(ClientStatus)
    name = f"Client{number * 7919 % 1_000_003:07}"
    return {
        "id": number + 1,
        "first_name": "Bench",
        "last_name": name,
        "sort_name": f"{name.lower()}, bench",
        "status": statuses[number % len(statuses)],
        "created_at": now,
        "updated_at": now,
    }


def insert(connection: sa.Connection, model: Any, rows: Iterable[dict[str, Any]]) -> None:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            connection.execute(sa.insert(model), batch)
            batch = []
    if batch:
        connection.execute(sa.insert(model), batch)


def analyze(runtime: Runtime) -> None:
    """Let the database know what it holds."""
    with runtime.database.engine.connect() as connection:
        connection.execute(sa.text("ANALYZE"))


def timed(served: Served, paths: Sequence[str]) -> list[float]:
    """Ask for each address over one connection; return how long each took, in ms, in order."""
    host = served.base.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=60)
    headers = {"Authorization": f"Bearer {token_of(MANAGER)}"}
    took = []
    for path in paths:
        started = time.perf_counter()
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        took.append((time.perf_counter() - started) * 1000)
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status} {body[:200]!r}")
    connection.close()
    return took


def spread(took: Sequence[float]) -> str:
    """Return p50 and p95 in words."""
    ordered = sorted(took)
    p50, p95 = (ordered[min(len(ordered) - 1, int(len(ordered) * part))] for part in (0.5, 0.95))
    return f"p50 {p50:.1f} ms, p95 {p95:.1f} ms"
