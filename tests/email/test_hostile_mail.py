"""Hostile and broken mail, from its bytes to what people see: cases D, E, F, K and C."""

from __future__ import annotations

import email.policy
import io
import re
from datetime import timedelta
from email.message import EmailMessage as Mail
from typing import Any

import pytest
import sqlalchemy as sa

from casewell.bootstrap import make_runtime
from casewell.clients.models import Client, ClientEmail
from casewell.email.arrival import Arrived, keep_raw, register, take_in_all
from casewell.email.models import (
    PASSWORD_CONTEXT,
    EmailMessage,
    InboundMail,
    InboundState,
    Mailbox,
    MailboxState,
    Source,
)
from casewell.health.checks import check_all
from casewell.kernel.access import Role
from casewell.kernel.types import Sealed
from casewell.ledger.models import ActivityEvent
from casewell.messages.models import (
    Attachment,
    Conversation,
    ConversationState,
    Delivery,
    TriageSender,
)
from casewell.providers.files import FileStore
from casewell.providers.mail_out import MailSender
from casewell.staff.models import Firm

HOP = "mx.firm.example"
VERIFIED = f"Authentication-Results: {HOP}; dmarc=pass header.from=example.com"


@pytest.fixture
def runtime(settings_of, clock, outbox):
    """An installation whose mail server checks senders."""
    settings = settings_of(mail_trusted_hops=HOP, attachment_quota_bytes=100_000)
    made = make_runtime(settings, now=clock, providers={MailSender: outbox}, with_hints=False)
    yield made
    made.database.close()


@pytest.fixture
def arrive(runtime, clock, database):
    """Takes mails in; returns, for each, its row and the message it became."""

    def arrived(*raws: bytes, after: float = 1.0) -> Any:
        results = []
        for start in range(0, len(raws), 25):
            clock.move(seconds=after)
            mails = [Arrived(raw, len(raw), clock()) for raw in raws[start : start + 25]]
            kept = keep_raw(runtime, mails)
            with database.writing() as session:
                due = register(session, runtime, kept, source=Source.WEBHOOK)
            take_in_all(runtime, due)
            with database.reading() as session:
                for one in due:
                    row = session.get_one(InboundMail, one)
                    found = row.message_id and session.get(EmailMessage, row.message_id)
                    results.append((row, found))
        return results if len(raws) > 1 else results[0]

    return arrived


@pytest.fixture
def dana(staff):
    return staff(Role.MANAGER, name="Dana Whitfield")


@pytest.fixture
def ana(client, dana):
    return client("Ana", "Ruiz", main=dana, emails=["ana@example.com"])


@pytest.fixture
def person(sign_in, dana):
    return sign_in(dana)


