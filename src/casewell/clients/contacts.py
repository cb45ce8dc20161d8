"""What the pages of clients tell of messages, which are kept in a package above this one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

from casewell.kernel.access import Identity


@dataclass(frozen=True)
class LastContact:
    """The newest message of a client, and how many of theirs wait for the viewer."""

    channel: str
    at: datetime
    unread: int


@dataclass(frozen=True)
class Written:
    """What a message says, in a line or two."""

    channel: str
    subject: str
    preview: str


class Contacts(Protocol):
    def last_contacts(
        self, session: Session, viewer: Identity, client_ids: Sequence[int]
    ) -> Mapping[int, LastContact]:
        """Return the last contact of those of these clients that had any; ids are visible ones."""

    def written(self, session: Session, message_ids: Sequence[int]) -> Mapping[int, Written]:
        """Return the words of messages, by id; those taken back before they left are absent."""


class _Wiring:
    contacts: Contacts


def use_contacts(contacts: Contacts) -> None:
    """Say who knows of messages; `casewell.wiring` does."""
    _Wiring.contacts = contacts


def contacts() -> Contacts:
    return _Wiring.contacts
