"""Sending by SMTP: where the dialogue broke decides whether a mail may be sent again."""

from __future__ import annotations

import socket
import time
from dataclasses import replace

import pytest

from casewell.providers.errors import (
    Insecure,
    Rejected,
    SignInRefused,
    Unavailable,
    Unconfirmed,
)
from casewell.providers.mail_out import AllRefused
from casewell.providers.mail_out.smtp import SmtpLimits, SmtpSender, as_smtp_data
from casewell.providers.wire import Login, Security, Server
from tests.rigs.certificates import make_certificates
from tests.rigs.scripted import drip, silence
from tests.rigs.smtp_server import LOGIN, Misbehaviour

OFFICE, ANA, BEN = "office@firm.example", "ana@example.com", "ben@example.com"
MAIL = b"Message-ID: <1@firm.example>\r\nSubject: Your dispute\r\n\r\nIt is on its way.\r\n"
IMPATIENT = SmtpLimits(step=0.4, final=0.4, whole=5)


@pytest.fixture
def sender(smtp):
    return SmtpSender(smtp.server, limits=IMPATIENT)


def test_a_mail_is_handed_over_as_it_is(sender, smtp):
    sent = sender.send(OFFICE, [ANA, BEN], MAIL)
    assert (sent.refused, sent.deferred) == ({}, {})
    assert sent.provider_id == "00000001"
    (delivery,) = smtp.deliveries
    assert delivery.envelope_from == OFFICE
    assert delivery.recipients == (ANA, BEN)
    assert delivery.raw == MAIL


def test_a_recipient_named_twice_gets_one_mail(sender, smtp):
    sender.send(OFFICE, [ANA, ANA], MAIL)
    assert smtp.deliveries[0].recipients == (ANA,)


def test_F06_an_automatic_answer_has_the_null_sender(sender, smtp):
    sender.send("", [ANA], MAIL)
    assert smtp.commands[0].startswith("MAIL FROM:<>")


def test_a_line_that_begins_with_a_dot_arrives_with_one_dot(sender, smtp):
    raw = MAIL + b".\r\n.and more\r\n"
    sender.send(OFFICE, [ANA], raw)
    assert smtp.deliveries[0].raw == raw


def test_F01_a_lone_line_feed_smuggles_no_second_mail(sender, smtp):
    smuggled = MAIL + b"\n.\nMAIL FROM:<a@example.net>\r.\rRCPT TO:<b@example.net>\n"
    sender.send(OFFICE, [ANA], smuggled)
    assert len(smtp.deliveries) == 1
    assert smtp.deliveries[0].raw.endswith(b"RCPT TO:<b@example.net>\r\n")


def test_data_always_ends_its_last_line():
    assert as_smtp_data(b"a\rb\nc\r\n.d") == b"a\r\nb\r\nc\r\n..d\r\n"


@pytest.mark.parametrize(
    "hostile",
    [
        "ana@example.com\r\nRCPT TO:<eve@example.net>",
        "ana@example.com>",
        "ana@exam ple.com",
        "ana\x00@example.com",
        "ana",
        "@example.com",
        "ana@",
        "ana@example.com\u2028",
        "",
    ],
)
def test_F01_an_address_that_is_none_never_reaches_the_server(sender, smtp, hostile):
    with pytest.raises(Rejected):
        sender.send(hostile or "x", [ANA], MAIL)
    sent = sender.send(OFFICE, [ANA, hostile], MAIL)
    assert list(sent.refused) == [hostile]
    assert smtp.deliveries[0].recipients == (ANA,)


def test_E11_unusual_addresses_are_sent_to_as_they_are(sender, smtp):
    unusual = ['"ana maria"@example.com', "o'hara+x=y@example.com", "ana@[127.0.0.1]"]
    sender.send(OFFICE, [*unusual, "ana@büro.example", "añil@example.com"], MAIL)
    assert smtp.commands[0].endswith("SMTPUTF8")
    assert smtp.deliveries[0].recipients == (
        *unusual,
        "ana@xn--bro-hoa.example",
        "añil@example.com",
    )


def test_a_recipient_the_server_has_no_letters_for_is_refused(script):
    with script([b"220 hi\r\n", "EHLO", b"250 mx.test\r\n", *_mail_dialogue()]) as server:
        sent = SmtpSender(_plain(server)).send(OFFICE, [ANA, "añil@example.com"], MAIL)
    assert list(sent.refused) == ["añil@example.com"]


