"""Lists, threads, search and counts: what they show, to whom, and what they cost."""

from __future__ import annotations

import re
from datetime import timedelta
from random import Random

import pytest
import sqlalchemy as sa

from casewell.inbox import search_walks
from casewell.inbox.queries import (
    ConversationList,
    conversations,
    hits,
    one_client,
    standing,
)
from casewell.kernel.access import Role
from casewell.kernel.errors import BadCursor, NotFound
from casewell.messages.conversations import conversation_of
from casewell.messages.models import ConversationState, Lane, UnifiedMessage


def test_my_conversations_stand_newest_first(staff, client, mail_of, inbox_of):
    dana = staff()
    ana, bo = client("Ana", main=dana), client("Bo", main=dana)
    mail_of(ana, "first")
    mail_of(bo, "second")
    mail_of(ana, "third")
    rows = inbox_of(dana).get_staff_inbox().items
    assert [(row.client_id, row.preview, row.unread) for row in rows] == [
        (ana.id, "third", 2),
        (bo.id, "second", 1),
    ]


def test_a_list_pages_without_losing_or_repeating_a_row(staff, client, mail_of, inbox_of):
    dana = staff()
    clients = [client(f"C{n}", main=dana) for n in range(7)]
    for one in clients:
        mail_of(one)
    inbox, seen, after = inbox_of(dana), [], None
    while True:
        page = inbox.get_staff_inbox(after=after, size=3)
        seen += [row.client_id for row in page.items]
        after = page.next
        if after is None:
            break
    assert seen == [one.id for one in reversed(clients)]


def test_a_list_shows_one_lane_and_one_state(staff, client, mail_of, inbox_of):
    dana = staff()
    mail_of(client(main=dana))
    inbox = inbox_of(dana)
    assert len(inbox.get_staff_inbox(wanted=ConversationList(lane=Lane.EMAIL)).items) == 1
    assert inbox.get_staff_inbox(wanted=ConversationList(lane=Lane.SMS)).items == []
    done = ConversationList(state=ConversationState.DONE)
    assert inbox.get_staff_inbox(wanted=done).items == []


def test_a_manager_finds_clients_of_others_under_all(staff, client, mail_of, inbox_of):
    boss = staff(Role.MANAGER)
    mail_of(client(main=staff()))
    assert inbox_of(boss).get_staff_inbox().items == []
    everyone = inbox_of(boss).get_staff_inbox(wanted=ConversationList(scope="all")).items
    assert [row.unread for row in everyone] == [0]


def test_the_inbox_of_a_colleague_holds_what_both_may_see(staff, client, mail_of, inbox_of):
    boss, dana, marcus = staff(Role.MANAGER), staff(), staff()
    shared = client("Shared", main=dana, second=marcus)
    mail_of(shared)
    alone = client("Alone", main=dana)
    mail_of(alone)
    assert [row.client_id for row in inbox_of(boss).get_staff_inbox(dana.id).items] == [
        alone.id,
        shared.id,
    ]
    assert [row.unread for row in inbox_of(boss).get_staff_inbox(dana.id).items] == [1, 1]
    assert [row.client_id for row in inbox_of(marcus).get_staff_inbox(dana.id).items] == [shared.id]


@pytest.mark.parametrize("query", ["ana@example.com", "(312) 555-0148", "900-12-3456"])
def test_O04_what_is_private_stands_in_no_address_of_a_search(
    staff, client, mail_of, sign_in, query
):
    dana = staff()
    mail_of(client("Ana", "Ruiz", main=dana), f"Call or write: {query}")
    person = sign_in(dana)
    location = person.post("/inbox/search", {"q": query, "lane": "email"}).location
    assert location.startswith("/inbox?lane=email&s=")
    page = person.get(location).get_data(as_text=True)
    assert "Ana Ruiz" in page
    addresses = re.findall(r'(?:href|hx-get|action)="([^"]*)"', page)
    assert addresses
    for private in (query, query.replace("@", "%40"), "555-0148", "12-3456"):
        assert not any(private in address for address in addresses)
    options = person.post("/palette", {"q": query}).get_data(as_text=True)
    assert "/inbox?s=" in options
    assert person.get("/inbox?s=k1:bm9uZQ==").status_code == 400


