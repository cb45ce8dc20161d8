"""What the pages of clients tell of tags, which are kept in a package above this one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

MOST_OFFERED = 50


class Match(StrEnum):
    """How many of the tags that are named a client must have."""

    ALL = "all"
    ANY = "any"
    NONE = "none"


@dataclass(frozen=True)
class ShownTag:
    """A tag as it stands beside a client's name; `colour` is a hue's name or #rrggbb."""

    id: int
    name: str
    colour: str


class Tagging(Protocol):
    def offered(
        self, session: Session, words: str = "", chosen: Sequence[int] = ()
    ) -> Sequence[ShownTag]:
        """Return the tags that are chosen, then some of those whose name holds the words."""

    def tags_of(
        self, session: Session, client_ids: Sequence[int]
    ) -> Mapping[int, Sequence[ShownTag]]:
        """Return the tags of those of these clients that have any, by name, in one statement."""

    def having(self, tag_ids: Sequence[int], match: Match) -> ColumnElement[bool]:
        """Return a condition on `Client`; one of a tag that is gone holds for nobody."""


class _Wiring:
    tagging: Tagging


def use_tagging(tagging: Tagging) -> None:
    """Say who knows of tags; `casewell.wiring` does."""
    _Wiring.tagging = tagging


def tagging() -> Tagging:
    return _Wiring.tagging