def mail(
    text: str = "When will you write?",
    *,
    trace: str = VERIFIED,
    sender: str = "Ana Ruiz <ana@example.com>",
    **headers: str,
) -> bytes:
    """A mail as the firm's server hands it on: with its check on top, unless `trace` differs."""
    mail.count += 1
    given = {
        "From": sender,
        "To": "office@firm.example",
        "Subject": f"Question {mail.count}",
        "Date": "Tue, 10 Mar 2026 15:00:00 +0000",
        "Message-ID": f"<{mail.count}@mail.example>",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = [trace, f"Received: from mail.example by {HOP}; Tue, 10 Mar 2026 15:00:00 +0000"]
    lines += [f"{name}: {value}" for name, value in given.items() if value]
    return "\r\n".join([*filter(None, lines), "", text, ""]).encode()


mail.count = 0


def text_of(person, path: str) -> str:
    answer = person.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def sent(sent_mails, number: int = -1) -> Mail:
    return email.message_from_bytes(sent_mails[number][2], policy=email.policy.default)


@pytest.fixture
def answer(person, ana, clock, run_due):
    """Answers the client through the API and lets the mail leave."""

    def answered(**fields: Any) -> Any:
        call = {"client_id": ana.id, "body": "By Friday.", **fields}
        made = person.api("POST", "/api/inbox/reply", call)
        clock.move(seconds=10)
        run_due()
        return made

    return answered


@pytest.mark.parametrize("case", [f"D{n:02}" for n in (1, 3, 4, 5, 6, 7, 8, 9, 10, 12)])
def test_D01_a_poison_mail_between_two_good_ones(fixture, arrive, ana, person, case):
    first, poison, last = arrive(mail("one"), fixture(case), mail("two"))
    assert (first[1].client_id, last[1].client_id) == (ana.id, ana.id)
    assert poison[0].state in (InboundState.TAKEN_IN, InboundState.QUARANTINED)
    assert poison[0].reason or poison[1] is not None
    assert text_of(person, f"/inbox/c/{ana.id}")


def test_D01_what_can_not_be_read_is_kept_shown_and_told_once(
    runtime, arrive, ana, staff, sign_in, database, capsys
):
    broken = b"\x00\x01 no header, no mail \xff"
    assert check_all(runtime)
    with database.writing() as session:
        session.add(_mailbox(runtime))
    before, after = (arrive(mail(), broken, mail()), check_all(runtime))
    row, message = before[1]
    assert (row.state, message) == (InboundState.QUARANTINED, None)
    with runtime.provider(FileStore).open(row.file_key) as file:
        assert file.read() == broken
    (told,) = [one for one in after if one.part == "mail_in"]
    assert "1 mail could not be read" in told.finding
    said = capsys.readouterr().out.count("part=mail_in")
    check_all(runtime)  # the same again is no news
    assert capsys.readouterr().out.count("part=mail_in") == 0
    assert said == 1
    owner = sign_in(staff(Role.OWNER))
    assert row.reason in text_of(owner, "/settings/channels/unreadable").lower()


def _mailbox(runtime):
    now = runtime.now()
    return Mailbox(
        name="Office",
        address="office@firm.example",
        host="localhost",
        username="office",
        password=Sealed.seal("secret", PASSWORD_CONTEXT),
        since=now.date(),
        state=MailboxState.WORKING,
        state_since=now,
        created_at=now,
        last_success_at=now,
    )


def test_D03_text_in_any_charset_is_stored_as_utf_8_and_shown(fixture, arrive, ana, person):
    bodies = {
        "bogus": fixture("D11"),
        "8-bit": mail(Content_Type="text/plain; charset=us-ascii") + b"caf\xe9 \xff\xfe\x80",
        "utf-7": mail("+ADw-script+AD4-alert(1)", Content_Type="text/plain; charset=utf-7"),
        "base64": mail("SGVsbG8*!gd29ybGQ", Content_Transfer_Encoding="base64"),
        "quoted": mail("Hello =ZZ =E4=B8 =", Content_Transfer_Encoding="quoted-printable"),
        "nul": mail("Hel\x00lo \ud800".encode("utf-8", "surrogatepass").decode("latin-1")),
    }
    for row, message in arrive(*bodies.values()):
        assert row.state is InboundState.TAKEN_IN
        assert "\x00" not in message.body_text
        message.body_text.encode("utf-8")
        if message.client_id:
            card = text_of(person, f"/inbox/c/{ana.id}?message={message.id}")
            assert "<script" not in card.split('id="thread"')[1].split("</section>")[0]


def test_D04_the_thread_stands_in_the_order_of_arrival_whatever_a_date_says(
    arrive, ana, person, clock, database
):
    dates = [
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "Mon, 01 Jan 0001 00:00:00 +0000",
        "",
        (clock() + timedelta(days=3)).strftime("%a, %d %b %Y %H:%M:%S +0000"),
        "Tue, 10 Mar 2026 15:00:00 +0000\r\nDate: Sat, 01 Jan 2000 00:00:00 +0000",
        "not a date at all",
    ]
    received = []
    for number, date in enumerate(dates):
        row, message = arrive(mail(f"Mail {number}", Date=date))
        assert message.occurred_at == row.received_at == clock()
        received.append(message.id)
    told = person.api("GET", f"/api/inbox/client/{ana.id}").json["items"]
    assert [one["id"] for one in told] == received[::-1]
    with database.reading() as session:
        assert session.scalar(sa.select(Conversation.last_inbound_at)) == clock()


def test_D06_a_subject_with_a_line_end_is_answered_in_one_line(
    fixture, arrive, client, dana, person, sent_mails, clock, run_due
):
    dana_client = client("Dana", "Client", main=dana, emails=["dana.client@mail.example"])
    passed = (
        f"Authentication-Results: {HOP}; dmarc=pass header.from=mail.example\r\nReceived: x\r\n"
    )
    _, message = arrive(passed.encode() + fixture("D15"))
    assert message.subject == "Case Bcc: victim@other.example"
    call = {"client_id": dana_client.id, "body": "By Friday."}
    assert person.api("POST", "/api/inbox/reply", call).status_code == 201
    clock.move(seconds=10)
    run_due()
    assert sent_mails[0][1] == ["dana.client@mail.example"]
    assert sent(sent_mails)["Subject"] == "Re: Case Bcc: victim@other.example"
    assert sent(sent_mails)["Bcc"] is None


def test_D08_the_header_of_a_mail_inside_a_mail_identifies_nobody(arrive, ana, person):
    inner = mail("The inner words", sender="ana@example.com").decode()
    for _ in range(20):
        inner = (
            "Content-Type: message/rfc822\r\n\r\n" + inner
            if inner.startswith("Content-Type")
            else f'Content-Type: multipart/mixed; boundary="i"\r\n\r\n--i\r\n'
            f"Content-Type: message/rfc822\r\n\r\n{inner}\r\n--i--\r\n"
        )
    head = (
        f"Authentication-Results: {HOP}; dmarc=pass header.from=example.net\r\nReceived: x\r\n"
        "From: stranger@example.net\r\nSubject: Fwd\r\nMessage-ID: <outer@mail.example>\r\n"
        "MIME-Version: 1.0\r\n"
    )
    row, message = arrive((head + inner).encode())
    assert row.state is InboundState.TAKEN_IN
    assert message.client_id is None
    assert message.from_address == "stranger@example.net"
    assert person.api("GET", f"/api/inbox/client/{ana.id}").json["items"] == []


def test_D09_an_endless_invitation_books_nothing(fixture, arrive, database):
    row, _ = arrive(fixture("D16"))
    assert row.state is InboundState.TAKEN_IN
    with database.reading() as session:
        files = session.scalars(sa.select(Attachment.shown_name)).all()
    assert [name.rpartition(".")[2] for name in files] == ["ics"]


SPOOFS = {
    "fail": f"Authentication-Results: {HOP}; dmarc=fail header.from=example.com",
    "none": f"Authentication-Results: {HOP}; dmarc=none; spf=none",
    "softfail": f"Authentication-Results: {HOP}; spf=softfail smtp.mailfrom=example.com",
    "misaligned": f"Authentication-Results: {HOP}; spf=pass smtp.mailfrom=evil.example",
    "written by the sender": "Authentication-Results: mx.evil.example; dmarc=pass",
    "not checked": "",
}


@pytest.mark.parametrize("how", SPOOFS)
def test_E02_a_spoofed_client_changes_nothing_and_is_said_to_be_unverified(
    arrive, ana, person, database, how
):
    arrive(mail())
    person.post(f"/inbox/c/{ana.id}/done")
    with database.reading() as session:
        before = session.scalar(sa.select(sa.func.max(ActivityEvent.seq)))
    unread = person.api("GET", "/api/inbox/unread").json
    row, message = arrive(mail("STOP. Please unsubscribe me.", trace=SPOOFS[how]))
    assert row.state is InboundState.TAKEN_IN
    assert (message.client_id, message.sender_verified) == (None, False)
    with database.reading() as session:
        assert session.scalar(sa.select(sa.func.max(ActivityEvent.seq))) == before
        assert session.scalar(sa.select(Conversation.state)) is ConversationState.DONE
    assert person.api("GET", "/api/inbox/unread").json == unread
    tray = text_of(person, f"/triage/{message.triage_sender_id}")
    assert "The sender could not be verified" in tray
    assert "Unverified sender." in tray
    # Linked by a person this once, the warning stays; the next one waits again.
    person.post(f"/triage/{message.triage_sender_id}/link", {"client_id": ana.id})
    assert "Unverified sender." in text_of(person, f"/inbox/c/{ana.id}")
    _, again = arrive(mail(trace=SPOOFS[how]))
    assert again.client_id is None


def test_E07_a_spouse_in_the_thread_is_attributed_to_themselves(
    arrive, ana, person, answer, sent_mails, database
):
    arrive(mail())
    answer()
    ours = sent(sent_mails)
    passed = f"Authentication-Results: {HOP}; dmarc=pass header.from=example.net"
    _, message = arrive(
        mail(
            "I am the husband.",
            trace=passed,
            sender="Luis Ruiz <luis@example.net>",
            In_Reply_To=ours["Message-ID"],
        )
    )
    assert message.client_id == ana.id
    page = text_of(person, f"/inbox/c/{ana.id}")
    assert "Luis Ruiz &lt;luis@example.net&gt; to " in page
    assert "luis@example.net is not an address of this client" in page
    with database.reading() as session:
        assert session.scalars(sa.select(ClientEmail.address)).all() == ["ana@example.com"]
        event = session.scalars(sa.select(ActivityEvent).order_by(ActivityEvent.id.desc())).first()
        assert event.actor_name == "Luis Ruiz"
        assert event.actor_id is None


def test_E08_who_is_copied_in_is_an_outside_party_until_staff_says_so(
    fixture, arrive, client, dana, person, database
):
    """F:I07. Shown, not ticked, warned of; never on the client's file."""
    theirs = client("Dana", "Client", main=dana, emails=["dana.client@mail.example"])
    passed = (
        f"Authentication-Results: {HOP}; dmarc=pass header.from=mail.example\r\nReceived: x\r\n"
    )
    _, message = arrive(passed.encode() + fixture("I07"))
    assert message.client_id == theirs.id
    page = text_of(person, f"/inbox/c/{theirs.id}")
    assert "copy to mallory@evil.example" in page
    assert "not this client, and not added by itself" in page
    box = re.search(r'<input[^>]*name="cc" value="mallory@evil.example">', page)
    assert box
    assert "checked" not in box[0]
    with database.reading() as session:
        assert session.scalars(sa.select(ClientEmail.address)).all() == ["dana.client@mail.example"]


def test_E09_a_reply_to_is_shown_and_the_answer_goes_to_the_client(
    fixture, arrive, ana, person, answer, sent_mails
):
    """F:I04, from a client: the Reply-To of a colleague, then of another domain."""
    arrive(mail(Reply_To="paralegal@firm.example"), mail(Reply_To="ana@evil.example"))
    page = text_of(person, f"/inbox/c/{ana.id}")
    assert "answers are asked for at paralegal@firm.example" in page
    assert "answers are asked for at ana@evil.example" in page
    answer()
    assert sent_mails[-1][1] == ["ana@example.com"]
    passed = (
        f"Authentication-Results: {HOP}; dmarc=pass header.from=evil.example\r\nReceived: x\r\n"
    )
    _, stranger = arrive(passed.encode() + fixture("I04"))
    assert stranger.client_id is None
    assert stranger.staff_id is None
    tray = text_of(person, f"/triage/{stranger.triage_sender_id}")
    assert "answers are asked for at paralegal@firm.example" in tray


def test_E10_a_couple_with_one_address_is_for_a_person_to_tell_apart(
    arrive, ana, client, dana, person
):
    client("Luis", "Ruiz", main=dana, emails=["ana@example.com"])
    _, message = arrive(mail())
    assert message.client_id is None
    tray = text_of(person, f"/triage/{message.triage_sender_id}")
    assert "More than one client has this address" in tray
    assert "Ana Ruiz" in tray
    assert "Luis Ruiz" in tray


@pytest.mark.parametrize(
    ("on_file", "written"),
    [
        ("Ana.Ruiz@Example.com", "ana.ruiz@EXAMPLE.com"),
        ("ana@example.com.", "ana@example.com"),
        ("ana@bücher.example", "ana@xn--bcher-kva.example"),
        ("ana@example.com", '"ana"@example.com'),
    ],
)
def test_E11_one_address_in_two_spellings_is_one_client(
    arrive, client, dana, person, sent_mails, clock, run_due, on_file, written
):
    ana = client("Ana", "Ruiz", main=dana, emails=[on_file])
    domain = written.rpartition("@")[2]
    trace = f"Authentication-Results: {HOP}; dmarc=pass header.from={domain}"
    _, message = arrive(mail(trace=trace, sender=written))
    assert message.client_id == ana.id
    assert message.from_address == written
    person.api("POST", "/api/inbox/reply", {"client_id": ana.id, "body": "By Friday."})
    clock.move(seconds=10)
    run_due()
    assert sent_mails[-1][1] == [on_file]
    assert sent(sent_mails)["To"].addresses[0].addr_spec.isascii()


@pytest.mark.parametrize(
    ("sender", "apart"), [("o'brien+news@example.com", True), ("a.n.a@example.com", True)]
)
def test_E11_tags_and_dots_are_kept_for_only_some_providers_ignore_them(arrive, ana, sender, apart):
    _, message = arrive(mail(sender=sender))
    assert (message.client_id is None) is apart


def test_E13_a_flood_from_one_sender_is_kept_and_told_of_once(
    runtime, arrive, ana, person, database, count_queries, capsys
):
    check_all(runtime)
    for _ in range(10):
        arrive(*(mail() for _ in range(25)))
    with database.reading() as session:
        kept = sa.select(sa.func.count()).where(EmailMessage.client_id == ana.id)
        assert session.scalar(kept) == 250
    assert person.api("GET", "/api/inbox/unread").json["email"] == 250
    rows = person.api("GET", "/api/inbox").json["items"]
    assert [row["unread"] for row in rows] == [250]
    with count_queries() as statements:
        assert text_of(person, "/inbox")
    assert len(statements) < 20
    capsys.readouterr()
    for _ in range(3):
        reports = {one.part: one for one in check_all(runtime)}
    assert reports["mail_flood"].finding == "In the last hour came 250 mails from ana@example.com."
    assert capsys.readouterr().out.count("part=mail_flood") == 1


def test_E13_a_flood_of_new_addresses_is_kept_and_told_of(runtime, arrive, person, clock):
    for batch in range(10):
        arrive(*(mail(sender=f"new{batch * 25 + n}@example.com") for n in range(25)))
    reports = {one.part: one for one in check_all(runtime)}
    assert "250 unknown senders" in reports["mail_flood"].finding
    assert text_of(person, "/triage").count("new") >= 50
    clock.move(hours=2)
    reports = {one.part: one for one in check_all(runtime)}
    assert reports["mail_flood"].finding == "No more mail comes in than usual."


BREAKS = ["x\r\nBcc: evil@example.net", "x\nBcc: evil@example.net", "x\rBcc: evil", "x\x00y"]
BREAKS += ["x\u2028Bcc: evil@example.net", "x\x0bBcc: e", "x%0aBcc: evil@example.net", "x\x85y"]


@pytest.mark.parametrize("words", BREAKS)
def test_F01_nothing_that_is_written_begins_a_header(
    arrive, ana, person, database, answer, sent_mails, words
):
    """In the subject, the client's name, the firm's name, a file's name; or it is refused."""
    arrive(mail())
    storable = words.replace("\x00", "")  # PostgreSQL takes it nowhere, and no form does
    with database.writing() as session:
        session.execute(sa.update(Client).values(first_name=storable))
        session.execute(sa.update(Firm).values(name=storable))
    upload = {"files": (io.BytesIO(b"%PDF-1.7"), storable + ".pdf")}
    lines = person.post(f"/inbox/c/{ana.id}/files", upload, htmx=True).get_data(as_text=True)
    files = [int(one) for one in re.findall(r'name="attachments" value="(\d+)"', lines)]
    made = answer(subject=words, attachments=files)
    if made.status_code != 201:
        assert made.status_code in (400, 422)
        assert answer(attachments=files).status_code == 201
    ((sender, recipients, raw),) = sent_mails
    assert (sender, recipients) == ("office@firm.example", ["ana@example.com"])
    head = raw.partition(b"\r\n\r\n")[0]
    names = {line.partition(b":")[0].lower() for line in re.split(rb"\r\n(?![ \t])", head)}
    expected = "from to reply-to subject date message-id mime-version content-type"
    assert names <= {name.encode() for name in (expected + " in-reply-to references").split()}
    for control in (b"\x00", b"\x0b", b"\x85", b"\xe2\x80\xa8"):
        assert control not in head


@pytest.mark.parametrize("field", ["from", "from_address", "sender", "reply_to", "envelope_from"])
@pytest.mark.parametrize("address", ["bob@firm.example", "ana@example.com", "me@mail.example"])
def test_F03_nobody_chooses_another_sender(arrive, ana, person, answer, sent_mails, field, address):
    arrive(mail(To="ana@example.com, intake@firm.example"))
    assert answer(**{field: address}).status_code == 422
    form = {"body": "x", "key": "a-key-of-mine", field: address}
    assert person.post(f"/inbox/c/{ana.id}/reply", form, htmx=True).status_code == 422
    assert sent_mails == []
    assert answer().status_code == 201
    assert sent_mails[-1][0] == "office@firm.example"
    assert sent(sent_mails)["From"].addresses[0].addr_spec == "office@firm.example"
    assert sent(sent_mails)["Reply-To"].addresses[0].domain == "firm.example"


@pytest.mark.parametrize("case", ["L01", "L02", "L03", "L04", "L05", "L06"])
def test_F04_a_machines_mail_is_kept_and_nothing_answers_it(
    fixture, arrive, client, dana, person, database, sent_mails, run_due, clock, case
):
    theirs = client("Dana", "Client", main=dana, emails=["dana.client@mail.example"])
    passed = (
        f"Authentication-Results: {HOP}; dmarc=pass header.from=mail.example\r\nReceived: x\r\n"
    )
    hello = mail(trace=passed.split("\r\n")[0], sender="dana.client@mail.example")
    arrive(hello)
    person.post(f"/inbox/c/{theirs.id}/done")
    row, message = arrive(passed.encode() + fixture(case))
    assert row.state is InboundState.TAKEN_IN
    # X-Auto-Response-Suppress forbids an answer; it does not say that a machine wrote.
    assert message.must_not_answer or case == "L05"
    clock.move(hours=1)
    run_due()
    assert sent_mails == []
    with database.reading() as session:
        assert session.scalars(sa.select(Delivery)).all() == []
        state = session.scalar(sa.select(Conversation.state))
    by_a_person = case == "L02"
    assert state is (ConversationState.OPEN if by_a_person else ConversationState.DONE)


def test_F04_an_answer_never_goes_to_a_machine(fixture, arrive, ana, answer, sent_mails):
    """After a bounce or an automatic reply, staff answers what the person wrote before."""
    arrive(mail(Subject="My dispute", Message_ID="<mine@mail.example>"))
    arrive(mail("I am away", Subject="Automatic reply: x", Auto_Submitted="auto-replied"))
    answer()
    assert sent(sent_mails)["Subject"] == "Re: My dispute"
    assert sent(sent_mails)["In-Reply-To"] == "<mine@mail.example>"


def test_F06_what_a_person_writes_has_no_mark_of_a_machine(arrive, ana, answer, sent_mails):
    arrive(mail())
    answer()
    written = sent(sent_mails)
    for name in ("Auto-Submitted", "X-Auto-Response-Suppress", "Precedence", "List-Unsubscribe"):
        assert written[name] is None
    assert sent_mails[0][0] == "office@firm.example"


def test_F14_text_and_html_say_the_same(arrive, ana, answer, sent_mails):
    arrive(mail())
    answer(body="See https://example.com/a?b=1&c=2 <today>\n\n> you wrote\n\nYours")
    text = sent(sent_mails).get_body(("plain",)).get_content()
    page = sent(sent_mails).get_body(("html",)).get_content()
    assert "https://example.com/a?b=1&c=2 <today>" in text
    assert 'href="https://example.com/a?b=1&amp;c=2"' in page
    assert "&lt;today&gt;" in page
    words = re.findall(r"\w+", re.sub(r"<[^>]+>", " ", page).replace("&amp;", "&"))
    assert re.findall(r"\w+", text) == [w for w in words if w not in ("lt", "gt")]


def test_F15_files_that_are_too_large_are_refused_while_composing(settings_of, person, ana, arrive):
    arrive(mail())
    upload = {"files": (io.BytesIO(b"x" * 40_000_001), "large.bin")}
    assert person.post(f"/inbox/c/{ana.id}/files", upload, htmx=True).status_code == 413


def test_F15_a_file_deleted_meanwhile_stops_the_mail_with_its_reason(
    runtime, arrive, ana, person, clock, run_due, sent_mails, database
):
    arrive(mail())
    upload = {"files": (io.BytesIO(b"%PDF-1.7"), "letter.pdf")}
    lines = person.post(f"/inbox/c/{ana.id}/files", upload, htmx=True).get_data(as_text=True)
    files = [int(one) for one in re.findall(r'name="attachments" value="(\d+)"', lines)]
    call = {"client_id": ana.id, "body": "See attached.", "attachments": files}
    assert person.api("POST", "/api/inbox/reply", call).status_code == 201
    with database.reading() as session:
        key = session.scalar(sa.select(Attachment.file_key).where(Attachment.id == files[0]))
    runtime.provider(FileStore).delete(key)
    clock.move(seconds=10)
    run_due()
    assert sent_mails == []
    page = text_of(person, f"/inbox/c/{ana.id}")
    assert "Not sent" in page
    assert "letter.pdf is no longer there" in page


@pytest.mark.parametrize("case", ["A01", "A02", "A03", "A04", "A06", "A07", "A08", "A12", "A13"])
def test_K01_a_hostile_file_name_is_shown_for_what_it_is(
    fixture, arrive, ana, person, database, runtime, case
):
    arrive(fixture(case), fixture(case) + b"\r\n")
    with database.reading() as session:
        files = session.scalars(sa.select(Attachment)).all()
    assert files
    assert len({file.file_key for file in files}) == len(files)
    for file in files:
        assert re.fullmatch("[0-9a-f]{32}", file.file_key)
        assert len(file.shown_name.encode()) <= 255
        assert not re.search(r"[\x00-\x1f/\\<>\u202a-\u202e\u200b-\u200f]|\.\.", file.shown_name)
        again = {"files": (io.BytesIO(b"x"), file.shown_name)}
        assert person.post(f"/inbox/c/{ana.id}/files", again, htmx=True).status_code == 200


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("report\u202efdp.exe", "report[U+202E]fdp.exe"),
        ("<img src=x onerror=alert(1)>.png", "_img src=x onerror=alert(1)_.png"),
        ("CON.pdf", "_CON.pdf"),
        (".htaccess", "_.htaccess"),
        ("ä" * 300 + ".pdf", "ä" * 125 + ".pdf"),
    ],
)
def test_K01_a_hostile_name_of_an_upload_is_shown_for_what_it_is(
    person, ana, database, name, shown
):
    upload = {"files": (io.BytesIO(b"x"), name)}
    assert person.post(f"/inbox/c/{ana.id}/files", upload, htmx=True).status_code == 200
    with database.reading() as session:
        assert session.scalar(sa.select(Attachment.shown_name)) == shown


