import pytest

from casewell.email.parsed import MailKind, ParsedMail
from casewell.email.parsing import read_mail


def a_mail(header: str, body: str = "Hello") -> ParsedMail:
    sender = "" if "From:" in header else "From: dana@client.example\n"
    return read_mail(f"{sender}{header}\n\n{body}".encode())


@pytest.mark.parametrize("case", ["L01", "L02", "L03", "L04", "L06"])
def test_F04_no_machine_answers_a_machine(fixture, case):
    mail = read_mail(fixture(case))
    assert mail.must_not_answer
    assert mail.no_answer_reason


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("Auto-Submitted: auto-replied; owner-email=x", MailKind.AUTO_REPLY),
        ("Auto-Submitted: auto-generated", MailKind.AUTO_GENERATED),
        ("Auto-Submitted: auto-notified", MailKind.AUTO_GENERATED),
        ("X-Autoreply: yes", MailKind.AUTO_REPLY),
        ("Precedence: auto_reply", MailKind.AUTO_REPLY),
        ("Subject: Out of office: Question", MailKind.AUTO_REPLY),
        ("Subject: =?utf-8?q?R=C3=A9ponse_automatique?= : Question", MailKind.AUTO_REPLY),
        ("Return-Path: <>\nIn-Reply-To: <1@x>", MailKind.AUTO_REPLY),
        ("Return-Path: <>", MailKind.AUTO_GENERATED),
        ("Precedence: list", MailKind.LIST),
        ("List-Unsubscribe: <https://a.example>", MailKind.LIST),
    ],
)
def test_F04_automatic_mail_is_told_by_its_headers(header, kind):
    mail = a_mail(header)
    assert mail.kind is kind
    assert mail.must_not_answer
    assert not mail.kind.from_a_person


@pytest.mark.parametrize(
    "header",
    [
        "X-Auto-Response-Suppress: OOF",
        "X-Loop: x",
        "From: no-reply@shop.example",
        "From: DoNotReply@shop.example",
        "From: postmaster@client.example",
        "From: a@b.example, c@d.example",
    ],
)
def test_F04_some_mails_of_persons_are_not_answered_either(header):
    assert a_mail(header).must_not_answer


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("Subject: Question", MailKind.MAIL),
        ("Auto-Submitted: no", MailKind.MAIL),
        ("X-Auto-Response-Suppress: None", MailKind.MAIL),
        ("Subject: About the office", MailKind.MAIL),
        ("Subject: AW: Question", MailKind.REPLY),
        ("In-Reply-To: <1@firm.example>", MailKind.REPLY),
        ("Subject: WG: Question", MailKind.FORWARD),
        ("Subject: Regards", MailKind.MAIL),
        ("Subject: Undeliverable goods", MailKind.MAIL),
    ],
)
def test_mail_of_a_person_may_be_answered(header, kind):
    mail = a_mail(header)
    assert mail.kind is kind
    assert not mail.must_not_answer


def test_a_bounce_names_its_recipients_and_the_mail_it_is_about(fixture):
    report = read_mail(fixture("L04")).report
    assert report is not None
    assert [(r.address, r.action, r.status) for r in report.recipients] == [
        ("dana.client@mail.example", "failed", "5.1.1")
    ]


def delivery_report(*actions: str) -> ParsedMail:
    recipients = "".join(
        f"\nFinal-Recipient: rfc822; r{n}@x.example\nAction: {action}\nStatus: 4.4.1\n"
        for n, action in enumerate(actions)
    )
    return a_mail(
        "Return-Path: <>\nContent-Type: multipart/report; boundary=b",
        "--b\n\nsee below\n--b\nContent-Type: message/delivery-status\n\n"
        f"Reporting-MTA: dns; mx.example\n{recipients}--b\nContent-Type: text/rfc822-headers\n\n"
        "Message-ID: <sent@firm.example>\nSubject: x\n--b--",
    )


@pytest.mark.parametrize(
    ("actions", "kind"),
    [
        (["failed"], MailKind.BOUNCE),
        (["delayed"], MailKind.DELAYED),
        (["delivered", "relayed"], MailKind.DELIVERED),
        (["delivered", "failed"], MailKind.BOUNCE),
        ([], MailKind.BOUNCE),
    ],
)
def test_a_delivery_report_is_judged_by_its_recipients(actions, kind):
    mail = delivery_report(*actions)
    assert mail.kind is kind
    assert mail.must_not_answer
    assert mail.report is not None
    assert [known.action for known in mail.report.recipients] == actions
    assert mail.report.original_message_id == "<sent@firm.example>"


def test_a_bounce_without_a_report_is_told_by_its_sender_and_subject():
    mail = a_mail(
        "From: MAILER-DAEMON@mx.example\nSubject: failure notice",
        "Sorry.\n--- Below is a copy\nMessage-ID: <sent@firm.example>\n",
    )
    assert mail.kind is MailKind.BOUNCE
    assert mail.report is not None
    assert mail.report.recipients == ()
    assert mail.report.original_message_id == "<sent@firm.example>"


def test_a_person_who_writes_about_a_bounce_is_no_bounce():
    mail = a_mail("Subject: Your mail came back: delivery failure")
    assert mail.kind is MailKind.MAIL
