"""Mail from end to end: an IMAP server, the conversation, an SMTP server, and back again.

Nothing in between is replaced: the mailbox is polled by the job that polls, over TLS; the answer
is written through the API and leaves over STARTTLS with a sign-in; the client's mail program
reads it from a mailbox of its own.
"""

from __future__ import annotations

import email.policy
from dataclasses import dataclass
from datetime import date
from email.message import EmailMessage as Mail
from typing import Any

import pytest
import sqlalchemy as sa

from casewell.bootstrap import make_runtime
from casewell.email.forms import MailboxForm
from casewell.email.mailboxes import MailboxService
from casewell.email.models import EmailMessage, InboundMail, InboundState, Mailbox, MailboxState
from casewell.ledger.service import Actor
from casewell.messages.models import MessageStatus
from tests.rigs.mail_world import MailWorld
from tests.rigs.smtp_server import LOGIN

OFFICE = "office@firm.example"
OUR_HOP = "mx.firm.example"


@pytest.fixture
def world(smtp_starttls, dovecot):
    """The firm's and the clients' mailboxes; what the firm sends is carried to the latter."""
    made = MailWorld(smtp_starttls, dovecot, {})
    smtp_starttls.on_delivery = made.carry
    return made


@pytest.fixture
def runtime(settings_of, clock, world, tmp_path, monkeypatch):
    """An installation that reaches both servers by its settings alone, and trusts them."""
    trusted = tmp_path / "authorities.pem"
    authorities = (world.smtp.certificates.authority, world.dovecot.certificates.authority)
    trusted.write_bytes(b"".join(authority.read_bytes() for authority in authorities))
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    settings = settings_of(
        smtp_host="localhost",
        smtp_port=world.smtp.port,
        smtp_security="starttls",
        smtp_username=LOGIN.username,
        smtp_password=LOGIN.password,
        mail_from=OFFICE,
        mail_trusted_hops=OUR_HOP,
    )
    made = make_runtime(settings, now=clock, with_hints=False)
    yield made
    made.database.close()


@dataclass
class Correspondence:
    """A case manager, signed in, and a client; both with mailboxes on real servers."""

    world: MailWorld
    clock: Any
    run_due: Any
    person: Any
    client: Any
    office: Any
    mailbox: Any

    def writes(self, mail: Mail, *, dmarc: str = "pass", also: bytes = b"") -> None:
        """The client's mail reaches the firm, whose server checks the sender; it is fetched."""
        domain = mail["From"].addresses[0].domain
        trace = (
            f"Authentication-Results: {OUR_HOP}; dmarc={dmarc} header.from={domain}\r\n"
            f"Received: from mail.example by {OUR_HOP}; Tue, 10 Mar 2026 15:00:00 +0000\r\n"
        )
        raw = trace.encode() + also + mail.as_bytes(policy=email.policy.SMTP)
        self.clock.move(minutes=2)
        self.world.dovecot.deliver(self.office, raw, self.clock())
        self.run_due()

    def answered(self, text: str, **more: Any) -> Mail:
        """Staff answers through the API; return the mail as it stands in the client's mailbox."""
        answer = self.person.api(
            "POST", "/api/inbox/reply", {"client_id": self.client.id, "body": text, **more}
        )
        assert answer.status_code == 201, answer.json
        before = len(self.world.mails(self.mailbox))
        self.clock.move(seconds=10)
        self.run_due()
        received = self.world.mails(self.mailbox)
        assert len(received) == before + 1
        return email.message_from_bytes(received[-1], policy=email.policy.default)

    def page(self) -> str:
        return self.person.get(f"/inbox/c/{self.client.id}").get_data(as_text=True)

    def thread(self) -> list[dict[str, Any]]:
        """The client's messages as the API tells them, oldest first."""
        answer = self.person.api("GET", f"/api/inbox/client/{self.client.id}")
        return answer.json["items"][::-1]

    def found(self, words: str) -> list[int]:
        answer = self.person.api("GET", f"/api/inbox/search?q={words}")
        return [hit["id"] for hit in answer.json["items"]]


