"""Twilio's signature of what it tells us.

base64(HMAC-SHA1(auth token, URL + name and value of each form field in order of the names)). The
URL is the public one, as Twilio called it: behind a proxy the application sees another.

Source: https://www.twilio.com/docs/usage/security
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlsplit

STANDARD_PORTS = {"https": 443, "http": 80}


def sign(token: str, url: str, fields: Mapping[str, Sequence[str]]) -> str:
    """Return the signature; values of a repeated field count once each, in order."""
    signed = url + "".join(
        name + value for name in sorted(fields) for value in sorted(set(fields[name]))
    )
    digest = hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode("ascii")


def is_signed(
    tokens: Sequence[str], url: str, fields: Mapping[str, Sequence[str]], given: str
) -> bool:
    """Whether one of our tokens made the signature `given`; without a token nothing is signed."""
    told = given.encode("utf-8", "replace")
    fits = [
        hmac.compare_digest(sign(token, spelled, fields).encode(), told)
        for token in tokens
        if token
        for spelled in _spellings(url)
    ]
    return any(fits)


def _spellings(url: str) -> Iterator[str]:
    """Yield the URL with and without its port: Twilio signs either."""
    yield url
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        return
    if port is not None:
        yield parts._replace(netloc=parts.netloc.rpartition(":")[0]).geturl()
    elif parts.scheme in STANDARD_PORTS:
        yield parts._replace(netloc=f"{parts.netloc}:{STANDARD_PORTS[parts.scheme]}").geturl()
