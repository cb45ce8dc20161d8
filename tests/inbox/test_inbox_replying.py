"""Answering: queued once, to the right address, taken back in time, refused with its reason."""

from __future__ import annotations

import io
import re

import pytest
import sqlalchemy as sa

from casewell.clients.models import ClientEmail
from casewell.email.models import EmailMessage
from casewell.kernel.access import Role
from casewell.messages.models import Attachment, Conversation, Delivery, UnifiedMessage


@pytest.fixture
def world(staff, client, mail_of, sign_in):
    """A case manager, signed in, with a client who has written."""

    class World:
        dana = staff(name="Dana Whitfield")
        ana = client("Ana", "Ruiz", main=dana, emails=["ana@example.com", "home@example.net"])
        first = mail_of(ana, "When will it be done?", subject="Re: My dispute")

    World.person = sign_in(World.dana)
    return World


def sent(database):
    with database.reading() as session:
        return session.scalars(
            sa.select(EmailMessage).where(EmailMessage.direction == "outbound")
        ).all()


def test_an_answer_goes_where_the_client_wrote_from_and_is_threaded(world, mail_of, database):
    mail_of(
        world.ana,
        from_address="home@example.net",
        subject="AW: Re: My dispute",
        rfc_message_id="<last@mail.example>",
        references=["<mail1@mail.example>"],
    )
    answer = world.person.api(
        "POST", "/api/inbox/reply", {"client_id": world.ana.id, "body": "By Friday."}
    )
    assert answer.status_code == 201
    [mail] = sent(database)
    assert answer.json["message_id"] == mail.id
    assert answer.json["status"] == "queued"
    assert [one["email"] for one in mail.to] == ["home@example.net"]
    assert mail.subject == "Re: My dispute"
    assert mail.in_reply_to == "<last@mail.example>"
    assert mail.references == ["<mail1@mail.example>", "<last@mail.example>"]


def test_Q10_a_second_press_of_send_sends_nothing(world, database):
    form = {"body": "By Friday.", "key": "press-once-1"}
    for _ in range(2):
        assert world.person.post(f"/inbox/c/{world.ana.id}/reply", form).status_code == 303
    assert len(sent(database)) == 1


def test_Q10_the_second_call_with_a_key_answers_with_the_first_result(world, database):
    call = {"client_id": world.ana.id, "body": "By Friday."}
    key = {"Idempotency-Key": "0123456789"}
    one = world.person.api("POST", "/api/inbox/reply", call, headers=key)
    two = world.person.api("POST", "/api/inbox/reply", {**call, "body": "x"}, headers=key)
    assert (one.status_code, one.json) == (two.status_code, two.json)
    assert len(sent(database)) == 1


def test_a_key_of_another_clients_message_is_refused(world, client, database):
    other = client("Bo", main=world.dana)
    key = {"Idempotency-Key": "0123456789"}
    for one, status in ((world.ana, 201), (other, 409)):
        call = {"client_id": one.id, "body": "x", "subject": "Hello"}
        answer = world.person.api("POST", "/api/inbox/reply", call, headers=key)
        assert answer.status_code == status
    assert len(sent(database)) == 1


def test_undo_brings_the_words_back_to_the_composer(world, database, clock):
    made = world.person.post(
        f"/inbox/c/{world.ana.id}/reply", {"body": "Too early", "key": "a-key-of-mine"}, htmx=True
    )
    page = made.get_data(as_text=True)
    assert "Sending in 10 s" in page
    undo = re.search(r"/inbox/messages/\d+/undo", page)[0]
    clock.move(seconds=5)
    back = world.person.post(undo, htmx=True).get_data(as_text=True)
    assert "Too early" in back
    assert "Nothing was sent" in back
    assert [mail.status for mail in sent(database)] == ["undone"]
    thread = world.person.get(f"/inbox/c/{world.ana.id}").get_data(as_text=True)
    assert "Too early" not in thread


def test_undo_comes_too_late_once_it_has_left(world, database):
    world.person.post(f"/inbox/c/{world.ana.id}/reply", {"body": "Gone", "key": "a-key-of-mine"})
    [mail] = sent(database)
    with database.writing() as session:
        session.execute(sa.update(Delivery).values(status="sent"))
    answer = world.person.post(f"/inbox/messages/{mail.id}/undo", htmx=True)
    assert answer.status_code == 409
    assert "already left" in answer.get_data(as_text=True)


