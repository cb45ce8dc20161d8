"""Messages in the portal: both ways, with files, seen or not, and nobody else's."""

from __future__ import annotations

import io
import re

import pytest
import sqlalchemy as sa

from casewell.messages.files import store_attachment
from casewell.messages.models import MessageStatus, UnifiedMessage
from casewell.notes.models import CaseNote
from casewell.portal.models import ClientMessage
from tests.portal.conftest import text_of

messages = UnifiedMessage.__table__
KEY = "a-key-of-this-form"


@pytest.fixture
def answer(sign_in, dana, run_due, clock):
    """Dana answers a client in the portal; with `leave` False it stays in the outbox."""

    def answered(whom, text="Please send the second page.", *, leave=True, **more):
        person = sign_in(dana)
        body = {"client_id": whom.id, "body": text, "channel": "portal", **more}
        made = person.api("POST", "/api/inbox/reply", body)
        if leave:
            clock.move(seconds=11)
            run_due()
        return made

    return answered


@pytest.fixture
def write():
    def written(person, text="Here is the letter.", *, key=KEY, files=()):
        form = {"body": text, "key": key}
        if files:
            form["file"] = [(io.BytesIO(content), name) for name, content in files]
        return person.post("/portal/messages", form, content_type="multipart/form-data")

    return written


def newest(person):
    page = person.get("/portal/messages").text
    return re.search(r'data-newest="([^"]*)"', page)[1]


def saw(person):
    return person.post("/portal/messages/seen", {"up_to": newest(person)})


def thread(sign_in, dana, whom):
    return sign_in(dana).get(f"/inbox/c/{whom.id}").text


def test_what_a_client_writes_waits_in_the_inbox(enter, marisol, dana, sign_in, write):
    assert write(enter(marisol)).location == "/portal/messages#end"
    person = sign_in(dana)
    assert person.get("/api/inbox/unread").json["portal"] == 1
    [one] = person.get(f"/api/inbox/client/{marisol.id}").json["items"]
    assert (one["channel"], one["direction"]) == ("portal", "inbound")
    assert one["body"] == "Here is the letter."
    assert one["sender_verified"] is True


def test_Q10_a_form_that_is_sent_twice_is_one_message(enter, marisol, write, database):
    person = enter(marisol)
    assert [write(person).status_code for _ in range(2)] == [303, 303]
    with database.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(ClientMessage)) == 1


def test_an_empty_message_is_refused_and_what_was_typed_stays(enter, marisol, write):
    person = enter(marisol)
    assert "Write a message first" in write(person, "  ").text
    too_long = write(person, "zebra " * 2000)
    assert too_long.status_code == 422
    assert "zebra zebra" in too_long.text


def test_a_message_becomes_visible_as_it_leaves_and_not_before(enter, account, marisol, answer):
    person = enter(marisol)
    made = answer(marisol, leave=False)
    assert made.status_code == 201
    assert "second page" not in person.get("/portal/messages").text
    answer(marisol, "A later one.")
    page = person.get("/portal/messages").text
    assert page.index("second page") < page.index("A later one.")
    assert "Person" not in page
    assert "Dana Whitfield" in page


def test_what_was_taken_back_is_never_shown(
    enter, marisol, answer, dana, sign_in, run_due, clock, sent_mails
):
    person = enter(marisol)
    made = answer(marisol, "Not meant for you", leave=False)
    sign_in(dana).post(f"/inbox/messages/{made.json['message_id']}/undo")
    clock.move(minutes=5)
    run_due()
    assert "Not meant for you" not in person.get("/portal/messages").text
    assert sent_mails == []


def test_it_is_sent_in_words_of_the_firm_and_not_before_someone_may_read_it(
    marisol, account, answer, clock, database
):
    refused = answer(marisol, leave=False)
    assert refused.status_code == 422
    assert "no portal account" in refused.json["detail"] or "no access" in refused.json["detail"]
    account(marisol, disabled_at=clock())
    refused = answer(marisol, leave=False)
    assert "turned off" in refused.json["detail"]
    with database.reading() as session:
        assert session.scalar(sa.select(messages.c.id)) is None


def test_an_account_that_is_turned_off_meanwhile_gets_nothing(
    marisol, account, answer, dana, sign_in, run_due, clock, database
):
    account(marisol)
    answer(marisol, leave=False)
    sign_in(dana).post(f"/clients/{marisol.id}/portal/disable")
    clock.move(seconds=11)
    run_due()
    with database.reading() as session:
        assert session.scalar(sa.select(messages.c.status)) is MessageStatus.FAILED