def test_a_sender_the_server_has_no_letters_for_is_rejected(script):
    dialogue = [b"220 hi\r\n", "EHLO", b"250 mx.test\r\n", silence(1)]
    with script(dialogue) as server, pytest.raises(Rejected, match="letters"):
        SmtpSender(_plain(server)).send("añil@firm.example", [ANA], MAIL)


def test_an_eight_bit_body_is_announced(sender, smtp):
    sender.send(OFFICE, [ANA], MAIL + "Grüße\r\n".encode())
    assert "BODY=8BITMIME" in smtp.commands[0]


def test_Q08_one_bad_recipient_of_a_hundred_is_reported_and_the_others_get_it_once(sender, smtp):
    smtp.refuse("r13@example.com", "554 5.7.1 not here")
    everyone = [f"r{number}@example.com" for number in range(100)]
    sent = sender.send(OFFICE, everyone, MAIL)
    assert sent.refused == {"r13@example.com": "554 5.7.1 not here"}
    assert len(smtp.deliveries[0].recipients) == 99
    assert smtp.count("<1@firm.example>") == 1


def test_Q08_a_recipient_refused_for_now_is_told_apart(sender, smtp):
    smtp.refuse(BEN, "452 4.2.2 mailbox full")
    sent = sender.send(OFFICE, [ANA, BEN], MAIL)
    assert sent.deferred == {BEN: "452 4.2.2 mailbox full"}
    assert sent.refused == {}


def test_nobody_accepted_for_good_is_rejected(sender, smtp):
    smtp.refuse(ANA)
    smtp.refuse(BEN, "553 5.1.3 bad")
    with pytest.raises(AllRefused) as caught:
        sender.send(OFFICE, [ANA, BEN], MAIL)
    assert caught.value.refused == {ANA: "550 5.1.1 No such user", BEN: "553 5.1.3 bad"}
    assert smtp.deliveries == []


def test_nobody_accepted_just_now_may_be_tried_again(sender, smtp):
    smtp.refuse(ANA)
    smtp.refuse(BEN, "451 4.7.1 greylisted")
    with pytest.raises(Unavailable, match="greylisted"):
        sender.send(OFFICE, [ANA, BEN], MAIL)
    assert smtp.deliveries == []


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA", "DOT"])
@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ("451 4.3.0 try later", Unavailable),
        ("421 4.3.2 shutting down", Unavailable),
        ("554 5.6.0 no", Rejected),
        ("530 5.7.0 authentication required", SignInRefused),
    ],
)
def test_Q07_a_refusal_says_whether_to_try_again(sender, smtp, command, reply, outcome):
    smtp.reply(command, reply)
    with pytest.raises(outcome) as caught:
        sender.send(OFFICE, [ANA], MAIL)
    assert isinstance(caught.value, outcome)
    assert not isinstance(caught.value, Unconfirmed)
    assert caught.value.detail == reply
    assert smtp.deliveries == []


@pytest.mark.parametrize(
    "misbehaviour", [Misbehaviour.CLOSE_AT_RCPT, Misbehaviour.CLOSE_DURING_DATA]
)
def test_a_connection_lost_before_the_last_dot_did_nothing(sender, smtp, misbehaviour):
    smtp.then(misbehaviour)
    long_mail = MAIL + b"x" * 70 + b"\r\n" + (b"y" * 70 + b"\r\n") * 200_000
    with pytest.raises(Unavailable):
        sender.send(OFFICE, [ANA], long_mail)
    assert smtp.deliveries == []


@pytest.mark.parametrize(
    "misbehaviour",
    [
        Misbehaviour.HANG_AFTER_DATA,
        Misbehaviour.CLOSE_AFTER_DATA,
        Misbehaviour.NONSENSE_AFTER_DATA,
    ],
)
def test_after_the_last_dot_silence_is_unconfirmed(sender, smtp, misbehaviour):
    smtp.then(misbehaviour)
    with pytest.raises(Unconfirmed):
        sender.send(OFFICE, [ANA], MAIL)
    assert smtp.count("<1@firm.example>") == 1  # why it must not be sent again