def test_send_now_makes_it_due_at_once(world, database, clock):
    world.person.post(f"/inbox/c/{world.ana.id}/reply", {"body": "Now", "key": "a-key-of-mine"})
    [mail] = sent(database)
    assert world.person.post(f"/inbox/messages/{mail.id}/now").status_code == 303
    with database.reading() as session:
        assert session.scalar(sa.select(Delivery.due_at)) == clock()


def test_a_refused_answer_keeps_its_text_and_says_why(world, database):
    form = {"body": "Precious words", "via": "email:stranger@example.org", "key": "a-key-of-mine"}
    page = world.person.post(f"/inbox/c/{world.ana.id}/reply", form)
    assert page.status_code == 422
    text = page.get_data(as_text=True)
    assert "Precious words" in text
    assert "stranger@example.org is not an address of this client" in text
    fragment = world.person.post(f"/inbox/c/{world.ana.id}/reply", form, htmx=True)
    assert fragment.status_code == 422
    assert 'id="reply-error"' in fragment.get_data(as_text=True)
    assert sent(database) == []


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"body": ""}, "needed"),
        ({"body": "x", "cc": "nobody"}, "nobody is not an e-mail address"),
        ({"body": "x", "status": "sent"}, "no such field"),
        ({"body": "x", "client_id": "2"}, "no such field"),
        ({"body": "x", "key": "short"}, "at least 8"),
    ],
)
def test_B09_an_answer_takes_its_own_fields_only(world, database, form, words):
    given = {"key": "a-key-of-mine", **form}
    page = world.person.post(f"/inbox/c/{world.ana.id}/reply", given, htmx=True)
    assert page.status_code == 422
    assert words in page.get_data(as_text=True)
    assert sent(database) == []


def test_E08_who_was_copied_in_is_shown_but_not_written_to(world, mail_of, database):
    office = {"name": "", "email": "office+c.aaaaaaaaaaaaaaaaaaaaaaaaaa@firm.example"}
    mail_of(
        world.ana,
        to=[office, {"name": "", "email": "other@example.org"}],
        cc=[{"name": "", "email": "stranger@example.org"}],
    )
    page = world.person.get(f"/inbox/c/{world.ana.id}").get_data(as_text=True)
    assert "not this client, and not added by itself" in page
    offered = re.findall(r'<input[^>]*type="checkbox" name="cc" value="([^"]*)">', page)
    assert offered == ["other@example.org", "stranger@example.org"]
    world.person.post(f"/inbox/c/{world.ana.id}/reply", {"body": "Hi", "key": "a-key-of-mine"})
    assert sent(database)[0].cc == []
    chosen = {"body": "Hi both", "key": "another-key", "cc": ["", "stranger@example.org"]}
    asked = world.person.post(f"/inbox/c/{world.ana.id}/reply", chosen)
    assert asked.status_code == 422
    assert "stranger@example.org is not on the file of Ana Ruiz" in asked.text
    assert len(sent(database)) == 1
    anyway = {"anyway": "confirm=copied_to_outsiders"}
    world.person.post(f"/inbox/c/{world.ana.id}/reply", {**chosen, **anyway})
    assert [one["email"] for one in sent(database)[1].cc] == ["stranger@example.org"]
    with database.reading() as session:
        count = sa.select(sa.func.count()).where(ClientEmail.client_id == world.ana.id)
        assert session.scalar(count) == 2


def test_E09_a_reply_to_is_shown_and_not_followed(world, mail_of, database):
    mail_of(world.ana, reply_to=[{"name": "", "email": "dana@firm.example"}])
    page = world.person.get(f"/inbox/c/{world.ana.id}").get_data(as_text=True)
    assert "answers are asked for at dana@firm.example" in page
    world.person.post(f"/inbox/c/{world.ana.id}/reply", {"body": "Hi", "key": "a-key-of-mine"})
    assert sent(database)[0].to[0]["email"] == "ana@example.com"


def test_a_client_without_an_address_is_a_clear_answer(world, client, database):
    silent = client("Silent", main=world.dana, emails=[])
    call = {"client_id": silent.id, "body": "x", "subject": "Hello"}
    answer = world.person.api("POST", "/api/inbox/reply", call)
    assert (answer.status_code, answer.json["code"]) == (422, "no_address")


def test_files_are_uploaded_to_the_draft_and_leave_with_the_answer(world, database):
    upload = {"files": (io.BytesIO(b"%PDF-1.7 letter"), "letter.pdf", "application/pdf")}
    lines = world.person.post(f"/inbox/c/{world.ana.id}/files", upload, htmx=True)
    text = lines.get_data(as_text=True)
    assert "letter.pdf" in text
    file_id = re.search(r'name="attachments" value="(\d+)"', text)[1]
    form = {"body": "Attached.", "key": "a-key-of-mine", "attachments": file_id}
    assert world.person.post(f"/inbox/c/{world.ana.id}/reply", form).status_code == 303
    with database.reading() as session:
        file = session.scalars(sa.select(Attachment)).one()
        assert file.message_id == sent(database)[0].id


