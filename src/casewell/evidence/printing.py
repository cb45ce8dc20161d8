"""The bundle as numbered pages, to be read by a court or a client."""

import io
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

from reportlab.lib.pagesizes import letter
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

WIDTH, HEIGHT = letter
MARGIN = 54.0
FOOT = 40.0
PLAIN, BOLD = "Vera", "VeraBd"
SIZE, SMALL = 9.5, 8.0
LEADING = 1.35


class Pages:
    """A PDF that is written from top to bottom; the foot of each page says how many there are."""

    def __init__(self, title: str, foot: str) -> None:
        _fonts()
        self._file = io.BytesIO()
        # Invariant: the same words give the same bytes, whenever they are written.
        self._canvas = Canvas(self._file, pagesize=letter, invariant=1, pageCompression=1)
        self._canvas.setTitle(_printable(title))
        self._canvas.setCreator("Casewell")
        self._foot = _printable(foot)
        self._pages: list[dict[str, Any]] = []
        self._y = HEIGHT - MARGIN

    def heading(self, words: str, size: float = 13.0) -> None:
        self._keep(size * LEADING * 3)
        self._write(words, BOLD, size)
        self.gap(4)

    def paragraph(self, words: str, *, size: float = SIZE, bold: bool = False) -> None:
        self._write(words, BOLD if bold else PLAIN, size)

    def facts(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Write names and values, one below the other."""
        for name, value in pairs:
            self._write(f"{name}: {value}", PLAIN, SMALL, indent=12)

    def gap(self, height: float = 8.0) -> None:
        self._y -= height

    def rule(self) -> None:
        self._keep(30)
        self._canvas.setLineWidth(0.4)
        self._canvas.setStrokeGray(0.7)
        self._canvas.line(MARGIN, self._y, WIDTH - MARGIN, self._y)
        self._y -= 8

    def new_page(self) -> None:
        self._pages.append(dict(self._canvas.__dict__))
        self._canvas._startPage()
        self._y = HEIGHT - MARGIN

    def finish(self) -> tuple[bytes, int]:
        """Return the PDF and how many pages it has."""
        self._pages.append(dict(self._canvas.__dict__))
        number = len(self._pages)
        for page, state in enumerate(self._pages, 1):
            self._canvas.__dict__.update(state)
            self._canvas.setFont(PLAIN, SMALL)
            self._canvas.setFillGray(0.35)
            self._canvas.drawString(MARGIN, FOOT - 12, self._foot)
            self._canvas.drawRightString(WIDTH - MARGIN, FOOT - 12, f"Page {page} of {number}")
            self._canvas.showPage()
        self._canvas.save()
        return self._file.getvalue(), number

    def _keep(self, height: float) -> None:
        """Begin a page where there is no room for so much."""
        if self._y - height < FOOT + 8:
            self.new_page()

    def _write(self, words: str, font: str, size: float, indent: float = 0.0) -> None:
        width = WIDTH - 2 * MARGIN - indent
        for line in _lines(_printable(words), font, size, width):
            self._keep(size * LEADING)
            self._y -= size * LEADING
            self._canvas.setFont(font, size)
            self._canvas.setFillGray(0)
            self._canvas.drawString(MARGIN + indent, self._y, line)


@cache
def _fonts() -> None:
    """Register the type that comes with the library: a PDF's own fourteen know Latin-1 alone."""
    pdfmetrics.registerFont(TTFont(PLAIN, "Vera.ttf"))
    pdfmetrics.registerFont(TTFont(BOLD, "VeraBd.ttf"))


def _lines(text: str, font: str, size: float, width: float) -> Iterator[str]:
    """Yield a text in lines that fit; a word that is too long is broken."""
    for paragraph in text.split("\n"):
        line, used = "", 0.0
        space = _width(" ", font, size)
        for word in paragraph.split(" "):
            for part in _parts(word, font, size, width):
                wide = _width(part, font, size)
                if line and used + space + wide > width:
                    yield line
                    line, used = part, wide
                else:
                    line, used = (f"{line} {part}", used + space + wide) if line else (part, wide)
        yield line


def _parts(word: str, font: str, size: float, width: float) -> Sequence[str]:
    if _width(word, font, size) <= width:
        return [word]
    fitting = max(1, int(width / _width("m", font, size)))
    return [word[at : at + fitting] for at in range(0, len(word), fitting)]


def _width(words: str, font: str, size: float) -> float:
    return float(pdfmetrics.stringWidth(words, font, size))


def _printable(words: str) -> str:
    """Return a text in characters that the type has; another is written as its number."""
    glyphs = pdfmetrics.getFont(PLAIN).face.charToGlyph
    out = []
    for char in unicodedata.normalize("NFC", words.replace("\r\n", "\n").replace("\t", "    ")):
        if char == "\n" or (ord(char) in glyphs and char.isprintable()):
            out.append(char)
        elif char.isspace():
            out.append(" ")
        elif unicodedata.category(char) != "Cc":
            out.append(f"[U+{ord(char):04X}]")
    return "".join(out)
