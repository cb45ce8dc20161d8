import pytest

from casewell.email.parsed import Defect, ParsedMail
from casewell.email.parsing import read_mail
from casewell.email.senders import (
    SenderStanding,
    came_from,
    judge_sender,
    normal_form,
    reply_target,
)

HOPS = {"mx.firm.example"}
RECEIVED = "Received: from out.example by mx.firm.example; Mon, 23 Nov 2026 15:00:05 -0500\n"


def results(text: str, hop: str = "mx.firm.example") -> str:
    return f"Authentication-Results: {hop}; {text}\n"


def a_mail(header: str, sender: str = "Dana <dana@client.example>") -> ParsedMail:
    return read_mail(f"{header}From: {sender}\n\nHello".encode())


def standing(header: str, sender: str = "Dana <dana@client.example>") -> SenderStanding:
    return judge_sender(a_mail(header, sender), HOPS).standing


@pytest.mark.parametrize(
    "found",
    [
        "dmarc=pass (p=REJECT) header.from=client.example",
        "spf=fail smtp.mailfrom=x.example; dkim=pass header.d=client.example; dmarc=pass",
        "dkim=pass header.i=@client.example header.s=a",
        "dkim=fail header.d=client.example; dkim=pass header.d=client.example",
        "spf=pass (ok; really) smtp.mailfrom=dana@client.example",
        'dmarc = pass reason="x" header.from=Client.Example',
    ],
)
def test_E02_a_domain_that_vouches_makes_its_sender_verified(found):
    assert standing(results(found) + RECEIVED) is SenderStanding.VERIFIED


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ("dmarc=fail header.from=client.example", SenderStanding.FAILED),
        ("dmarc=fail; dkim=pass header.d=client.example", SenderStanding.FAILED),
        ("dmarc=none", SenderStanding.UNVERIFIED),
        ("spf=softfail smtp.mailfrom=dana@client.example", SenderStanding.UNVERIFIED),
        ("spf=none; dkim=none", SenderStanding.UNVERIFIED),
        ("dmarc=pass header.from=evil.example", SenderStanding.UNVERIFIED),
        ("dkim=pass header.d=evil.example", SenderStanding.UNVERIFIED),
        ("dkim=pass header.d=notclient.example", SenderStanding.UNVERIFIED),
        ("spf=pass smtp.mailfrom=bounce@evil.example", SenderStanding.UNVERIFIED),
        ("none", SenderStanding.UNVERIFIED),
        ("dkim=fail (dkim=pass header.d=client.example)", SenderStanding.UNVERIFIED),
    ],
)
def test_E02_without_a_pass_for_that_very_domain_nothing_is_verified(found, expected):
    verdict = judge_sender(a_mail(results(found) + RECEIVED), HOPS)
    assert verdict.standing is expected
    assert not verdict.may_act
    assert verdict.reason


@pytest.mark.parametrize(
    "header",
    [
        # nobody of ours wrote any
        results("dmarc=pass", hop="evil.example") + RECEIVED,
        RECEIVED,
        # sent in by the forger, below what our hop wrote
        results("dmarc=none") + RECEIVED + results("dmarc=pass"),
        results("spf=fail") + results("x=y", hop="other.example") + results("dmarc=pass"),
        RECEIVED + results("spf=none") + results("dmarc=pass header.from=client.example"),
        results("spf=fail") + results("dmarc=pass"),
        # the name of our hop within another word
        results("dmarc=pass", hop="mx.firm.example.evil.example") + RECEIVED,
        results("dmarc=pass", hop="(mx.firm.example) evil.example") + RECEIVED,
    ],
    ids=range(8),
)
def test_E02_results_that_our_hop_has_not_written_prove_nothing(header):
    assert standing(header) is SenderStanding.UNVERIFIED


