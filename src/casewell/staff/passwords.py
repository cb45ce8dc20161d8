"""Passwords: what is accepted, how they are kept, how they are checked in equal time."""

import re
import unicodedata
from functools import cache
from itertools import pairwise

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from casewell.staff.errors import WeakPassword

SHORTEST = 12
LONGEST = 256
# What the most used passwords are made of: a password that is little else is guessed first.
COMMON_PARTS = re.compile(
    r"pass(word|wort|phrase)?|passw0rd|p@ssw[o0]rd|qwert[yz]u?(iop)?|asdf(ghjkl?)?|zxcvbnm?|1q2w3e4r"
    r"(5t)?(6y)?|qazwsx(edc)?|abc(def)?|welcome|letmein|admin(istrator)?|iloveyou|monkey|dragon"
    r"|sunshine|princess|football|baseball|superman|trustno1|changeme|default|secret|login|master"
    r"|summer|winter|spring|autumn|casewell|0?123456789?0?|1234|9876543210?|987654321|(19|20)\d\d"
)
# Different characters that must be left beside such parts; digits alone need to be more.
FRESH = 5
DIGITS_ADDED = 6

_hasher = PasswordHasher()


def check_strength(password: str, *, email: str, name: str, firm: str = "") -> None:
    """Raise WeakPassword, which says what to do, for a password that is guessed first.

    Length is what counts (NIST SP 800-63B, 3.1.1.2): no rules about kinds of characters.
    """
    if len(password) < SHORTEST:
        raise WeakPassword(f"Use at least {SHORTEST} characters. A few words in a row do well.")
    if len(password) > LONGEST:
        raise WeakPassword(f"Use at most {LONGEST} characters.")
    plain = _plain(password)
    if len(set(plain)) < FRESH or _is_one_run(plain):
        raise WeakPassword("This repeats itself. Use a few words that don't belong together.")
    own = {part for text in (*email.split("@"), name, firm) for part in re.split(r"[\W_]+", text)}
    rest = plain
    for part in sorted((_plain(part) for part in own if len(part) > 2), key=len, reverse=True):
        rest = rest.replace(part, "")
    if rest != plain and _adds_little(rest):
        raise WeakPassword("This is made of your own name or address. Use a few other words.")
    if _adds_little(COMMON_PARTS.sub("", rest)):
        raise WeakPassword("Many people use this. Use a few words that don't belong together.")


def _adds_little(rest: str) -> bool:
    """Whether what stands beside a known word is what everybody puts there: a year, a mark."""
    rest = re.sub(r"[\W_]+", "", rest)
    return len(set(rest)) < FRESH or (rest.isdigit() and len(rest) <= DIGITS_ADDED)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _is_one_run(text: str) -> bool:
    """Whether every character follows the one before it, or some short piece is repeated."""
    steps = {ord(after) - ord(before) for before, after in pairwise(text)}
    return len(steps) == 1 or re.fullmatch(r"(.{1,4})\1+.{0,3}", text) is not None


def hash_password(password: str) -> str:
    return _hasher.hash(_normal(password))


def verify(stored: str | None, password: str) -> bool:
    """Whether `password` is the one stored. Without a stored one, no: but just as slowly."""
    try:
        _hasher.verify(stored or _nobodys_hash(), _normal(password))
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def is_outdated(stored: str) -> bool:
    """Whether a hash was made with weaker parameters than those of today."""
    return _hasher.check_needs_rehash(stored)


def _normal(password: str) -> str:
    # One person's two keyboards may compose the same accented letter differently.
    return unicodedata.normalize("NFC", password)


@cache
def _nobodys_hash() -> str:
    return _hasher.hash("no account has this password")
