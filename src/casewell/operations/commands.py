"""Commands that start and keep an installation."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from casewell.kernel.runtime import OpenInstallation

CONNECTIONS = 4096


@click.command()
@click.pass_obj
def init(installation: OpenInstallation) -> None:
    """Make the home folder (CASEWELL_HOME, default ./var) with fresh secret keys.

    Does nothing where they exist: keys are never replaced.
    """
    from casewell.kernel.crypto import new_encryption_key
    from casewell.kernel.settings import ENV_FILE

    home = Path(os.environ.get("CASEWELL_HOME") or "var")
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = home / ENV_FILE
    if not path.exists():
        lines = (
            "# Made by `casewell init`. Keep a copy in a safe place: without these keys a backup",
            "# can't be read. Every other setting is described in docs/configuration.md.",
            f"CASEWELL_SECRET_KEY={secrets.token_urlsafe(48)}",
            f"CASEWELL_ENCRYPTION_KEYS={new_encryption_key()}",
            "",
        )
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write("\n".join(lines))
        click.echo(f"Made {path} with fresh keys.")
    installation(with_hints=False).database.close()


@click.command()
@click.pass_obj
def migrate(installation: OpenInstallation) -> None:
    """Bring the database up to date. `serve` and `worker` do it by themselves."""
    installation(with_hints=False).database.close()
    click.echo("The database is up to date.")


@click.command()
@click.option("--host", help="Address to listen on (CASEWELL_HOST).")
@click.option("--port", type=int, help="Port to listen on (CASEWELL_PORT).")
@click.option("--demo", "with_demo", is_flag=True, help="First make the demo firm, once.")
@click.pass_context
def serve(ctx: click.Context, host: str | None, port: int | None, *, with_demo: bool) -> None:
    """Serve the web application; with CASEWELL_EMBEDDED_WORKER also work that waits."""
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces
    from granian.log import LogLevels

    installation: OpenInstallation = ctx.obj
    runtime = installation()
    settings = runtime.settings
    runtime.database.close()
    host, port = host or settings.host, port or settings.port
    _refuse_a_taken_port(host, port)
    _allow_many_connections()
    if with_demo:
        from casewell.demo.commands import demo

        ctx.invoke(demo)
    worker = _start_worker() if settings.embedded_worker else None
    click.echo(f"Casewell is at http://{host}:{port}  (stop with Ctrl+C)", err=True)
    try:
        Granian(
            "casewell.wsgi:front",
            address=host,
            port=port,
            interface=Interfaces.RSGI,
            http=HTTPModes.http1,
            websockets=False,
            workers=settings.web_workers,
            # Connections that are held: those of people who wait, and of clients that send nothing
            # and are dropped after the 30 seconds that headers may take.
            backlog=CONNECTIONS,
            backpressure=CONNECTIONS,
            respawn_failed_workers=True,
            log_level=LogLevels.warning,
        ).serve()
    finally:
        if worker is not None:
            worker.terminate()
            worker.wait()


def _refuse_a_taken_port(host: str, port: int) -> None:
    """Say so before anything starts; the server itself would only raise."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise click.ClickException(
                f"Can't listen on {host}:{port} ({error.strerror}). "
                "Choose another port: `PORT=8001 make run`, or CASEWELL_PORT."
            ) from error


def _allow_many_connections() -> None:
    """Raise how many files may be open, which is 1,024 by default, as far as the system lets us."""
    if sys.platform != "win32":
        import resource

        soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = 3 * CONNECTIONS
        if soft != resource.RLIM_INFINITY and soft < wanted:
            allowed = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))


def _start_worker() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "casewell", "worker"])


@click.command()
@click.pass_obj
def worker(installation: OpenInstallation) -> None:
    """Work that waits: send, fetch, import. Any number may run on one PostgreSQL."""
    from casewell.kernel.worker import Worker

    runtime = installation()
    _end_with_parent()
    Worker(runtime).run()


def _end_with_parent() -> None:
    """Let the kernel end this process gently when `casewell serve` is killed outright."""
    if sys.platform == "linux":
        import ctypes

        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGTERM)


@click.command()
@click.pass_obj
def openapi(installation: OpenInstallation) -> None:
    """Print the OpenAPI 3.1 description of the API."""
    from casewell.app import VERSION, create_app
    from casewell.kernel.api import openapi as describe

    runtime = installation(with_hints=False)
    app = create_app(runtime)
    click.echo(json.dumps(describe(app.url_map.iter_rules(), VERSION), indent=2))


@click.command()
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_obj
def backup(installation: OpenInstallation, target: Path) -> None:
    """Write everything to TARGET (a .tar.gz) while Casewell runs, and read it back."""
    from casewell.operations.backup import write_backup

    counted = write_backup(installation(with_hints=False), target)
    click.echo(f"{target}: {counted.rows} rows and {counted.files} files, read back and verified.")
    click.echo("Keep casewell.env with it, apart: without its keys nobody can read it.")


@click.command()
@click.argument("archive", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_obj
def restore(installation: OpenInstallation, archive: Path) -> None:
    """Fill an empty installation from ARCHIVE. Sending stays paused until an owner resumes it."""
    from casewell.operations.backup import restore as fill

    counted = fill(installation(with_hints=False), archive)
    click.echo(f"Restored {counted.rows} rows and {counted.files} files of {counted.made_at}.")
    click.echo("Sending is paused. Look at the outbox, then resume it under Settings, Firm.")


@click.command("rotate-keys")
@click.pass_obj
def rotate_keys(installation: OpenInstallation) -> None:
    """Write every encrypted value anew under the first of CASEWELL_ENCRYPTION_KEYS."""
    from casewell.operations.keys import rotate

    renewed, unreadable = rotate(installation(with_hints=False))
    click.echo(f"{renewed} values are now under the first key.")
    if unreadable:
        raise click.ClickException(
            f"{unreadable} values open with no configured key. Do not remove old keys."
        )
