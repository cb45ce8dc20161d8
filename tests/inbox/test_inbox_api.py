"""The inbox for programs: what it answers, to whom, and how it refuses."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from casewell.kernel.access import Role
from casewell.messages.models import Conversation, ConversationState


def test_conversations_thread_search_and_unread_agree(staff, client, mail_of, sign_in):
    dana = staff()
    ana = client("Ana", "Ruiz", main=dana)
    last = mail_of(ana, "The Equifax letter came")
    person = sign_in(dana)
    [row] = person.api("GET", "/api/inbox").json["items"]
    assert (row["client_id"], row["name"], row["unread"]) == (ana.id, "Ana Ruiz", 1)
    [message] = person.api("GET", f"/api/inbox/client/{ana.id}").json["items"]
    assert (message["id"], message["body"]) == (last, "The Equifax letter came")
    [hit] = person.api("GET", "/api/inbox/search?q=equif").json["items"]
    assert (hit["id"], hit["excerpt"]) == (last, "The Equifax letter came")
    assert person.api("GET", "/api/inbox/unread").json["email"] == 1
    assert person.api("PUT", f"/api/inbox/{last}/read").json == {
        "all": 0,
        "email": 0,
        "sms": 0,
        "portal": 0,
        "call": 0,
    }


def test_B10_messages_show_nothing_beyond_their_allow_list(staff, client, mail_of, sign_in):
    dana = staff()
    ana = client(main=dana)
    mail_of(ana)
    [message] = sign_in(dana).api("GET", f"/api/inbox/client/{ana.id}").json["items"]
    assert set(message) == {
        "id",
        "client_id",
        "channel",
        "direction",
        "subject",
        "body",
        "occurred_at",
        "status",
        "staff_id",
        "staff_name",
        "sender_verified",
    }


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("cursor=nonsense", 400),
        ("cursor=é.ñ", 400),
        ("limit=10000000000", 422),
        ("limit=1e309", 422),
        ("limit=-1", 422),
        ("channel=fax", 422),
        ("status=gone", 422),
        ("assignee=-1", 422),
        ("assignee=everybody", 422),
        ("client=0", 422),
        ("since=yesterday", 422),
        ("since=2026-03-10T15:00:00", 422),
        ("since=0001-01-01T00:00:00%2B14:00", 422),
        ("sort=password_hash", 200),
    ],
)
def test_P01_odd_parameters_are_refused_or_left_alone(staff, sign_in, query, status):
    answer = sign_in(staff()).api("GET", f"/api/inbox?{query}")
    assert answer.status_code == status
    if status >= 400:
        assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize("number", [0, 10**6, 2**63 - 1, 2**63, 10**40])
def test_B08_numbers_without_a_row_are_not_found(staff, sign_in, number):
    person = sign_in(staff(Role.OWNER))
    assert person.api("GET", f"/api/inbox/client/{number}").status_code == 404
    assert person.api("PUT", f"/api/inbox/{number}/read").status_code == 404


def test_a_reader_may_read_but_not_answer(staff, client, mail_of, sign_in):
    ana = client(main=staff())
    mail_of(ana)
    viewer = sign_in(staff(Role.VIEWER))
    assert len(viewer.api("GET", "/api/inbox").json["items"]) == 1
    assert "composer" not in viewer.get(f"/inbox/c/{ana.id}", htmx=True).get_data(as_text=True)
    call = {"client_id": ana.id, "body": "x", "subject": "y"}
    assert viewer.api("POST", "/api/inbox/reply", call).status_code == 403


@pytest.mark.parametrize("key", ["short", "x" * 65])
def test_an_idempotency_key_has_a_sensible_length(staff, client, sign_in, key):
    dana = staff()
    call = {"client_id": client(main=dana).id, "body": "x", "subject": "y"}
    answer = sign_in(dana).api("POST", "/api/inbox/reply", call, headers={"Idempotency-Key": key})
    assert answer.status_code == 422


def test_only_email_can_send_here(staff, client, sign_in):
    dana = staff()
    call = {"client_id": client(main=dana).id, "body": "x", "subject": "y", "channel": "sms"}
    answer = sign_in(dana).api("POST", "/api/inbox/reply", call)
    assert (answer.status_code, answer.json["code"]) == (422, "channel_not_set_up")


@pytest.fixture
def talks(staff, client, mail_of, database, clock):
    """An owner's firm: Ana (mine, unread), Ben (assigned to a colleague), Cleo (done, nobody's)."""
    owner, colleague = staff(Role.OWNER), staff()
    ana = client("Ana", main=owner)
    ben = client("Ben", main=colleague)
    cleo = client("Cleo", main=colleague)
    for one in (ana, ben, cleo):
        mail_of(one, at=clock.move(hours=1))
    with database.writing() as session:
        for who, changes in (
            (ana, {"assignee_id": owner.id}),
            (ben, {"assignee_id": colleague.id}),
            (cleo, {"state": ConversationState.DONE, "assignee_id": None}),
        ):
            session.execute(
                sa.update(Conversation).where(Conversation.client_id == who.id).values(changes)
            )
    return owner, colleague, {"ana": ana.id, "ben": ben.id, "cleo": cleo.id}


def names(person, query):
    answer = person.api("GET", f"/api/inbox?{query}")
    assert answer.status_code == 200, answer.json
    return [row["name"].split()[0] for row in answer.json["items"]]


def test_each_filter_narrows_the_list_and_they_add_up(talks, sign_in):
    owner, colleague, ids = talks
    person = sign_in(owner)
    assert names(person, "") == ["Ben", "Ana"]
    assert names(person, "status=any") == ["Cleo", "Ben", "Ana"]
    assert names(person, "status=done") == ["Cleo"]
    assert names(person, "status=snoozed") == []
    assert names(person, "channel=email") == ["Ben", "Ana"]
    assert names(person, "channel=sms") == []
    assert names(person, f"client={ids['ben']}") == ["Ben"]
    assert names(person, "unread=true") == ["Ana"]
    assert names(person, "assignee=me") == ["Ana"]
    assert names(person, f"assignee={colleague.id}") == ["Ben"]
    assert names(person, "assignee=none&status=any") == ["Cleo"]
    assert names(person, f"assignee=me&client={ids['ben']}") == []
    assert names(person, "since=2026-03-10T17:00:00Z&status=any") == ["Cleo", "Ben"]
    assert names(person, "since=2026-03-10T13:00:00-05:00&status=any") == ["Cleo"]
    assert names(person, "since=9999-12-31T23:59:59Z&status=any") == []


def test_B15_filters_never_show_more_than_one_may_see(talks, sign_in):
    owner, colleague, ids = talks
    person = sign_in(colleague)
    assert names(person, "status=any") == ["Cleo", "Ben"]
    assert names(person, f"client={ids['ana']}&status=any") == []
    assert names(person, f"assignee={owner.id}&status=any") == []
    assert names(person, f"since=2026-01-01T00:00:00Z&client={ids['ana']}&status=any") == []


@pytest.mark.parametrize("filters", ["status=any", "assignee=me&status=any", "channel=email"])
def test_pages_hold_each_conversation_once(staff, client, mail_of, sign_in, filters):
    owner = staff(Role.OWNER)
    for number in range(7):
        mail_of(client(f"C{number}", main=owner))
    person, found, cursor = sign_in(owner), [], ""
    while cursor is not None:
        answer = person.api("GET", f"/api/inbox?{filters}&limit=3{cursor}").json
        found += [row["name"] for row in answer["items"]]
        cursor = f"&cursor={answer['next']}" if answer["next"] else None
    assert found == [f"C{number} Vega" for number in reversed(range(7))]


def test_one_clients_messages_are_asked_for_from_a_time_on(staff, client, mail_of, sign_in, clock):
    """Pages of it hold each once, and what comes in meanwhile moves none of them."""
    dana = staff()
    ana = client("Ana", main=dana)
    start = clock()
    ids = [mail_of(ana, at=clock.move(hours=1)) for _ in range(7)]
    person = sign_in(dana)
    path = f"/api/inbox/client/{ana.id}?limit=2&since="

    def walked(since):
        found, cursor = [], ""
        while cursor is not None:
            answer = person.api("GET", f"{path}{since}{cursor}")
            assert answer.status_code == 200, answer.json
            found += [row["id"] for row in answer.json["items"]]
            cursor = f"&cursor={answer.json['next']}" if answer.json["next"] else None
            if cursor:
                mail_of(ana, at=start)
        return found

    assert walked("2026-03-10T18:00:00Z") == ids[2:][::-1]
    assert walked("2026-03-10T18:00:01Z") == ids[3:][::-1]
    assert walked("2026-03-10T13:00:00-05:00") == ids[2:][::-1]
    assert walked("2026-03-10T22:00:01Z") == []
    assert len(walked("2026-03-10T15:00:00Z")) >= 7


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("since=yesterday", 422),
        ("since=2026-03-10T15:00:00", 422),
        ("since=1e309", 422),
        ("cursor=nonsense", 400),
        ("limit=1000000000", 422),
        ("limit=0", 422),
        ("offset=-1", 200),
        ("page=1e309", 200),
    ],
)
def test_P01_one_clients_messages_take_no_odd_bounds(staff, client, sign_in, query, status):
    dana = staff()
    path = f"/api/inbox/client/{client(main=dana).id}?{query}"
    assert sign_in(dana).api("GET", path).status_code == status