def test_one_client_waits_for_no_other(marisol, bruno, account, enter, answer, dana, sign_in):
    """Each client has an order of their own, though the portal has no address."""
    account(marisol)
    person = enter(bruno)
    answer(marisol, "For Marisol, tomorrow", leave=False, send_at="2026-03-11T15:00:00Z")
    answer(bruno, "For Bruno, now")
    assert "For Bruno, now" in person.get("/portal/messages").text


def test_a_notice_tells_of_something_new_once_until_the_client_has_looked(
    enter, marisol, answer, run_due, sent_mails
):
    person = enter(marisol)
    answer(marisol, "The zebra letter")
    answer(marisol, "And the zebra file")
    run_due()
    [(_, to, raw)] = sent_mails
    assert to == ["marisol@example.com"]
    assert "You have a new message" in raw.decode()
    assert "zebra" not in text_of(raw)
    saw(person)
    answer(marisol, "Something else")
    run_due()
    assert len(sent_mails) == 2


def test_staff_see_when_a_message_was_on_the_clients_screen_and_not_more(
    enter, marisol, answer, dana, sign_in, clock
):
    person = enter(marisol)
    answer(marisol)
    assert "not seen yet" in thread(sign_in, dana, marisol)
    person.get("/portal/messages")
    assert "not seen yet" in thread(sign_in, dana, marisol), "a GET proves nothing"
    saw(person)
    first = re.search(r"Seen in the portal [^<]+", thread(sign_in, dana, marisol))[0]
    clock.move(minutes=20)
    saw(person)
    assert first in thread(sign_in, dana, marisol)


def test_a_client_sees_that_the_firm_has_read_what_they_wrote(
    enter, marisol, dana, sign_in, write, database
):
    person = enter(marisol)
    write(person)
    assert "Read</span>" not in person.get("/portal/messages").text
    staff = sign_in(dana)
    [one] = staff.get(f"/api/inbox/client/{marisol.id}").json["items"]
    staff.api("PUT", f"/api/inbox/{one['id']}/read")
    assert "Read</span>" in person.get("/portal/messages").text


def test_the_page_asks_for_news_and_gets_nothing_where_there_is_none(
    enter, marisol, answer, count_queries
):
    person = enter(marisol)
    page = person.get("/portal/messages").text
    version = re.search(r'data-version="([^"]+)"', page)[1]
    address = f"/portal/messages/changes?version={version}"
    with count_queries() as statements:
        assert person.get(address).status_code == 204
    assert len(statements) <= 4
    answer(marisol)
    news = person.get(address)
    assert "second page" in news.text
    assert "<html" not in news.text


def test_earlier_messages_are_a_page_away_and_no_number_of_a_row_is_shown(
    enter, marisol, write, clock, count_queries
):
    person = enter(marisol)
    for number in range(31):
        write(person, f"Message {number:02}", key=f"key-number-{number}")
        clock.move(minutes=2)
    with count_queries() as statements:
        page = person.get("/portal/messages").text
    assert len(statements) <= 9
    assert "Message 30" in page
    assert "Message 00" not in page
    older = re.search(r'href="(/portal/messages\?before=[^"]+)"', page)[1]
    assert re.fullmatch(r"/portal/messages\?before=[\w-]{43}", older)
    assert "Message 00" in person.get(older).text
    assert person.get("/portal/messages?before=made-up").status_code == 404


def test_files_go_both_ways_and_are_saved_never_opened(enter, marisol, dana, sign_in, write):
    person = enter(marisol)
    hostile = b"<html><script>alert(1)</script></html>"
    write(person, "", files=[("../../letter\u202egpj.html", hostile), ("page.pdf", b"%PDF-1.4")])
    page = person.get("/portal/messages").text
    first, second = re.findall(r'href="(/portal/messages/[\w-]+/files/\d)"', page)
    saved = person.get(first)
    assert saved.data == hostile
    assert saved.mimetype == "application/octet-stream"
    assert saved.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in saved.headers["Content-Security-Policy"]
    assert person.get(second).data == b"%PDF-1.4"
    assert "[U+202E]" in page
    assert "page.pdf" in thread(sign_in, dana, marisol)


def test_staff_send_files_along(enter, marisol, dana, answer, database, runtime, clock):
    person = enter(marisol)
    with database.writing() as session:
        file = store_attachment(
            session,
            runtime,
            content=b"for you",
            name="answer.txt",
            content_type="text/plain",
            staff_id=dana.id,
            client_id=marisol.id,
            now=clock(),
        )
    answer(marisol, attachments=[file.id])
    [path] = re.findall(
        r'href="(/portal/messages/[\w-]+/files/\d)"', person.get("/portal/messages").text
    )
    assert person.get(path).data == b"for you"


