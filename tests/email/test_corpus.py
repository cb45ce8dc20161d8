"""Every mail of the corpus means what its manifest says."""

import re

import pytest

from casewell.email.parsed import MailKind
from casewell.email.parsing import read_mail
from casewell.email.reader import MailReader
from casewell.email.sanitising import sanitise
from casewell.email.threading import base_subject

# The kinds that a person's mail without an expectation may have, by the corpus's own tags.
TAGGED = {
    "feedback report (arf)": MailKind.COMPLAINT,
    "read receipt (mdn)": MailKind.RECEIPT,
    "calendar invitation": MailKind.CALENDAR,
    "newsletter": MailKind.LIST,
    "mailman": MailKind.LIST,
}


def test_every_mail_of_the_corpus_can_be_read(manifest, subtests):
    for entry in manifest:
        with subtests.test(entry["file"]):
            mail = read_mail(entry["raw"])
            mail.text.encode("utf-8")
            assert "\n" not in mail.subject
            assert "\x00" not in mail.text


def test_it_means_what_the_manifest_says(manifest, subtests):
    for entry in manifest:
        expect, mail = entry["expect"], read_mail(entry["raw"])
        with subtests.test(entry["file"]):
            if "kind" in expect:
                assert mail.kind == expect["kind"]
            for tag in set(entry["tags"]) & set(TAGGED):
                assert mail.kind == TAGGED[tag]
            assert mail.must_not_answer or not expect.get("must_not_answer")
            assert mail.subject == expect.get("subject", mail.subject)
            assert base_subject(mail.subject) == expect.get(
                "base_subject", base_subject(mail.subject)
            )
            if isinstance(expect.get("from"), list):
                assert mail.author is not None
                assert [mail.author.name, mail.author.email] == expect["from"]
            assert mail.in_reply_to == expect.get("in_reply_to", mail.in_reply_to)
            assert len(mail.references) == expect.get("references_count", len(mail.references))
            for words in expect.get("text_contains", ()):
                assert words in mail.text
            if "forwarded_from" in expect:
                assert mail.forwarded_from is not None
                assert mail.forwarded_from.email == expect["forwarded_from"]


def test_quotes_are_folded_as_the_manifest_says(manifest, subtests):
    for entry in manifest:
        expect, mail = entry["expect"], read_mail(entry["raw"])
        with subtests.test(entry["file"]):
            for key in ("reply_only", "reply_only_plain"):
                assert mail.reply_text == expect.get(key, mail.reply_text)
            for words in expect.get("reply_only_contains", ()):
                assert words in mail.reply_text
            for words in expect.get("reply_only_must_not_contain", ()):
                assert words not in mail.reply_text
                assert words in mail.quoted_text


def test_files_are_offered_as_the_manifest_says(manifest, subtests):
    for entry in manifest:
        expect, mail = entry["expect"], read_mail(entry["raw"])
        names = [file.shown_name for file in mail.attachments]
        apart = [file.shown_name for file in mail.attachments if not file.inline]
        with subtests.test(entry["file"]):
            assert apart == expect.get("attachments", apart)
            assert len(names) == expect.get("attachments_count", len(names))
            for name in (*expect.get("inline", ()), *expect.get("inline_or_attachment", ())):
                assert name in names
            for name in names:
                assert len(name.encode()) <= 255
                assert not re.search(r"[/\\]|\.\.", name)


def test_bounces_name_their_recipients_as_the_manifest_says(manifest, subtests):
    for entry in manifest:
        if "recipients" not in entry["expect"]:
            continue
        with subtests.test(entry["file"]):
            report = read_mail(entry["raw"]).report
            assert report is not None
            assert [
                {"address": known.address, "action": known.action, "status": known.status}
                for known in report.recipients
            ] == entry["expect"]["recipients"]


def test_html_is_made_safe_as_the_manifest_says(manifest, subtests):
    for entry in manifest:
        expect, mail = entry["expect"], read_mail(entry["raw"])
        with subtests.test(entry["file"]):
            safe = sanitise(mail.html or "", lambda _: None).html
            for words in expect.get("html_must_not_contain", ()):
                assert words not in safe.lower()
            for words in expect.get("html_should_keep", ()):
                assert words in safe


def test_names_and_addresses_agree_with_the_reading_of_the_standard_library(manifest, subtests):
    for entry in manifest:
        known = entry["stdlib_reading"]
        if "malformed" in entry["tags"] or "raw 8-bit subject" in entry["tags"]:
            continue
        with subtests.test(entry["file"]):
            mail = read_mail(entry["raw"])
            assert mail.message_id in (known.get("message-id"), f"<{known.get('message-id')}>")
            assert mail.subject == known.get("subject", "")
            assert [address.email for address in mail.from_] == re.findall(
                r"[^\s<>\"]+@[^\s<>\"]+(?=>?$)", known.get("from", "")
            )


@pytest.mark.slow
def test_the_child_reads_each_mail_as_this_process_does(manifest, subtests):
    with MailReader() as reader:
        for entry in manifest:
            with subtests.test(entry["file"]):
                assert reader.read(entry["raw"]) == read_mail(entry["raw"])