def test_B04_a_case_manager_meets_only_their_own_clients(staff, client, mail_of, inbox_of):
    mine, other = staff(), staff()
    own, foreign = client("Own", main=mine), client("Foreign", main=other)
    mail_of(own, "about Equifax")
    message = mail_of(foreign, "about Equifax")
    inbox = inbox_of(mine)
    everything = ConversationList(scope="all", state=None)
    assert [row.client_id for row in inbox.get_staff_inbox(wanted=everything).items] == [own.id]
    assert [row.client_id for row in inbox.search_messages("equifax").items] == [own.id]
    assert [row.client_id for row in inbox.filter_by_channel(Lane.EMAIL).items] == [own.id]
    assert inbox.get_unread_counts()[Lane.ALL] == 1
    for act in (
        lambda: inbox.get_client_inbox(foreign.id),
        lambda: inbox.get_conversation_thread(foreign.id),
        lambda: inbox.get_message(message),
        lambda: inbox.mark_read(message),
        lambda: inbox.mark_unread(foreign.id),
        lambda: inbox.get_conversation_thread(own.id, around=message),
    ):
        with pytest.raises(NotFound):
            act()


def test_reading_is_mine_alone(staff, client, mail_of, inbox_of):
    main, second = staff(), staff()
    ana = client(main=main, second=second)
    mail_of(ana)
    last = mail_of(ana)
    inbox_of(main).mark_read(last)
    assert inbox_of(main).get_unread_counts()[Lane.ALL] == 0
    assert inbox_of(second).get_unread_counts() == {
        Lane.ALL: 2,
        Lane.EMAIL: 2,
        Lane.SMS: 0,
        Lane.PORTAL: 0,
        Lane.CALL: 0,
    }


def test_marking_unread_brings_the_last_message_back(staff, client, mail_of, inbox_of):
    dana = staff()
    ana = client(main=dana)
    mail_of(ana)
    inbox = inbox_of(dana)
    inbox.mark_read(mail_of(ana))
    mail_of(ana, out=True)
    inbox.mark_unread(ana.id)
    assert inbox.get_unread_counts()[Lane.ALL] == 1


def test_a_thread_is_oldest_first_and_goes_back_by_cursor(staff, client, mail_of, inbox_of):
    dana = staff()
    ana = client(main=dana)
    ids = [mail_of(ana, f"mail {n}") for n in range(12)]
    inbox = inbox_of(dana)
    newest = inbox.get_conversation_thread(ana.id, size=5)
    assert [row.id for row in newest.messages] == ids[7:]
    older = inbox.get_conversation_thread(ana.id, before=newest.before, size=20)
    assert [row.id for row in older.messages] == ids[:7]
    assert older.before is None


def test_a_thread_opens_around_a_hit_and_goes_on(staff, client, mail_of, inbox_of):
    dana = staff()
    ana = client(main=dana)
    ids = [mail_of(ana, f"mail {n}") for n in range(20)]
    inbox = inbox_of(dana)
    part = inbox.get_conversation_thread(ana.id, around=ids[10], size=4)
    assert [row.id for row in part.messages] == ids[5:14]
    later = inbox.get_conversation_thread(ana.id, after=part.after, size=4)
    assert [row.id for row in later.messages] == ids[14:18]


def test_search_finds_whole_words_and_the_beginning_of_the_last(staff, client, mail_of, inbox_of):
    dana = staff()
    ana = client(main=dana)
    wanted = mail_of(ana, "The collection by Midland is in dispute", subject="Résumé")
    mail_of(ana, "Nothing of that kind")
    inbox = inbox_of(dana)

    def found(query):
        return [row.id for row in inbox.search_messages(query).items]

    assert found("midland disp") == [wanted]
    assert found("disp midland") == []
    assert found("midland -- \" OR * ( ') disput") == []
    assert found("RÉSUMÉ") == [wanted]
    assert found("***") == []


def test_a_cursor_nobody_signed_is_refused(staff, inbox_of):
    with pytest.raises(BadCursor):
        inbox_of(staff()).get_staff_inbox(after="WzFd.AAAAAAAAAAAAAAAAAAAAAA")


