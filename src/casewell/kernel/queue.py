"""Hints carried by huey.

huey drops the tasks in flight when its process is killed, so nothing may depend on a hint: the
sweep of `kernel.jobs` finds every due row by itself. Messages are signed JSON, never pickle.
"""

import hashlib
import hmac
import importlib.util
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from huey import Huey, PostgresHuey, RedisHuey, SqliteHuey
from huey.registry import Message
from huey.serializer import Serializer

from casewell.kernel.settings import SettingsError

QUEUE = "casewell"


class SignedJSON(Serializer):  # type: ignore[misc]
    """Serialises huey's messages as JSON behind an HMAC, so that a crafted one is refused."""

    def __init__(self, key: bytes) -> None:
        super().__init__()
        self._key = key

    def _serialize(self, data: Any) -> bytes:
        plain = data._asdict() if isinstance(data, Message) else data
        body = json.dumps(plain, default=_datetime_as_text).encode()
        return hmac.digest(self._key, body, hashlib.sha256) + body

    def _deserialize(self, data: bytes) -> Any:
        signature, body = bytes(data[:32]), bytes(data[32:])
        if not hmac.compare_digest(signature, hmac.digest(self._key, body, hashlib.sha256)):
            raise ValueError("this queue entry was not signed by this installation")
        plain = json.loads(body)
        if isinstance(plain, dict) and "args" in plain:
            plain["eta"] = plain["eta"] and datetime.fromisoformat(plain["eta"])
            return Message(**plain)
        return plain


def _datetime_as_text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} can't wait in the queue")


class HueyHints:
    """Hints through a huey queue; `run` is what the worker does with one."""

    def __init__(self, huey: Huey) -> None:
        self.huey = huey
        self._act: Callable[[str, int], None] | None = None
        self._task = huey.task(name="hint")(self._run)

    def _run(self, job: str, row_id: int) -> None:
        assert self._act is not None, "this process gives hints but takes none"
        self._act(job, row_id)

    def take(self, act: Callable[[str, int], None]) -> None:
        """Let this process act on hints."""
        self._act = act

    def give(self, job: str, row_id: int, at: datetime | None) -> None:
        try:
            if at is None:
                self._task(job, row_id)
            else:
                self._task.schedule((job, row_id), eta=at.replace(tzinfo=None))
        except Exception:  # noqa: BLE001 the queue may be down: work then waits for the sweep
            structlog.get_logger().warning("hint_lost", job=job, row_id=row_id)


def open_hints(queue_url: str, database_url: str, home: Path, key: bytes) -> HueyHints:
    """Return the queue that the settings name."""
    options: dict[str, Any] = {
        "name": QUEUE,
        "serializer": SignedJSON(key),
        "results": False,
        "utc": True,
    }
    if queue_url.startswith("redis"):
        if importlib.util.find_spec("redis") is None:
            raise SettingsError("CASEWELL_QUEUE_URL names Redis: install casewell[redis].")
        return HueyHints(RedisHuey(url=queue_url, **options))
    if database_url.startswith("postgresql"):
        dsn = database_url.replace("postgresql+psycopg://", "postgresql://")
        return HueyHints(PostgresHuey(dsn=dsn, **options))
    return HueyHints(SqliteHuey(filename=str(home / "hints.db"), **options))