@pytest.fixture
def talk(runtime, database, world, clock, run_due, staff, client, sign_in):
    dana = staff(name="Dana Whitfield")
    ana = client("Ana", "Ruiz", main=dana, emails=["ana@example.com"])
    office, mailbox = world.dovecot.user(OFFICE), world.user("ana@example.com")
    form = MailboxForm(
        name="Office",
        address=OFFICE,
        host="localhost",
        port=world.dovecot.tls_port,
        username=office.address,
        password=office.password,
        since=date(2026, 3, 1),
    )
    with database.writing() as session:
        MailboxService(session, runtime, Actor.of_staff(dana)).connect(form)
    run_due()
    return Correspondence(world, clock, run_due, sign_in(dana), ana, office, mailbox)


def first_mail() -> Mail:
    mail = Mail()
    mail["From"], mail["To"] = "Ana Ruiz <ana@example.com>", OFFICE
    mail["Subject"] = "The collection account"
    mail["Date"] = "Tue, 10 Mar 2026 15:00:00 +0000"
    mail["Message-ID"] = "<first@mail.example>"
    mail.set_content("Have you heard about the cromulent account?\n")
    return mail


def answer_to(mail: Mail, text: str, sender: str = "Ana Ruiz <ana@example.com>") -> Mail:
    """Answer as a mail program does."""
    answer = Mail()
    answer["From"], answer["To"] = sender, str(mail["Reply-To"])
    answer["Subject"] = f"Re: {mail['Subject'].removeprefix('Re: ')}"
    answer["Date"] = "Tue, 10 Mar 2026 16:00:00 +0000"
    answer["Message-ID"] = f"<answer-{abs(hash(text))}@mail.example>"
    answer["In-Reply-To"] = str(mail["Message-ID"])
    answer["References"] = f"{mail.get('References', '')} {mail['Message-ID']}".strip()
    quoted = mail.get_body(("plain",)).get_content().replace("\n", "\n> ")
    answer.set_content(f"{text}\n\nOn Tue, Mar 10, 2026 Harbor Law Group wrote:\n> {quoted}\n")
    return answer


def test_a_conversation_goes_round_and_round(talk, database):
    talk.writes(first_mail())
    assert "Have you heard about the cromulent account?" in talk.page()
    (question,) = talk.thread()
    assert (question["direction"], question["sender_verified"]) == ("inbound", True)
    assert talk.person.api("GET", "/api/inbox/unread").json["email"] == 1
    assert talk.found("cromulent") == [question["id"]]

    received = talk.answered("We have written to the bureau.")
    assert talk.world.smtp.sign_ins[-1] == LOGIN.username
    (delivery,) = talk.world.smtp.deliveries
    assert (delivery.envelope_from, delivery.recipients) == (OFFICE, ("ana@example.com",))
    assert received["From"].addresses[0].addr_spec == OFFICE
    assert received["Subject"] == "Re: The collection account"
    assert received["In-Reply-To"] == received["References"] == "<first@mail.example>"
    assert talk.thread()[-1]["status"] == MessageStatus.SENT

    for number, word in enumerate(("persimmon", "quince"), 1):
        talk.writes(answer_to(received, f"Thank you. The code word is {word}."))
        newest = talk.thread()[-1]
        assert newest["direction"] == "inbound"
        assert talk.found(f"thank+{word}") == [newest["id"]]
        page = talk.page()
        assert f"The code word is {word}." in page
        assert "Written by somebody else" not in page
        received = talk.answered("You are welcome.")
        ids = received["References"].split()
        assert ids[0] == "<first@mail.example>"
        assert len(ids) == 1 + 2 * number
    assert [one["direction"] for one in talk.thread()] == ["inbound", "outbound"] * 3
    with database.reading() as session:
        mailbox = session.scalars(sa.select(Mailbox)).one()
        assert (mailbox.state, mailbox.last_error) == (MailboxState.WORKING, None)


def without_references(answer: Mail) -> None:
    del answer["References"]
    del answer["In-Reply-To"]


def to_the_office(answer: Mail) -> None:
    answer.replace_header("To", OFFICE)


def in_capitals(answer: Mail) -> None:
    without_references(answer)
    answer.replace_header("To", str(answer["To"].addresses[0].addr_spec).upper())


def in_copy(answer: Mail) -> None:
    without_references(answer)
    answer["Cc"] = str(answer["To"])
    answer.replace_header("To", "someone@example.net")


