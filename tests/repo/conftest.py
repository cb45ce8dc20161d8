"""What the tests of the repository as a whole read: its files, as Git would hand them out."""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Line:
    """One line of a file of the repository."""

    path: str
    number: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.number}: {self.text.strip()[:160]}"


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def repository_files() -> list[Path]:
    """Tracked files, and new ones that Git does not ignore."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a Git checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout.decode()
    return [ROOT / name for name in sorted(set(listed.split("\0"))) if (ROOT / name).is_file()]


@pytest.fixture(scope="session")
def text_lines(repository_files: list[Path]) -> list[Line]:
    """Every line of every file that is text."""
    return [line for path in repository_files for line in _lines(path)]


def _lines(path: Path) -> Iterator[Line]:
    content = path.read_bytes()
    if b"\0" in content[:8192]:
        return
    name = path.relative_to(ROOT).as_posix()
    for number, text in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
        yield Line(name, number, text)
