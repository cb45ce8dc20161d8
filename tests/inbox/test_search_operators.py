"""What each operator finds, to whom, and what it costs."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
import sqlalchemy as sa

from casewell.inbox import search_walks
from casewell.inbox.errors import SearchNotUnderstood
from casewell.kernel.access import Role
from casewell.messages.conversations import conversation_of
from casewell.messages.models import Attachment, UnifiedMessage


@pytest.fixture
def add(database, clock):
    """Adds plain messages of a client, an hour apart; `kind` are columns of each."""

    def many(who, *texts, **columns):
        with database.writing() as session:
            conversation = conversation_of(session, who.id).id
            ids = []
            for text in texts:
                given = {
                    "client_id": who.id,
                    "conversation_id": conversation,
                    "channel": "sms",
                    "direction": "inbound",
                    "body_text": text,
                    "occurred_at": clock.move(hours=1),
                    "recorded_at": clock(),
                    **columns,
                }
                given["status"] = "received" if given["direction"] == "inbound" else "sent"
                table = UnifiedMessage.__table__
                ids.append(session.scalar(sa.insert(table).values(**given).returning(table.c.id)))
        return ids

    return many


@pytest.fixture
def firm_of_two(staff, client, add, inbox_of):
    """Dana's Ana and Marcus' Ben, with messages each way."""
    dana = staff(name="Dana Whitfield", email="dana@firm.example")
    marcus = staff(name="Marcus Hill", email="marcus@firm.example")
    owner = staff(Role.OWNER)
    ana = client("Ana", "Ruiz", main=dana, emails=["ana@example.com"])
    ben = client("Ben", "Okafor", main=marcus, emails=["ben@example.com"])
    [asked] = add(ana, "Is the credit report here", channel="email")
    [told] = add(ana, "The report is here", direction="outbound", staff_id=dana.id)
    [bens] = add(ben, "My report of credit")
    [ours] = add(ben, "Which report", direction="outbound", staff_id=marcus.id, channel="portal")
    ids = {"asked": asked, "told": told, "bens": bens, "ours": ours}
    names = {number: name for name, number in ids.items()}

    def found(query, person=owner):
        page = inbox_of(person).search_messages(query)
        return {names[row.id] for row in page.items}

    return found, dana, ids


@pytest.mark.parametrize("word", ["", "report "])
@pytest.mark.parametrize(
    ("operator", "names"),
    [
        ("from:client", {"asked", "bens"}),
        ("from:ana", {"asked"}),
        ('from:"Ana Ruiz"', {"asked"}),
        ("from:ben@example.com", {"bens"}),
        ("from:dana", {"told"}),
        ("from:marcus@firm.example", {"ours"}),
        ("from:nobody", set()),
        ("channel:email", {"asked"}),
        ("channel:portal", {"ours"}),
        ("channel:call", set()),
        ("before:2026-03-10", set()),
        ("after:2026-03-10", {"asked", "told", "bens", "ours"}),
        ("after:2026-03-11", set()),
        ("from:client channel:sms", {"bens"}),
        ("has:attachment", set()),
    ],
)
def test_an_operator_narrows_alone_and_beside_words(operator, names, word, firm_of_two):
    found, _, _ = firm_of_two
    assert found(f"{word}{operator}") == names


def test_from_me_is_what_i_wrote(firm_of_two):
    found, dana, _ = firm_of_two
    assert found("from:me", dana) == {"told"}
    assert found("from:me") == set()


def test_a_phrase_is_words_that_stand_together(firm_of_two):
    found, _, _ = firm_of_two
    assert found("credit report") == {"asked", "bens"}
    assert found('"credit report"') == {"asked"}
    assert found('"report credit"') == set()
    assert found('"the report is" here') == {"told"}
    assert found('here "the credit report"') == {"asked"}


def test_days_are_the_readers_own(staff, client, add, inbox_of, clock):
    """Dana reads in Chicago: 04:30 of the 11th in UTC is still the 10th there."""
    dana = staff(time_zone="America/Chicago")
    ana = client(main=dana)
    late = clock().replace(day=11, hour=4, minute=30)
    [number] = add(ana, "late", occurred_at=late)

    def found(query):
        return [row.id for row in inbox_of(dana).search_messages(query).items]

    for query in (
        "after:2026-03-10",
        "late before:2026-03-11",
        "before:2026-03-11 after:3/10/2026",
    ):
        assert found(query) == [number]
    for query in ("after:2026-03-11", "late before:2026-03-10", "late after:2026-03-11"):
        assert found(query) == []
    assert found("after:0001-01-01 before:9999-12-31 late") == [number]
    assert found("before:0001-01-01") == []


def test_an_attachment_is_a_file_and_no_picture_of_the_text(firm_of_two, database, clock):
    found, _, ids = firm_of_two
    with database.writing() as session:
        for name, inline in (("asked", False), ("bens", True)):
            session.add(
                Attachment(
                    message_id=ids[name],
                    shown_name="a.pdf",
                    content_type="application/pdf",
                    is_inline=inline,
                    size=1,
                    sha256="0" * 64,
                    created_at=clock(),
                )
            )
    assert found("has:attachment") == {"asked"}
    assert found("report has:attachment from:client") == {"asked"}


@pytest.mark.parametrize(
    "query",
    ["from:ben", "from:marcus", "channel:portal", "from:client", "report", '"report of credit"'],
)
def test_B04_B16_no_operator_shows_what_one_may_not_see(query, firm_of_two):
    found, dana, _ = firm_of_two
    assert found(query, dana) <= {"asked", "told"}


def test_more_clients_than_a_name_can_mean_are_said(staff, client, inbox_of, monkeypatch):
    owner = staff(Role.OWNER)
    from casewell.inbox import search

    monkeypatch.setattr(search, "MOST_SENDERS", 2)
    for number in range(3):
        client(f"Ana{number}", main=owner)
    with pytest.raises(SearchNotUnderstood, match="More than 2 clients fit “ana”"):
        inbox_of(owner).search_messages("from:ana")


def test_a_search_that_finds_little_rests_and_goes_on(staff, client, add, inbox_of, monkeypatch):
    monkeypatch.setattr(search_walks, "LOOKED_THROUGH", 10)
    monkeypatch.setattr(search_walks, "FIRST_BATCH", 1)
    monkeypatch.setattr(search_walks, "LARGEST_BATCH", 4)
    dana = staff()
    ana = client(main=dana)
    old = add(ana, "one two", channel="portal")
    add(ana, *["two one"] * 120)
    inbox = inbox_of(dana)
    for query in ("channel:portal", '"one two"'):
        found, cursor, pages = [], None, 0
        while pages == 0 or cursor:
            page = inbox.search_messages(query, after=cursor, size=5)
            found += [row.id for row in page.items]
            cursor, pages = page.next, pages + 1
        assert found == old
        assert pages < 30


def test_pages_of_an_operator_hold_each_message_once(staff, client, add, inbox_of, monkeypatch):
    monkeypatch.setattr(search_walks, "LOOKED_THROUGH", 7)
    dana = staff()
    ana = client(main=dana)
    ids = add(ana, *[f"number {n}" for n in range(40)])
    found, cursor = [], None
    while not found or cursor:
        page = inbox_of(dana).search_messages("channel:sms", after=cursor, size=6)
        found += [row.id for row in page.items]
        cursor = page.next
    assert found == ids[::-1]


def test_the_page_says_what_it_does_not_understand_beside_the_box(firm_of_two, sign_in):
    _, dana, _ = firm_of_two
    page = sign_in(dana).get("/inbox?q=report+before:soon").get_data(as_text=True)
    assert "“soon” is not a date. Write it like before:2026-03-31." in page
    assert 'aria-describedby="search-problem"' in page
    assert "cw-hit" not in page


def test_the_api_understands_the_same(firm_of_two, sign_in):
    _, dana, ids = firm_of_two
    person = sign_in(dana)
    [hit] = person.get("/api/inbox/search?q=from:client+channel:email").json["items"]
    assert hit["id"] == ids["asked"]
    refused = person.get("/api/inbox/search?q=before:soon")
    assert (refused.status_code, refused.json["code"]) == (422, "invalid_input")
    assert refused.json["errors"][0]["field"] == "q"


@pytest.mark.slow
def test_P01_no_operator_reads_all_there_is(staff, client, database, inbox_of, clock):
    """Sixty thousand messages: what nothing fits is known to be so within a second."""
    dana = staff(Role.OWNER)
    ana = client("Ana", "Ruiz", main=dana)
    with database.writing() as session:
        conversation = conversation_of(session, ana.id).id
        session.execute(
            sa.insert(UnifiedMessage.__table__),
            [
                {
                    "client_id": ana.id,
                    "conversation_id": conversation,
                    "channel": "sms",
                    "direction": "inbound",
                    "status": "received",
                    "body_text": f"number {n}",
                    "occurred_at": clock() + timedelta(seconds=n),
                    "recorded_at": clock(),
                }
                for n in range(60_000)
            ],
        )
    inbox = inbox_of(dana)
    for query in ("channel:call", "has:attachment", "from:me", "from:nobody", "before:2020-01-01"):
        began = time.monotonic()
        assert inbox.search_messages(query).items == []
        assert time.monotonic() - began < 1, query