def test_a_slow_answer_is_waited_for(smtp):
    smtp.then(Misbehaviour.SLOW)
    SmtpSender(smtp.server, limits=replace(IMPATIENT, final=5)).send(OFFICE, [ANA], MAIL)
    assert smtp.count("<1@firm.example>") == 1


def test_the_handover_is_announced_before_it_happens(sender, smtp):
    seen = []
    sender.send(OFFICE, [ANA], MAIL, on_handover=lambda: seen.append(len(smtp.deliveries)))
    assert seen == [0]


def test_a_handover_that_fails_sends_nothing(sender, smtp):
    def fail():
        raise LookupError

    with pytest.raises(LookupError):
        sender.send(OFFICE, [ANA], MAIL, on_handover=fail)
    assert smtp.deliveries == []


def test_there_is_no_handover_where_the_server_refuses_before(sender, smtp):
    smtp.refuse(ANA)
    with pytest.raises(Rejected):
        sender.send(OFFICE, [ANA], MAIL, on_handover=pytest.fail)


@pytest.mark.parametrize("rig", ["smtp_tls", "smtp_starttls"])
def test_encrypted_and_signed_in(rig, request):
    server = request.getfixturevalue(rig)
    sender = SmtpSender(server.server, LOGIN)
    sender.check()
    sender.send(OFFICE, [ANA], MAIL)
    assert server.count("<1@firm.example>") == 1
    assert server.sign_ins == [LOGIN.username] * 2


@pytest.mark.parametrize("rig", ["smtp_tls", "smtp_starttls"])
def test_Q07_a_refused_sign_in_is_tried_once_and_stops_the_channel(rig, request):
    server = request.getfixturevalue(rig)
    sender = SmtpSender(server.server, Login("casewell", "wrong"))
    with pytest.raises(SignInRefused, match="535"):
        sender.send(OFFICE, [ANA], MAIL)
    assert server.sign_ins == ["casewell"]
    assert server.deliveries == []


def test_a_password_is_in_no_error_and_no_repr():
    assert "secret" not in repr(Login("casewell", "secret"))


def test_a_sign_in_that_fails_for_now_does_not_stop_the_channel(smtp_tls):
    smtp_tls.reply("AUTH", "454 4.7.0 Temporary authentication failure")
    with pytest.raises(Unavailable) as caught:
        SmtpSender(smtp_tls.server, LOGIN).check()
    assert not isinstance(caught.value, SignInRefused)


def test_a_server_without_sign_in_is_told(script):
    dialogue = [b"220 hi\r\n", "EHLO", b"250 mx.test\r\n", silence(1)]
    with script(dialogue) as server, pytest.raises(SignInRefused, match="no way"):
        SmtpSender(_plain(server), LOGIN).check()


def test_sign_in_by_the_older_mechanism(script):
    dialogue = [
        *(b"220 hi\r\n", "EHLO", b"250-mx.test\r\n250 AUTH LOGIN CRAM-MD5\r\n"),
        *("AUTH LOGIN Y2FzZXdlbGw=\r\n", b"334 UGFzc3dvcmQ6\r\n"),
        *("^Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZQ==\r\n", b"235 ok\r\n"),
        *("quit", b"221 bye\r\n"),
    ]
    with script(dialogue) as server:
        SmtpSender(_plain(server), LOGIN).check()


def test_R05_a_certificate_nobody_vouches_for_is_refused(smtp_tls, smtp_starttls):
    for rig in (smtp_tls, smtp_starttls):
        with pytest.raises(Insecure, match="not trusted"):
            SmtpSender(replace(rig.server, tls=None), LOGIN).send(OFFICE, [ANA], MAIL)
        assert rig.sign_ins == []
        assert rig.deliveries == []


def test_R05_a_certificate_of_another_host_is_refused(tmp_path, smtp_tls):
    smtp_tls.certificates = make_certificates(tmp_path, host="mail.example.net")
    strange = Server("127.0.0.1", smtp_tls.port, Security.TLS, smtp_tls.server.tls)
    with pytest.raises(Insecure):
        SmtpSender(strange, LOGIN).check()


