"""Bodies that prove who sent them, and when."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewell.kernel.signed_bodies import is_signed, signature

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
API = Path(__file__).parents[2] / "docs" / "api.md"


def test_one_of_several_secrets_is_enough():
    given = signature(["old", "new"], b"{}", NOW)
    assert is_signed(["new"], b"{}", given, NOW)
    assert is_signed(["other", "old"], b"{}", given, NOW)
    assert not is_signed(["other"], b"{}", given, NOW)
    assert not is_signed(["old"], b"{} ", given, NOW)
    assert not is_signed([], b"{}", given, NOW)


@pytest.mark.parametrize("minutes", [-6, 6, 10_000])
def test_it_is_good_for_five_minutes(minutes):
    made = datetime.fromtimestamp(NOW.timestamp() + minutes * 60, UTC)
    assert not is_signed(["a"], b"", signature(["a"], b"", made), NOW)


@given(st.text())
def test_nothing_that_is_said_instead_raises(said):
    assert not is_signed(["a"], b"body", said, NOW)
    assert not is_signed(["a"], b"body", f"t={said},v1={said}", NOW)


def test_I01_a_second_time_stamp_is_refused():
    good = signature(["a"], b"", NOW)
    assert not is_signed(["a"], b"", f"t=1,{good}", NOW)


def test_the_example_of_the_documentation_agrees():
    [example] = re.findall(r"```python\n(import hashlib.*?)```", API.read_text("utf-8"), re.DOTALL)
    names: dict = {}
    exec(example, names)
    now = datetime.fromtimestamp(time.time(), UTC)
    header = signature(["old", "new"], b'{"id": 1}', now)
    for secret, fits in (("old", True), ("new", True), ("other", False)):
        assert names["is_from_casewell"](secret, header, b'{"id": 1}') is fits
    past = signature(["old"], b"", datetime.fromtimestamp(time.time() - 400, UTC))
    assert names["is_from_casewell"]("old", past, b"") is False