@pytest.mark.parametrize("case", ["A09", "A10", "A11"])
def test_K02_what_can_run_scripts_is_a_download_and_in_no_frame(
    fixture, arrive, person, database, case
):
    _, message = arrive(fixture(case))
    with database.reading() as session:
        files = session.scalars(sa.select(Attachment)).all()
    for file in files:
        got = person.get(f"/inbox/attachments/{file.id}")
        assert got.headers["Content-Disposition"].startswith("attachment; ")
        assert got.mimetype == "application/octet-stream"
    if message.html is not None:
        frame = text_of(person, f"/inbox/messages/{message.id}/body")
        assert "/inbox/pictures/" not in frame


def test_K04_a_file_without_a_session_or_of_another_client(
    fixture, arrive, staff, sign_in, client, visitor, database
):
    owner, stranger = staff(), sign_in(staff())
    client(main=owner, emails=["dana.client@mail.example"])
    passed = (
        f"Authentication-Results: {HOP}; dmarc=pass header.from=mail.example\r\nReceived: x\r\n"
    )
    _, message = arrive(passed.encode() + fixture("A02"))
    assert message.client_id is not None
    with database.reading() as session:
        path = f"/inbox/attachments/{session.scalar(sa.select(Attachment.id))}"
    assert sign_in(owner).get(path).status_code == 200
    assert stranger.get(path).status_code == 404
    assert visitor.get(path).status_code == 302


