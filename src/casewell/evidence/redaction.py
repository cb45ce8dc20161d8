"""Covering numbers that identify a person or an account; the last four digits stay.

As court rules have it for filings (Fed. R. Civ. P. 5.2): an SSN or an account shows its last four.
"""

import re
from collections.abc import Callable
from typing import Any

_SSN = re.compile(r"(?<![\d-])(\d{3})[-. \u2010-\u2013](\d{2})[-. \u2010-\u2013](\d{4})(?![\d-])")
# Nine digits in a row are one only where a word says so, or they end as the client's own.
_NINE = re.compile(r"(?<!\d)\d{5}(\d{4})(?!\d)")
_SAID_TO_BE_ONE = re.compile(
    r"((?:\bssn\b|\bitin\b|social(?:\s+security)?)\D{0,30}?)\d{5}(\d{4})(?!\d)", re.IGNORECASE
)
# A card, or any other number that is as long; groups of digits may be apart.
_LONG = re.compile(r"(?<![\w+])\d(?:[ -]?\d){9,18}(?!\w)")
_ACCOUNT = re.compile(
    r"((?:\b(?:acct|account|loan|card|member|policy|routing)\b)"
    r"[\s.:#]*(?:(?:number|num|no|nr)\b)?[\s.:#]*)([A-Z0-9*xX][A-Z0-9*xX -]{2,28}\d)(?!\w)",
    re.IGNORECASE,
)
_PHONE_DIGITS = (10, 11)


def holds_ssn(words: str) -> bool:
    """Whether a text holds what is written as an SSN is."""
    return _SSN.search(words) is not None


class Redactor:
    """Covers what it finds in texts; `found` counts it."""

    def __init__(self, ssn_last4: str | None) -> None:
        self._last4 = ssn_last4
        self.found = 0

    def text(self, words: str) -> str:
        """Return a text in which every such number shows its last four digits alone."""
        words = _SSN.sub(self._by(lambda hit: f"XXX-XX-{hit[3]}"), words)
        words = _SAID_TO_BE_ONE.sub(self._by(lambda hit: f"{hit[1]}XXXXX{hit[2]}"), words)
        if self._last4:
            words = _NINE.sub(self._own, words)
        words = _ACCOUNT.sub(self._account, words)
        return _LONG.sub(self._long, words)

    def value(self, plain: Any) -> Any:
        """Return a value of JSON with every text in it covered, names of fields left alone."""
        if isinstance(plain, str):
            return self.text(plain)
        if isinstance(plain, list):
            return [self.value(one) for one in plain]
        if isinstance(plain, dict):
            return {name: self.value(one) for name, one in plain.items()}
        return plain

    def _by(self, cover: Callable[[re.Match[str]], str]) -> Callable[[re.Match[str]], str]:
        def covered(hit: re.Match[str]) -> str:
            self.found += 1
            return cover(hit)

        return covered

    def _own(self, hit: re.Match[str]) -> str:
        if hit[1] != self._last4:
            return hit[0]
        self.found += 1
        return f"XXXXX{hit[1]}"

    def _account(self, hit: re.Match[str]) -> str:
        digits = sum(char.isdigit() for char in hit[2])
        if digits < 5:
            return hit[0]
        self.found += 1
        return hit[1] + _covered(hit[2])

    def _long(self, hit: re.Match[str]) -> str:
        digits = re.sub(r"\D", "", hit[0])
        if len(digits) in _PHONE_DIGITS and not digits.startswith("0"):
            return hit[0]  # a telephone number of the US
        self.found += 1
        return _covered(hit[0])


def _covered(number: str) -> str:
    """Return a number with all but its last four digits or letters covered, as it was spaced."""
    kept = 4
    out = []
    for char in reversed(number):
        if not char.isalnum():
            out.append(char)
        elif kept:
            kept -= 1
            out.append(char)
        else:
            out.append("X")
    return "".join(reversed(out))
