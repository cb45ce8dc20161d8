"""HTML from outside as a flat, well-nested run of tokens, read in linear time.

nh3 takes quadratic time on deep nesting (200,000 open `div` took 300 s), and a browser's error
recovery can multiply misnested tags. So both what is sanitised and what becomes plain text goes
through here first: comments, scripts and drawings are gone, every element is closed where it was
opened, and nesting has a limit. It is no sanitiser: that is nh3's part, afterwards.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from html import unescape
from string import ascii_lowercase, ascii_uppercase

MAX_DEPTH = 100
MAX_TAGS = 50_000
MAX_ATTRIBUTES = 16_000  # characters in one tag
MAX_ODD_TAGS = 50

VOID = frozenset({"br", "hr", "img", "wbr", "col", "input", "meta", "base", "link", "area"})
# Their end tags may be left out, so they are never on the stack.
LOOSE = frozenset({"p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot"})
# Dropped with all that is in them.
OPAQUE = frozenset(
    {
        *("script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes"),
        *("plaintext", "svg", "math", "object", "template", "select", "audio", "video", "canvas"),
    }
)

# str.lower() makes a few letters longer, which would shift every index.
LOWER_ASCII = str.maketrans(ascii_uppercase, ascii_lowercase)
MARK = re.compile(r"<(?=[a-zA-Z/!?])")
COMMENT_END = re.compile(r"--!?>")
STRICT_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*+)((?:[^>\"']++|\"[^\"]*+\"|'[^']*+')*+)>")
LOOSE_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*+)([^>]*+)>")
ATTRIBUTE = re.compile(r"([^\s=/>\"']++)(?:\s*+=\s*+(?:\"([^\"]*)\"?|'([^']*)'?|([^\s>]++)))?")


class Kind(Enum):
    TEXT = auto()
    OPEN = auto()
    CLOSE = auto()


@dataclass(frozen=True, slots=True)
class Token:
    kind: Kind
    name: str = ""  # of the element, in lower case
    text: str = ""  # without entities
    attributes: dict[str, str] = field(default_factory=dict)


def tokens(html: str) -> Iterator[Token]:
    """Yield what `html` says. Each OPEN but the void and loose ones has its CLOSE."""
    stack = list[str]()
    for count, token in enumerate(_raw_tokens(html)):
        if token.kind is Kind.TEXT:
            yield token
        elif count > MAX_TAGS:
            continue
        elif token.name in VOID or token.name in LOOSE:
            if token.kind is Kind.OPEN or token.name in LOOSE:
                yield token
        elif token.kind is Kind.OPEN:
            if len(stack) < MAX_DEPTH:
                stack.append(token.name)
                yield token
        elif token.name in stack:
            while (open_name := stack.pop()) != token.name:
                yield Token(Kind.CLOSE, open_name)
            yield token
    while stack:
        yield Token(Kind.CLOSE, stack.pop())


def _raw_tokens(html: str) -> Iterator[Token]:
    lower, at, odd = html.translate(LOWER_ASCII), 0, 0
    while at < len(html):
        begins = MARK.search(html, at)
        if begins is None:
            yield Token(Kind.TEXT, text=unescape(html[at:]))
            return
        mark = begins.start()
        if mark > at:
            yield Token(Kind.TEXT, text=unescape(html[at:mark]))
        follows = html[mark + 1 : mark + 2]
        if html.startswith("<!--", mark):
            end = COMMENT_END.search(html, mark + 2)
            at = end.end() if end else len(html)
        elif follows in ("!", "?") or (
            follows == "/" and not _is_letter(html[mark + 2 : mark + 3])
        ):
            end_at = html.find(">", mark)
            at = end_at + 1 if end_at >= 0 else len(html)
        else:
            tag = STRICT_TAG.match(html, mark) if odd < MAX_ODD_TAGS else None
            if tag is None:
                odd += 1
                tag = LOOSE_TAG.match(html, mark)
            if tag is None:
                return  # the mail ends within a tag: so does every browser's reading
            name, at = tag[2].lower()[:40], tag.end()
            if tag[1]:
                yield Token(Kind.CLOSE, name)
            elif name in OPAQUE:
                at = _after_element(lower, name, at)
            else:
                yield Token(Kind.OPEN, name, attributes=_attributes(tag[3][:MAX_ATTRIBUTES]))


def _is_letter(character: str) -> bool:
    return character.isascii() and character.isalpha()


def _after_element(lower: str, name: str, at: int) -> int:
    end = lower.find(f"</{name}", at)
    if end < 0:
        return len(lower)
    closing = lower.find(">", end)
    return closing + 1 if closing >= 0 else len(lower)


def _attributes(text: str) -> dict[str, str]:
    found = dict[str, str]()
    for match in ATTRIBUTE.finditer(text):
        name, double, single, bare = match.groups()
        found.setdefault(name.lower(), unescape(double or single or bare or ""))
    return found
