"""Settings, Channels: connecting, changing, pausing and removing mailboxes; mail out; webhook."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from casewell.app import create_app
from casewell.email.models import Mailbox, MailboxState
from casewell.kernel.access import Role
from casewell.ledger.models import AuditEvent
from casewell.providers.errors import Unavailable
from casewell.providers.mail_out import MailSender
from tests.rigs.mail_in import mail


@pytest.fixture
def office(dovecot):
    return dovecot.user()


@pytest.fixture
def owner(sign_in, staff):
    return sign_in(staff(Role.OWNER, name="Joan Pierce"))


@pytest.fixture
def form(mail_in, office):
    """Gives the form of a mailbox as a browser sends it."""

    def filled(**changes):
        given = mail_in.form(office).model_dump(mode="json")
        return {name: str(value) for name, value in {**given, **changes}.items()}

    return filled


def audited(database):
    with database.reading() as session:
        return session.scalars(sa.select(AuditEvent.kind).order_by(AuditEvent.seq)).all()


def field_error(page, name):
    """Return the words under a field of the form, or nothing."""
    _, found, rest = page.partition(f'id="f-{name}-error"')
    return rest.partition("<span>")[2].partition("</span>")[0] if found else ""


def test_an_owner_connects_a_mailbox_and_sees_what_came(owner, form, mail_in, office, run_due):
    mail_in.deliver(office, mail(1))
    mail_in.deliver(office, b"\r\n\r\n")
    answer = owner.post("/settings/channels", form())
    assert answer.status_code == 303
    address = answer.headers["Location"]
    page = owner.get(address).text
    assert "Connecting" in page
    assert "every 2s" in page
    assert "Not counted yet" in page
    part = owner.get(f"{address}/state", htmx=True)
    assert "HX-Refresh" not in part.headers
    run_due()
    part = owner.get(f"{address}/state", htmx=True)
    assert "<html" not in part.text
    assert "Connected" in part.text
    assert part.headers["HX-Refresh"] == "true"
    page = owner.get(address).text
    assert "last mail just now" in page
    assert "every 2s" not in page
    assert "In triage" in page
    assert "It is empty" in page
    assert 'href="/settings/channels/unreadable?mailbox=1"' in page


def test_the_first_connect_shows_its_progress(owner, mail_in, office, database):
    box = mail_in.connect(office)
    with database.writing() as session:
        row = session.get_one(Mailbox, box)
        row.first_uid_to, row.first_total, row.first_done, row.last_uid = 900, 600, 150, 200
    for path in ("/settings/channels", f"/settings/channels/{box}/state"):
        part = owner.get(path, htmx=True).text
        assert '<progress class="cw-progress" value="150" max="600"' in part
        assert "150 of 600 mails" in part
        assert "every 2s" in part


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"name": ""}, "name", "This is needed."),
        ({"address": "nobody"}, "address", "Is not an e-mail address."),
        ({"host": "imap.example.com/x"}, "host", "Enter the name of a server"),
        ({"host": "imap\nexample"}, "host", "Enter the name of a server"),
        ({"host": "x" * 300}, "host", "at most"),
        ({"port": "0"}, "port", "greater than or equal to 1"),
        ({"port": "70000"}, "port", "less than or equal to 65535"),
        ({"port": "9" * 5000}, "port", ""),
        ({"security": "none"}, "security", "Choose one of"),
        ({"host": "imap.example.com"}, "security", "only a server on this machine"),
        ({"since": "yesterday"}, "since", "valid date"),
        ({"since": "0001-01-01"}, "since", "after 1990"),
        ({"since": "9999-12-31"}, "since", "after 1990"),
        ({"password": ""}, "password", "This is needed."),
        ({"password": "wrong"}, "password", "refused the sign-in"),
        ({"username": "a\x00b"}, "username", "NUL"),
        ({"port": "1"}, "host", "not be reached"),
        ({"folder": "Nowhere"}, "folder", "Choose one of: INBOX."),
    ],
)
def test_a_mistake_is_told_at_its_field(owner, form, database, changes, field, words):
    answer = owner.post("/settings/channels", form(**changes))
    assert answer.status_code == 422
    found = field_error(answer.text, field)
    assert found
    assert words in found.replace("&#39;", "'")
    with database.reading() as session:
        assert session.scalar(sa.select(sa.func.count(Mailbox.id))) == 0


def test_a_form_that_comes_back_keeps_all_but_the_password(owner, form):
    page = owner.post("/settings/channels", form(folder="Nowhere", name="Front desk")).text
    assert 'value="Front desk"' in page
    assert form()["password"] not in page


def test_the_same_folder_is_not_connected_twice(owner, form, mail_in, office):
    mail_in.connect(office)
    answer = owner.post("/settings/channels", form(name="Again"))
    assert answer.status_code == 422
    assert "connected already" in field_error(answer.text, "folder")


def test_O02_a_password_is_shown_nowhere_again(owner, mail_in, office, run_due, database, form):
    secret = office.password
    box = mail_in.connect(office)
    run_due()
    paths = (
        "/settings/channels",
        f"/settings/channels/{box}",
        f"/settings/channels/{box}/edit",
        "/settings/channels/unreadable",
        "/health",
    )
    for path in paths:
        assert secret not in owner.get(path).text
    assert secret not in owner.post(f"/settings/channels/{box}", form(folder="No")).text
    with database.reading() as session:
        row = session.execute(sa.text("SELECT password FROM mailboxes")).scalar_one()
        entries = session.scalars(sa.select(AuditEvent)).all()
        assert secret not in row
        assert not any(secret in str(entry.data) for entry in entries)


def test_a_change_keeps_the_stored_password_where_none_is_given(owner, form, mail_in, office):
    box = mail_in.connect(office)
    assert owner.get(f"/settings/channels/{box}/edit").status_code == 200
    answer = owner.post(f"/settings/channels/{box}", form(name="Front desk", password=""))
    assert answer.status_code == 303
    assert mail_in.mailbox(box).name == "Front desk"
    assert mail_in.mailbox(box).password.open() == office.password


def test_a_change_that_does_not_work_changes_nothing(owner, form, mail_in, office):
    box = mail_in.connect(office)
    answer = owner.post(f"/settings/channels/{box}", form(name="Front desk", password="wrong"))
    assert answer.status_code == 422
    assert mail_in.mailbox(box).name == "Office mailbox"
    assert mail_in.mailbox(box).password.open() == office.password


def test_pause_resume_and_remove(owner, mail_in, office, run_due, database, clock):
    box = mail_in.connect(office)
    run_due()
    assert owner.post(f"/settings/channels/{box}/pause").status_code == 303
    assert "Paused" in owner.get("/settings/channels").text
    mail_in.deliver(office, mail(1))
    clock.move(minutes=20)
    run_due()
    assert mail_in.tally().messages == 0
    assert owner.post(f"/settings/channels/{box}/look").status_code == 303
    run_due()
    assert mail_in.tally().messages == 1
    assert owner.post(f"/settings/channels/{box}/remove").status_code == 303
    assert owner.get(f"/settings/channels/{box}").status_code == 404
    assert mail_in.tally().messages == 1, "what came in stays"
    assert [kind for kind in audited(database) if kind.startswith("mailbox.")] == [
        "mailbox.connected",
        "mailbox.paused",
        "mailbox.resumed",
        "mailbox.removed",
    ]


def test_look_now_does_not_wait_for_the_next_turn(owner, mail_in, office, run_due):
    box = mail_in.connect(office)
    run_due()
    mail_in.deliver(office, mail(1))
    run_due()
    assert mail_in.tally().messages == 0
    owner.post(f"/settings/channels/{box}/look")
    run_due()
    assert mail_in.tally().messages == 1


def test_each_state_is_told_in_words(owner, mail_in, office, database, clock):
    box = mail_in.connect(office)

    def page_of(**columns):
        with database.writing() as session:
            session.execute(sa.update(Mailbox).values(**columns))
        return owner.get("/settings/channels").text

    minutes = timedelta(minutes=1)
    page = page_of(state=MailboxState.WORKING, last_success_at=clock(), last_mail_at=None)
    assert "no mail yet" in page
    page = page_of(last_mail_at=clock() - 2 * minutes)
    assert "last mail 2 min ago" in page
    page = page_of(last_mail_at=clock() - 180 * minutes)
    assert "last mail 3 h ago" in page
    gone = {"state": MailboxState.UNREACHABLE, "last_error": "imap.example.com did not answer."}
    page = page_of(**gone, due_at=clock() + 5 * minutes)
    assert "Not reachable" in page
    assert "imap.example.com did not answer." in page
    assert "Next try at 10:05 AM." in page
    page = page_of(**gone, due_at=clock())
    assert "It is being tried again." in page
    page = page_of(state=MailboxState.SIGN_IN_REFUSED, last_error="Refused.", due_at=None)
    assert "stopped trying" in page
    assert f"/settings/channels/{box}/edit" in page


def test_R3_managers_look_and_owners_act(sign_in, staff, mail_in, office, form):
    box = mail_in.connect(office)
    manager = sign_in(staff(Role.MANAGER))
    for path in ("/settings/channels", f"/settings/channels/{box}"):
        page = manager.get(path)
        assert page.status_code == 200
        assert "Look now" not in page.text
        assert "Connect mailbox" not in page.text
    refused = (
        ("get", "/settings/channels/new"),
        ("get", f"/settings/channels/{box}/edit"),
        ("post", "/settings/channels"),
        ("post", f"/settings/channels/{box}"),
        ("post", f"/settings/channels/{box}/pause"),
        ("post", f"/settings/channels/{box}/look"),
        ("post", f"/settings/channels/{box}/remove"),
        ("post", "/settings/channels/mail-out/check"),
    )
    for method, path in refused:
        assert getattr(manager, method)(path).status_code == 403, path
    for role in (Role.ATTORNEY, Role.CASE_MANAGER, Role.VIEWER):
        person = sign_in(staff(role))
        for path in ("/settings/channels", f"/settings/channels/{box}", "/settings/mail-import"):
            assert person.get(path).status_code == 403
        assert "/settings/channels" not in person.get("/settings/profile").text


@pytest.mark.parametrize("number", [99, 2**63, 2**70])
def test_R2_a_mailbox_that_is_not_there_is_not_found(owner, form, number):
    path = f"/settings/channels/{number}"
    assert owner.get(path).status_code == 404
    assert owner.get(f"{path}/edit").status_code == 404
    # An address that can't be one is refused for its method first.
    refused = (404,) if number == 99 else (404, 405)
    assert owner.post(path, form()).status_code in refused
    assert owner.post(path, form(password="")).status_code in refused
    for act in ("pause", "look", "remove"):
        assert owner.post(f"{path}/{act}").status_code in refused


def test_C17_a_hostile_name_is_shown_as_text(owner, mail_in, office):
    evil = "<img src=x onerror=alert(1)>"
    box = mail_in.connect(office, name=evil)
    for path in ("/settings/channels", f"/settings/channels/{box}", "/health"):
        assert evil not in owner.get(path).text


def test_mail_out_says_where_mail_goes_and_is_checked(runtime, settings_of, staff, clock, firm):
    from tests.rigs.installation import Person

    class Sender:
        kind = "smtp"
        failure = None

        def check(self):
            if self.failure:
                raise self.failure

    sender = Sender()
    made = replace(
        runtime,
        settings=settings_of(
            smtp_host="smtp.example.com", smtp_username="office", smtp_password="very secret"
        ),
        providers={**runtime.providers, MailSender: sender},
    )
    owner = Person(create_app(made), staff(Role.OWNER))
    sign_in_to(owner, made, clock)
    page = owner.get("/settings/channels").text
    assert "smtp.example.com, port 587" in page
    assert "very secret" not in page
    assert "The check went well." in owner.post("/settings/channels/mail-out/check").text
    sender.failure = Unavailable("smtp.example.com could not be reached.", "10.0.0.7 refused")
    page = owner.post("/settings/channels/mail-out/check").text
    assert "smtp.example.com could not be reached." in page
    assert "10.0.0.7" not in page


def sign_in_to(person, runtime, clock):
    """Give a person's browser a session of an installation made by the test."""
    from casewell.kernel.crypto import new_token, token_hash
    from casewell.kernel.web import cookie_name
    from casewell.staff.models import StaffSession

    token = new_token()
    with runtime.database.writing() as session:
        session.add(
            StaffSession(
                staff_id=person.staff.id,
                token_hash=token_hash(token),
                finished=True,
                created_at=clock(),
                last_seen_at=clock(),
            )
        )
    person.http.set_cookie(cookie_name(runtime.settings.https, "session"), token)


def test_the_webhook_tells_its_address_and_how_to_sign(owner):
    page = owner.get("/settings/channels").text
    assert "/hooks/mail" in page
    assert "X-Casewell-Signature" in page
    assert "CASEWELL_MAIL_WEBHOOK_SECRET" in page
