"""Files on the disk of this machine."""

from __future__ import annotations

import hashlib
import io
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from casewell.providers.errors import Unavailable
from casewell.providers.files.store import (
    CHUNK_BYTES,
    FileMissing,
    FileTooLarge,
    StoredFile,
    StoredKey,
)

AT_ONCE = 16
KEY = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class DiskStore:
    """A file lies in one of 256 folders, by the first two digits of its key."""

    folder: Path

    def put(
        self,
        content: bytes | BinaryIO,
        max_bytes: int | None = None,
        *,
        key: str | None = None,
    ) -> StoredFile:
        source = io.BytesIO(content) if isinstance(content, bytes) else content
        key = key or secrets.token_hex(16)
        unfinished = self._unfinished / key
        try:
            self._make_folder(unfinished.parent)
            stored = _copy(source, unfinished, key, max_bytes)
            place = self._place(key)
            self._make_folder(place.parent)
            unfinished.rename(place)
            _sync_folder(place.parent)
        except OSError as error:
            raise Unavailable("The file store can't be written.", str(error)) from error
        finally:
            with suppress(OSError):
                unfinished.unlink()
        return stored

    def put_all(self, contents: Sequence[bytes]) -> list[StoredFile]:
        if len(contents) < 2:
            return [self.put(content) for content in contents]
        # A disk that is asked to keep many files at once writes its journal once for them.
        with ThreadPoolExecutor(min(len(contents), AT_ONCE)) as threads:
            return list(threads.map(self.put, contents))

    def open(self, key: str) -> BinaryIO:
        try:
            return self._place(key).open("rb")
        except FileNotFoundError as error:
            raise FileMissing from error
        except OSError as error:
            raise Unavailable("The file store can't be read.", str(error)) from error

    def delete(self, key: str) -> None:
        if self.exists(key):
            self._place(key).unlink(missing_ok=True)

    def exists(self, key: str) -> bool:
        return KEY.fullmatch(key) is not None and self._place(key).is_file()

    def keys(self, prefix: str = "") -> Iterator[StoredKey]:
        for shard in self.folder.glob("[0-9a-f][0-9a-f]"):
            if not shard.name.startswith(prefix[:2]):
                continue
            for entry in os.scandir(shard):
                if KEY.fullmatch(entry.name) and entry.name.startswith(prefix):
                    facts = entry.stat()
                    modified_at = datetime.fromtimestamp(facts.st_mtime, UTC)
                    yield StoredKey(entry.name, facts.st_size, modified_at)

    def discard_unfinished(self, before: datetime) -> int:
        discarded = 0
        for path in self._unfinished.glob("*"):
            if path.stat().st_mtime < before.timestamp():
                path.unlink(missing_ok=True)
                discarded += 1
        return discarded

    def free_bytes(self) -> int | None:
        try:
            return shutil.disk_usage(self.folder).free
        except OSError as error:
            raise Unavailable("The file store can't be read.", str(error)) from error

    def check(self) -> None:
        probe = secrets.token_bytes(32)
        key = self.put(probe).key
        with self.open(key) as content:
            kept = content.read()
        self.delete(key)
        if kept != probe:
            raise Unavailable("The file store does not return what was put there.")

    def _make_folder(self, folder: Path) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)

    @property
    def _unfinished(self) -> Path:
        return self.folder / "unfinished"

    def _place(self, key: str) -> Path:
        """Raises FileMissing for anything but a key: a key is never a way out of the folder."""
        if not KEY.fullmatch(key):
            raise FileMissing
        return self.folder / key[:2] / key


def _copy(source: BinaryIO, target: Path, key: str, max_bytes: int | None) -> StoredFile:
    digest, size = hashlib.sha256(), 0
    with open(target, "xb", opener=_private) as file:
        while chunk := source.read(CHUNK_BYTES):
            size += len(chunk)
            if max_bytes is not None and size > max_bytes:
                raise FileTooLarge(max_bytes)
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return StoredFile(key, size, digest.hexdigest())


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync_folder(folder: Path) -> None:
    """A rename outlives a power cut only once its folder is on disk too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