@pytest.mark.parametrize("change", [without_references, to_the_office, in_capitals, in_copy])
@pytest.mark.parametrize("sender", ["ana@example.com", "spouse@example.net"])
def test_E07_an_answer_finds_back_and_is_its_authors_own(talk, database, change, sender):
    """By the mail it answers, or by the reply address; and it says who wrote it."""
    talk.writes(first_mail())
    answer = answer_to(talk.answered("We have written."), "Good news indeed", sender)
    change(answer)
    talk.writes(answer)
    (newest, *_) = talk.thread()[::-1]
    assert newest["body"].startswith("Good news indeed")
    page = talk.page()
    assert f"{sender} to " in page
    theirs = sender == "ana@example.com"
    assert (f"{sender} is not an address of this client" in page) is not theirs
    with database.reading() as session:
        row = session.get_one(EmailMessage, newest["id"])
        assert row.from_address == sender
        kinds = sa.text("SELECT actor_name FROM activity_events WHERE subject_id = :id")
        assert session.scalars(kinds, {"id": row.id}).all() == [sender]
    # The next answer still goes to the client.
    assert talk.answered("Thank you both.")["To"].addresses[0].addr_spec == "ana@example.com"


def test_E02_an_answer_that_fails_the_firms_check_joins_nothing(talk, database):
    talk.writes(first_mail())
    answer = answer_to(talk.answered("We have written."), "Send the money elsewhere")
    talk.writes(answer, dmarc="fail")
    assert len(talk.thread()) == 2
    with database.reading() as session:
        waiting = sa.select(EmailMessage.id).where(EmailMessage.client_id.is_(None))
        assert len(session.scalars(waiting).all()) == 1


@pytest.mark.parametrize("place", [-1, 12, 0])
def test_a_reply_address_that_was_tampered_with_opens_nothing(talk, place):
    talk.writes(first_mail())
    answer = answer_to(talk.answered("We have written."), "Let me in", "stranger@example.net")
    without_references(answer)
    local, _, domain = str(answer["To"].addresses[0].addr_spec).rpartition("@")
    head, _, token = local.rpartition(".")
    changed = list(token)
    changed[place] = "a" if token[place] != "a" else "q"
    answer.replace_header("To", f"{head}.{''.join(changed)}@{domain}")
    talk.writes(answer)
    assert len(talk.thread()) == 2


def test_D10_one_mail_in_two_mailboxes_is_one_message(talk, runtime, database, world, staff):
    """To the office, in copy to a second address of the firm: read from both."""
    second = world.dovecot.user("intake@firm.example")
    form = MailboxForm(
        name="Intake",
        address="intake@firm.example",
        host="localhost",
        port=world.dovecot.tls_port,
        username=second.address,
        password=second.password,
        since=date(2026, 3, 1),
    )
    with database.writing() as session:
        MailboxService(session, runtime, Actor.of_staff(staff())).connect(form)
    talk.run_due()
    mail = first_mail()
    mail["Cc"] = "intake@firm.example"
    talk.writes(mail)
    talk.office = second
    talk.writes(mail, also=b"Received: from elsewhere by mx2.firm.example; Tue, 10 Mar 2026\r\n")
    assert len(talk.thread()) == 1
    with database.reading() as session:
        rows = session.scalars(sa.select(InboundMail).order_by(InboundMail.id)).all()
        assert [row.state for row in rows] == [InboundState.TAKEN_IN, InboundState.DUPLICATE]
        assert len({row.mailbox_id for row in rows}) == 2
        assert len({row.message_id for row in rows}) == 1


def test_the_firms_own_answer_in_its_mailbox_is_not_a_message_again(talk, world, database):
    """Servers that copy what was sent into the inbox, and clients in copy of ourselves."""
    talk.writes(first_mail())
    talk.answered("We have written.")
    raw = talk.world.smtp.deliveries[-1].raw
    talk.clock.move(minutes=2)
    world.dovecot.deliver(talk.office, raw, talk.clock())
    talk.run_due()
    assert len(talk.thread()) == 2
    with database.reading() as session:
        states = session.scalars(sa.select(InboundMail.state).order_by(InboundMail.id)).all()
        assert states == [InboundState.TAKEN_IN, InboundState.SKIPPED]
