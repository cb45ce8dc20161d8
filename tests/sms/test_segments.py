"""How many parts a text has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewell.sms.segments import segments


@pytest.mark.parametrize(
    ("text", "count", "encoding", "units"),
    [
        ("a", 1, "GSM-7", 1),
        ("a" * 160, 1, "GSM-7", 160),
        ("a" * 161, 2, "GSM-7", 161),
        ("a" * 306, 2, "GSM-7", 306),
        ("a" * 307, 3, "GSM-7", 307),
        ("€" * 80, 1, "GSM-7", 160),
        ("€" * 81, 2, "GSM-7", 162),
        ("a" * 152 + "€" * 77, 3, "GSM-7", 306),
        ("’" + "a" * 69, 1, "UCS-2", 70),
        ("’" + "a" * 70, 2, "UCS-2", 71),
        ("👋" * 35, 1, "UCS-2", 70),
        ("👋" * 66, 2, "UCS-2", 132),
        ("👋" * 67, 3, "UCS-2", 134),
        ("ñandú", 1, "UCS-2", 5),
        ("à la carte", 1, "GSM-7", 10),
    ],
)
def test_H11_parts_are_counted_as_carriers_do(text, count, encoding, units):
    counted = segments(text)
    assert (counted.count, counted.encoding, counted.units) == (count, encoding, units)


def test_the_characters_that_make_it_ucs2_are_named():
    assert segments("“Yes”, she said. “Yes”").odd == "“”"
    assert segments("plain").odd == ""


def test_an_empty_text_is_no_text():
    with pytest.raises(ValueError, match="content"):
        segments("")


@given(st.text(min_size=1, max_size=400))
def test_the_parts_always_hold_the_text(text):
    counted = segments(text)
    assert counted.units <= counted.room
    assert counted.count >= 1
