import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewell.email.parsing import read_mail
from casewell.email.threading import (
    base_subject,
    conversation_from_reply_address,
    make_message_id,
    references_for_reply,
    reply_address,
    thread_keys,
)

SECRET = b"a secret of 32 bytes, or so it is"


@given(st.integers(0, 2**48 - 1))
def test_a_reply_address_leads_back_to_its_conversation(number):
    address = reply_address(SECRET, "office@firm.example", number)
    assert conversation_from_reply_address(SECRET, address) == number
    assert conversation_from_reply_address(SECRET, address.upper()) == number
    assert len(address.partition("@")[0]) <= 64


def test_a_reply_address_does_not_show_how_many_conversations_there_are():
    tokens = {reply_address(SECRET, "o@firm.example", number)[4:30] for number in range(1, 200)}
    assert len({token[-10:] for token in tokens}) == len(tokens)
    assert len({token[:4] for token in tokens}) > 150


def test_a_forged_reply_address_leads_nowhere():
    address = reply_address(SECRET, "office@firm.example", 7)
    local = address.partition("@")[0]
    for at in range(len("office+c."), len(local)):
        for other in ("a", "b", "7"):
            forged = f"{local[:at]}{other}{local[at + 1 :]}@firm.example"
            if forged != address:
                assert conversation_from_reply_address(SECRET, forged) is None
    assert conversation_from_reply_address(b"another secret", address) is None


@pytest.mark.parametrize(
    "address",
    ["", "office@firm.example", "office+c.@firm.example", "office+c.aaaa@x", "office+c.7.x@x", "@"],
)
def test_other_addresses_lead_nowhere(address):
    assert conversation_from_reply_address(SECRET, address) is None


def test_message_ids_are_never_the_same():
    ids = {make_message_id("firm.example") for _ in range(100)}
    assert len(ids) == 100
    assert all(known.endswith("@firm.example>") for known in ids)


def test_the_nearest_mail_is_asked_first():
    mail = read_mail(
        b"From: a@b.example\nIn-Reply-To: <3@x> (Dana's mail)\nReferences: <1@x>\n <2@x>\n\t<3@x>"
    )
    assert thread_keys(mail) == ["<3@x>", "<2@x>", "<1@x>"]


def test_a_flood_of_references_is_bounded():
    flood = " ".join(f"<{n}@x>" for n in range(5_000))
    mail = read_mail(f"From: a@b.example\nReferences: {flood}\n\nx".encode())
    assert len(mail.references) == 100
    assert mail.references[0] == "<0@x>"
    assert len(thread_keys(mail)) == 50


def test_an_answer_refers_to_the_first_and_the_latest():
    known = tuple(f"<{n}@x>" for n in range(40))
    references = references_for_reply(known, "<39@x>")
    assert len(references) == 20
    assert references[0] == "<0@x>"
    assert references[-2:] == ("<38@x>", "<39@x>")
    assert references_for_reply((), "<1@x>") == ("<1@x>",)


@pytest.mark.parametrize(
    ("subject", "bare"),
    [
        ("Re: Re: SV: AW: RE: Follow-up", "Follow-up"),
        ("Fwd: RE[2]: x", "x"),
        ("Réponse", "Réponse"),
        ("Re:", "Re:"),
        ("回复：问题", "问题"),
        ("Regarding: x", "Regarding: x"),
    ],
)
def test_a_subject_is_shown_without_its_prefixes(subject, bare):
    assert base_subject(subject) == bare
