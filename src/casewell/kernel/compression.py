"""Pages and JSON compressed for the wire.

What a page repeats of the request could be guessed by how well it compresses with the page's
secrets. So each answer carries a name of random length in its gzip header, which no length can be
told apart from ("Heal The Breach", https://ieeexplore.ieee.org/document/9754554).
"""

from __future__ import annotations

import gzip
import io
import secrets

from flask import Response, request

LEAST = 1_000  # bytes; below that the header costs more than it saves
LEVEL = 5
LONGEST_NAME = 100
_TYPES = frozenset({"text/html", "application/json", "application/problem+json"})


def compress(answer: Response) -> None:
    """Compress the body of `answer` where the browser takes it and it is worth it."""
    if answer.mimetype not in _TYPES or answer.is_streamed or answer.direct_passthrough:
        return
    vary_by(answer, "Accept-Encoding")
    if "Content-Encoding" in answer.headers or not request.accept_encodings["gzip"]:
        return
    body = answer.get_data()
    if len(body) < LEAST:
        return
    answer.set_data(_zipped(body))
    answer.headers["Content-Encoding"] = "gzip"


def vary_by(answer: Response, header: str) -> None:
    """Say that the answer depends on a header of the request. (`vary.add` parses and prints.)"""
    said = answer.headers.get("Vary")
    answer.headers["Vary"] = f"{said}, {header}" if said else header


def _zipped(body: bytes) -> bytes:
    name = "x" * (1 + secrets.randbelow(LONGEST_NAME))
    out = io.BytesIO()
    with gzip.GzipFile(name, "wb", LEVEL, out, mtime=0) as file:
        file.write(body)
    return out.getvalue()