def with_file(sender: str, size: int, **headers: str) -> bytes:
    body = "--b\r\n\r\nHere is the file.\r\n--b\r\nContent-Type: application/pdf\r\n"
    body += 'Content-Disposition: attachment; filename="report.pdf"\r\n\r\n%PDF-'
    headers = {"Content_Type": 'multipart/mixed; boundary="b"', **headers}
    return mail(body + "x" * size + "\r\n--b--", sender=sender, **headers)


@pytest.mark.parametrize(
    "senders",
    [
        ["ana@example.com"],
        ["stranger@example.com"],
        ["stranger@example.com", "STRANGER@EXAMPLE.COM", '"stranger"@example.com'],
        ["ana@example.com", "Ana.Ruiz@example.com"],  # both of one client
    ],
)
def test_K09_above_the_daily_quota_a_mail_is_kept_without_its_files(
    runtime, arrive, client, dana, person, database, clock, senders
):
    client(main=dana, emails=["ana@example.com", "ana.ruiz@example.com"])
    for number in range(6):
        row, message = arrive(with_file(senders[number % len(senders)], 40_000))
        assert row.state is InboundState.TAKEN_IN
        assert message.reply_text == "Here is the file."
    with database.reading() as session:
        files = session.scalars(sa.select(Attachment).order_by(Attachment.id)).all()
    assert [file.file_key is not None for file in files] == [True, True] + [False] * 4
    assert all("daily limit" in file.note for file in files[2:])
    # Nothing of the files is left in the raw mail either, and nothing else is lost.
    assert row.size > 40_000
    with runtime.provider(FileStore).open(row.file_key) as file:
        raw = file.read()
    assert b"Message-ID" in raw
    assert len(raw) < 1_000
    path = (
        f"/inbox/c/{message.client_id}"
        if message.client_id
        else f"/triage/{message.triage_sender_id}"
    )
    assert "Not kept: the daily limit" in text_of(person, path)
    assert person.get(f"/inbox/attachments/{files[-1].id}").status_code == 404
    clock.move(days=1, minutes=1)
    arrive(with_file(senders[0], 40_000))
    with database.reading() as session:
        assert session.scalars(sa.select(Attachment.file_key).order_by(Attachment.id)).all()[-1]


