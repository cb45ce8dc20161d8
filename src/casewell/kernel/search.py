"""Full-text search on both databases behind one function.

SQLite keeps an FTS5 index over the table's own text, PostgreSQL an expression GIN index; both
fold case and accents alike, neither stems.
"""

import re
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

MOST_WORDS = 12
SPAN = 1024


def words_of(query: str) -> list[str]:
    """Return the words of a query, lower-cased; punctuation separates words, as in the index."""
    return re.findall(r"[^\W_]+", query.lower())[:MOST_WORDS]


def matches(
    session: Session,
    table: sa.Table,
    columns: tuple[str, ...],
    query: str,
) -> ColumnElement[bool] | None:
    """Return a condition that holds for rows with every word of `query`; None: no words.

    The last word also matches as a prefix, so that results come while one types. `table` has a
    single key `id`, and the index its migration made: `<table>_search`.
    """
    words = Words(tuple(words_of(query)))
    if not words:
        return None
    if session.get_bind().dialect.name == "sqlite":
        index = sa.table(f"{table.name}_search", sa.column("rowid"))
        found = sa.select(index.c.rowid).where(
            sa.text(f"{table.name}_search MATCH :phrase").bindparams(phrase=words.for_sqlite())
        )
        return table.c.id.in_(found)
    return tsvector(table, columns).op("@@")(tsquery(sa.literal(words.for_postgresql())))


@dataclass(frozen=True)
class Words:
    """What a text must hold: each plain word, the last one as a prefix too, and each phrase."""

    plain: tuple[str, ...] = ()
    phrases: tuple[tuple[str, ...], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.plain or self.phrases)

    @property
    def apart(self) -> tuple[str, ...]:
        """Every word, those of phrases first, as if none stood in a phrase."""
        return (*(word for phrase in self.phrases for word in phrase), *self.plain)

    def for_sqlite(self) -> str:
        exact = [" ".join(phrase) for phrase in self.phrases] + list(self.plain[:-1])
        quoted = [f'"{words}"' for words in exact]
        return " ".join([*quoted, *(f'"{word}"*' for word in self.plain[-1:])])

    def for_postgresql(self) -> str:
        """Return the words of a tsquery without regard to phrases: see `phrases_for_postgresql`."""
        whole = [*(word for phrase in self.phrases for word in phrase), *self.plain[:-1]]
        return " & ".join([*whole, *(f"{word}:*" for word in self.plain[-1:])])

    def phrases_for_postgresql(self) -> str:
        """Return the phrases that the index alone can't answer; empty: it can."""
        return " & ".join(" <-> ".join(phrase) for phrase in self.phrases if len(phrase) > 1)


def tsquery(phrase: ColumnElement[str]) -> ColumnElement[str]:
    return sa.func.to_tsquery(sa.literal_column("'simple'"), phrase)


# PostgreSQL's parser takes these for parts of addresses, hosts and signed numbers and would keep
# the whole as one word; SQLite's index, and people who search, take them apart.
JOINING = "@./-_+&=#~?"
_JOINING, _SPACES = f"'{JOINING}'", f"'{' ' * len(JOINING)}'"


def tsvector(table: sa.FromClause, columns: tuple[str, ...]) -> ColumnElement[str]:
    """Return the expression that the PostgreSQL index is built on; it must match to the letter."""
    parts = [sa.func.coalesce(table.c[name], sa.literal_column("''")) for name in columns]
    joined: ColumnElement[str] = parts[0]
    for part in parts[1:]:
        joined = joined + sa.literal_column("' '") + part
    apart = sa.func.translate(joined, sa.literal_column(_JOINING), sa.literal_column(_SPACES))
    return sa.func.to_tsvector(sa.literal_column("'simple'"), apart)


def sqlite_index(table: str, columns: tuple[str, ...]) -> list[str]:
    """Return the statements that make and keep the FTS5 index of a table."""
    names = ", ".join(columns)
    new = ", ".join(f"new.{name}" for name in columns)
    old = ", ".join(f"old.{name}" for name in columns)
    index = f"{table}_search"
    # Names of our own tables and columns, none from outside.
    forget = f"INSERT INTO {index}({index}, rowid, {names}) VALUES ('delete', old.id, {old});"  # noqa: S608
    learn = f"INSERT INTO {index}(rowid, {names}) VALUES (new.id, {new});"  # noqa: S608
    return [
        f"CREATE VIRTUAL TABLE {index} USING fts5({names}, content='{table}', content_rowid='id', "
        "tokenize='unicode61')",
        f"CREATE TRIGGER {index}_insert AFTER INSERT ON {table} BEGIN {learn} END",
        f"CREATE TRIGGER {index}_delete AFTER DELETE ON {table} BEGIN {forget} END",
        f"CREATE TRIGGER {index}_update AFTER UPDATE OF {names} ON {table} "
        f"BEGIN {forget} {learn} END",
    ]


def sqlite_spans(table: str, time: str) -> list[str]:
    """Return the statements that keep, for each SPAN numbers of a table, from when to when it is.

    They tell a search that walks the numbers where rows lie out of time order. Bounds only ever
    widen: a span may say too much, never too little.
    """
    spans = f"{table}_search_spans"
    keep = (
        f"INSERT INTO {spans} VALUES (new.id / {SPAN}, new.{time}, new.{time}) "  # noqa: S608
        "ON CONFLICT (span) DO UPDATE SET "
        "oldest = min(oldest, excluded.oldest), newest = max(newest, excluded.newest);"
    )
    return [
        f"CREATE TABLE {spans} (span INTEGER PRIMARY KEY, oldest TEXT NOT NULL, "
        "newest TEXT NOT NULL)",
        f"CREATE TRIGGER {spans}_insert AFTER INSERT ON {table} BEGIN {keep} END",
        f"CREATE TRIGGER {spans}_update AFTER UPDATE OF {time} ON {table} BEGIN {keep} END",
    ]


def postgresql_index(table: str, columns: tuple[str, ...]) -> str:
    """Return the statement that makes the GIN index of a table."""
    joined = " || ' ' || ".join(f"coalesce({name}, '')" for name in columns)
    apart = f"translate({joined}, {_JOINING}, {_SPACES})"
    return f"CREATE INDEX {table}_search ON {table} USING gin (to_tsvector('simple', {apart}))"
