"""Bodies that prove who sent them and when: `t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`.

Both ways alike: mail that is pushed to us, and webhooks that we call.
"""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

HEADER = "X-Casewell-Signature"
LONGEST_AGE = 300
MOST_DIGITS = 12


def signature(secrets: Sequence[str], body: bytes, at: datetime) -> str:
    """Return the header's value: a `v1` for each secret, two while one replaces the other."""
    stamp = str(int(at.timestamp()))
    return ",".join([f"t={stamp}", *(f"v1={_digest(secret, stamp, body)}" for secret in secrets)])


def is_signed(secrets: Sequence[str], body: bytes, given: str, now: datetime) -> bool:
    """Whether a body was signed with one of our secrets, at most five minutes from now."""
    parts = [part.strip().partition("=")[::2] for part in given.split(",")]
    stamps = [value for name, value in parts if name == "t"]
    if len(stamps) != 1 or not _is_stamp(stamps[0]):
        return False
    told = [value.encode() for name, value in parts if name == "v1"]
    own = [_digest(secret, stamps[0], body).encode() for secret in secrets]
    fits = [hmac.compare_digest(one, other) for one in own for other in told]
    return any(fits) and abs(now.timestamp() - int(stamps[0])) <= LONGEST_AGE


def _is_stamp(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS


def _digest(secret: str, stamp: str, body: bytes) -> str:
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
