from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest

from casewell.email.composing import OutgoingFile, OutgoingMail, compose, html_from_text
from casewell.email.errors import AddressNeedsSmtpUtf8, BadAddress, MailNotSendable
from casewell.email.parsed import Address, MailKind
from casewell.email.parsing import read_mail

DRAFT = OutgoingMail(
    from_=Address("Casewell Law", "office@firm.example"),
    to=(Address("Dana Okafor", "dana@client.example"),),
    subject="Your file",
    text="Dear Dana,\n\nplease see https://firm.example/a?b=1&c=2.\n\nBest,\nInga",
    message_id="<1@firm.example>",
    date=datetime(2026, 11, 23, 20, tzinfo=UTC),
)
BREAKS = ["\r\n", "\n", "\r", "\x00", "\u2028", "\u2029", "\x85", "\x0b", "\r\n\t"]


def written(draft):
    """What the standard library reads in the mail: another reader than ours."""
    return message_from_bytes(compose(draft), policy=policy.default)


def test_what_is_written_is_what_is_read():
    draft = replace(
        DRAFT,
        subject="Ihre Akte – 50 % fertig 🎉",
        cc=(Address("Müller, Jörg", "j@client.example"),),
        reply_to=(Address("", "office+c.abc@firm.example"),),
        in_reply_to="<0@client.example>",
        references=("<a@client.example>", "<0@client.example>"),
        attachments=(OutgoingFile("Đơn xin.pdf", "application/pdf", b"%PDF-1.7 x"),),
    )
    mail = read_mail(compose(draft))
    assert mail.subject == draft.subject
    assert mail.from_ == (draft.from_,)
    assert (mail.to, mail.cc, mail.reply_to) == (draft.to, draft.cc, draft.reply_to)
    assert mail.message_id == draft.message_id
    assert mail.in_reply_to == draft.in_reply_to
    assert mail.references == draft.references
    assert mail.date_header == draft.date
    assert mail.text.rstrip("\n") == draft.text
    assert [(f.shown_name, f.content) for f in mail.attachments] == [("Đơn xin.pdf", b"%PDF-1.7 x")]
    assert mail.kind is MailKind.REPLY
    assert mail.defects == ()


@pytest.mark.parametrize("line_end", BREAKS)
def test_F01_no_value_begins_another_header(line_end):
    evil = f"Hi{line_end}Bcc: victim@other.example{line_end}{line_end}<p>body"
    draft = replace(
        DRAFT,
        from_=Address(evil, "office@firm.example"),
        to=(Address(evil, "dana@client.example"),),
        reply_to=(Address(evil, "office@firm.example"),),
        subject=evil,
        attachments=(OutgoingFile(evil, f"text/plain{line_end}X: y", b"x"),),
    )
    mail = written(draft)
    assert set(mail.keys()) == {
        *("From", "To", "Reply-To", "Subject", "Date", "Message-ID", "MIME-Version"),
        "Content-Type",
    }
    assert [a.addr_spec for a in mail["To"].addresses] == ["dana@client.example"]
    assert mail["Subject"] == "Hi Bcc: victim@other.example <p>body"
    (attachment,) = mail.iter_attachments()
    assert set(attachment.keys()) <= {
        *("Content-Type", "Content-Disposition", "Content-Transfer-Encoding", "MIME-Version"),
    }


@pytest.mark.parametrize(
    "address",
    [
        "dana@client.example\r\nBcc: x@y.example",
        "dana@client.example, x@y.example",
        "dana",
        "@client.example",
        "dana@",
        "<dana@client.example>",
        "dana@client.example\x00",
        "dana @client.example",
        "",
    ],
)
def test_F01_what_is_no_single_address_is_refused(address):
    with pytest.raises(BadAddress):
        compose(replace(DRAFT, to=(Address("", address),)))


@pytest.mark.parametrize("known", ["<a>\r\nX: y", "a@b", "<a b@c>", "<ä@c>", ""])
def test_F01_a_message_id_that_is_none_is_refused(known):
    with pytest.raises(MailNotSendable):
        compose(replace(DRAFT, message_id=known))
    with pytest.raises(MailNotSendable):
        compose(replace(DRAFT, references=(known,)))


def test_a_mail_to_nobody_is_refused():
    with pytest.raises(MailNotSendable):
        compose(replace(DRAFT, to=()))


def test_a_domain_with_umlauts_is_sent_in_ascii():
    mail = written(replace(DRAFT, to=(Address("Ünal", "a@bücher.example"),)))
    assert mail["To"].addresses[0].addr_spec == "a@xn--bcher-kva.example"


def test_an_address_that_needs_smtputf8_is_refused_clearly():
    with pytest.raises(AddressNeedsSmtpUtf8, match="before the @"):
        compose(replace(DRAFT, to=(Address("", "jörg@client.example"),)))


def test_F06_only_automatic_mail_says_so():
    by_a_person = written(DRAFT)
    assert "Auto-Submitted" not in by_a_person
    assert "X-Auto-Response-Suppress" not in by_a_person
    automatic = written(replace(DRAFT, automatic="auto-generated"))
    assert automatic["Auto-Submitted"] == "auto-generated"
    assert automatic["X-Auto-Response-Suppress"] == "All"
    assert read_mail(compose(replace(DRAFT, automatic="auto-replied"))).must_not_answer


def test_F14_both_parts_say_the_same():
    mail = written(DRAFT)
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().split() == DRAFT.text.split()
    assert html.get_content().strip() == html_from_text(DRAFT.text)


def test_F14_the_html_is_made_of_the_text_and_nothing_in_it_is_markup():
    html = html_from_text("<b>&\n\n> quoted\n> too\n\nsee https://a.example/x?y=1&z=2).")
    assert html == (
        "<!doctype html><html><body><p>&lt;b&gt;&amp;</p><blockquote><p>quoted<br>too</p>"
        '</blockquote><p>see <a href="https://a.example/x?y=1&amp;z=2">'
        "https://a.example/x?y=1&amp;z=2</a>).</p></body></html>"
    )


def test_the_mail_is_seven_bit_in_short_lines():
    raw = compose(replace(DRAFT, text="ü" * 5_000 + "\n.\nFrom here\n", subject="ü" * 400))
    assert raw.isascii()
    lines = raw.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert not any(b"\n" in line or b"\r" in line for line in lines)


def test_a_long_id_is_never_torn():
    exchange = f"<{'A' * 120}@eurprd01.prod.outlook.example>"
    mail = read_mail(compose(replace(DRAFT, in_reply_to=exchange, references=("<1@x>", exchange))))
    assert mail.in_reply_to == exchange
    assert mail.references == ("<1@x>", exchange)
    raw = compose(replace(DRAFT, references=(exchange,) * 2))
    assert f"References: {exchange}\r\n {exchange}\r\n".encode() in raw


@pytest.mark.parametrize("content_type", ["message/rfc822", "text/html", "multipart/mixed", "x"])
def test_an_attachment_is_never_part_of_the_letter(content_type):
    file = OutgoingFile("a.eml", content_type, b"From: x@y.example\n\nhi")
    (attachment,) = written(replace(DRAFT, attachments=(file,))).iter_attachments()
    assert attachment.get_content_type() == "application/octet-stream"
    assert attachment.get_content() == file.content
