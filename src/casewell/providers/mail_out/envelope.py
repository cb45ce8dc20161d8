"""Addresses as the SMTP envelope carries them."""

from __future__ import annotations

import re
from typing import NamedTuple

ATOM = r"[^\s\x00-\x20\x7f<>()\[\]:;@\\,\"]+"
QUOTED = r'"(?:[^"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*"'
LOCAL_PART = re.compile(f"{ATOM}|{QUOTED}")
DOMAIN = re.compile(r"[A-Za-z0-9_.-]{1,255}|\[[0-9A-Za-z.:]{1,64}\]")


class Mailbox(NamedTuple):
    """`utf8`: only a server with SMTPUTF8 (RFC 6531) can carry it."""

    address: str
    utf8: bool


def mailbox(address: str) -> Mailbox | None:
    """Return `address` fit for MAIL and RCPT, its domain in ASCII, or None if it can't be.

    Nothing that could end the command or begin another one passes.
    """
    local, _, domain = address.rpartition("@")
    if not LOCAL_PART.fullmatch(local):
        return None
    try:
        ascii_domain = domain if domain.isascii() else domain.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    if not DOMAIN.fullmatch(ascii_domain):
        return None
    return Mailbox(f"{local}@{ascii_domain}", utf8=not local.isascii())
