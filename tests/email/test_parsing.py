import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from casewell.email.errors import UnreadableMail
from casewell.email.parsed import Defect, Limits, MailKind, ParsedMail
from casewell.email.parsing import read_mail
from casewell.email.reader import MailReader
from casewell.messages.file_kinds import shown_name, sniff

POISON = ["D03", "D04", "D05", "D06", "D07", "D08", "D09", "D10", "D12"]


def a_mail(header: str = "", body: str = "Hello", *, charset: str = "utf-8") -> bytes:
    start = f"From: Dana <dana@client.example>\nMessage-ID: <1@client.example>\n{header}\n"
    return start.encode(charset) + b"\n" + body.encode(charset)


def nested(depth: int) -> bytes:
    opened = "".join(
        f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(depth)
    )
    return f"From: dana@client.example\n{opened}Content-Type: text/plain\n\ndeep".encode()


@pytest.mark.parametrize("case", POISON)
def test_D01_a_mail_that_breaks_the_standard_library_is_read(fixture, case):
    mail = read_mail(fixture(case))
    assert mail.author is not None
    assert mail.author.email == "dana.client@mail.example"
    assert mail.text.strip() in ("body", "Hello")
    assert mail.defects or case == "D10"


def test_D01_a_mail_nested_a_thousand_deep_is_offered_as_a_file(fixture):
    mail = read_mail(fixture("D01"))
    assert Defect.PARTS_CUT in mail.defects
    assert len(mail.attachments) == 1


def test_D01_the_limit_of_parts_holds():
    body = "".join(f"--b\n\npart {n}\n" for n in range(5_000))
    mail = read_mail(a_mail("Content-Type: multipart/mixed; boundary=b\n", body))
    assert Defect.PARTS_CUT in mail.defects


@pytest.mark.parametrize("raw", [b"", b"\r\n\r\n", b"no header at all"])
def test_D01_what_is_no_mail_is_refused_with_its_reason(raw):
    with pytest.raises(UnreadableMail) as refusal:
        read_mail(raw)
    assert refusal.value.reason


def test_D01_too_large_a_mail_is_refused():
    with pytest.raises(UnreadableMail, match="larger than"):
        read_mail(a_mail(body="x" * 2_000_000), Limits(raw_bytes=1_000_000))


def test_D03_a_bogus_charset_is_guessed(fixture):
    mail = read_mail(fixture("D11"))
    assert mail.text == "x"
    assert Defect.UNKNOWN_CHARSET in mail.defects


@pytest.mark.parametrize(
    ("charset", "data", "shown"),
    [
        ("us-ascii", "Grüße".encode(), "Grüße"),
        ("us-ascii", "Grüße".encode("latin-1"), "Grüße"),
        ("utf-8", b"Gr\xc3\xbc\xc3\x9fe \xff", "Grüße \ufffd"),
        ("utf-16", "Grüße".encode("utf-16-le"), "Grüße"),
        ("utf-16", "Grüße".encode("utf-16-be"), "Grüße"),
        ("unicode_escape", rb"\x3cscript\x3e", r"\x3cscript\x3e"),
        ("zip", b"plain", "plain"),
        ("../../etc", b"plain", "plain"),
    ],
)
def test_D03_text_in_any_charset_is_shown(charset, data, shown):
    head = f"From: a@b.example\nContent-Type: text/plain; charset={charset}\n\n"
    assert read_mail(head.encode() + data).text == shown


def test_D03_utf_7_never_becomes_markup():
    body = "+ADw-script+AD4-alert(1)+ADw-/script+AD4- Fr+APY-sche"
    mail = read_mail(a_mail("Content-Type: text/plain; charset=utf-7\n", body))
    assert mail.text == "+ADw-script+AD4-alert(1)+ADw-/script+AD4- Frösche"
    html = read_mail(a_mail("Content-Type: text/html; charset=utf-7\n", body))
    assert "<script" not in (html.html or "")


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "x-uuencode", "nonsense"])
@pytest.mark.parametrize("body", ["SGVs!!bG8=\n~~~", "=ZZ=\n=4", "begin 644 x\n#####\nend", "="])
def test_D03_broken_encodings_are_read_as_far_as_they_go(encoding, body):
    read_mail(a_mail(f"Content-Transfer-Encoding: {encoding}\n", body)).text.encode("utf-8")