def test_K09_who_writes_in_a_clients_thread_uses_the_clients_room(
    arrive, ana, answer, sent_mails, database
):
    arrive(mail())
    answer()
    ours = sent(sent_mails)["Message-ID"]
    for number in range(4):
        trace = f"Authentication-Results: {HOP}; dmarc=pass header.from=example.net"
        sender = f"relative{number}@example.net"
        _, message = arrive(with_file(sender, 40_000, In_Reply_To=ours, trace=trace))
        assert message.client_id == ana.id
    with database.reading() as session:
        kept = sa.select(sa.func.count()).where(Attachment.file_key.is_not(None))
        assert session.scalar(kept) == 2


HTML = {"Content_Type": "text/html; charset=utf-8"}


def test_C05_nothing_remote_is_fetched_unless_a_person_asks_for_this_message(arrive, ana, person):
    picture = '<p>Hi</p><img src="https://track.example/p.gif?who=1" width=1><table><tr><td>x'
    _, one = arrive(mail(picture, **HTML))
    _, two = arrive(mail(picture, **HTML))
    frame = person.get(f"/inbox/messages/{one.id}/body")
    assert "track.example" not in re.sub(r"<p[^>]*>.*?</p>", "", frame.get_data(as_text=True))
    assert "https:" not in frame.headers["Content-Security-Policy"]
    asked = person.get(f"/inbox/messages/{one.id}/body?images=1")
    assert "https://track.example/p.gif" in asked.get_data(as_text=True)
    assert asked.headers["Referrer-Policy"] == "no-referrer"
    other = person.get(f"/inbox/messages/{two.id}/body").get_data(as_text=True)
    assert "p.gif" not in other
    assert text_of(person, f"/inbox/c/{ana.id}").count("Load images") == 2


