"""E-mail addresses in the one form in which they are compared."""

import re
import unicodedata

import idna


def normal_form(address: str) -> str:
    """Return the one form in which addresses are compared. Mail is sent to the original.

    Case is ignored in both halves; the domain is in A-labels (`xn--...`) without a final dot;
    quotes around a local part that needs none are dropped. Dots and plus-tags of the local part
    are kept: only some providers ignore them, and joining two people is worse than not joining
    one person's two addresses.
    """
    local, at, domain = unicodedata.normalize("NFC", address.strip()).rpartition("@")
    if not at:
        return address.strip().casefold()
    if len(local) > 2 and local[0] == local[-1] == '"':
        bare = re.sub(r"\\(.)", r"\1", local[1:-1])
        if not re.search(r'[\s"(),:;<>@\[\\\]]', bare) and ".." not in bare:
            local = bare.strip(".") or local
    return f"{local.casefold()}@{normal_domain(domain)}"


def normal_domain(domain: str) -> str:
    """Return `domain` in lower-case A-labels, as it came where it is no domain name."""
    domain = domain.strip().rstrip(".。．｡").casefold()
    if domain.isascii() or len(domain) > 253:
        return domain
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        return domain