@pytest.mark.parametrize(
    "date",
    [
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "Mon, 1 Jan 0001 00:00:00 +0000",
        "Tue, 35 Nov 2026 10:00:00 +9999",
        "yesterday",
        "",
    ],
)
def test_D04_an_unbelievable_date_is_none(date):
    mail = read_mail(a_mail(f"Date: {date}\nReceived: by mx; Mon, 23 Nov 2026 15:00:05 -0500\n"))
    assert mail.date_header is None
    assert Defect.BAD_DATE in mail.defects
    assert mail.received_at_header == datetime(2026, 11, 23, 20, 0, 5, tzinfo=UTC)


def test_D04_the_fixture_of_year_9999(fixture):
    assert read_mail(fixture("D13")).date_header is None


def test_D04_the_first_of_two_dates_counts():
    dates = "Date: Mon, 23 Nov 2026 15:00:00 -0500\nDate: Mon, 23 Nov 2020 15:00:00 -0500\n"
    mail = read_mail(a_mail(dates))
    assert mail.date_header == datetime(2026, 11, 23, 20, tzinfo=UTC)
    assert Defect.SEVERAL_DATES in mail.defects


def test_D06_a_subject_that_decodes_to_a_line_end_is_one_line(fixture):
    mail = read_mail(fixture("D15"))
    assert mail.subject == "Case Bcc: victim@other.example"
    assert mail.to[0].email == "intake@firm.example"


def test_D08_a_mail_within_a_mail_is_a_file_and_no_identity():
    inner = "From: boss@firm.example\nSubject: inner\n\nsecret"
    for _ in range(20):
        inner = f"From: boss@firm.example\nContent-Type: message/rfc822\n\n{inner}"
    mail = read_mail(a_mail("Content-Type: message/rfc822\n", inner))
    assert mail.author is not None
    assert mail.author.email == "dana@client.example"
    assert [file.shown_name for file in mail.attachments] == ["attachment.eml"]
    assert "secret" not in mail.text


@pytest.mark.parametrize(
    ("content_type", "name"),
    [
        ("application/ms-tnef; name=winmail.dat", "winmail.dat"),
        ("application/pkcs7-mime; name=smime.p7m", "smime.p7m"),
        ("image/png", "attachment.png"),
    ],
)
def test_D08_a_mail_that_is_one_file_offers_it(content_type, name):
    mail = read_mail(a_mail(f"Content-Type: {content_type}\n", "content"))
    assert mail.text == ""
    assert [file.shown_name for file in mail.attachments] == [name]
    assert (Defect.ENCRYPTED in mail.defects) == ("pkcs7" in content_type)


def test_D08_an_empty_mail_is_a_mail():
    mail = read_mail(b"From: dana@client.example\nSubject: no body")
    assert (mail.text, mail.html, mail.attachments) == ("", None, ())


def test_D09_an_endless_invitation_is_only_offered_as_a_file(fixture):
    mail = read_mail(fixture("D16"))
    assert mail.kind is MailKind.CALENDAR
    assert mail.attachments[0].content_type_sniffed == "text/calendar"


def test_a_mail_with_only_html_has_a_text():
    html = "<style>x{}</style><p>Dear <b>Ana</b>,</p><ul><li>one<li>two</ul><blockquote>old"
    mail = read_mail(a_mail("Content-Type: text/html; charset=utf-8\n", html))
    assert mail.text == "Dear Ana,\n\n- one\n- two\n\n> old"
    assert (mail.html or "").strip() == html


def test_soft_line_breaks_are_joined():
    body = "This is one \nsentence.\n> quoted \n> too\n-- \nDana"
    mail = read_mail(a_mail("Content-Type: text/plain; format=flowed\n", body))
    assert mail.text == "This is one sentence.\n> quoted too\n-- \nDana"


# Files


