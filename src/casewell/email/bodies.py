"""What a mail shows to read, and what it offers as files."""

import re
from dataclasses import dataclass, field
from html import escape

from casewell.email.charsets import UTF_7, decode, letters_of_utf7
from casewell.email.markup import Kind, Token, tokens
from casewell.email.mime import Part
from casewell.email.parsed import Attachment, Defect, Limits
from casewell.messages.file_kinds import shown_name, sniff

SHOWN_IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
BLOCKS = frozenset(
    {
        *("p", "div", "section", "article", "header", "footer", "center", "address", "main"),
        *("ul", "ol", "dl", "table", "tr", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "form"),
        *("blockquote", "li", "dt", "dd", "body", "html", "hr"),
    }
)
APART = frozenset({"p", "ul", "ol", "table", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote"})
# Where mail programs put the mail that is answered, in places that are no blockquote.
QUOTE_MARKS = re.compile(
    r"divRplyFwdMsg|appendonsend|OLK_SRC_BODY_SECTION|mail-editor-reference-message"
    r"|ms-outlook-mobile-reference-message|yahoo_quoted|protonmail_quote|zmail_extra",
    re.IGNORECASE,
)
FLOWED_DEPTH = re.compile(r">*")


@dataclass(frozen=True)
class HtmlText:
    text: str
    quote_line: int | None  # the line with which the answered mail begins, if its program says so


@dataclass
class Bodies:
    text: str = ""
    html: str | None = None
    quote_line: int | None = None
    attachments: list[Attachment] = field(default_factory=list)
    defects: list[Defect] = field(default_factory=list)


@dataclass
class _Shown:
    """The text and the HTML of one part of the tree; '' where it has none."""

    text: str = ""
    html: str = ""
    html_is_escaped_text: bool = True


def read_bodies(root: Part, limits: Limits) -> Bodies:
    bodies = Bodies()
    readable = {id(part) for part in root.leaves() if _is_readable(part)}
    shown = _read(root, readable, bodies.defects)
    bodies.html = None if shown.html_is_escaped_text else shown.html[: limits.html_chars]
    if shown.text.strip():
        bodies.text = shown.text
    elif bodies.html:
        from_html = html_to_text(bodies.html)
        bodies.text, bodies.quote_line = from_html.text, from_html.quote_line
    if len(bodies.text) > limits.text_chars or len(shown.html) > limits.html_chars:
        bodies.defects.append(Defect.TEXT_CUT)
        bodies.text = bodies.text[: limits.text_chars]
    files = [part for part in root.leaves() if id(part) not in readable and _is_file(part)]
    if len(files) > limits.attachments:
        bodies.defects.append(Defect.PARTS_CUT)
    used = _content_ids(bodies.html or "")
    for index, part in enumerate(files[: limits.attachments]):
        bodies.attachments.append(_attachment(index, part, used, bodies.defects))
    return bodies


def html_to_text(html: str) -> HtmlText:
    """Return the words of `html` in lines; quoted ones begin with `> ` as in a plain mail."""
    writer = _TextWriter()
    for token in tokens(html):
        writer.take(token)
    return writer.result()


def unflow(text: str, *, del_sp: bool) -> str:
    """Join the soft line breaks of format=flowed (RFC 3676)."""
    lines, open_depth = list[str](), -1
    for line in text.split("\n"):
        marks = FLOWED_DEPTH.match(line)
        depth = marks.end() if marks else 0
        words = line[depth:].removeprefix(" ")
        soft = words.endswith(" ") and words != "-- "
        if del_sp and soft:
            words = words[:-1]
        if depth == open_depth and words != "-- ":
            lines[-1] += words
        else:
            lines.append(f"{'>' * depth} {words}" if depth else words)
        open_depth = depth if soft else -1
    return "\n".join(lines)


class _TextWriter:
    """Writes words into lines, as a browser would break them."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line: list[str] = []  # the pieces of the line being written, without its prefix
        self._quotes = 0
        self._pre = 0
        self._quote_line: int | None = None
        self._links: list[tuple[str, int, int]] = []  # target, line, pieces before its words

    def take(self, token: Token) -> None:
        if token.kind is Kind.TEXT:
            self._write(token.text)
        elif token.kind is Kind.OPEN:
            self._open(token)
        else:
            self._close(token.name)

    def result(self) -> HtmlText:
        self._end_line()
        lines, mark = list[str](), None
        for number, line in enumerate(self._lines):
            if number == self._quote_line:
                mark = len(lines)
            if line.strip("> ") or (lines and lines[-1].strip("> ")):
                lines.append(line)
        while lines and not lines[-1].strip("> "):
            lines.pop()
        return HtmlText("\n".join(lines), mark)

    def _open(self, token: Token) -> None:
        name, attributes = token.name, token.attributes
        marks = f"{attributes.get('id', '')} {attributes.get('class', '')}"[:500]
        if self._quote_line is None and QUOTE_MARKS.search(marks):
            self._break()
            self._quote_line = len(self._lines)
        if name == "br":
            self._end_line()
        elif name == "img":
            if alt := " ".join(attributes.get("alt", "").split()):
                self._write(f"[{alt}]")
        elif name == "a":
            self._links.append((attributes.get("href", ""), len(self._lines), len(self._line)))
        elif name in ("td", "th"):
            self._write(" ")
        elif name in BLOCKS:
            self._break(apart=name in APART)
            if name == "blockquote":
                self._quotes += 1
            elif name == "pre":
                self._pre += 1
            elif name == "li":
                self._line.append("- ")
            elif name == "hr":
                self._line.append("_" * 20)
                self._end_line()

    def _close(self, name: str) -> None:
        if name == "a" and self._links:
            target, line, pieces = self._links.pop()
            words = "".join(self._line[pieces:]) if line == len(self._lines) else ""
            if target.lower().startswith(("http://", "https://")) and target not in words:
                self._line.append(f" <{target[:2000]}>")
        elif name in BLOCKS:
            self._break(apart=name in APART)
            if name == "blockquote" and self._quotes:
                self._quotes -= 1
            elif name == "pre" and self._pre:
                self._pre -= 1

    def _write(self, text: str) -> None:
        if self._pre:
            first, *more = text.replace("\r", "").split("\n")
            self._line.append(first)
            for line in more:
                self._end_line()
                self._line.append(line)
            return
        words = " ".join(text.split())
        if text[:1].isspace() and self._line and not self._line[-1].endswith(" "):
            self._line.append(" ")
        if words:
            self._line.append(words + (" " if text[-1:].isspace() else ""))

    def _break(self, *, apart: bool = False) -> None:
        """End the line if anything stands in it; `apart`: with an empty one below."""
        if any(piece.strip() for piece in self._line):
            self._end_line()
        self._line = []
        if apart and self._lines and self._lines[-1].strip("> "):
            self._end_line()

    def _end_line(self) -> None:
        prefix = "> " * min(self._quotes, 20)
        self._lines.append((prefix + "".join(self._line)).rstrip())
        self._line = []


def _is_readable(part: Part) -> bool:
    """Tell whether a leaf belongs to the words of the mail, not to its files."""
    if part.content_type not in ("text/plain", "text/html") or part.disposition == "attachment":
        return False
    parent = part.parent
    if parent is None or parent.content_type == "multipart/alternative" or not part.file_name:
        return True
    return parent.parts[0] is part


def _is_file(part: Part) -> bool:
    return bool(part.body.strip()) or bool(part.file_name)


def _read(root: Part, readable: set[int], defects: list[Defect]) -> _Shown:
    """Read the tree from its leaves up: `alternative` chooses, all the others add."""
    done = dict[int, _Shown]()
    for part in reversed(list(root.walk())):
        if not part.parts:
            shown = _leaf(part, defects) if id(part) in readable else _Shown()
        elif part.content_type == "multipart/alternative":
            shown = _choose([done.pop(id(child)) for child in part.parts])
        else:
            shown = _add([done.pop(id(child)) for child in part.parts])
        done[id(part)] = shown
    return done[id(root)]


def _leaf(part: Part, defects: list[Defect]) -> _Shown:
    data, sound = part.content()
    charset = part.parameters.get("charset", "")
    text, known = decode(data, charset)
    if not sound:
        defects.append(Defect.BROKEN_ENCODING)
    if not known:
        defects.append(Defect.UNKNOWN_CHARSET if charset else Defect.BROKEN_ENCODING)
    if part.content_type == "text/html":
        return _Shown(html=text, html_is_escaped_text=False)
    if charset.strip().lower() in UTF_7:
        text = letters_of_utf7(text)
    if part.parameters.get("format", "").lower() == "flowed":
        text = unflow(text, del_sp=part.parameters.get("delsp", "").lower() == "yes")
    return _Shown(text=text.strip("\n"), html=f"<div>{escape(text)}</div>".replace("\n", "<br>"))


def _choose(alternatives: list[_Shown]) -> _Shown:
    """The first that has plain text, and the last that has HTML: the richest comes last."""
    text = next((shown.text for shown in alternatives if shown.text.strip()), "")
    rich = [shown for shown in alternatives if not shown.html_is_escaped_text]
    chosen = (rich or alternatives or [_Shown()])[-1]
    return _Shown(text, chosen.html, chosen.html_is_escaped_text)


def _add(parts: list[_Shown]) -> _Shown:
    texts = list[str]()
    some_text = any(shown.text.strip() for shown in parts)
    for shown in parts:
        if shown.text.strip():
            texts.append(shown.text)
        elif some_text and shown.html.strip() and not shown.html_is_escaped_text:
            texts.append(html_to_text(shown.html).text)
    return _Shown(
        "\n\n".join(texts),
        "".join(shown.html for shown in parts),
        all(shown.html_is_escaped_text for shown in parts),
    )


def _content_ids(html: str) -> set[str]:
    return {word[:500] for word in re.findall(r"[cC][iI][dD]:([^\s\"'<>)]{1,500})", html)}


def _attachment(index: int, part: Part, used: set[str], defects: list[Defect]) -> Attachment:
    content, sound = part.content()
    if not sound:
        defects.append(Defect.BROKEN_ENCODING)
    sniffed = sniff(content)
    in_place = part.content_id in used if part.content_id else False
    from_program = part.disposition == "inline" and part.content_id is not None
    related = part.parent is not None and part.parent.content_type == "multipart/related"
    return Attachment(
        index=index,
        shown_name=shown_name(part.file_name, part.content_type),
        content_type_declared=part.content_type,
        content_type_sniffed=sniffed,
        content_id=part.content_id,
        inline=sniffed in SHOWN_IMAGES and (in_place or from_program or related),
        size=len(content),
        content=content,
    )
