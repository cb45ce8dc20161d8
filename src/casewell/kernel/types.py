"""Column types that refuse nonsense."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from casewell.kernel.crypto import process_keyring


class UTCDateTime(TypeDecorator[datetime]):
    """An instant. Refuses naive values; always read back in UTC.

    SQLite keeps it as text of one width in UTC, so that order by text is order by time.
    """

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(sa.String(26))
        return dialect.type_descriptor(sa.DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without its zone is not an instant")
        value = value.astimezone(UTC)
        if dialect.name == "sqlite":
            return value.replace(tzinfo=None).isoformat(" ", "microseconds")
        return value

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[Any], datetime | None] | None:
        """Return what makes an instant of a column's value; lists hold hundreds, so no detours."""
        return _from_text if dialect.name == "sqlite" else _from_driver


def _from_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value + "+00:00")


def _from_driver(value: datetime | None) -> datetime | None:
    return value if value is None or value.tzinfo is UTC else value.astimezone(UTC)


@dataclass(frozen=True)
class Sealed:
    """A stored ciphertext. Opening it is an act of its own, so that loading a row never is."""

    ciphertext: str
    context: str

    def open(self) -> str:
        """Return the text. Raises CannotDecrypt."""
        return process_keyring().decrypt(self.ciphertext, self.context)

    @classmethod
    def seal(cls, text: str, context: str) -> "Sealed":
        return cls(process_keyring().encrypt(text, context), context)

    def with_current_key(self) -> "Sealed":
        """Return the same text under the key that encrypts now. Raises CannotDecrypt."""
        return Sealed.seal(self.open(), self.context)


class Encrypted(TypeDecorator[Sealed]):
    """A column of `Sealed` text; `context` names its table and column."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, context: str) -> None:
        super().__init__()
        self.context = context

    def process_bind_param(self, value: Sealed | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        if value.context != self.context:
            raise ValueError("this value was sealed for another column")
        return value.ciphertext

    def process_result_value(self, value: str | None, dialect: Dialect) -> Sealed | None:
        return None if value is None else Sealed(value, self.context)
