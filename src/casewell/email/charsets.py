"""From bytes to text that is valid UTF-8, whatever the mail says about itself."""

import base64
import re

MAX_GUESSED_BYTES = 65_536

# Only codecs that map text. Python has others (unicode_escape, punycode, idna ...) which a mail
# must not reach. A superset stands in for each charset that mail programs confuse with it.
CODECS = {
    "ascii": "",
    "us-ascii": "",
    "ansi_x3.4-1968": "",
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "utf-32": "utf-32",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "windows-1252": "cp1252",
    "cp1252": "cp1252",
    **{f"iso-8859-{n}": f"iso8859-{n}" for n in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-9": "cp1254",
    "iso-8859-11": "cp874",
    **{f"windows-125{n}": f"cp125{n}" for n in (0, 1, 3, 4, 5, 6, 7, 8)},
    **{f"cp125{n}": f"cp125{n}" for n in (0, 1, 3, 4, 5, 6, 7, 8)},
    **{name: name for name in ("cp437", "cp850", "cp866", "koi8-r", "koi8-u", "cp874")},
    "ibm437": "cp437",
    "ibm850": "cp850",
    "tis-620": "cp874",
    "windows-874": "cp874",
    "macintosh": "mac-roman",
    "iso-2022-jp": "iso2022_jp_2",
    "iso-2022-kr": "iso2022_kr",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "windows-31j": "cp932",
    "cp932": "cp932",
    "euc-jp": "euc_jp",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "cp949": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb18030": "gb18030",
    "hz-gb-2312": "hz",
    "big5": "cp950",
    "big5-hkscs": "big5hkscs",
}
UTF_7 = frozenset({"utf-7", "utf7", "unicode-1-1-utf-7", "x-utf-7"})

# Kept: tab and line feed. Everything else that steers a terminal, a database or a log goes.
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
LINE_ENDS = re.compile("\r\n|\r")
LINE_BREAKING = re.compile("[\x00-\x20\x7f-\x9f\u2028\u2029]+")
BIDI_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069]")
UTF_7_RUN = re.compile(r"\+([A-Za-z0-9+/]{2,400})-?")


def decode(data: bytes, charset: str) -> tuple[str, bool]:
    """Return the text of `data`, and whether its charset was known and right.

    UTF-7 is never decoded as such: see `letters_of_utf7`.
    """
    name = charset.strip().strip("\"'").lower()
    if name in UTF_7:
        text, _ = _guess(data)
        return clean(text), True
    codec = CODECS.get(name)
    if codec is None:
        text, _ = _guess(data)
        return clean(text), not name and data.isascii()
    if codec == "":
        codec = "utf-8" if not data.isascii() else "ascii"
    if codec == "utf-16" and data[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        codec = "utf-16-be" if _zeros_come_first(data) else "utf-16-le"
    try:
        return clean(data.decode(codec)), True
    except (UnicodeError, ValueError):
        pass
    if codec in ("utf-8", "ascii") and not _mostly_utf8(data):
        return clean(_guess(data)[0]), False
    try:
        return clean(data.decode(codec, "replace")), False
    except (UnicodeError, ValueError):  # a few multi-byte codecs give up all the same
        return clean(data.decode("latin-1")), False


def decode_header_bytes(data: bytes) -> str:
    """Return raw header bytes as text: ASCII, else UTF-8, else the old Western charset."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        codec = "utf-8" if _mostly_utf8(data) else "cp1252"
        return data.decode(codec, "replace")


def letters_of_utf7(text: str) -> str:
    """Return `text` with the letters that UTF-7 hides, and none of the markup.

    A run that decodes to anything which means something in HTML or to a terminal stays as it
    is written, so that reading UTF-7 can never make a tag out of harmless-looking text.
    """
    return UTF_7_RUN.sub(_utf7_run, text)


def clean(text: str) -> str:
    """Return `text` as valid UTF-8 with `\\n` line ends and without control characters."""
    text = LINE_ENDS.sub("\n", text.removeprefix("\ufeff"))
    text = CONTROLS.sub("\ufffd", text)
    return text.encode("utf-8", "replace").decode("utf-8")


def one_line(text: str) -> str:
    """Return `text` on one line: every run of control and line-breaking characters is a space.

    Characters that turn the direction of what follows are dropped: they only serve disguise.
    """
    text = BIDI_CONTROLS.sub("", text).encode("utf-8", "replace").decode("utf-8")
    return LINE_BREAKING.sub(" ", text).strip()


def _utf7_run(run: re.Match[str]) -> str:
    digits = run[1]
    try:
        letters = base64.b64decode(digits + "=" * (-len(digits) % 4)).decode("utf-16-be")
    except (ValueError, UnicodeError):
        return run[0]
    if any(c in "<>&" or not c.isprintable() for c in letters):
        return run[0]
    return letters


def _guess(data: bytes) -> tuple[str, str]:
    try:
        return data.decode(), "utf-8"
    except UnicodeDecodeError:
        pass
    from charset_normalizer import from_bytes  # heavy, and seldom needed

    best = from_bytes(data[:MAX_GUESSED_BYTES]).best()
    codec = CODECS.get(best.encoding.replace("_", "-"), "") if best else ""
    codec = codec or "cp1252"
    return data.decode(codec, "replace"), codec


def _mostly_utf8(data: bytes) -> bool:
    text = data.decode("utf-8", "replace")
    beyond_ascii = sum(1 for c in text if c > "\x7f")
    return text.count("\ufffd") * 2 < beyond_ascii


def _zeros_come_first(data: bytes) -> bool:
    return data[0:2000:2].count(0) > data[1:2000:2].count(0)
