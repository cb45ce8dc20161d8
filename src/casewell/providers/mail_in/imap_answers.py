"""Reading FETCH answers, in the shape imaplib leaves them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

UID = re.compile(rb"\bUID (\d+)")
SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
INTERNALDATE = re.compile(
    rb'\bINTERNALDATE " ?(\d{1,2})-(\w{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)"'
)
QUOTED_BODY = re.compile(rb'\bBODY\[[^\]]*\](?:<\d+>)? "((?:[^"\\]|\\.)*)"')


@dataclass
class Fetched:
    """What one FETCH answer said about one mail."""

    uid: int
    size: int = 0
    received_at: datetime | None = None
    body: bytes | None = None


def fetched(answer: Iterable[bytes | tuple[bytes, bytes] | None]) -> dict[int, Fetched]:
    """Return what was answered, by UID.

    imaplib gives a mail with a body as a tuple (what stands before the literal, the literal) and
    a rest such as `)` or ` UID 7)`, others as one piece; flag changes nobody asked for come
    between them. Only what the server says is searched for facts, never a mail's own words.
    """
    mails: dict[int, Fetched] = {}
    facts, body = b"", None
    for piece in (*answer, None):
        starts_anew = piece is None or isinstance(piece, tuple) or re.match(rb"\d+ \(", piece)
        if starts_anew and facts:
            _take(mails, facts, body)
            facts, body = b"", None
        if isinstance(piece, tuple):
            facts, body = piece
        elif piece is not None:
            facts += piece
    return mails


def _take(mails: dict[int, Fetched], facts: bytes, body: bytes | None) -> None:
    quoted = QUOTED_BODY.search(facts)
    if body is None and quoted:
        body = re.sub(rb"\\(.)", rb"\1", quoted[1])
        facts = facts.replace(quoted[0], b"")
    named = UID.search(facts)
    if not named:
        return
    mail = mails.setdefault(int(named[1]), Fetched(int(named[1])))
    if size := SIZE.search(facts):
        mail.size = int(size[1])
    if received := INTERNALDATE.search(facts):
        mail.received_at = _moment(received)
    if body is not None:
        mail.body = body


def _moment(match: re.Match[bytes]) -> datetime | None:
    day, month, year, hour, minute, second, sign, hours, minutes = (
        group.decode("ascii") for group in match.groups()
    )
    ahead = timedelta(hours=int(hours), minutes=int(minutes))
    try:
        zone = timezone(-ahead if sign == "-" else ahead)
        number = MONTHS.index(month.capitalize()) + 1
        local = datetime(
            int(year), number, int(day), int(hour), int(minute), int(second), tzinfo=zone
        )
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
