"""Checks an evidence bundle: each file against the manifest, each entry against the ledger's chain.

    python3 verify.py              in the folder that the bundle was unpacked to
    python3 verify.py BUNDLE.zip   the bundle as it was downloaded

It needs nothing but Python 3.8 or newer, reads only, and sends nothing anywhere. It names what is
not as it was written and ends with 1; where all is, it ends with 0.

What it checks, so that anybody can check it otherwise:

- manifest.sha256 holds the SHA-256 of each file, in the form of sha256sum; its last line that of
  all lines before.
- ledger.jsonl holds one line for each entry of the client's chain. The hash of an entry is the
  SHA-256 of the hash before it, a line feed, and its facts as JSON with sorted keys, without white
  space, in UTF-8. Of an entry that is withheld the hash alone is here: the chain runs through it.
- The ZIP's comment is the SHA-256 of all bytes of the ZIP before it.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

MANIFEST = "manifest.sha256"
LEDGER = "ledger.jsonl"
FIRST = "0" * 64
SEAL_BYTES = 64
CHUNK = 1 << 20
LINE = re.compile(r"([0-9a-f]{64})  (.+)")
SEAL = re.compile(r"# sha256 ([0-9a-f]{64})")


class Folder:
    """A bundle that was unpacked."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def names(self) -> list[str]:
        # What a desktop leaves behind, such as .DS_Store, is no part of a bundle.
        return [
            one.relative_to(self.path).as_posix()
            for one in self.path.rglob("*")
            if one.is_file() and not one.name.startswith(".")
        ]

    def read(self, name: str) -> bytes:
        return self.path.joinpath(name).read_bytes()


class Zip:
    """A bundle as it was downloaded. Raises BadZipFile."""

    def __init__(self, path: Path) -> None:
        self.file = zipfile.ZipFile(path)

    def names(self) -> list[str]:
        return self.file.namelist()

    def read(self, name: str) -> bytes:
        return self.file.read(name)


def faults(path: Path) -> Iterator[str]:
    """Yield a sentence for each thing in a bundle that is not as it was written."""
    if path.is_dir():
        yield from faults_within(Folder(path))
        return
    try:
        found = list(faults_within(Zip(path)))
        made, said = seal_of(path)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        yield f"{path.name}: can't be read as a ZIP ({error})"
        return
    yield from found
    if made != said and not found:
        yield f"{path.name}: was altered between its files"


def seal_of(path: Path) -> tuple[str, str]:
    """Return the SHA-256 of a ZIP up to its comment, and the comment."""
    digest, left = hashlib.sha256(), path.stat().st_size - SEAL_BYTES
    with path.open("rb") as file:
        while left > 0:
            part = file.read(min(left, CHUNK))
            digest.update(part)
            left -= len(part)
        return digest.hexdigest(), file.read().decode("ascii", "replace")


def faults_within(bundle: Folder | Zip) -> Iterator[str]:
    names = set(bundle.names())
    if MANIFEST not in names:
        yield f"{MANIFEST}: is missing"
    contents = {}
    for name in sorted(names):
        try:
            contents[name] = bundle.read(name)
        except Exception as error:  # noqa: BLE001 whatever is wrong with one file of a ZIP
            yield f"{name}: can't be read ({error})"
    if MANIFEST in contents:
        yield from _against_manifest(contents, names)
    if LEDGER in contents:
        yield from _chain(contents[LEDGER])


def _against_manifest(contents: Mapping[str, bytes], names: set[str]) -> Iterator[str]:
    body, _, seal = contents[MANIFEST].rstrip(b"\n").rpartition(b"\n")
    body += b"\n"
    said = SEAL.fullmatch(seal.decode("ascii", "replace"))
    sealed = said is not None and said.group(1) == hashlib.sha256(body).hexdigest()
    if not sealed or contents[MANIFEST] != body + seal + b"\n":
        yield f"{MANIFEST}: was altered"
    listed = set()
    for number, line in enumerate(body.decode("utf-8", "replace").split("\n")[:-1], 1):
        found = LINE.fullmatch(line)
        if not found:
            yield f"{MANIFEST}, line {number}: names no file"
            continue
        digest, name = found.groups()
        listed.add(name)
        if name not in names:
            yield f"{name}: is missing"
        elif name in contents and hashlib.sha256(contents[name]).hexdigest() != digest:
            yield f"{name}: was altered"
    for name in sorted(names - listed - {MANIFEST}):
        yield f"{name}: is not in the manifest"


def _chain(raw: bytes) -> Iterator[str]:
    expected, previous, head = 1, FIRST, None
    for number, line in enumerate(raw.decode("utf-8", "replace").split("\n")[:-1], 1):
        try:
            entry = json.loads(line)
            if "head" in entry:
                head = (entry["head"]["seq"], entry["head"]["hash"])
                continue
            seq, before, digest = entry["seq"], entry["prev_hash"], entry["hash"]
            facts = entry.get("facts")
        except (ValueError, KeyError, TypeError, AttributeError):
            yield f"{LEDGER}, line {number}: can't be read"
            return
        if seq != expected:
            yield f"{LEDGER}, entry {seq}: stands where entry {expected} should"
        elif before != previous:
            yield f"{LEDGER}, entry {seq}: does not follow the one before it"
        if facts is not None and chained_hash(before, facts) != digest:
            yield f"{LEDGER}, entry {seq}: was altered"
        expected, previous = expected + 1, digest
    if head != (expected - 1, previous):
        yield f"{LEDGER}: the end of the chain is not the one that was recorded"


def chained_hash(before: str, facts: Mapping[str, Any]) -> str:
    body = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(f"{before}\n{body}".encode()).hexdigest()


def main() -> int:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
    found = list(faults(path))
    for sentence in found:
        sys.stdout.write(f"{sentence}\n")
    if found:
        sys.stdout.write(f"{len(found)} things are not as they were written.\n")
        return 1
    sys.stdout.write("The bundle is whole: every file and every entry is as it was written.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
