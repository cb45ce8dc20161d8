"""What of a hit is shown: the text around the first word that was looked for."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from casewell.inbox.search_query import read_search

BEFORE_A_WORD = 40
SHOWN = 160


class Piece(NamedTuple):
    """Part of an excerpt; `hit`: it matches a word that was looked for."""

    text: str
    hit: bool


def excerpt(text: str, query: str) -> list[Piece]:
    """Return what stands around the first hit in `text`, cut into what matches and what not."""
    wanted = _wanted(query)
    first = next(_spots(wanted, text), None)
    # More than is shown, for white space is folded: the rest of a long text is never looked at.
    left = max(0, first[0] - 2 * BEFORE_A_WORD) if first else 0
    right = left + 3 * SHOWN
    part = " ".join(text[left:right].split())
    spots = list(_spots(wanted, part)) if first else []
    start = _word_start(part, max(0, spots[0][0] - BEFORE_A_WORD), spots[0][0]) if spots else 0
    end = start + SHOWN
    pieces, at = [Piece("…", False)] if start or left else [], start
    for begin, stop in spots:
        if begin < at or begin >= end:
            continue
        pieces += [Piece(part[at:begin], False), Piece(part[begin:stop], True)]
        at = stop
    goes_on = end < len(part) or right < len(text)
    pieces.append(Piece(part[at:end] + ("…" if goes_on else ""), False))
    return [piece for piece in pieces if piece.text]


def _word_start(text: str, at: int, end: int) -> int:
    """Return where the first whole word from `at` on begins, `end` at the latest."""
    if at == 0 or text[at - 1] == " ":
        return at
    space = text.find(" ", at, end)
    return at if space < 0 else space + 1


@lru_cache
def _wanted(query: str) -> re.Pattern[str]:
    """Return what finds words as the index sees them: whole, the last one also as a prefix."""
    words = [re.escape(_folded(word)) for word in read_search(query).words.apart]
    if not words:
        return re.compile(r"(?!)")  # nothing
    *whole, last = words
    each = "|".join([*(f"{word}{END}" for word in whole), rf"{last}[^\W_]*"])
    return re.compile(each)


END = r"(?![^\W_])"


def _spots(wanted: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    """Yield where words begin and end. (A look behind in the pattern would cost ten times more.)"""
    folded = _folded(text)
    for found in wanted.finditer(folded):
        begin = found.start()
        if begin == 0 or not folded[begin - 1].isalnum():
            yield found.span()


def _folded(text: str) -> str:
    """Return text without case and accents, each character in its place."""
    return text.lower() if text.isascii() else "".join(map(_fold, text))


def _fold(char: str) -> str:
    """Return one character without case and accent, so that places in the text stay the same."""
    if char.isascii():
        return char.lower()
    return unicodedata.normalize("NFD", char)[0].lower()[:1] or char