def test_files_go_with_a_plain_form_too(world, database):
    form = {
        "body": "Attached.",
        "key": "a-key-of-mine",
        "files": (io.BytesIO(b"hello"), "note.txt", "text/plain"),
    }
    assert world.person.post(f"/inbox/c/{world.ana.id}/reply", form).status_code == 303
    with database.reading() as session:
        assert session.scalars(sa.select(Attachment.message_id)).all() == [sent(database)[0].id]


def test_F15_a_file_of_another_clients_draft_is_refused(world, client, database):
    other = client("Bo", main=world.dana)
    upload = {"files": (io.BytesIO(b"secret"), "bo.txt", "text/plain")}
    text = world.person.post(f"/inbox/c/{other.id}/files", upload, htmx=True).get_data(as_text=True)
    file_id = int(re.search(r'name="attachments" value="(\d+)"', text)[1])
    call = {"client_id": world.ana.id, "body": "x", "attachments": [file_id]}
    assert world.person.api("POST", "/api/inbox/reply", call).status_code == 404
    assert sent(database) == []


def test_a_file_is_taken_off_a_draft_but_never_off_a_message(world, staff, sign_in, database):
    upload = {"files": (io.BytesIO(b"x"), "a.txt", "text/plain")}
    text = world.person.post(f"/inbox/c/{world.ana.id}/files", upload, htmx=True).get_data(
        as_text=True
    )
    file_id = re.search(r'name="attachments" value="(\d+)"', text)[1]
    path = f"/inbox/attachments/{file_id}/remove"
    stranger = sign_in(staff(Role.MANAGER))
    assert stranger.post(path).status_code == 404
    form = {"body": "x", "key": "a-key-of-mine", "attachments": file_id}
    world.person.post(f"/inbox/c/{world.ana.id}/reply", form)
    assert world.person.post(path, htmx=True).status_code == 404
    with database.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Attachment)) == 1


def test_B04_nobody_answers_a_client_that_is_not_theirs(world, client, staff, database):
    foreign = client("Foreign", main=staff())
    call = {"client_id": foreign.id, "body": "x", "subject": "y"}
    assert world.person.api("POST", "/api/inbox/reply", call).status_code == 404
    form = {"body": "x", "key": "a-key-of-mine", "subject": "y"}
    assert world.person.post(f"/inbox/c/{foreign.id}/reply", form).status_code == 404
    for act in ("done", "reopen", "unread", "read", "files"):
        assert world.person.post(f"/inbox/c/{foreign.id}/{act}").status_code == 404
    with database.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Conversation)) == 1
    assert sent(database) == []


def test_a_person_says_what_became_of_an_unconfirmed_message(world, database):
    world.person.post(f"/inbox/c/{world.ana.id}/reply", {"body": "Sure?", "key": "a-key-of-mine"})
    [mail] = sent(database)
    with database.writing() as session:
        session.execute(sa.update(Delivery).values(status="unconfirmed"))
        session.execute(
            sa.update(UnifiedMessage.__table__)
            .where(UnifiedMessage.__table__.c.id == mail.id)
            .values(status="unconfirmed")
        )
    page = world.person.get("/outbox").get_data(as_text=True)
    assert "May not have arrived" in page
    assert (
        world.person.post(f"/inbox/messages/{mail.id}/settle", {"choice": "no"}).status_code == 422
    )
    done = world.person.post(f"/inbox/messages/{mail.id}/settle", {"choice": "arrived"}, htmx=True)
    assert "Marked as arrived" in done.get_data(as_text=True)
    assert [one.status for one in sent(database)] == ["sent"]


def test_done_is_the_teams_and_can_be_taken_back(world, database):
    answer = world.person.post(f"/inbox/c/{world.ana.id}/done", htmx=True)
    assert f"/inbox/c/{world.ana.id}/reopen" in answer.get_data(as_text=True)
    assert "Ana Ruiz" not in world.person.get("/inbox", htmx=True).get_data(as_text=True)
    assert "Ana Ruiz" in world.person.get("/inbox?state=done", htmx=True).get_data(as_text=True)
    world.person.post(f"/inbox/c/{world.ana.id}/reopen")
    assert "Ana Ruiz" in world.person.get("/inbox", htmx=True).get_data(as_text=True)
