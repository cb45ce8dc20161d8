"""What a search is taken to mean."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from casewell.inbox.excerpts import excerpt
from casewell.inbox.search_query import SearchQuery, read_search
from casewell.kernel.search import Words
from casewell.messages.models import Channel


def words(*plain, phrases=()):
    return Words(plain, tuple(phrases))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", SearchQuery()),
        ("Equifax letter", SearchQuery(words("equifax", "letter"))),
        ("from:client letter", SearchQuery(words("letter"), sender="client")),
        ('letter from:"Ana Ruiz"', SearchQuery(words("letter"), sender="Ana Ruiz")),
        ("FROM:ana@example.com", SearchQuery(sender="ana@example.com")),
        ("channel:SMS", SearchQuery(channel=Channel.SMS)),
        ("channel:calls", SearchQuery(channel=Channel.CALL)),
        ("before:2026-03-31", SearchQuery(before=date(2026, 3, 31))),
        ("after:3/31/2026", SearchQuery(after=date(2026, 3, 31))),
        ("has:attachment", SearchQuery(has_attachment=True)),
        ('"late payment"', SearchQuery(words(phrases=[("late", "payment")]))),
        ('a "late payment" b', SearchQuery(words("a", "b", phrases=[("late", "payment")]))),
        ('"still typ', SearchQuery(words(phrases=[("still", "typ")]))),
        ('""', SearchQuery()),
        ("from: channel: x", SearchQuery(words("x"))),
        ('from:"', SearchQuery()),
        ("subject:letter", SearchQuery(words("subject", "letter"))),
        ("http://public.example/a", SearchQuery(words("http", "public", "example", "a"))),
        ("at 10:30", SearchQuery(words("at", "10", "30"))),
        ("re: your letter", SearchQuery(words("re", "your", "letter"))),
        ("channel:sms channel:email", SearchQuery(channel=Channel.EMAIL)),
    ],
)
def test_a_search_means(text, meant):
    assert read_search(text) == meant


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("before:2026-02-30", "“2026-02-30” is not a date. Write it like before:2026-03-31."),
        ("after:yesterday", "“yesterday” is not a date. Write it like after:2026-03-31."),
        ("channel:fax", "There is no channel “fax”. Use email, sms, portal or call."),
        ("has:pictures", "“has:pictures” is not known. Use has:attachment."),
    ],
)
def test_what_has_no_meaning_is_said_in_words(text, said):
    assert read_search(f"letter {text}").problems == (said,)


def test_there_is_an_end_to_words():
    read = read_search(" ".join([f'"w{n} v{n}"' for n in range(20)]) + " more" * 20)
    assert len(read.words.apart) <= 12


OPERATOR = st.sampled_from(["from:", "channel:", "before:", "after:", "has:", '"', "x:", " "])


@given(st.lists(st.one_of(OPERATOR, st.text()), max_size=12).map("".join))
@example("before:0001-01-01")
@example('from:""" "')
@example("has:\x00")
def test_nothing_that_is_typed_raises(text):
    read = read_search(text)
    assert len(read.words.apart) <= 12
    assert all(problem.endswith(".") for problem in read.problems)
    excerpt("Some text to look at", text)


def test_only_words_are_marked():
    marked = [piece.text for piece in excerpt("an sms from a client", "client channel:sms")]
    assert marked == ["an sms from a ", "client"]
