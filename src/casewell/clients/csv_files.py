"""Reading CSV files as they come: any encoding, any delimiter, whatever is wrong with them."""

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from casewell.kernel.errors import CasewellError

MOST_COLUMNS = 200
LONGEST_LINE = 100_000
MOST_LINES_IN_A_ROW = 100
DELIMITERS = (",", ";", "\t", "|")
CHUNK = 1 << 20
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class UnreadableFile(CasewellError):
    """The file as a whole can't be read; the message says where and why."""

    code = "unreadable_file"


@dataclass(frozen=True)
class Shape:
    """What a file turned out to be. `rows` are those below the header that aren't empty."""

    encoding: str
    delimiter: str
    columns: list[str]
    rows: int


@dataclass(frozen=True)
class Row:
    """One row and the line of the file it begins on."""

    line: int
    cells: list[str]


def inspect(content: BinaryIO) -> Shape:
    """Read a whole file once. Raises UnreadableFile where it can't be imported."""
    encoding = _encoding_of(content)
    delimiter = _delimiter_of(content, encoding)
    every = read_rows(content, encoding, delimiter)
    header = next(every, None)
    if header is None:
        raise UnreadableFile("This file is empty.")
    if len(header.cells) > MOST_COLUMNS:
        raise UnreadableFile(
            f"This file has {len(header.cells):,} columns; Casewell reads {MOST_COLUMNS} at most."
        )
    return Shape(encoding, delimiter, _names(header.cells), sum(1 for _ in every))


def read_rows(content: BinaryIO, encoding: str, delimiter: str) -> Iterator[Row]:
    """Yield the header and every row that isn't empty, one at a time. Raises UnreadableFile."""
    content.seek(0)
    text = io.TextIOWrapper(content, encoding, errors="replace", newline="")
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        while True:
            lines.row_begins = lines.number + 1
            cells = [cell.strip() for cell in next(reader)]
            if any(cells):
                yield Row(lines.row_begins, cells)
    except StopIteration:
        return
    except csv.Error as error:
        raise UnreadableFile(_explained(error, lines.row_begins)) from error
    finally:
        if not content.closed:
            text.detach()  # it would close the file along with itself


def data_rows(content: BinaryIO, shape: Shape, *, skip: int = 0) -> Iterator[Row]:
    """Yield the rows below the header, leaving out the first `skip`."""
    return islice(read_rows(content, shape.encoding, shape.delimiter), 1 + skip, None)


class _Lines:
    """A file's lines, which may be neither endless nor part of an endless row."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self.number = 0
        self.row_begins = 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline(LONGEST_LINE + 1)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) > LONGEST_LINE:
            raise UnreadableFile(
                f"Line {self.number:,} has more than {LONGEST_LINE:,} characters. "
                "Is this a CSV file?"
            )
        if self.number - self.row_begins >= MOST_LINES_IN_A_ROW:
            raise UnreadableFile(_unclosed(self.row_begins))
        return line


def _explained(error: csv.Error, line: int) -> str:
    if "unexpected end" in str(error) or "field larger" in str(error):
        return _unclosed(line)
    return (
        f"Line {line:,} has a quotation mark in the middle of a value. "
        "Double it, or put the whole value in quotation marks."
    )


def _unclosed(line: int) -> str:
    return f"In line {line:,} a quotation mark opens a value and is never closed."


def _names(cells: Sequence[str]) -> list[str]:
    """Return the columns' names, each once: a second "Email" is called "Email (2)"."""
    seen: Counter[str] = Counter()
    names: list[str] = []
    for number, cell in enumerate(cells, 1):
        name = cell[:100] or f"Column {number}"
        seen[name] += 1
        while seen[name] > 1 and f"{name} ({seen[name]})" in cells:
            seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return names


def repeated(content: BinaryIO, shape: Shape) -> list[str]:
    """Return the names that stand over several columns."""
    header = next(read_rows(content, shape.encoding, shape.delimiter))
    return [name for name, number in Counter(header.cells).items() if name and number > 1]


def _encoding_of(content: BinaryIO) -> str:
    content.seek(0)
    start = content.read(4096)
    for mark, name in _BOMS:
        if start.startswith(mark):
            return name
    if start.count(0) > len(start) // 4:
        return "utf-16-le" if start[1::2].count(0) > start[::2].count(0) else "utf-16-be"
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    try:
        content.seek(0)
        while chunk := content.read(CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"  # what Excel writes in the US where it does not write UTF-8
    return "utf-8"


def _delimiter_of(content: BinaryIO, encoding: str) -> str:
    """Return the delimiter that cuts the first line into the most columns."""
    content.seek(0)
    text = io.TextIOWrapper(content, encoding, errors="replace", newline="")
    line = text.readline(LONGEST_LINE)
    text.detach()
    widths = {mark: len(next(csv.reader([line], delimiter=mark), [])) for mark in DELIMITERS}
    return max(DELIMITERS, key=lambda mark: widths[mark])
