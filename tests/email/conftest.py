"""Mails for the tests of reading: those of the shared corpora, and small ones made here."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Fixture = Callable[[str], bytes]


@pytest.fixture
def fixture(shared: Path) -> Fixture:
    """Return a hostile mail by the beginning of its name: `fixture("A01")`."""

    def read(case: str) -> bytes:
        (path,) = (shared / "security" / "fixtures" / "eml").glob(f"{case}*.eml")
        return path.read_bytes()

    return read


@pytest.fixture
def manifest(shared: Path) -> list[dict[str, Any]]:
    """The corpus: each entry with its bytes under `raw`, and `expect`, empty where nothing is."""
    folder = shared / "contracts" / "mail" / "open"
    messages = json.loads((folder / "manifest.json").read_text())["messages"]
    return [
        {"expect": {}, **message, "raw": (folder / message["file"]).read_bytes()}
        for message in messages
    ]
