import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewell.email.parsing import read_mail
from casewell.email.quoting import fold_quotes, forwarded_from

ATTRIBUTIONS = [
    "On Mon, Apr 2, 2012 at 6:26 PM, Megan One <megan@a.example> wrote:",
    "On Mon, Apr 2, 2012 at 6:26 PM, Megan One\n<megan@a.example> wrote:",
    "Am 02.04.2012 um 18:26 schrieb Megan One <megan@a.example>:",
    "Le lun. 2 avr. 2012 à 18:26, Megan One <megan@a.example> a écrit :",
    "El lun, 2 abr 2012 a las 18:26, Megan One (<megan@a.example>) escribió:",
    "Il giorno lun 2 apr 2012 alle ore 18:26 Megan One <megan@a.example> ha scritto:",
    "Op ma 2 apr. 2012 om 18:26 schreef Megan One <megan@a.example>:",
    "Em seg., 2 de abr. de 2012 às 18:26, Megan One <megan@a.example> escreveu:",
    "Den mån 2 apr. 2012 18:26 Megan One <megan@a.example> skrev:",
    "pon., 2 kwi 2012 o 18:26 Megan One <megan@a.example> napisał(a):",
    "2012年4月2日 18:26 Megan One <megan@a.example> 写道：",
    "пн, 2 апр. 2012 г. в 18:26, Megan One <megan@a.example> написал:",
]
HEADINGS = [
    "-----Original Message-----\nFrom: Megan\nSent: Monday\nTo: Bob\nSubject: Hi",
    "________________________________\nFrom: Megan\nSent: Monday\nTo: Bob\nSubject: Hi",
    "Von: Megan\nGesendet: Montag\nAn: Bob\nBetreff: Hi",
    "De : Megan\nEnvoyé : lundi\nÀ : Bob\nObjet : Hi",
    "De: Megan\nEnviado el: lunes\nPara: Bob\nAsunto: Hi",
    "*From:* Megan\n*Sent:* Monday\n*To:* Bob\n*Subject:* Hi",
    "Från: Megan\nSkickat: måndag\nTill: Bob\nÄmne: Hi",
    "发件人: Megan\n发送时间: 2012\n收件人: Bob\n主题: Hi",
]


@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
def test_an_attribution_and_its_quote_are_folded(attribution):
    folded = fold_quotes(f"Yes, please.\n\n{attribution}\n\n> Shall we?\n> Really?")
    assert folded.reply == "Yes, please."
    assert folded.quoted.endswith("> Shall we?\n> Really?")


@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
def test_an_attribution_without_quote_marks_folds_the_rest(attribution):
    assert fold_quotes(f"Yes.\n\n{attribution}\n\nShall we?").reply == "Yes."


@pytest.mark.parametrize("heading", HEADINGS)
def test_a_heading_folds_the_rest(heading):
    assert fold_quotes(f"Yes.\n\n{heading}\n\nShall we?").reply == "Yes."


def test_a_reply_below_the_quote_is_shown():
    folded = fold_quotes("On 2 Apr 2012 Megan wrote:\n> Shall we?\n\nYes.")
    assert folded.reply == "Yes."


def test_answers_between_the_quoted_lines_keep_them():
    text = "On 2 Apr 2012 Megan wrote:\n> Shall we?\nYes.\n> When?\nTuesday.\n> Bye"
    folded = fold_quotes(text)
    assert folded.reply == text.removesuffix("\n> Bye")
    assert folded.quoted == "> Bye"


def test_the_footer_of_a_list_goes_with_the_quote():
    folded = fold_quotes("Yes.\n\n> Shall we?\n\n_______\nlist@a.example mailing list")
    assert folded.reply == "Yes."


def test_a_mail_that_is_all_quote_is_shown_whole():
    assert fold_quotes("> one\n> two").reply == "> one\n> two"


def test_a_closing_goes_with_the_quote_only_where_the_senders_name_alone_follows():
    quote = "\n\nOn 2 Apr 2012 Bob wrote:\n> Hi"
    assert fold_quotes(f"Yes.\n\nBest,\nDana{quote}", "Dana Okafor").reply == "Yes."
    with_more = f"Yes.\n\nBest,\nDana\nPS: no{quote}"
    assert "PS: no" in fold_quotes(with_more, "Dana Okafor").reply
    assert fold_quotes("Yes.\n\nBest,\nDana", "Dana Okafor").reply == "Yes.\n\nBest,\nDana"


@pytest.mark.parametrize(
    "line",
    [
        "He wrote: it is fine.",
        "This is what I wrote:",
        "From: the bottom of my heart",
        "The list:\n- one\n- two",
        "From 3 to 5 I can come.",
    ],
)
def test_words_that_only_look_like_a_heading_stay(line):
    text = f"Hello,\n{line}\nmore words"
    assert fold_quotes(text).reply == text


LINES = st.sampled_from(
    ["", "words", "> quoted", ">> deeper", *ATTRIBUTIONS[:3], *HEADINGS[:3], "-- ", "____", "Dana"]
)


@given(st.lists(LINES, max_size=25), st.sampled_from(["", "Dana"]))
@settings(max_examples=300, deadline=None)
def test_no_line_is_lost_and_none_is_twice(lines, name):
    text = "\n".join(lines)
    folded = fold_quotes(text, name)
    both = f"{folded.reply}\n{folded.quoted}".split("\n")
    assert sorted(line.strip() for line in both if line.strip()) == sorted(
        line.strip() for line in text.split("\n") if line.strip()
    )


@pytest.mark.parametrize(
    ("html", "reply"),
    [
        ('Yes<div class="gmail_quote">On 2 Apr Bob wrote:<blockquote>Hi</blockquote></div>', "Yes"),
        ('<div>Yes</div><div id="divRplyFwdMsg">Kimden: Bob</div><div>Hi</div>', "Yes"),
        ('<div>Yes</div><div class="yahoo_quoted"><div>On 2 Apr Bob wrote:</div>Hi</div>', "Yes"),
        ('<p>Yes</p><blockquote type="cite">On 2 Apr Bob wrote:<br>Hi</blockquote>', "Yes"),
        ("<p>Yes</p><hr><p><b>From:</b> B<br><b>Sent:</b> x<br><b>To:</b> y</p>Hi", "Yes"),
    ],
)
def test_quotes_of_html_mails_are_folded(html, reply):
    raw = f"From: a@b.example\nIn-Reply-To: <1@x>\nContent-Type: text/html\n\n{html}".encode()
    mail = read_mail(raw)
    assert mail.reply_text.strip("_\n") == reply
    assert "Hi" in mail.quoted_text


def test_who_wrote_what_is_forwarded_is_read_from_the_text():
    text = "FYI\n\nBegin forwarded message:\n\nFrom: Mia Ortiz <mia@a.example>\nDate: x\n\nHi"
    address = forwarded_from(text)
    assert address is not None
    assert (address.name, address.email) == ("Mia Ortiz", "mia@a.example")
    assert forwarded_from("no forward") is None


def test_a_forwarded_mail_is_not_folded():
    text = "FYI\n\n---------- Forwarded message ---------\nFrom: Mia <mia@a.example>\n\nHi"
    mail = read_mail(f"From: a@b.example\nSubject: Fwd: x\n\n{text}".encode())
    assert mail.reply_text == text