def test_K09_a_client_has_a_daily_quota_for_files(enter, marisol, write, database, runtime):
    person = enter(marisol)
    object.__setattr__(runtime.settings, "attachment_quota_bytes", 10)
    assert write(person, files=[("a.txt", b"12345")]).status_code == 303
    over = write(person, key="another-key", files=[("b.txt", b"123456")])
    assert over.status_code == 413
    assert "very many files today" in over.text
    with database.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(ClientMessage)) == 1


def test_B03_a_client_reaches_nothing_of_another_client(enter, marisol, bruno, write, answer, dump):
    """By any name: message, file, page, receipt."""
    theirs = enter(bruno)
    write(theirs, "The zebra secret", files=[("zebra.txt", b"zebra")])
    answer(bruno, "The zebra answer")
    mark = newest(theirs)
    file = re.search(r"/portal/messages/([\w-]+)/files/0", theirs.get("/portal/messages").text)
    person = enter(marisol)
    assert "zebra" not in person.get("/portal/messages").text.lower()
    before = dump(without={"attempts", "audit_events", "ledger_heads", "client_sessions"})
    for path in (file[0], f"/portal/messages?before={mark}", f"/portal/messages?before={file[1]}"):
        found = person.get(path)
        assert found.status_code == 404
        assert "zebra" not in found.text.lower()
    assert person.post("/portal/messages/seen", {"up_to": mark}).status_code == 404
    assert "zebra" not in person.get("/portal/messages/changes?version=x").text.lower()
    assert dump(without={"attempts", "audit_events", "ledger_heads", "client_sessions"}) == before


def test_B10_no_page_of_the_portal_tells_what_is_the_firms_own(
    enter, marisol, dana, answer, database, clock, mail_of, write
):
    """No internal note, no other channel, no decision, no address of staff."""
    person = enter(marisol)
    mail_of(marisol, "A zebra by e-mail")
    write(person, "A question")
    answer(marisol, "An answer")
    with database.writing() as session:
        note = CaseNote(
            client_id=marisol.id, staff_id=dana.id, text="zebra note", created_at=clock()
        )
        session.add(note)
    paths = [
        "/portal/",
        "/portal/messages",
        "/portal/messages/changes?version=x",
        "/portal/password",
    ]
    for path in paths:
        page = person.get(path)
        assert page.status_code == 200
        for secret in ("zebra", dana.email, "decision", "allowed", "sidebar"):
            assert secret not in page.text, (path, secret)


def test_C01_words_stay_words(enter, marisol, write):
    person = enter(marisol)
    write(person, '<img src=x onerror=alert(1)><b hx-get="/x">')
    page = person.get("/portal/messages").text
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_R4_nothing_of_the_portal_acts_without_its_token(enter, marisol, answer, dump):
    person = enter(marisol)
    answer(marisol)
    mark = newest(person)
    before = dump()
    for path, form in (
        ("/portal/messages", {"body": "x", "key": KEY}),
        ("/portal/messages/seen", {"up_to": mark}),
        ("/portal/password", {"password": "some other words here"}),
        ("/portal/sign-out", {}),
    ):
        assert person.http.post(path, data=form).status_code == 400
        assert person.http.post(path, data={**form, "csrf_token": "made-up"}).status_code == 400
    assert dump() == before


def test_a_client_can_not_write_without_end(enter, marisol, write):
    person = enter(marisol)
    answers = {write(person, key=f"key-number-{number}").status_code for number in range(60)}
    assert answers == {303}
    assert write(person, key="one-too-many").status_code == 429


def test_the_composer_offers_the_portal_to_those_who_have_it(
    enter, marisol, bruno, dana, sign_in, write
):
    write(enter(marisol))
    page = thread(sign_in, dana, marisol)
    assert 'value="portal:"' in page
    assert "Auto: last message was the portal" in page
    assert 'value="portal:"' not in thread(sign_in, dana, bruno)


def test_messages_follow_their_client_through_a_merge(
    enter, marisol, client, account, dana, sign_in, write
):
    twin = client("Marisol", "Vega", emails=["twin@example.com"], main=dana)
    write(enter(twin), "Written by the twin")
    kept = account(marisol)
    sign_in(dana).post(f"/clients/{marisol.id}/merge", {"merged_id": twin.id})
    assert "Written by the twin" in enter(marisol, kept).get("/portal/messages").text
