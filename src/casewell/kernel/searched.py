"""Words that are looked for, as an address may carry them: what is private stands sealed in it.

Addresses end up in logs, histories and screens that are shared.
"""

import re
from collections.abc import Mapping
from typing import Any

from casewell.kernel.crypto import CannotDecrypt, process_keyring
from casewell.kernel.errors import BadCursor

CONTEXT = "searched"


def is_private(query: str) -> bool:
    """Whether a query may hold an address, a phone number or an SSN: no part of a URL."""
    return "@" in query or len(re.findall(r"\d", query)) >= 7


def as_parameters(query: str) -> dict[str, Any]:
    """Return the parameters by which an address tells what is looked for; none for nothing."""
    if not query:
        return {}
    if is_private(query):
        return {"s": process_keyring().encrypt(query, CONTEXT)}
    return {"q": query}


def read_words(given: Mapping[str, str], *, most: int) -> str:
    """Return the words of a form or an address, on one line, without what no database takes.

    Raises BadCursor for sealed ones that are not ours.
    """
    words = given.get("q", "")
    if sealed := given.get("s"):
        try:
            words = process_keyring().decrypt(sealed, CONTEXT)
        except CannotDecrypt as error:
            raise BadCursor from error
    return " ".join(words.replace("\x00", " ").split())[:most]