@pytest.mark.parametrize("path", ["/inbox", "/inbox?scope=all", "/inbox/c/{}", "/inbox?q=news"])
def test_twenty_rows_cost_no_more_statements_than_two(
    path, staff, client, mail_of, sign_in, count_queries
):
    dana = staff(Role.MANAGER)
    first = client(main=dana)
    for one in (first, client(main=dana)):
        mail_of(one)
    person = sign_in(dana)
    person.get(path.format(first.id))
    with count_queries() as for_few:
        assert person.get(path.format(first.id)).status_code == 200
    for n in range(18):
        mail_of(client(f"C{n}", main=dana))
        mail_of(first)
    person.get("/inbox/new")  # whatever a session does once in a while is done
    with count_queries() as for_many:
        assert person.get(path.format(first.id)).status_code == 200
    assert len(for_many) == len(for_few)


def test_hits_stand_by_time_whatever_the_order_they_came_in(
    staff, client, mail_of, inbox_of, clock
):
    """History comes in after the mail of today: old times under new numbers."""
    boss = staff(Role.MANAGER)
    ana = client("Ana", "Ruiz", main=boss)
    now = clock()
    days = [3, 2, 1, 400, 90, 700, 30, 2.5, 650, 0]
    ids = [mail_of(ana, "dispute", at=now - timedelta(days=ago)) for ago in days]
    by_time = [id_ for _, id_ in sorted(zip(days, ids, strict=True))]
    inbox = inbox_of(boss)
    found, cursor = [], None
    for _ in range(4):
        page = inbox.search_messages("dispute", after=cursor, size=3)
        found += [row.id for row in page.items]
        cursor = page.next
    assert found == by_time
    assert cursor is None


@pytest.mark.parametrize("seed", range(3))
def test_a_walk_by_number_misses_nothing_newer(
    database, staff, client, inbox_of, clock, seed, monkeypatch
):
    """Thousands of hits in any order of time: pages hold what sorting all of them would give."""
    monkeypatch.setattr(search_walks, "NEWEST", (100, 1_000))
    random = Random(seed)
    boss, dana = staff(Role.MANAGER), staff()
    others, own = client(main=boss), client(main=dana)
    with database.writing() as session:
        conversation = {c.id: conversation_of(session, c.id).id for c in (others, own)}
        base = clock() - timedelta(days=900)
        # Mail of three years in order, then imports of old and of new mail in between.
        minutes = [n * 300 for n in range(2600)] + [random.randrange(900_000) for _ in range(1400)]
        minutes[1500:1500] = range(0, 900_000, 1000)
        session.execute(
            sa.insert(UnifiedMessage.__table__),
            [
                {
                    "client_id": who,
                    "conversation_id": conversation[who],
                    "channel": "sms",
                    "direction": "inbound",
                    "status": "received",
                    "body_text": "common" if number % 3 else "rare word",
                    "occurred_at": base + timedelta(minutes=minute),
                    "recorded_at": clock(),
                }
                for number, minute in enumerate(minutes)
                for who in [others.id if random.random() < 0.9 else own.id]
            ],
        )
        table = UnifiedMessage.__table__.c
        rows = session.execute(
            sa.select(table.id, table.client_id, table.body_text).order_by(
                table.occurred_at.desc(), table.id.desc()
            )
        ).all()
    for person, mine in ((boss, {others.id, own.id}), (dana, {own.id})):
        for word in ("common", "rare"):
            expected = [r.id for r in rows if r.client_id in mine and r.body_text.startswith(word)]
            inbox, cursor, found = inbox_of(person), None, []
            while len(found) < 200 and (cursor or not found):
                page = inbox.search_messages(word, after=cursor, size=40)
                found += [row.id for row in page.items]
                cursor = page.next
            assert found == expected[: len(found)]
            assert len(found) == min(200, len(expected))


@pytest.mark.parametrize(
    "statement",
    [
        conversations(Role.CASE_MANAGER, ConversationList())[0],
        conversations(Role.CASE_MANAGER, ConversationList(scope="all"))[0],
        hits(Role.CASE_MANAGER),
        one_client(Role.CASE_MANAGER),
        standing(Role.CASE_MANAGER),
    ],
)
def test_a_statement_made_once_refuses_to_run_without_a_viewer(database, statement):
    with (
        database.reading() as session,
        pytest.raises(sa.exc.StatementError, match="A value is required"),
    ):
        session.execute(statement, {"client": 1, "message": 1, "ids": [1]})
