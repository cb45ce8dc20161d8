"""The capability of keeping files under names that nobody chose."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol

from casewell.providers.errors import Rejected

CHUNK_BYTES = 1 << 20


class FileMissing(Rejected):
    def __init__(self) -> None:
        super().__init__("The file is not in the store.")


class FileTooLarge(Rejected):
    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"The file has more than {max_bytes:,} bytes.")


class FileDamaged(Rejected):
    def __init__(self) -> None:
        super().__init__("The file in the store is not the one that was put there.")


@dataclass(frozen=True)
class StoredFile:
    """What to remember of a file. `key` is 128 random bits in hex; `sha256` is hex too."""

    key: str
    size: int
    sha256: str


@dataclass(frozen=True)
class StoredKey:
    """What the store itself knows of a file, for comparing with the rows that name it."""

    key: str
    size: int
    modified_at: datetime


class FileStore(Protocol):
    def put(
        self,
        content: bytes | BinaryIO,
        max_bytes: int | None = None,
        *,
        key: str | None = None,
    ) -> StoredFile:
        """Keep a file, durably. Raises FileTooLarge, or Unavailable (disk full, for one).

        `key` is given by a restore alone, which must put files where rows expect them.
        """

    def put_all(self, contents: Sequence[bytes]) -> list[StoredFile]:
        """Keep several files, durably, in not much more time than one. Raises Unavailable."""

    def open(self, key: str) -> BinaryIO:
        """Raises FileMissing, also for a key that can't be one."""

    def delete(self, key: str) -> None:
        """Forget a file; an absent one is no error."""

    def exists(self, key: str) -> bool: ...

    def keys(self, prefix: str = "") -> Iterator[StoredKey]:
        """Every file whose key begins so, one at a time, in no order."""

    def discard_unfinished(self, before: datetime) -> int:
        """Remove what interrupted puts left behind before that time; return how many."""

    def free_bytes(self) -> int | None:
        """Room left, or None where the store knows no end."""

    def check(self) -> None:
        """Write, read and delete a probe. Raises Unavailable."""


def open_verified(store: FileStore, key: str, sha256: str) -> BinaryIO:
    """Open a file for a reader who must get what was put. Raises FileMissing, FileDamaged."""
    content = store.open(key)
    digest = hashlib.sha256()
    while chunk := content.read(CHUNK_BYTES):
        digest.update(chunk)
    if digest.hexdigest() != sha256:
        content.close()
        raise FileDamaged
    content.seek(0)
    return content