def test_E02_several_results_above_our_received_count_together():
    header = results("dkim=pass header.d=client.example") + results("spf=fail") + RECEIVED
    assert standing(header) is SenderStanding.VERIFIED
    header = results("dkim=pass header.d=client.example") + results("dmarc=fail") + RECEIVED
    assert standing(header) is SenderStanding.FAILED


def test_E02_a_provider_that_writes_below_its_received_is_believed_once():
    assert standing(RECEIVED + results("dmarc=pass")) is SenderStanding.VERIFIED


@pytest.mark.parametrize(
    "sender",
    [
        "dana@client.example\nFrom: mallory@evil.example",
        "dana@client.example, mallory@evil.example",
        "dana@client.example mallory@evil.example",
        "Dana <dana@client.example> <mallory@evil.example>",
        "Dana",
        "<>",
        '"',
        "dana@client.example (unclosed",
        "Dana <dana@client.example",
        "undisclosed: ;",
    ],
)
def test_E02_a_from_with_a_defect_is_never_verified(sender):
    header = results("dmarc=pass; dkim=pass header.d=client.example") + RECEIVED
    assert standing(header, sender) is SenderStanding.UNVERIFIED


def test_E02_without_a_hop_nobody_has_checked():
    verdict = judge_sender(a_mail(results("dmarc=pass") + RECEIVED), set())
    assert verdict.standing is SenderStanding.UNCHECKED
    assert not verdict.may_act


def test_E02_a_name_that_shows_another_address_is_noted():
    mail = a_mail("", '"office@firm.example" <mallory@evil.example>')
    assert Defect.NAME_IS_ANOTHER_ADDRESS in mail.defects
    same = a_mail("", '"dana@client.example" <Dana@client.example>')
    assert Defect.NAME_IS_ANOTHER_ADDRESS not in same.defects


def test_E07_a_colleague_who_answers_is_named_himself(fixture):
    mail = a_mail("In-Reply-To: <1@firm.example>\n", "Spouse <spouse@other.example>")
    assert mail.author is not None
    assert mail.author.email == "spouse@other.example"


def test_E08_a_stranger_in_copy_is_told_apart(fixture):
    mail = read_mail(fixture("I07"))
    assert [address.email for address in mail.cc] == ["mallory@evil.example"]
    assert mail.author is not None
    assert mail.author.email == "dana.client@mail.example"


def test_E09_an_answer_goes_to_the_sender_and_both_are_shown(fixture):
    target = reply_target(read_mail(fixture("I04")))
    assert target.address is not None
    assert target.address.email == "mallory@evil.example"
    assert [address.email for address in target.asked_for] == ["paralegal@firm.example"]
    assert target.differs


def test_E09_a_reply_to_that_names_the_sender_is_no_difference():
    target = reply_target(a_mail("Reply-To: DANA@Client.example.\n"))
    assert not target.differs


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("Dana@Client.EXAMPLE", "dana@client.example"),
        (" dana@client.example. ", "dana@client.example"),
        ("dana@bücher.example", "dana@xn--bcher-kva.example"),
        ("dana@XN--BCHER-KVA.example", "dana@xn--bcher-kva.example"),
        ("dana@BÜCHER.example", "dana@xn--bcher-kva.example"),
        ('"dana"@client.example', "dana@client.example"),
        ('"da na"@client.example', '"da na"@client.example'),
        ("dana+case@client.example", "dana+case@client.example"),
        ("da.na@client.example", "da.na@client.example"),
        ("DÄNA@client.example", "däna@client.example"),
        ("da\u0308na@client.example", "däna@client.example"),
        ("no address", "no address"),
        ("a@" + "ü" * 400, "a@" + "ü" * 400),
    ],
)
def test_E11_addresses_are_compared_in_one_form(written, form):
    assert normal_form(written) == form
    assert normal_form(form) == form


def test_F04_a_mail_from_our_own_address_is_recognised(fixture):
    own = ["Intake@Firm.example"]
    assert came_from(read_mail(fixture("L05")), own)
    assert not came_from(read_mail(fixture("L01")), own)
