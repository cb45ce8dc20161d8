"""Making the HTML of a stranger fit to be shown, in a frame of its own.

Two gates, one behind the other: our own pass over the tokens decides what is kept, tag by tag;
nh3 then parses the result as a browser does and keeps only what the same lists allow. The
document is meant for `<iframe sandbox>` without scripts and without our origin, under
`frame_policy`: three ways in which a mistake in one of them does no harm.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal
from urllib.parse import unquote

import nh3

from casewell.email.bodies import html_to_text
from casewell.email.markup import VOID, Kind, Token, tokens

Images = Literal["blocked", "shown"]

MAX_HTML = 1_000_000
MAX_SIMPLIFIED = 500_000
MAX_SHOWN_TAGS = 20_000
MAX_STYLE = 2_000
MAX_URL = 2_000

STYLED = frozenset(
    {
        *("p", "div", "span", "font", "center", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5"),
        *("h6", "ul", "ol", "li", "table", "tr", "td", "th", "a", "img", "hr", "b", "i", "u"),
        *("strong", "em"),
    }
)
PLAIN = frozenset(
    {
        *("br", "wbr", "s", "strike", "del", "ins", "sub", "sup", "small", "big", "code", "tt"),
        *("kbd", "q", "cite", "abbr", "address", "bdo", "bdi", "dl", "dt", "dd", "caption"),
        *("thead", "tbody", "tfoot", "colgroup", "col"),
    }
)
ALLOWED = STYLED | PLAIN
LENGTH_OR_PERCENT = re.compile(r"\d{1,4}(?:\.\d{1,4})?%?")
COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}|[a-zA-Z]{3,20}")
WORD = re.compile(r"[a-zA-Z-]{1,20}")
NUMBER = re.compile(r"\d{1,3}")
TEXT = re.compile(r".{0,300}", re.DOTALL)
# Attribute by attribute: a pattern the whole value has to match.
ATTRIBUTES: dict[str, dict[str, re.Pattern[str]]] = {
    "*": {"dir": WORD, "align": WORD, "lang": re.compile(r"[a-zA-Z-]{1,20}")},
    "a": {"title": TEXT},
    "img": {"alt": TEXT, "title": TEXT, "width": LENGTH_OR_PERCENT, "height": LENGTH_OR_PERCENT},
    "font": {
        "color": COLOUR,
        "size": re.compile(r"[+-]?\d"),
        "face": re.compile(r"[\w ,'-]{1,200}"),
    },
    "table": {
        "width": LENGTH_OR_PERCENT,
        "border": NUMBER,
        "cellpadding": NUMBER,
        "cellspacing": NUMBER,
        "bgcolor": COLOUR,
    },
    "td": {
        "width": LENGTH_OR_PERCENT,
        "height": LENGTH_OR_PERCENT,
        "bgcolor": COLOUR,
        "valign": WORD,
        "colspan": NUMBER,
        "rowspan": NUMBER,
    },
    "tr": {"bgcolor": COLOUR, "valign": WORD},
    "ol": {"start": NUMBER, "type": re.compile(r"[1aAiI]")},
    "col": {"width": LENGTH_OR_PERCENT, "span": NUMBER},
    "hr": {"width": LENGTH_OR_PERCENT, "size": NUMBER},
}
ATTRIBUTES["th"] = ATTRIBUTES["td"]

# Nothing here can load, move out of its place, or cover something else.
STYLE_PROPERTIES = frozenset(
    {
        *("color", "background-color", "font-family", "font-size", "font-style", "font-weight"),
        *("line-height", "text-align", "text-decoration", "text-transform", "letter-spacing"),
        *("vertical-align", "white-space", "word-break", "direction", "width", "max-width"),
        *("height", "margin", "margin-top", "margin-right", "margin-bottom", "margin-left"),
        *("padding", "padding-top", "padding-right", "padding-bottom", "padding-left", "border"),
        *("border-top", "border-right", "border-bottom", "border-left", "border-color"),
        *("border-style", "border-width", "border-collapse", "border-spacing", "border-radius"),
        *("list-style-type", "display"),
    }
)
STYLE_VALUE = re.compile(r"(?:[\w\s#%.,'+!-]|(?:rgb|hsl)a?\([\d\s.,%]{1,40}\))+", re.IGNORECASE)
NEGATIVE = re.compile(r"(?:^|[\s,])-\s*[\d.]")
DISPLAYS = frozenset(
    {"none", "block", "inline", "inline-block", "table", "table-row", "table-cell"}
)
SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):")
IN_URL = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+")

NH3_ATTRIBUTES = {
    tag: {
        *ATTRIBUTES["*"],
        *ATTRIBUTES.get(tag, {}),
        *(("style",) if tag in STYLED else ()),
        *(("href",) if tag == "a" else ()),
        *(("src",) if tag == "img" else ()),
    }
    for tag in ALLOWED
}

BASE_CSS = """
html{color-scheme:light}
body{margin:0;padding:12px;background:#fff;color:#1d2433;font:14px/1.5 Inter,system-ui,sans-serif;
overflow-wrap:anywhere}
img{max-width:100%;height:auto}
table{max-width:100%}
pre{white-space:pre-wrap}
blockquote{margin:8px 0;padding-left:12px;border-left:3px solid #d5dae3}
a{color:#1f5fd0}
"""
# Mails set colours for white paper: dark mode turns all of it round, but not the pictures.
DARK_CSS = """
html{filter:invert(.92) hue-rotate(180deg);background:#fff}
img{filter:invert(1) hue-rotate(180deg)}
"""


@dataclass(frozen=True, slots=True)
class SafeHtml:
    """HTML that may stand in the frame document, and nowhere else.

    `blocked_images` counts the remote images that were left out. `simplified`: the mail was too
    large or too tangled to be shown as designed, so its words alone are.
    """

    html: str
    blocked_images: int
    simplified: bool = False


def sanitise(
    html: str,
    cid: Callable[[str], str | None],
    images: Images = "blocked",
    own_urls: Sequence[str] = (),
) -> SafeHtml:
    """Return what of `html` may be shown.

    `cid` is asked for the address of each picture the mail brings along, by its Content-ID; what
    it doesn't know is left out. Pictures under `own_urls` (our tracking) are dropped without
    being counted, and links there lose their target: reading a quoted mail of ours is no visit.
    """
    pass_ = _Pass(cid, images, tuple(own_urls))
    if len(html) <= MAX_HTML:
        for token in tokens(html):
            pass_.take(token)
            if pass_.tags > MAX_SHOWN_TAGS:
                break
        else:
            return SafeHtml(_second_gate("".join(pass_.out)), pass_.blocked_images)
    words = escape(html_to_text(html[:MAX_SIMPLIFIED]).text)
    return SafeHtml(f"<pre>{words}</pre>", 0, simplified=True)


def frame_document(safe: SafeHtml, *, dark: bool = False) -> str:
    """Return the whole document for the sandboxed frame. Serve it under `frame_policy`."""
    css = BASE_CSS + (DARK_CSS if dark else "")
    return (
        '<!doctype html><html><head><meta charset="utf-8">'
        '<meta name="referrer" content="no-referrer">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>E-mail</title><style>{css}</style></head><body>{safe.html}</body></html>"
    )


def frame_policy(image_source: str, images: Images = "blocked") -> str:
    """Return the Content-Security-Policy of the frame's response.

    `image_source` is the origin or path that serves the mail's own pictures. The frame has an
    opaque origin and so sends no cookie: their addresses have to be signed ones.
    """
    sources = f"{image_source} https: http:" if images == "shown" else image_source
    return (
        f"default-src 'none'; img-src {sources}; style-src 'unsafe-inline'; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'self'; "
        "sandbox allow-popups allow-popups-to-escape-sandbox"
    )


class _Pass:
    """The first gate: what is written out is built from parts we know, never copied."""

    def __init__(
        self, cid: Callable[[str], str | None], images: Images, own_urls: tuple[str, ...]
    ) -> None:
        self.out: list[str] = []
        self.tags = 0
        self.blocked_images = 0
        self._cid, self._images = cid, images
        self._own = tuple(url.casefold() for url in own_urls if url)

    def take(self, token: Token) -> None:
        if token.kind is Kind.TEXT:
            self.out.append(escape(token.text, quote=False))
        elif token.name not in ALLOWED:
            return
        elif token.kind is Kind.CLOSE:
            if token.name not in VOID:
                self.out.append(f"</{token.name}>")
        else:
            self.tags += 1
            attributes = self._attributes(token)
            if attributes is not None:
                written = "".join(f' {k}="{escape(v)}"' for k, v in attributes.items())
                self.out.append(f"<{token.name}{written}>")

    def _attributes(self, token: Token) -> dict[str, str] | None:
        """Return the attributes to write; None where the element itself has to go."""
        patterns = ATTRIBUTES["*"] | ATTRIBUTES.get(token.name, {})
        kept = {
            name: value
            for name, value in token.attributes.items()
            if name in patterns and patterns[name].fullmatch(value)
        }
        if token.name in STYLED and (style := safe_style(token.attributes.get("style", ""))):
            kept["style"] = style
        if token.name == "a":
            if target := self._link(token.attributes.get("href", "")):
                kept["href"] = target
        elif token.name == "img":
            return self._image(token, kept)
        return kept

    def _link(self, target: str) -> str | None:
        target = IN_URL.sub("", target)[:MAX_URL]
        scheme = SCHEME.match(target)
        if scheme is None or scheme[1].lower() not in ("http", "https", "mailto"):
            return None
        return None if self._is_own(target) else target

    def _image(self, token: Token, kept: dict[str, str]) -> dict[str, str] | None:
        source = IN_URL.sub("", token.attributes.get("src", ""))[:MAX_URL]
        if source.lower().startswith("cid:"):
            address = self._cid(source[4:]) or self._cid(unquote(source[4:]))
            return {**kept, "src": address} if address else self._placeholder(kept)
        if source.startswith("//"):
            source = f"https:{source}"
        remote = source.lower().startswith(("http://", "https://"))
        if remote and self._is_own(source):
            return None
        if not remote and "srcset" not in token.attributes:
            return self._placeholder(kept)
        if remote and self._images == "shown":
            return {**kept, "src": source}
        self.blocked_images += 1
        return self._placeholder(kept)

    def _placeholder(self, kept: dict[str, str]) -> dict[str, str] | None:
        """An image without a source shows its description; without one it shows nothing."""
        return kept if kept.get("alt", "").strip() else None

    def _is_own(self, url: str) -> bool:
        return bool(self._own) and url.casefold().startswith(self._own)


def safe_style(style: str) -> str:
    """Return the declarations of an inline style that can do no more than dress text."""
    kept = list[str]()
    for declaration in style[:MAX_STYLE].split(";"):
        name, colon, value = declaration.partition(":")
        name, value = name.strip().lower(), value.strip()
        if not colon or name not in STYLE_PROPERTIES or len(value) > 200:
            continue
        if not STYLE_VALUE.fullmatch(value) or NEGATIVE.search(value):
            continue
        if name == "display" and value.lower() not in DISPLAYS:
            continue
        kept.append(f"{name}:{value}")
    return ";".join(kept)


def _second_gate(html: str) -> str:
    return nh3.clean(
        html,
        tags=set(ALLOWED),
        attributes=NH3_ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={
            "a": {"target": "_blank"},
            "img": {"referrerpolicy": "no-referrer", "loading": "lazy"},
        },
        filter_style_properties=set(STYLE_PROPERTIES),
    )
