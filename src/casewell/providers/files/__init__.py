"""Keeping files: attachments, raw mails, exports."""

from __future__ import annotations

from casewell.kernel.settings import Settings
from casewell.providers.files.store import (
    FileDamaged,
    FileMissing,
    FileStore,
    FileTooLarge,
    StoredFile,
    StoredKey,
    open_verified,
)

__all__ = [
    "FileDamaged",
    "FileMissing",
    "FileStore",
    "FileTooLarge",
    "StoredFile",
    "StoredKey",
    "file_store",
    "open_verified",
]


def file_store(settings: Settings) -> FileStore:
    """Return the store this installation is set up for."""
    from casewell.providers.files.disk import DiskStore

    return DiskStore(settings.files)
