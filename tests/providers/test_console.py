"""The local outbox: what happens to mail while no mail server is set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from casewell.providers.errors import Unavailable
from casewell.providers.mail_out.console import ConsoleSender, LetterMissing

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
MAIL = b"Subject: Hello\r\n\r\nHi\r\n"


@pytest.fixture
def clock():
    moments = [NOON + timedelta(minutes=minute) for minute in range(9)]
    return lambda: moments.pop(0)


@pytest.fixture
def outbox(tmp_path, clock):
    return ConsoleSender(tmp_path / "outbox", clock)


def test_letters_stand_in_the_outbox_newest_first(outbox):
    outbox.send("office@firm.example", ["ana@example.com"], MAIL)
    sent = outbox.send("", ["ana@example.com", "ben@example.com"], MAIL)
    newest, oldest = outbox.letters()
    assert newest.id == sent.provider_id
    assert (newest.envelope_from, newest.sent_at) == ("", NOON + timedelta(minutes=1))
    assert newest.recipients == ("ana@example.com", "ben@example.com")
    assert oldest.sent_at == NOON
    assert outbox.read(newest.id) == MAIL
    assert outbox.letters(limit=1) == [newest]


def test_a_letter_is_private(outbox):
    outbox.send("office@firm.example", ["ana@example.com"], MAIL)
    assert outbox.folder.stat().st_mode & 0o077 == 0


def test_a_handover_that_fails_leaves_no_letter(outbox):
    def fail():
        raise LookupError

    with pytest.raises(LookupError):
        outbox.send("office@firm.example", ["ana@example.com"], MAIL, on_handover=fail)
    assert outbox.letters() == []


@pytest.mark.parametrize("letter_id", ["../../etc/passwd", "", "20261124T120000000000-" + "0" * 16])
def test_K04_a_letter_id_is_never_a_way_out_of_the_folder(outbox, letter_id):
    with pytest.raises(LetterMissing):
        outbox.read(letter_id)


def test_a_folder_that_can_not_be_written_is_told(tmp_path):
    (tmp_path / "outbox").write_bytes(b"in the way")
    outbox = ConsoleSender(tmp_path / "outbox")
    for attempt in (outbox.check, lambda: outbox.send("", ["ana@example.com"], MAIL)):
        with pytest.raises(Unavailable, match="can't be written"):
            attempt()


def test_an_empty_outbox_works(outbox):
    outbox.check()
    assert outbox.letters() == []
