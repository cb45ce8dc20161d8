"""The header block of a mail or of one of its parts."""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import unquote_to_bytes

from casewell.email.charsets import UTF_7, decode, decode_header_bytes, letters_of_utf7, one_line
from casewell.email.parsed import Defect

FIELD = re.compile(rb"([!-9;-~]{1,200})[ \t]*:")
ENCODED_WORD = re.compile(r"=\?([^?\s]{1,80})\?([bBqQ])\?([^?]*)\?=")
BETWEEN_WORDS = re.compile(r"(\?=)\s+(?==\?[^?\s]{1,80}\?[bBqQ]\?)")
PIECE = re.compile(r'"(?:\\.|[^"\\])*+"?|[^";]+|;', re.DOTALL)
MESSAGE_ID = re.compile(r"<[^<>\s]{1,900}>")
MAX_VALUE = 64_000
OLDEST, NEWEST = datetime(1980, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
YEAR_OF_OLD = re.compile(r"[A-Za-z]\s+0\d{3}\b")  # the library takes 0001 for 2001
NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")


@dataclass
class Headers:
    """The fields of one block, in order, their names in lower case, their values unfolded."""

    fields: list[tuple[str, bytes]] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        return [decode_header_bytes(value) for known, value in self.fields if known == name]

    def first(self, name: str) -> str:
        """Return the topmost value, '' where the field is absent."""
        for known, value in self.fields:
            if known == name:
                return decode_header_bytes(value)
        return ""

    def __contains__(self, name: str) -> bool:
        return any(known == name for known, _ in self.fields)

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        return iter(self.fields)


def read_headers(
    raw: bytes, max_bytes: int, *, skip_blank: bool = False
) -> tuple[Headers, int, list[Defect]]:
    """Return the fields, and where the body begins; `skip_blank` lines above the first field.

    A line that is neither a field nor the continuation of one ends the block: the body then
    begins with it, as a mail program that forgot the empty line has meant it.
    """
    headers, defects = Headers(), list[Defect]()
    at, size = 0, len(raw)
    while at < size:
        newline = raw.find(b"\n", at)
        end = size if newline < 0 else newline + 1
        line = raw[at:end].rstrip(b"\r\n")
        if not line:
            if headers.fields or not skip_blank or at > max_bytes:
                return headers, end, defects
        elif line[:1] in b" \t":
            if headers.fields and at < max_bytes:
                name, value = headers.fields[-1]
                if len(value) < MAX_VALUE:
                    headers.fields[-1] = (name, value + b" " + line.strip())
        elif found := FIELD.match(line):
            if at < max_bytes:
                name = found[1].decode("ascii").lower()
                headers.fields.append((name, line[found.end() :].strip()[:MAX_VALUE]))
            elif Defect.HEADERS_CUT not in defects:
                defects.append(Defect.HEADERS_CUT)
        elif not (line.startswith((b"From ", b">From ")) and len(headers.fields) < 2):
            defects.append(Defect.BAD_HEADER)
            return headers, at, defects
        at = end
    return headers, size, defects


def decode_words(text: str) -> str:
    """Return `text` with its encoded words (RFC 2047) decoded; broken ones stay as written."""
    if "=?" not in text:
        return text
    # Neighbours in one charset are joined before decoding: many programs cut within a letter.
    out, at = list[str](), 0
    pending, pending_charset = b"", ""
    text = BETWEEN_WORDS.sub(r"\1", text)
    for word in ENCODED_WORD.finditer(text):
        charset = word[1].partition("*")[0].lower()
        data = _word_bytes(word[2], word[3])
        gap = text[at : word.start()]
        if pending and (gap or charset != pending_charset or data is None):
            out.append(_decode_word(pending, pending_charset))
            pending = b""
        out.append(gap)
        if data is None:
            out.append(word[0])
        else:
            pending, pending_charset = pending + data, charset
        at = word.end()
    if pending:
        out.append(_decode_word(pending, pending_charset))
    return "".join(out) + text[at:]


def text_value(headers: Headers, name: str) -> str:
    """Return the topmost field `name` decoded, on one line."""
    return one_line(decode_words(headers.first(name)))


def parameters(value: str) -> tuple[str, dict[str, str]]:
    """Split `value` into its first word in lower case and its parameters, RFC 2231 included."""
    main, pieces = "", [""]
    for piece in PIECE.findall(value):
        if piece == ";":
            pieces.append("")
        else:
            pieces[-1] += piece
    main, _, rest = pieces[0].strip().partition(" ")
    found = dict[str, str]()
    for piece in [rest, *pieces[1:201]]:  # `rest`: the semicolon after the type was forgotten
        name, equals, content = piece.partition("=")
        if equals:
            found.setdefault(name.strip().lower(), _unquote(content.strip()))
    return main.strip().lower(), _join_continuations(found)


def message_ids(value: str) -> list[str]:
    """Return the ids in `value`; a lone word without brackets gets them."""
    if ids := MESSAGE_ID.findall(value):
        return list(dict.fromkeys(ids))
    word = value.strip()
    if word and not re.search(r"[<>\s]", word) and len(word) < 900:
        return [f"<{word}>"]
    return []


def date(value: str) -> datetime | None:
    """Return the date in `value` in UTC; None where it is absent, broken or out of all reason."""
    if YEAR_OF_OLD.search(value[:200]):
        return None
    try:
        at = parsedate_to_datetime(value[:200])
        at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        return None
    return at if OLDEST <= at < NEWEST else None


def _word_bytes(encoding: str, content: str) -> bytes | None:
    if encoding in "qQ":
        data = content.replace("_", " ").encode("utf-8", "replace")
        return binascii.a2b_qp(data)
    digits = NOT_BASE64.sub("", content)
    if len(digits) % 4 == 1:
        digits = digits[:-1]
    try:
        return binascii.a2b_base64(digits + "=" * (-len(digits) % 4))
    except binascii.Error:
        return None


def _decode_word(data: bytes, charset: str) -> str:
    text, _ = decode(data, charset)
    return letters_of_utf7(text) if charset in UTF_7 else text


def _unquote(value: str) -> str:
    if value.startswith('"'):
        value = value[1:].removesuffix('"')
        # A backslash in a Windows path is meant: only quotes and doubled ones are escapes.
        return value.replace('\\"', '"').replace("\\\\", "\\")
    return value


def _join_continuations(found: dict[str, str]) -> dict[str, str]:
    """Resolve `name*=charset''text` and `name*0*=`, `name*1=` (RFC 2231)."""
    plain = {name: value for name, value in found.items() if "*" not in name}
    starred = sorted({name.partition("*")[0] for name in found if "*" in name})
    for name in starred:
        if (whole := found.get(f"{name}*")) is not None:
            pieces = [(whole, True)]
        else:
            pieces = list(_continuations(found, name))
        if not pieces:
            continue
        charset, data = "utf-8", b""
        for number, (piece, encoded) in enumerate(pieces):
            if encoded and number == 0 and piece.count("'") >= 2:
                charset, _, piece = piece.split("'", 2)
            data += unquote_to_bytes(piece) if encoded else piece.encode("utf-8", "replace")
        plain[name] = decode(data, charset)[0]
    return plain


def _continuations(found: dict[str, str], name: str) -> Iterator[tuple[str, bool]]:
    for number in range(200):
        if (piece := found.get(f"{name}*{number}*")) is not None:
            yield piece, True
        elif (piece := found.get(f"{name}*{number}")) is not None:
            yield piece, False
        else:
            return
