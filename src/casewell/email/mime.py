"""The tree of parts of a mail, cut without recursion and within limits.

The standard library's parser raises on some hostile mails and recurses into nested ones
(measured on CPython 3.11), hence this one: a part is a slice, and what can't be cut is a leaf.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from casewell.email.headers import Headers, decode_words, parameters, read_headers
from casewell.email.parsed import Defect, Limits

TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,80}/[a-z0-9!#$&^_.+-]{1,120}")
NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
# Types that hold a whole mail: offered as a file, never looked into.
WHOLE_MAILS = ("message/rfc822", "message/global", "message/partial", "message/news")


@dataclass
class Part:
    headers: Headers
    body: bytes  # as it stands in the mail, still encoded
    content_type: str = "text/plain"
    parameters: dict[str, str] = field(default_factory=dict)
    disposition: str = ""
    file_name: str = ""
    content_id: str | None = None
    parent: "Part | None" = None
    depth: int = 0
    parts: list["Part"] = field(default_factory=list)

    @property
    def is_multipart(self) -> bool:
        return bool(self.parts)

    def walk(self) -> Iterator["Part"]:
        """Yield this part and all below it, in the order of the mail."""
        waiting = [self]
        while waiting:
            part = waiting.pop()
            yield part
            waiting += reversed(part.parts)

    def leaves(self) -> Iterator["Part"]:
        return (part for part in self.walk() if not part.parts)

    def content(self) -> tuple[bytes, bool]:
        """Return the decoded bytes, and whether their encoding was sound."""
        encoding = self.headers.first("content-transfer-encoding").strip().lower()
        if encoding == "base64":
            return _base64(self.body)
        if encoding == "quoted-printable":
            return binascii.a2b_qp(self.body), True
        if encoding in ("x-uuencode", "uuencode", "x-uue", "uue"):
            return _uuencoded(self.body)
        return self.body, encoding in ("", "7bit", "8bit", "binary")


def read_parts(raw: bytes, limits: Limits) -> tuple[Part, list[Defect]]:
    """Return the root of the tree."""
    headers, start, defects = read_headers(raw, limits.header_bytes, skip_blank=True)
    root = _part(headers, raw[start:], parent=None)
    waiting, count = [root], 1
    while waiting:
        part = waiting.pop()
        if not part.content_type.startswith("multipart/"):
            continue
        boundary = part.parameters.get("boundary", "")
        pieces = _pieces(part.body, boundary) if boundary else []
        if not pieces:
            defects.append(Defect.NO_BOUNDARY)
            part.content_type = "text/plain"
            continue
        if part.depth >= limits.depth or count + len(pieces) > limits.parts:
            defects.append(Defect.PARTS_CUT)
            part.content_type = "application/octet-stream"
            continue
        for piece in pieces:
            own, begins, wrong = read_headers(piece, limits.header_bytes)
            defects += wrong
            part.parts.append(_part(own, piece[begins:], parent=part))
        part.body = b""
        count += len(pieces)
        waiting += part.parts
    if len(headers.all("content-type")) > 1:
        defects.append(Defect.SEVERAL_CONTENT_TYPES)
    return root, defects


def _part(headers: Headers, body: bytes, parent: Part | None) -> Part:
    in_digest = parent is not None and parent.content_type == "multipart/digest"
    content_type, values = parameters(headers.first("content-type"))
    if not TYPE.fullmatch(content_type):
        content_type = "message/rfc822" if in_digest else "text/plain"
    disposition, more = parameters(headers.first("content-disposition"))
    name = more.get("filename", "") or values.get("name", "")
    content_id = headers.first("content-id").strip().strip("<>").strip()
    return Part(
        headers,
        body,
        content_type,
        values,
        disposition,
        decode_words(name),
        content_id[:500] or None,
        parent,
        parent.depth + 1 if parent else 0,
    )


def _pieces(body: bytes, boundary: str) -> list[bytes]:
    """Cut `body` at its delimiter lines; the last piece may lack the closing one.

    Pieces after a closing delimiter are kept: a program that nests two multiparts with one
    boundary writes them, and what a person was sent is not hidden for it.
    """
    mark = re.escape(boundary.rstrip().encode("utf-8", "replace"))
    delimiter = re.compile(rb"^--" + mark + rb"(--)?[ \t]*\r?$\n?", re.MULTILINE)
    pieces, begin = list[bytes](), -1
    for found in delimiter.finditer(body):
        if begin >= 0:
            pieces.append(_without_last_newline(body[begin : found.start()]))
        begin = -1 if found[1] else found.end()
    if begin >= 0 and begin < len(body):
        pieces.append(body[begin:])
    return pieces


def _without_last_newline(piece: bytes) -> bytes:
    return piece.removesuffix(b"\n").removesuffix(b"\r")


def _base64(body: bytes) -> tuple[bytes, bool]:
    digits = NOT_BASE64.sub(b"", body)
    sound = len(digits) == len(body.translate(None, b" \t\r\n=")) and len(digits) % 4 != 1
    if len(digits) % 4 == 1:
        digits = digits[:-1]
    try:
        return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4)), sound
    except binascii.Error:
        return body, False


def _uuencoded(body: bytes) -> tuple[bytes, bool]:
    out, sound = list[bytes](), True
    for line in body.splitlines():
        if line.startswith(b"begin ") or line in (b"end", b"`", b""):
            continue
        try:
            out.append(binascii.a2b_uu(line))
        except binascii.Error:
            try:  # some encoders write a length that doesn't match the line
                out.append(binascii.a2b_uu(line[: 1 + (((line[0] - 32) & 63) * 4 + 5) // 3]))
            except binascii.Error:
                sound = False
    return b"".join(out), sound
