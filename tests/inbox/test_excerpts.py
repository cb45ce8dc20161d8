"""What is shown of a hit."""

import pytest

from casewell.inbox.excerpts import SHOWN, excerpt


def marked(text, query):
    return "".join(f"[{piece.text}]" if piece.hit else piece.text for piece in excerpt(text, query))


@pytest.mark.parametrize(
    ("text", "query", "shown"),
    [
        ("The dispute, disputed", "disp", "The [dispute], [disputed]"),
        ("The dispute, disputed", "dispute letter", "The [dispute], disputed"),
        ("Das Résumé\n\n  von Ana", "resume", "Das [Résumé] von Ana"),
        ("indispute", "disp", "indispute"),
        ("Nothing here", "***", "Nothing here"),
        ("", "word", ""),
        ("a.b*c", "b c", "a.[b]*[c]"),
    ],
)
def test_words_are_marked_as_the_search_finds_them(text, query, shown):
    assert marked(text, query) == shown


def test_of_a_long_text_what_stands_around_the_first_hit_is_shown():
    text = "before " * 500 + "dispute " + "after " * 500
    shown = marked(text, "dispute")
    assert shown.startswith("…")
    assert shown.endswith("…")
    assert "before [dispute] after" in shown
    assert len(shown) <= SHOWN + len("……[]")


def test_white_space_without_end_hides_no_hit():
    assert "[dispute]" in marked("x" + " " * 5000 + "dispute" + "\n" * 5000 + "y", "dispute")