def test_C06_our_own_pixel_in_a_quoted_answer_is_gone(runtime, arrive, ana, person):
    pixel = f"{runtime.settings.public_url}/t/o/0123456789abcdef.gif"
    _, message = arrive(mail(f'<p>Thanks</p><blockquote><img src="{pixel}"></blockquote>', **HTML))
    for path in ("body", "body?images=1"):
        assert "/t/o/" not in text_of(person, f"/inbox/messages/{message.id}/{path}")


STYLES = [
    "<style>body{background:url(https://evil.example/a)}</style>",
    "<style>@import 'https://evil.example/a.css'; @font-face{src:url(https://evil.example/f)}</style>",
    '<style>input[value^="a"]{background:url(https://evil.example/a)}</style>',
    '<p style="position:fixed;top:0;left:0;width:100%;height:100%">over all</p>',
    '<p style="background-image:url(https://evil.example/a)">x</p>',
    '<link rel="stylesheet" href="https://evil.example/a.css">',
]


@pytest.mark.parametrize("style", STYLES)
def test_C07_styles_of_a_mail_reach_nothing(arrive, ana, person, style):
    _, message = arrive(mail(f"<p>Words</p>{style}<table><tr><td>cell</td></tr></table>", **HTML))
    frame = text_of(person, f"/inbox/messages/{message.id}/body")
    assert "evil.example" not in frame
    assert "fixed" not in frame
    assert "Words" in frame
    page = text_of(person, f"/inbox/c/{ana.id}")
    assert "evil.example" not in page
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page


def test_E02_a_claimed_address_and_a_proven_one_wait_apart(database, arrive):
    arrive(mail(sender="new@example.com"), mail(sender="new@example.com", trace=SPOOFS["fail"]))
    with database.reading() as session:
        assert sorted(session.scalars(sa.select(TriageSender.unproven))) == [False, True]
