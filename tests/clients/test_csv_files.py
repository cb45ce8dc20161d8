"""CSV files as they come: what can be read is read, what can't is told."""

import io
import tracemalloc

import pytest

from casewell.clients.csv_files import UnreadableFile, inspect, read_rows
from casewell.clients.import_fields import Field, guess, mapping_problem


def shape_of(text: str | bytes):
    return inspect(io.BytesIO(text.encode() if isinstance(text, str) else text))


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("Näme,Email\nZoë,z@example.com\n".encode("utf-8-sig"), "utf-8-sig"),
        ("Näme,Email\nZoë,z@example.com\n".encode("utf-16"), "utf-16"),
        ("Näme,Email\nZoë,z@example.com\n".encode("utf-16-le"), "utf-16-le"),
        ("Näme,Email\nZoë,z@example.com\n".encode("utf-16-be"), "utf-16-be"),
        ("Näme,Email\nZoë,z@example.com\n".encode("cp1252"), "cp1252"),
        ("Näme,Email\nZoë,z@example.com\n".encode(), "utf-8"),
    ],
)
def test_K06_an_encoding_is_recognised(content, encoding):
    shape = shape_of(content)
    assert shape.encoding == encoding
    assert shape.columns == ["Näme", "Email"]
    rows = list(read_rows(io.BytesIO(content), encoding, shape.delimiter))
    assert rows[1].cells == ["Zoë", "z@example.com"]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_K06_a_delimiter_is_recognised(mark):
    shape = shape_of(f'Name{mark}Email{mark}"a, b"\nAna{mark}a@example.com{mark}x\n')
    assert (shape.delimiter, len(shape.columns), shape.rows) == (mark, 3, 1)


def test_K06_too_many_columns_are_told():
    with pytest.raises(UnreadableFile, match="10,000 columns"):
        shape_of(",".join(f"c{n}" for n in range(10_000)) + "\n")


def test_K06_a_quote_that_is_never_closed_is_told_with_its_line():
    text = 'Name,Email\nAna,a@example.com\n"Bea,b@example.com\n' + "Cleo,c@example.com\n" * 500
    with pytest.raises(UnreadableFile, match=r"line 3 .* never closed"):
        shape_of(text)
    with pytest.raises(UnreadableFile, match=r"line 2 .* never closed"):
        shape_of('Name,Email\n"Ana,a@example.com\n')


def test_K06_a_quote_inside_a_value_is_told_with_its_line():
    with pytest.raises(UnreadableFile, match="Line 2 has a quotation mark in the middle"):
        shape_of('Name,Email\n"Ana" B,a@example.com\n')


def test_K06_an_endless_line_is_told():
    with pytest.raises(UnreadableFile, match="Line 2 has more than 100,000 characters"):
        shape_of("Name,Email\n" + "x" * 200_000)


def test_K06_an_empty_file_is_told():
    with pytest.raises(UnreadableFile, match="empty"):
        shape_of("\n\n")


def test_K06_columns_of_one_name_are_told_apart():
    shape = shape_of("Name,Email,Email,,\nA,b,c,d,e\n")
    assert shape.columns == ["Name", "Email", "Email (2)", "Column 4", "Column 5"]


def test_a_row_knows_its_line_whatever_came_before():
    text = 'Name,Note\n\n"A","two\nlines"\n\nB,x\n'
    rows = list(read_rows(io.BytesIO(text.encode()), "utf-8", ","))
    assert [row.line for row in rows] == [1, 3, 6]


def test_headings_are_understood():
    guessed = guess(["First Name", "LAST_NAME", "E-mail", "Email (2)", "Cell", "DOB", "Colour"])
    assert guessed == {
        "First Name": Field.FIRST_NAME,
        "LAST_NAME": Field.LAST_NAME,
        "E-mail": Field.EMAIL,
        "Email (2)": Field.EMAIL,
        "Cell": Field.PHONE,
        "DOB": Field.BORN,
    }
    assert mapping_problem(guessed) is None


def test_a_mapping_needs_a_name_and_each_field_once():
    assert "name" in mapping_problem({"a": Field.EMAIL})
    assert "City" in mapping_problem({"a": Field.NAME, "b": Field.CITY, "c": Field.CITY})


@pytest.mark.slow
def test_K06_memory_stays_flat():
    text = io.BytesIO()
    text.write(b"Name,Email\n")
    for n in range(200_000):
        text.write(b"Client %d,c%d@example.com\n" % (n, n))
    tracemalloc.start()
    assert inspect(text).rows == 200_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000
