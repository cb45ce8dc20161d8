"""Databases and servers of one run. Both sides are served by the same server, alike."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from casewell.bootstrap import make_runtime
from casewell.kernel.crypto import new_encryption_key
from casewell.kernel.runtime import Runtime
from casewell.kernel.settings import Settings
from casewell.migrations import upgrade

ROOT = Path(__file__).parents[1]
SERVER = [sys.executable, "-m", "granian", "--no-ws", "--http", "1"]
POSTGRES = "postgresql://postgres@127.0.0.1:5432/postgres"


@dataclass(frozen=True)
class Served:
    base: str
    pid: int


@contextmanager
def served(app: str, environment: dict[str, str], *paths: Path) -> Iterator[Served]:
    """Serve an application with two workers of two threads each.

    On a port of its own: granian would share a taken one with whoever has it.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    command = [*SERVER, "--workers", "2", "--port", str(port), app]
    # Casewell keeps its threads by itself.
    ours = app.endswith(":front")
    command += (
        ["--interface", "rsgi"] if ours else ["--interface", "wsgi", "--blocking-threads", "2"]
    )
    process = subprocess.Popen(
        command,
        env={
            **os.environ,
            "CASEWELL_WEB_THREADS": "2",
            **environment,
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        base = f"http://127.0.0.1:{port}"
        _wait_for(base, app, process)
        yield Served(base, process.pid)
    finally:
        # All of it at once: its workers would wait for our open connections to end, or outlive it.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def installed(folder: Path, url: str) -> Runtime:
    """Return an installation of its own, on an empty database."""
    settings = Settings(
        home=folder,
        secret_key=secrets.token_urlsafe(48),
        encryption_keys=new_encryption_key(),
        database_url=url,
    )
    runtime = make_runtime(settings, with_hints=False)
    upgrade(runtime.database)
    return runtime


@contextmanager
def casewell_served(runtime: Runtime) -> Iterator[Served]:
    """Serve an installation."""
    settings = runtime.settings
    environment = {
        "CASEWELL_HOME": str(settings.home),
        "CASEWELL_SECRET_KEY": settings.secret_key,
        "CASEWELL_ENCRYPTION_KEYS": settings.encryption_keys,
        "CASEWELL_DATABASE_URL": settings.database_url,
        "CASEWELL_LOG_LEVEL": "error",
    }
    with served("casewell.wsgi:front", environment, ROOT / "src") as server:
        yield server


def _wait_for(base: str, app: str, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise SystemExit(f"{app} did not start; is {base} taken?")
        try:
            urllib.request.urlopen(base, timeout=2)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"{app} does not answer at {base}.")


@contextmanager
def databases(kind: str, folder: Path) -> Iterator[tuple[str, str]]:
    """Give two empty databases: Casewell's URL, and the store of the hand-written side."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'casewell.db'}", f"sqlite:{folder / 'by_hand.db'}"
        return
    import psycopg

    server = os.environ.get("CASEWELL_TEST_POSTGRES", POSTGRES)
    names = [f"casewell_bench_{secrets.token_hex(4)}_{part}" for part in ("ours", "by_hand")]
    with psycopg.connect(server, autocommit=True) as connection:
        for name in names:
            connection.execute(f'CREATE DATABASE "{name}"')
        try:
            ours, theirs = (f"{server.rpartition('/')[0]}/{name}" for name in names)
            yield ours, theirs
        finally:
            for name in names:
                connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def alone(kind: str) -> Iterator[Runtime]:
    """Give an installation on an empty database of its own, gone at the end."""
    with tempfile.TemporaryDirectory() as folder, databases(kind, Path(folder)) as (url, _):
        runtime = installed(Path(folder), url)
        yield runtime
        runtime.database.close()