def test_R05_missing_encryption_never_becomes_plain_text(smtp):
    stripped = replace(smtp.server, security=Security.STARTTLS)
    with pytest.raises(Insecure, match="no encryption"):
        SmtpSender(stripped, LOGIN).send(OFFICE, [ANA], MAIL)
    assert smtp.commands == []
    assert smtp.sign_ins == []


def test_R05_refused_encryption_never_becomes_plain_text(smtp_starttls):
    smtp_starttls.reply("STARTTLS", "454 4.7.0 TLS not available")
    with pytest.raises(Insecure, match="454"):
        SmtpSender(smtp_starttls.server, LOGIN).check()
    assert smtp_starttls.sign_ins == []


def test_R05_tls_is_not_spoken_with_a_plain_server(smtp):
    with pytest.raises(Insecure):
        SmtpSender(replace(smtp.server, security=Security.TLS)).check()


def test_R05_words_slipped_in_before_the_encryption_are_not_believed(script, certificates):
    def encrypt(connection):
        with certificates.for_server().wrap_socket(connection, server_side=True) as encrypted:
            encrypted.settimeout(5)
            assert encrypted.recv(100).startswith(b"ehlo")
            encrypted.sendall(b"250 mx.test\r\n")  # offers no AUTH
            encrypted.recv(100)

    dialogue = [
        *(b"220 hi\r\n", "EHLO", b"250-mx.test\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n"),
        *("STARTTLS", b"220 go\r\n", encrypt),
    ]
    with script(dialogue) as server:
        address = Server("localhost", server.port, Security.STARTTLS, certificates.for_client())
        with pytest.raises(SignInRefused, match="no way"):
            SmtpSender(address, LOGIN).check()


@pytest.mark.parametrize("host", ["mail.example.com", "192.0.2.1", "2001:db8::1"])
def test_R05_plain_text_stays_on_this_machine(host):
    with pytest.raises(Insecure, match="another machine"):
        SmtpSender(Server(host, 25, Security.PLAIN)).check()


def test_Q07_a_server_that_is_not_there_may_be_tried_again():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(Unavailable, match="could not be reached"):
        SmtpSender(Server("127.0.0.1", port, Security.PLAIN)).check()


def test_Q07_a_name_that_does_not_resolve_may_be_tried_again():
    for host in ("mail.invalid", "a" * 80 + ".invalid", "mail..invalid"):
        with pytest.raises(Unavailable, match="could not be reached"):
            SmtpSender(Server(host, 465, Security.TLS)).check()


@pytest.mark.parametrize("welcome", [b"421 too busy\r\n", b"554 no service\r\n", b"nonsense\r\n"])
def test_a_server_that_takes_no_connections_may_be_tried_again(script, welcome):
    with script([welcome, silence(1)]) as server, pytest.raises(Unavailable):
        SmtpSender(_plain(server)).send(OFFICE, [ANA], MAIL)


def test_Q07_a_server_that_says_nothing_is_given_up(script):
    with script([silence(3)]) as server:
        started = time.monotonic()
        with pytest.raises(Unavailable):
            SmtpSender(_plain(server), limits=IMPATIENT).check()
        assert time.monotonic() - started < 2


def test_Q07_a_server_that_drips_is_cut_off(script):
    with script([b"220-", drip(b"x", 0.05, 200)]) as server:
        started = time.monotonic()
        with pytest.raises(Unavailable):
            SmtpSender(_plain(server), limits=SmtpLimits(step=5, whole=0.5)).check()
        assert time.monotonic() - started < 4


def test_what_a_server_says_is_shown_as_one_cut_line(sender, smtp):
    smtp.reply("DOT", "554 no \x1b[31mred\x1b[0m " + "x" * 900)
    with pytest.raises(Rejected) as caught:
        sender.send(OFFICE, [ANA], MAIL)
    assert caught.value.detail.isprintable()
    assert len(caught.value.detail) <= 310


def _mail_dialogue():
    said = [("MAIL", b"250 ok\r\n"), ("RCPT", b"250 ok\r\n"), ("DATA", b"354 go\r\n")]
    lines = [*MAIL.split(b"\r\n")[:-1], b"."]
    said += [(f"^{line.decode()[:8]}", b"") for line in lines[:-1]]
    return [step for pair in said for step in pair] + [r"^\.", b"250 ok\r\n", "quit", b"221\r\n"]


def _plain(server):
    return Server(server.host, server.port, Security.PLAIN)
