"""Words that stop texts, start them again, or ask for help."""

from __future__ import annotations

import ast

import pytest

from casewell.sms.keywords import Keyword, is_confirmed_by_carrier, keyword_of

EXPECTED = {"in-only-if-opted-out": Keyword.YES}


def test_H01_every_wording_is_read_as_a_person_means_it(shared):
    path = shared / "security" / "fixtures" / "optout.tsv"
    if not path.is_file():
        pytest.skip("the wordings are not beside this checkout")
    rows = [line.rsplit("\t", 1) for line in path.read_text("utf-8").splitlines() if line]
    read = {typed: keyword_of(ast.literal_eval(typed)) for typed, _ in rows}
    assert read == {
        typed: EXPECTED.get(meant.strip()) or Keyword(meant.strip()) for typed, meant in rows
    }


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", Keyword.NONE),
        ("Thanks, see you Monday", Keyword.NONE),
        ("stop please", Keyword.OUT),
        ("Please STOP", Keyword.OUT),
        ("Do not text me again", Keyword.OUT),
        ("don’t contact me", Keyword.OUT),
        ("I revoke my consent", Keyword.OUT),
        ("Don't stop texting me", Keyword.REVIEW),
        ("yes", Keyword.YES),
        ("Yes, Monday works", Keyword.NONE),
        ("help", Keyword.HELP),
        ("Can you help me with Equifax?", Keyword.NONE),
        ("start", Keyword.IN),
        ("We can start on Monday", Keyword.NONE),
    ],
)
def test_other_wordings(text, meant):
    assert keyword_of(text) is meant


def test_only_the_bare_word_is_confirmed_by_the_carrier():
    assert is_confirmed_by_carrier(" Stop ")
    assert not is_confirmed_by_carrier("please stop texting me")
