"""The demo firm as a folder that each test module copies: making it takes longest."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import casewell
from casewell.bootstrap import make_runtime
from casewell.demo.build import build
from casewell.kernel.runtime import Runtime
from casewell.kernel.settings import Settings
from casewell.migrations import upgrade

# A Tuesday morning in Chicago, where the firm is: nobody's quiet hours, no clock change near.
MADE_AT = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
SECRET_KEY = "a-key-for-browser-tests-0123456789-abcdefghijkl"
# One key for all time, because the SSNs of a kept firm are under it.
ENCRYPTION_KEYS = "e2e:Zm9yLXRlc3RzLW9ubHktMDEyMzQ1Njc4OWFiY2RlZiE="


def firm_runtime(home: Path, *, now: Callable[[], datetime], **settings: Any) -> Runtime:
    """Return the runtime of the installation in `home`, which works without hints."""
    given = Settings(home=home, secret_key=SECRET_KEY, encryption_keys=ENCRYPTION_KEYS, **settings)
    return make_runtime(given, now=now, with_hints=False)


def kept_firm(folder: Path) -> Path:
    """Return the home of a demo firm made by this very code, making it where there is none yet.

    Any number of processes may ask at once; one of them makes it.
    """
    home = folder / f"firm-{_fingerprint()}"
    with _alone(folder / "firm.lock"):
        if not home.exists():
            for old in folder.glob("firm-*"):
                shutil.rmtree(old)
            unfinished = folder / "unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            _make(unfinished)
            unfinished.rename(home)
    return home


def _make(home: Path) -> None:
    runtime = firm_runtime(home, now=lambda: MADE_AT)
    upgrade(runtime.database)
    with runtime.database.writing() as session:
        build(session, runtime)
    runtime.database.close()  # the last connection to leave folds the write-ahead log in


def _fingerprint() -> str:
    """Return a digest of the code that decides what the firm looks like."""
    package = Path(casewell.__file__).parent
    sources = [
        Path(__file__),
        *package.glob("*/models.py"),
        *(package / "demo").glob("*.py"),
        *(package / "ledger").glob("*.py"),
        *(package / "messages").glob("*.py"),
        *(package / "migrations").rglob("*.py"),
    ]
    digest = hashlib.sha256()
    for source in sorted(sources):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