@pytest.mark.parametrize(
    ("case", "name"),
    [
        ("A01", "x"),
        ("A02", "passwd"),
        ("A03", "x.exe"),
        ("A04", "report[U+202E]fdp.exe"),
        ("A06", "_img src=x onerror=alert(1)_.pdf"),
        ("A08", "[U+200B].htaccess"),
        ("A12", "a\ufffd.pdf"),
        ("A13", "_CON"),
    ],
)
def test_K01_a_hostile_name_is_shown_for_what_it_is(fixture, case, name):
    (file,) = read_mail(fixture(case)).attachments
    assert file.shown_name == name


def test_K01_a_long_name_keeps_its_extension(fixture):
    (file,) = read_mail(fixture("A07")).attachments
    assert len(file.shown_name.encode()) == 255
    assert file.shown_name.endswith(".pdf")


@given(st.text(max_size=400))
@settings(max_examples=200)
@example("..")
@example("nul .txt")
@example("\ud800.pdf")
@example("ä" * 300 + ".docx")
def test_K01_every_name_is_safe_to_save(raw_name):
    name = shown_name(raw_name, "application/pdf")
    assert 0 < len(name.encode("utf-8")) <= 255
    assert not set(name) & set('/\\:<>"|?*\x00\n\r')
    assert name.strip(". ") == name.strip() != ""
    assert ".." not in name


@pytest.mark.parametrize(
    ("case", "sniffed"),
    [("A09", "image/svg+xml"), ("A10", "text/html"), ("A11", "image/svg+xml")],
)
def test_K02_what_can_run_scripts_is_never_previewed_or_inline(fixture, case, sniffed):
    (file,) = read_mail(fixture(case)).attachments
    assert file.content_type_sniffed == sniffed
    assert not file.safe_to_preview
    assert not file.inline


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"\x89PNG\r\n\x1a\n....", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF....WEBPVP8 ", "image/webp"),
        (b"%PDF-1.7", "application/pdf"),
        (b"   %PDF-1.7 <script>", "text/html"),
        (b"PK\x03\x04", "application/zip"),
        (b"MZ\x90", "application/vnd.microsoft.portable-executable"),
        (b"<?xml version='1.0'?><x/>", "application/xml"),
        (b"plain words", "text/plain"),
        (b"a\x00b", "application/octet-stream"),
        (b"", "application/octet-stream"),
    ],
)
def test_K02_the_type_is_read_from_the_content(content, content_type):
    assert sniff(content) == content_type


# Nothing but UnreadableMail, and never slow


def read_or_refuse(raw: bytes) -> ParsedMail | None:
    try:
        return read_mail(raw)
    except UnreadableMail as refusal:
        reason = refusal.reason
    assert "form is unknown" not in reason, "a gap that only the last net caught"
    return None


@given(st.binary(max_size=600))
@settings(max_examples=150, deadline=None)
def test_D01_random_bytes_are_read_or_refused(raw):
    read_or_refuse(raw)
    read_or_refuse(b"From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\n" + raw)


@given(
    st.sampled_from(["From", "To", "Subject", "Date", "Message-ID", "Content-Type", "References"]),
    st.text(alphabet=st.sampled_from("\"<>()[]@,;:\\=?*'%ab \t.-_é\x00"), max_size=120),
)
@settings(max_examples=250, deadline=None)
def test_D01_random_headers_are_read_or_refused(name, value):
    read_or_refuse(f"{name}: {value}\nSubject: x\n\nbody".encode())


@given(data=st.data())
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_D01_mutated_mails_are_read_or_refused(manifest, data):
    raw = bytearray(data.draw(st.sampled_from([entry["raw"] for entry in manifest])))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(raw)))
        cut = data.draw(st.integers(0, 40))
        raw[at : at + cut] = data.draw(st.binary(max_size=20))
    mail = read_or_refuse(bytes(raw))
    if mail is not None:
        mail.text.encode("utf-8")


