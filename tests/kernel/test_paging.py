"""A page costs what its rows cost, and a cursor that isn't ours opens nothing."""

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casewell.clients.models import Client
from casewell.kernel.errors import BadCursor
from casewell.kernel.paging import keyset_page, make_cursor, read_cursor

BY = (Client.created_at, Client.id)


def walk(session, size):
    """Every id, page by page, and how many pages that took."""
    found, after, pages = [], None, 0
    while True:
        page = keyset_page(session, sa.select(Client), by=BY, after=after, size=size)
        found += [one.id for one in page.items]
        pages += 1
        if page.next is None:
            return found, pages
        after = page.next


def test_pages_hold_every_row_once_newest_first(database, client, clock):
    for n in range(7):
        client(f"Ana{n}")
        clock.move(seconds=n % 2)  # some share a moment
    with database.reading() as session:
        found, pages = walk(session, 3)
        expected = session.scalars(
            sa.select(Client.id).order_by(Client.created_at.desc(), Client.id.desc())
        ).all()
    assert found == expected
    assert pages == 3


def test_a_row_that_comes_while_one_pages_shifts_nothing(database, client, clock):
    for n in range(4):
        clock.move(seconds=1)
        client(f"Ana{n}")
    with database.reading() as session:
        first = keyset_page(session, sa.select(Client), by=BY, size=2)
    clock.move(seconds=1)
    client("Newer")
    with database.reading() as session:
        second = keyset_page(session, sa.select(Client), by=BY, after=first.next, size=2)
    assert [one.first_name for one in (*first.items, *second.items)] == [
        "Ana3",
        "Ana2",
        "Ana1",
        "Ana0",
    ]


@pytest.mark.parametrize("size", [-1, 0, 10**9])
def test_P01_a_size_beyond_reason_is_clamped(database, client, size):
    client()
    with database.reading() as session:
        assert len(keyset_page(session, sa.select(Client), by=BY, size=size).items) == 1


def test_a_cursor_brings_back_its_marks(runtime, clock):
    assert read_cursor(make_cursor([clock(), 5, "Vega, Ana"]), 3) == [clock(), 5, "Vega, Ana"]


def test_an_altered_cursor_is_refused(runtime, clock):
    cursor = make_cursor([clock(), 5])
    for place in range(len(cursor)):
        other = "A" if cursor[place] != "A" else "B"
        with pytest.raises(BadCursor):
            read_cursor(cursor[:place] + other + cursor[place + 1 :], 2)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.text())
def test_no_text_is_a_cursor_by_chance(runtime, text):
    with pytest.raises(BadCursor):
        read_cursor(text, 2)


def test_a_cursor_of_another_list_is_refused(runtime, clock):
    with pytest.raises(BadCursor):
        read_cursor(make_cursor([clock(), 5]), 3)
