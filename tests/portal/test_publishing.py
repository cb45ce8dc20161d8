"""What staff publish of a client's ledger: by an explicit act alone, in plain words, and to nobody
else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from casewell.clients.activity import name_of, sentence_of
from casewell.kernel.access import Role
from casewell.ledger.models import ActivityEvent
from casewell.ledger.service import Actor, Event, record
from casewell.portal.models import PublishedEvent
from casewell.portal.publishing import words_for_client

OPENED = "We opened your file"


@pytest.fixture
def happen(database, clock, dana):
    """Writes an event of a client to the ledger and returns its id."""

    def write(whose, kind="client.created", **data):
        now = clock.move(seconds=1)
        with database.writing() as session:
            record(session, Event(whose.id, kind, Actor.of_staff(dana), now, data), now=now)
            newest = sa.select(ActivityEvent.id).order_by(ActivityEvent.id.desc()).limit(1)
            return session.scalars(newest).one()

    return write


def address(whose, event_id):
    return f"/api/clients/{whose.id}/timeline/{event_id}/published"


def publish(person, whose, event_id):
    return person.api("PUT", address(whose, event_id))


def unpublish(person, whose, event_id):
    return person.api("DELETE", address(whose, event_id))


def home(person):
    return person.get("/portal/").text


def told(person, whose):
    return person.get(f"/api/clients/{whose.id}/timeline").json["items"]


def test_nothing_of_the_ledger_is_in_the_portal_by_itself(enter, marisol, happen):
    happen(marisol)
    page = home(enter(marisol))
    assert OPENED not in page
    assert "Your file" not in page


def test_what_is_published_is_read_by_the_client_until_it_is_taken_back(
    enter, sign_in, dana, marisol, happen
):
    client, person, event_id = enter(marisol), sign_in(dana), happen(marisol)
    assert publish(person, marisol, event_id).status_code == 204
    assert OPENED in home(client)
    assert unpublish(person, marisol, event_id).status_code == 204
    assert OPENED not in home(client)


def test_the_newest_stand_first(enter, sign_in, dana, marisol, happen):
    person = sign_in(dana)
    first = happen(marisol)
    second = happen(marisol, "client.status_changed", **{"from": "lead", "to": "active"})
    for event_id in (second, first):
        publish(person, marisol, event_id)
    page = home(enter(marisol))
    assert page.index("We are working on your file") < page.index(OPENED)


def test_B03_a_client_reads_what_was_published_to_them_alone(
    enter, sign_in, dana, marisol, bruno, happen
):
    publish(sign_in(dana), marisol, happen(marisol))
    assert OPENED not in home(enter(bruno))


def test_B08_an_entry_is_published_to_its_own_client_alone(
    enter, sign_in, dana, marisol, bruno, happen, database
):
    person, event_id = sign_in(dana), happen(marisol)
    assert publish(person, bruno, event_id).status_code == 404
    assert unpublish(person, bruno, event_id).status_code == 404
    with database.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(PublishedEvent)) == 0
    assert OPENED not in home(enter(bruno))


def test_who_may_not_see_the_client_publishes_nothing(sign_in, staff, marisol, happen):
    stranger, event_id = sign_in(staff(name="Marcus Hill")), happen(marisol)
    assert publish(stranger, marisol, event_id).status_code == 404
    assert unpublish(stranger, marisol, event_id).status_code == 404


def test_who_may_only_read_publishes_nothing(sign_in, staff, dana, marisol, happen):
    event_id = happen(marisol)
    reader = sign_in(staff(Role.VIEWER))
    assert publish(reader, marisol, event_id).status_code == 403
    publish(sign_in(dana), marisol, event_id)
    page = reader.get(f"/clients/{marisol.id}/timeline").text
    assert "Client sees this" in page
    assert f"/timeline/{event_id}/unpublish" not in page
    assert "Show to client" not in page


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("note.deleted", {}),
        ("tag.added", {"tag": "Difficult"}),
        ("evidence.made", {}),
        ("conversation.reopened", {}),
        ("client.changed", {"changes": {"city": {"from": "", "to": "Chicago"}}}),
        ("client.ssn_revealed", {}),
        ("triage.linked", {"address": "other@example.com"}),
        ("call.held", {"direction": "inbound", "outcome": "no_answer"}),
        ("call.held", {"direction": "outbound", "outcome": "wrong_number"}),
        ("client.assigned", {"main": "", "second": None}),
        ("message.sent", {"channel": "fax"}),
        ("kind.of.tomorrow", {"words": "x"}),
    ],
)
def test_what_is_for_the_firm_alone_is_refused(
    kind, data, enter, sign_in, dana, marisol, happen, database
):
    answer = publish(sign_in(dana), marisol, happen(marisol, kind, **data))
    assert (answer.status_code, answer.json["code"]) == (409, "not_for_clients")
    with database.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(PublishedEvent)) == 0
    assert "Your file" not in home(enter(marisol))


@pytest.mark.parametrize(
    ("kind", "data", "words"),
    [
        ("client.created", {}, OPENED),
        ("client.assigned", {"main": "Dana Whitfield"}, "Dana Whitfield is your contact now"),
        ("client.status_changed", {"from": "active", "to": "completed"}, "Your file is complete"),
        ("call.held", {"direction": "outbound", "outcome": "connected"}, "We spoke on the phone"),
        ("message.sent", {"channel": "email", "preview": "Hi"}, "We sent you an e-mail"),
        ("message.received", {"channel": "sms", "preview": "Hi"}, "You sent us a text"),
        ("document.filed", {"title": "A <b>"}, "We added a document to your file: A &lt;b&gt;"),
        ("client.texts_stopped", {"words": "STOP"}, "Texts to you have stopped"),
    ],
)
def test_the_client_reads_a_sentence_for_clients(
    kind, data, words, enter, sign_in, dana, marisol, happen
):
    publish(sign_in(dana), marisol, happen(marisol, kind, **data))
    page = home(enter(marisol))
    assert words in page
    assert "Hi" not in page.replace("Hidden", "")


def test_it_is_in_the_ledger_once_however_often_it_is_asked(sign_in, dana, marisol, happen):
    person, event_id = sign_in(dana), happen(marisol)
    for act in (unpublish, publish, publish, unpublish, unpublish):
        assert act(person, marisol, event_id).status_code == 204
    newest, before = told(person, marisol)[:2]
    assert newest["summary"] == f'No longer shown to the client: "{OPENED}"'
    assert before["summary"] == f'Shown to the client: "{OPENED}"'
    assert [one["kind"] for one in told(person, marisol)].count("portal.published") == 1


def test_programs_are_told_what_the_client_reads(sign_in, dana, marisol, happen):
    person, event_id = sign_in(dana), happen(marisol)
    happen(marisol, "tag.added", tag="Difficult")
    publish(person, marisol, event_id)
    entries = {one["kind"]: one for one in told(person, marisol)}
    assert entries["client.created"]["portal_text"] == OPENED
    assert entries["client.created"]["published"] is True
    assert entries["tag.added"]["portal_text"] == ""
    assert entries["tag.added"]["published"] is False


def test_the_page_publishes_and_takes_back_without_scripts(sign_in, dana, marisol, happen):
    person, event_id = sign_in(dana), happen(marisol)
    there = f"/clients/{marisol.id}/timeline"
    answer = person.post(f"{there}/{event_id}/publish")
    assert (answer.status_code, answer.location) == (303, f"{there}#entry-{event_id}")
    page = person.get(there).text
    assert f"The client reads now: &#34;{OPENED}&#34;" in page
    assert "They see it once you have invited them" in page
    assert f"{there}/{event_id}/unpublish" in page
    assert person.post(f"{there}/{event_id}/unpublish").status_code == 303
    assert f"{there}/{event_id}/publish" in person.get(there).text


def test_a_number_that_is_none_is_not_found(sign_in, dana, marisol):
    person = sign_in(dana)
    for event_id in (0, 999_999, 2**63 - 1, 2**80):
        assert publish(person, marisol, event_id).status_code == 404


def test_no_sentence_for_clients_is_the_firms_own():
    """What the firm reads of an entry never stands in the portal by mistake."""
    data = {"to": "active", "from": "lead", "main": "Dana", "title": "Lease", "channel": "email"}
    for kind in ("client.created", "client.status_changed", "document.filed", "message.sent"):
        words = words_for_client(kind, data)
        assert words
        assert words not in (name_of(kind), sentence_of(kind, data))


def test_two_browsers_at_once_publish_it_once(sign_in, dana, marisol, happen):
    people, event_id = [sign_in(dana) for _ in range(4)], happen(marisol)
    with ThreadPoolExecutor(len(people)) as pool:
        answers = list(pool.map(lambda one: publish(one, marisol, event_id), people))
    assert [one.status_code for one in answers] == [204] * len(people)
    assert [one["kind"] for one in told(people[0], marisol)].count("portal.published") == 1