@pytest.mark.parametrize(
    "raw",
    [
        a_mail("To: " + "(" * 60_000 + "\n"),
        a_mail("To: " + '"' * 60_001 + "\n"),
        a_mail("To: " + "<" * 60_000 + "\n"),
        a_mail("To: " + "a@b.example," * 5_000 + "\n"),
        a_mail("Subject: " + "=?utf-8?q?" * 6_000 + "\n"),
        a_mail("Subject: " + "=?utf-8?b?YQ==?= " * 3_500 + "\n"),
        a_mail("Content-Type: text/plain; " + "a" * 60_000 + "\n"),
        a_mail("Content-Type: text/plain; " + "a=b; " * 12_000 + "\n"),
        a_mail("References: " + "<a@b> " * 10_000 + "\n"),
        a_mail("Authentication-Results: " + "(" * 60_000 + "\n"),
        a_mail("".join(f"X-{n}: y\n" for n in range(60_000))),
        a_mail(body="On " * 100_000),
        a_mail(body="On 1 a\n" * 50_000),
        a_mail(body="From: a\n" * 50_000),
        a_mail(body="> " * 100_000),
        a_mail("Content-Type: text/html\n", "<div>" * 200_000),
        a_mail("Content-Type: text/html\n", "<b id=1>" * 50_000 + "<p>" * 50_000),
        a_mail("Content-Type: text/html\n", "<!--" * 200_000),
        a_mail("Content-Type: text/html\n", "<a \"'" * 100_000),
        a_mail("Content-Type: text/html\n", "<a '>\"" * 100_000),
        a_mail("Content-Type: text/html\n", "<" * 300_000),
        a_mail("Content-Type: text/html\n", "</" * 200_000),
        a_mail("Content-Type: text/html\n", "<svg" * 200_000),
        a_mail("Content-Type: text/html\n", "&" * 300_000),
        a_mail("Content-Type: text/html\n", "cid:" * 100_000),
        a_mail("Content-Type: multipart/mixed; boundary=b\n", "--b\n" * 100_000),
        a_mail("Content-Type: multipart/mixed; boundary=b\n", "--b \t" * 100_000),
        a_mail("Content-Type: text/plain; charset=utf-7\n", "+" * 300_000),
        a_mail("Content-Transfer-Encoding: base64\n", "=" * 300_000),
        nested(3_000),
    ],
    ids=range(30),
)
def test_D01_no_mail_takes_long(raw):
    start = time.process_time()
    read_or_refuse(raw)
    assert time.process_time() - start < 3


# The child


def test_D01_the_child_goes_on_after_a_poison_mail(fixture):
    with MailReader() as reader:
        for case in POISON:
            assert reader.read(fixture(case)) == read_mail(fixture(case))
        with pytest.raises(UnreadableMail, match="it is empty"):
            reader.read(b"")
        assert reader.read(a_mail()).text == "Hello"


def test_D01_a_child_that_takes_too_long_is_replaced():
    with MailReader(timeout=0.001) as reader, pytest.raises(UnreadableMail, match="too long"):
        reader.read(a_mail())
    with MailReader(timeout=20) as reader:
        assert reader.read(a_mail()).text == "Hello"


def test_D01_a_child_that_takes_too_much_memory_costs_only_its_mail():
    big = a_mail(body="x" * 60_000_000)
    limits = Limits(raw_bytes=100_000_000)
    with MailReader(memory=250_000_000, limits=limits) as reader:
        with pytest.raises(UnreadableMail):
            reader.read(big)
        assert reader.read(a_mail()).text == "Hello"


def test_D01_a_child_that_crashes_costs_only_its_mail():
    with MailReader() as reader:
        reader.read(a_mail())
        child = reader._child
        assert child is not None
        killer = threading.Timer(0.2, child.kill)
        killer.start()
        with pytest.raises(UnreadableMail, match="crash"):
            reader.read(a_mail("Content-Type: text/html\n", "<p>words</p>" * 2_000_000))
        killer.join()
        assert reader.read(a_mail()).text == "Hello"


def test_the_child_sees_nothing_of_the_environment(monkeypatch):
    monkeypatch.setenv("CASEWELL_SECRET_KEY", "not for the child")
    with MailReader() as reader:
        reader.read(a_mail())
        child = reader._child
        assert child is not None
        environment = Path(f"/proc/{child.pid}/environ").read_bytes()
    assert b"CASEWELL" not in environment


def test_a_child_answers_quickly_enough_for_fifty_mails_a_second(fixture):
    raw = fixture("H12")
    with MailReader() as reader:
        reader.read(raw)
        start = time.monotonic()
        for _ in range(100):
            reader.read(raw)
        assert time.monotonic() - start < 2
