"""One message's body, files and state: made safe, access-checked, marked for what it is."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from casewell.email.parsed import MailKind
from casewell.email.senders import SenderStanding
from casewell.kernel.access import Role
from casewell.messages.files import store_attachment
from casewell.messages.models import Attachment, TriageSender

HOSTILE = (
    '<p onclick="steal()">Hello</p><script>alert(1)</script><form action="https://evil.example">'
    '<input name="x"></form><img src="https://tracker.example/p.gif" width="1">'
    '<img src="cid:logo"><a href="https://example.org/x">Link</a>'
    '<div hx-get="/inbox" style="position:fixed;background:url(https://evil.example/)">x</div>'
)
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 32


@pytest.fixture
def world(staff, client, mail_of, sign_in, database, runtime, clock):
    class World:
        dana = staff()
        ana = client("Ana", "Ruiz", main=dana)
        mail = mail_of(ana, "Hello", html=HOSTILE)

        @staticmethod
        def attach(name, content_type, content, message_id=None, **columns):
            with database.writing() as session:
                file = store_attachment(
                    session,
                    runtime,
                    content=content,
                    name=name,
                    content_type=content_type,
                    staff_id=World.dana.id,
                    client_id=World.ana.id,
                    now=clock(),
                )
                file.message_id = message_id or World.mail
                for key, value in columns.items():
                    setattr(file, key, value)
                return file.id

    World.person = sign_in(World.dana)
    return World


def test_C03_a_mail_is_shown_in_a_frame_that_can_do_nothing(world):
    page = world.person.get(f"/inbox/c/{world.ana.id}").get_data(as_text=True)
    frame = re.search(r"<iframe[^>]*>", page)[0]
    sandbox = re.search(r'sandbox="([^"]*)"', frame)[1].split()
    assert set(sandbox) <= {"allow-popups", "allow-popups-to-escape-sandbox"}
    answer = world.person.get(f"/inbox/messages/{world.mail}/body")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script-src" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"


def test_C01_a_hostile_mail_is_inert(world):
    body = world.person.get(f"/inbox/messages/{world.mail}/body").get_data(as_text=True)
    for word in ("<script", "onclick", "<form", "<input", "hx-get", "url(", "position"):
        assert word not in body
    assert 'rel="noopener noreferrer' in body


def test_C05_remote_images_load_for_one_message_on_one_click(world):
    path = f"/inbox/messages/{world.mail}/body"
    page = world.person.get(f"/inbox/c/{world.ana.id}").get_data(as_text=True)
    assert "tracker.example" not in page
    blocked = world.person.get(path)
    assert "tracker.example" not in blocked.get_data(as_text=True)
    assert "https: http:" not in blocked.headers["Content-Security-Policy"]
    shown = world.person.get(f"{path}?images=1")
    assert "tracker.example/p.gif" in shown.get_data(as_text=True)
    assert shown.headers["Referrer-Policy"] == "no-referrer"
    assert "tracker.example" not in world.person.get(path).get_data(as_text=True)


@pytest.mark.parametrize("name", ["note.svg", "page.html", 'a"b\r\nX-Evil: 1.png', "ünïcode.pdf"])
def test_K02_every_attachment_is_a_download(world, name):
    file = world.attach(name, "image/svg+xml", b"<svg onload='alert(1)'/>")
    answer = world.person.get(f"/inbox/attachments/{file}", buffered=True)
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.mimetype == "application/octet-stream"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "X-Evil" not in answer.headers
    assert answer.data == b"<svg onload='alert(1)'/>"


def test_K02_only_raster_pictures_stand_in_a_mail(world):
    world.attach("logo.svg", "image/svg+xml", b"<svg/>", content_id="<logo>", is_inline=True)
    body = world.person.get(f"/inbox/messages/{world.mail}/body").get_data(as_text=True)
    assert "/inbox/pictures/" not in body


def test_K04_a_picture_is_signed_for_one_person_and_ten_minutes(world, visitor, database):
    with time_machine.travel("2026-03-10 15:00+00:00", tick=False) as time:
        world.attach("logo.png", "image/png", PNG, content_id="<logo>", is_inline=True)
        body = world.person.get(f"/inbox/messages/{world.mail}/body").get_data(as_text=True)
        path = re.search(r"/inbox/pictures/[\w.-]+", body)[0]
        shown = visitor.get(path, buffered=True)
        assert (shown.status_code, shown.mimetype, shown.data) == (200, "image/png", PNG)
        assert visitor.get(f"{path[:-1]}{'A' if path[-1] != 'A' else 'B'}").status_code == 404
        time.shift(timedelta(minutes=11))
        assert visitor.get(path).status_code == 404


def test_A09_a_picture_is_gone_once_its_browser_is_signed_out(world, visitor):
    with time_machine.travel("2026-03-10 15:00+00:00", tick=False):
        world.attach("logo.png", "image/png", PNG, content_id="<logo>", is_inline=True)
        body = world.person.get(f"/inbox/messages/{world.mail}/body").get_data(as_text=True)
        path = re.search(r"/inbox/pictures/[\w.-]+", body)[0]
        assert visitor.get(path).status_code == 200
        world.person.post("/sign-out")
        assert visitor.get(path).status_code == 404


def test_K04_a_file_is_gone_with_the_client(world, visitor, staff, database):
    file = world.attach("letter.txt", "text/plain", b"secret")
    path = f"/inbox/attachments/{file}"
    assert visitor.get(path).status_code == 302
    with database.writing() as session:
        session.execute(
            sa.text("UPDATE clients SET main_responsible_id = NULL WHERE id = :id"),
            {"id": world.ana.id},
        )
    assert world.person.get(path).status_code == 404


def test_K01_a_file_that_is_not_the_one_that_was_put_is_refused(world, runtime, database):
    file_id = world.attach("letter.txt", "text/plain", b"as it came")
    with database.writing() as session:
        session.get_one(Attachment, file_id).sha256 = "0" * 64
    assert world.person.get(f"/inbox/attachments/{file_id}").status_code == 503


@pytest.mark.parametrize("path", ["messages/{}/body", "messages/{}/state", "attachments/{}"])
@pytest.mark.parametrize("number", [10**6, 2**63 - 1, 2**63, 10**30])
def test_B08_a_number_without_a_row_is_not_found(world, path, number):
    assert world.person.get(f"/inbox/{path.format(number)}").status_code == 404


def test_B03_messages_of_others_are_not_found(world, staff, sign_in):
    other = sign_in(staff())
    for path in ("body", "state"):
        assert other.get(f"/inbox/messages/{world.mail}/{path}").status_code == 404
    for act in ("undo", "now", "settle"):
        assert other.post(f"/inbox/messages/{world.mail}/{act}").status_code == 404


def test_E02_an_unproven_sender_is_said_to_be_unproven(world, mail_of):
    mail_of(world.ana, sender_check=SenderStanding.FAILED, sender_note="DMARC failed")
    page = world.person.get(f"/inbox/c/{world.ana.id}").get_data(as_text=True)
    assert "Unverified sender." in page
    assert "DMARC failed" in page


def test_E07_who_writes_from_another_address_is_shown_by_it(world, mail_of):
    mail_of(world.ana, from_address="sister@example.org", from_name="Rosa Ruiz")
    page = world.person.get(f"/inbox/c/{world.ana.id}").get_data(as_text=True)
    assert "Rosa Ruiz &lt;sister@example.org&gt;" in page
    assert "sister@example.org is not an address of this client." in page


def test_machines_are_marked(world, mail_of):
    mail_of(world.ana, "I am away", kind=MailKind.AUTO_REPLY)
    page = world.person.get(f"/inbox/c/{world.ana.id}").get_data(as_text=True)
    assert "Automatic reply" in page


def test_quoted_words_are_folded(world, mail_of):
    mail_of(world.ana, "My answer", quoted_text="> what you wrote")
    page = world.person.get(f"/inbox/c/{world.ana.id}").get_data(as_text=True)
    assert "Show quoted text" in page
    assert "&gt; what you wrote" in page


def test_C01_names_and_words_are_text(client, world, mail_of):
    odd = client("<img src=x onerror=alert(1)>", "{{7*7}}", main=world.dana)
    mail_of(odd, "<script>alert(1)</script> https://e.example/?a=<b>", subject="<b>bold</b>")
    for path in ("/inbox", f"/inbox/c/{odd.id}", "/inbox?q=script", "/inbox?q=bold"):
        page = world.person.get(path).get_data(as_text=True)
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "<b>bold" not in page


def test_new_mail_is_told_of_once(world, mail_of, client):
    page = world.person.get(f"/inbox/c/{world.ana.id}").get_data(as_text=True)
    seen = re.search(r"changes\?seen=(\d+)", page)[1]
    quiet = f"/inbox/changes?seen={seen}&client={world.ana.id}&thread_seen={seen}"
    assert world.person.get(quiet, htmx=True).status_code == 204
    mail_of(client("Bo", main=world.dana))
    told = world.person.get(quiet, htmx=True)
    assert "1 new" in told.get_data(as_text=True)
    assert world.person.get(f"{quiet}&shown=1", htmx=True).status_code == 204
    mail_of(world.ana, "Into the open thread")
    assert "Into the open thread" in world.person.get(f"{quiet}&shown=1", htmx=True).text


def test_a_stranger_is_linked_and_taken_back(world, mail_of, staff, sign_in, database):
    mail_of("stranger@example.org", "Who are you?", from_name="Ira Stone")
    boss = sign_in(staff(Role.MANAGER))
    tray = boss.get("/triage").get_data(as_text=True)
    assert "Ira Stone" in tray
    with database.reading() as session:
        sender = session.scalar(sa.select(TriageSender.id))
    assert "Who are you?" in boss.get(f"/triage/{sender}").get_data(as_text=True)
    found = boss.post(f"/triage/{sender}/clients", {"q": "ruiz"}, htmx=True).get_data(as_text=True)
    assert "Ana Ruiz" in found
    assert boss.post(f"/triage/{sender}/link", {"client_id": world.ana.id}).status_code == 303
    assert "Who are you?" in world.person.get(f"/inbox/c/{world.ana.id}").get_data(as_text=True)
    boss.post(f"/triage/{sender}/undo")
    thread = world.person.get(f"/inbox/c/{world.ana.id}").get_data(as_text=True)
    assert "Who are you?" not in thread
    assert boss.post(f"/triage/{sender}/set-aside").status_code == 303
    assert "Ira Stone" not in boss.get("/triage", htmx=True).get_data(as_text=True)
    assert boss.get(f"/triage/{10**30}").status_code == 404


def test_a_client_is_created_of_a_stranger(mail_of, staff, sign_in, database):
    mail_of("ira@example.org", "Can you help me?", from_name="Ira Stone")
    boss = sign_in(staff(Role.MANAGER))
    with database.reading() as session:
        sender = session.scalar(sa.select(TriageSender.id))
    form = {"first_name": "Ira", "last_name": "Stone"}
    made = boss.post(f"/triage/{sender}/client", form)
    assert made.status_code == 303
    assert "Can you help me?" in boss.get(made.location).get_data(as_text=True)


def test_triage_is_for_those_who_see_every_client(world, mail_of):
    mail_of("stranger@example.org", "Hm", html="<p>Hm</p>")
    assert world.person.get("/triage").status_code == 403
    with_body = mail_of("stranger@example.org", "Hm", html="<p>Hm</p>")
    assert world.person.get(f"/inbox/messages/{with_body}/body").status_code == 404
