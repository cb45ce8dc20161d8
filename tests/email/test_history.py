"""A practice's old mail: every kind of file, taken in once, firing nothing."""

from __future__ import annotations

import io
import mailbox as mailbox_module
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from casewell.email import history
from casewell.email.arrival import Arrived, keep_raw, register
from casewell.email.models import InboundMail, MailImport, MailImportState, Source
from casewell.email.old_mail import mails_at, mails_in
from casewell.email.reconciliation import Stands
from casewell.email.threading import make_message_id
from casewell.kernel import jobs
from casewell.kernel.access import Identity, Role
from casewell.kernel.errors import TooLarge
from casewell.ledger.service import SYSTEM
from casewell.messages import outbox
from casewell.messages.models import (
    Conversation,
    ConversationState,
    Direction,
    Lane,
    MessageStatus,
    UnifiedMessage,
)
from casewell.messages.readers import unread_counts
from casewell.providers.errors import Unavailable
from casewell.providers.files import FileStore
from tests.messages.conftest import message_of
from tests.rigs.mail_in import mail

ROOT = Path(__file__).parents[2]
SEPARATOR = b"From ana@example.com Tue Mar 10 15:00:00 2026\n"
LIMIT = 1_000_000


def mbox(*mails, end=b"\n"):
    """Return an mbox as most programs write it, with lines that end in LF or in CRLF."""
    whole = b""
    for raw in mails:
        text = raw.replace(b"\r\n", b"\n")
        quoted = b"".join(
            b">" + line if line.lstrip(b">").startswith(b"From ") else line
            for line in text.splitlines(keepends=True)
        )
        whole += SEPARATOR + quoted + b"\n"
    return whole.replace(b"\n", end)


def read(content, position=0, most=LIMIT):
    return list(mails_in(io.BytesIO(content)).read(position, most))


# Reading files


def test_an_mbox_gives_its_mails_with_their_own_lines():
    body = "Dear all,\r\n\r\nFrom here on\r\n>From quoted before\r\nEnd"
    first, second = read(mbox(mail(1, body), mail(2)))
    assert first.raw == mail(1, body).replace(b"\r\n", b"\n")
    assert second.raw == mail(2).replace(b"\r\n", b"\n")


def test_an_mbox_with_crlf_is_read_alike():
    first, second = read(mbox(mail(1, "From here"), mail(2), end=b"\r\n"))
    assert (first.raw, second.raw) == (mail(1, "From here"), mail(2))


def test_a_sentence_that_begins_with_from_divides_no_mail():
    unquoted = SEPARATOR + mail(1, "Hello\n\nFrom now on we write weekly.") + b"\n" + mbox(mail(2))
    assert [b"weekly" in one.raw for one in read(unquoted)] == [True, False]


def test_an_mbox_whose_dividing_lines_tell_no_time_is_read_too():
    first, second = read(b"From nobody\n" + mail(1) + b"\nFrom nobody\n" + mail(2))
    assert (b"Mail 1" in first.raw, b"Mail 2" in second.raw) == (True, True)


def test_reading_goes_on_from_any_mail():
    content = mbox(*(mail(number) for number in range(5)))
    whole = read(content)
    for number, one in enumerate(whole):
        assert [later.raw for later in read(content, one.then)] == [
            later.raw for later in whole[number + 1 :]
        ]
    assert whole[-1].then == len(content)


def test_what_the_standard_library_writes_is_read(tmp_path):
    path = tmp_path / "written.mbox"
    box = mailbox_module.mbox(path)
    for number in range(3):
        box.add(mail(number, "Before\r\n\r\nFrom the other side\r\n"))
    box.close()
    with mails_at(path) as mails:
        raws = [one.raw for one in mails.read(0, LIMIT)]
    assert len(raws) == 3
    assert all(b"\nFrom the other side" in raw for raw in raws)


def test_D02_a_mail_over_the_limit_is_cut_and_the_next_one_is_whole():
    large, small = read(mbox(mail(1, "x" * 5_000), mail(2)), most=1_000)
    assert (large.whole, small.whole) == (False, True)
    assert large.size > 5_000
    assert len(large.raw) < 300_000
    assert b"Mail 2" in small.raw


@pytest.mark.parametrize("content", [b"", b"\n\n\n", b"From ", b"From nobody\n"])
def test_files_without_a_mail_give_nothing_worth_taking(content):
    assert [one.raw.strip() for one in read(content) if one.raw.strip() not in (b"", b"From")] == []


def test_a_line_without_end_is_read_in_pieces():
    (one,) = read(SEPARATOR + b"Subject: x\n\n" + b"y" * 200_000)
    assert one.raw == b"Subject: x\n\n" + b"y" * 200_000


def test_a_maildir_and_a_folder_are_read_in_a_fixed_order(tmp_path):
    box = mailbox_module.Maildir(tmp_path / "Maildir")
    for number in range(3):
        box.add(mail(number))
    box.add_folder("Archive").add(mail("archived"))
    (tmp_path / "Maildir" / "notes.txt").write_text("no mail")
    (tmp_path / "Maildir" / "saved.eml").write_bytes(mail("saved"))
    with mails_at(tmp_path / "Maildir") as mails:
        found = list(mails.read(0, LIMIT))
        assert mails.total == 5
        assert [one.raw for one in mails.read(2, LIMIT)] == [one.raw for one in found[2:]]
    subjects = {one.raw.partition(b"Subject: ")[2].split(b"\r\n")[0] for one in found}
    assert subjects == {b"Mail 0", b"Mail 1", b"Mail 2", b"Mail archived", b"Mail saved"}


# Taking them in


@pytest.fixture
def import_file(runtime, firm, run_due):
    """Uploads a file of old mail and lets the worker work; returns the import's id."""

    def run(content, *, name="old.mbox", until_done=True):
        kept = history.keep_file(runtime, io.BytesIO(content))
        with runtime.database.writing() as session:
            row = history.begin_with(session, runtime, SYSTEM, kept, name)
        while until_done and run_due():
            pass
        return row.id

    return run


@pytest.fixture
def standing(database):
    """Tells how an import stands, and how many of its mails stand where."""

    def told(import_id):
        with database.reading() as session:
            row = session.get_one(MailImport, import_id)
            return row.state, {
                stands.value: count for stands, count in history.outcome(session, import_id).items()
            }

    return told


def count(database, model):
    with database.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(model))


def test_old_mail_is_matched_to_clients_and_the_rest_waits_in_triage(
    import_file, standing, client, database
):
    marisol = client(emails=["marisol@example.com"])
    stranger = "Stranger <nobody@example.net>"
    done = import_file(mbox(mail(1), mail(2, sender=stranger), mail(3)))
    assert standing(done) == (MailImportState.DONE, {"in_conversations": 2, "in_triage": 1})
    with database.reading() as session:
        query = sa.select(UnifiedMessage).where(UnifiedMessage.client_id == marisol.id)
        assert [one.is_history for one in session.scalars(query)] == [True, True]
        assert session.get_one(MailImport, done).file_key is None


def test_the_firms_own_old_mail_stands_as_sent(import_file, database, client, runtime):
    client(emails=["marisol@example.com"])
    sent = mail(1, sender=f"Office <{runtime.settings.mail_from}>").replace(
        b"To: office@firm.example", b"To: marisol@example.com"
    )
    import_file(mbox(sent))
    with database.reading() as session:
        row = session.scalars(sa.select(UnifiedMessage)).one()
    assert (row.direction, row.status) == (Direction.OUTBOUND, MessageStatus.SENT)


def bounce_of(message_id, name):
    """Return a server's report that a mail of ours did not reach marisol@example.com."""
    return (
        f"Received: from mx.example.com\r\nFrom: MAILER-DAEMON@mx.example.com\r\n"
        f"To: office@firm.example\r\nMessage-ID: <{name}@mx.example.com>\r\n"
        "Subject: Undelivered\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nIt did not arrive.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.com"
        "\r\n\r\nFinal-Recipient: rfc822; marisol@example.com\r\nAction: failed\r\n"
        "Status: 5.1.1\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
        f"Message-ID: {message_id}\r\nSubject: Your letter\r\n\r\nx\r\n--b--\r\n"
    ).encode()


@pytest.fixture
def sent_letter(runtime, database, clock, run_due):
    """Sends a mail to a client; returns it as it stands once it has left."""

    def send(client):
        message = message_of(
            clock(),
            direction=Direction.OUTBOUND,
            client_id=client.id,
            status=MessageStatus.QUEUED,
            rfc_message_id=make_message_id("firm.example"),
            to=[{"name": client.name, "email": "marisol@example.com"}],
            cc=[],
        )
        with database.writing() as session:
            outbox.queue(session, runtime, message, recipient="marisol@example.com", now=clock())
        clock.move(minutes=1)
        run_due()
        return message

    return send


def test_R02_history_fires_nothing(
    import_file, client, staff, sent_letter, database, runtime, clock, run_due, sent_mails
):
    """No unread, no conversation that opens again, no bounce that counts, no mail that leaves."""
    ana = staff("case_manager")
    letter = sent_letter(client(emails=["marisol@example.com"], main=ana))
    with database.writing() as session:
        session.execute(sa.update(Conversation).values(state=ConversationState.DONE))

    def stands():
        viewer = Identity(ana.id, Role.CASE_MANAGER, "session")
        with database.reading() as session:
            return (
                session.scalars(sa.select(Conversation.state)).one(),
                session.get_one(UnifiedMessage, letter.id).status,
                unread_counts(session, viewer)[Lane.ALL],
            )

    report = bounce_of(letter.rfc_message_id, "old")
    import_file(mbox(mail(1), mail(2, "Please remove me."), report))
    assert count(database, UnifiedMessage) == 4
    assert stands() == (ConversationState.DONE, MessageStatus.SENT, 0)
    assert len(sent_mails) == 1, "the letter alone has left"

    news = [mail(3), bounce_of(letter.rfc_message_id, "new")]
    arrived = keep_raw(runtime, [Arrived(raw, len(raw), clock()) for raw in news])
    with database.writing() as session:
        register(session, runtime, arrived, source=Source.WEBHOOK)
    run_due()
    state, status, unread = stands()
    assert (state, status) == (ConversationState.OPEN, MessageStatus.BOUNCED)
    assert unread > 0, "what is news does fire"


def test_the_same_file_again_adds_nothing(import_file, standing, client, database, runtime):
    client(emails=["marisol@example.com"])
    content = mbox(mail(1), mail(2), b"\n")
    first = import_file(content)
    files = len(list(runtime.provider(FileStore).keys()))
    again = import_file(content, name="again.mbox")
    assert standing(first)[1]["in_conversations"] == 2
    assert set(standing(again)[1]) == {"duplicate"}
    assert count(database, UnifiedMessage) == 2
    assert len(list(runtime.provider(FileStore).keys())) == files


def test_D10_a_mail_that_came_by_imap_is_not_imported_again(
    import_file, standing, mail_in, run_due
):
    user = mail_in.dovecot.user()
    mail_in.deliver(user, mail(1))
    mail_in.connect(user)
    run_due()
    done = import_file(mbox(mail(1, trace="by another way"), mail(2)))
    assert standing(done)[1] == {"in_triage": 1, "duplicate": 1}


def test_D01_broken_mails_among_good_ones_are_kept_with_the_reason(
    import_file, standing, shared, database, runtime
):
    poison = sorted((shared / "security" / "fixtures" / "eml").glob("D*.eml"))
    content = b"".join(mbox(path.read_bytes(), mail(path.stem)) for path in poison)
    done = import_file(content + SEPARATOR + b"\n" + mbox(mail("last")))
    state, stands = standing(done)
    assert state is MailImportState.DONE
    assert stands["quarantined"] >= 1
    assert set(stands) <= {"in_triage", "quarantined"}
    with database.reading() as session:
        subjects = set(session.scalars(sa.select(UnifiedMessage.subject)))
    assert {f"Mail {path.stem}" for path in poison} | {"Mail last"} <= subjects


def test_one_mail_alone_is_imported(import_file, standing):
    assert standing(import_file(mail(1), name="one.eml")) == (
        MailImportState.DONE,
        {"in_triage": 1},
    )


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04zip", b"!BDN\x00outlook", b"{\\rtf1 }"])
def test_K06_a_file_that_holds_no_mail_is_refused_and_not_kept(import_file, runtime, content):
    with pytest.raises(history.NoMailThere, match="neither an mbox file nor a mail"):
        import_file(content)
    assert list(runtime.provider(FileStore).keys()) == []


def test_K06_a_file_over_the_limit_is_refused_and_not_kept(runtime, firm):
    settings = runtime.settings.model_copy(update={"mail_import_max_bytes": 1_000_000})
    small = replace(runtime, settings=settings)
    with pytest.raises(TooLarge, match="more than 1 MB"):
        history.keep_file(small, io.BytesIO(mail(1, "x" * 1_100_000)))
    assert list(runtime.provider(FileStore).keys()) == []


def test_a_large_file_is_read_in_slices_and_goes_on_by_itself(
    import_file, standing, run_due, monkeypatch, database
):
    monkeypatch.setattr(history, "SLICE_SECONDS", -1)
    made = import_file(mbox(*(mail(number) for number in range(60))), until_done=False)
    positions = []
    while run_due():
        with database.reading() as session:
            row = session.get_one(MailImport, made)
        positions.append((row.position, row.state.value))
    assert [state for _, state in positions] == ["running", "running", "running", "done"]
    places = [place for place, _ in positions]
    assert places == sorted(places)
    assert 0 < places[0] < places[1] < places[2] == row.total
    assert standing(made) == (MailImportState.DONE, {"in_triage": 60})


def test_cancelled_it_stops_and_what_came_in_stays(
    import_file, standing, run_due, monkeypatch, database, runtime, clock
):
    monkeypatch.setattr(history, "SLICE_SECONDS", -1)
    made = import_file(mbox(*(mail(number) for number in range(60))), until_done=False)
    run_due()
    with database.writing() as session:
        history.cancel(session, runtime, history.find_import(session, made))
    clock.move(hours=1)
    run_due()
    assert standing(made) == (MailImportState.CANCELLED, {"in_triage": 25})
    with database.reading() as session:
        assert session.get_one(MailImport, made).file_key is None
    assert len(list(runtime.provider(FileStore).keys())) == 25, "the upload itself is gone"


class BrokenOnce:
    """A real file store whose disk is full, or whose worker is killed, at one batch."""

    def __init__(self, real, failure, batch=2):
        self.real, self.failure, self.batch = real, failure, batch

    def __getattr__(self, name):
        return getattr(self.real, name)

    def put_all(self, contents):
        self.batch -= 1
        if self.batch == 0:
            raise self.failure
        return self.real.put_all(contents)


def test_cancelled_while_a_batch_is_read_it_leaves_no_bytes_behind(
    import_file, database, runtime, standing
):
    made = import_file(mbox(*(mail(number) for number in range(30))), until_done=False)

    class Cancelling(BrokenOnce):
        def put_all(self, contents):
            stored = self.real.put_all(contents)
            with database.writing() as session:
                history.cancel(session, runtime, history.find_import(session, made))
            return stored

    store = Cancelling(runtime.provider(FileStore), None)
    jobs.sweep(replace(runtime, providers={**runtime.providers, FileStore: store}))
    assert standing(made) == (MailImportState.CANCELLED, {})
    assert list(runtime.provider(FileStore).keys()) == []


def test_S_a_full_disk_is_waited_out(import_file, standing, run_due, runtime, clock, database):
    made = import_file(mbox(*(mail(number) for number in range(60))), until_done=False)
    full = BrokenOnce(runtime.provider(FileStore), Unavailable("The file store can't be written."))
    jobs.sweep(replace(runtime, providers={**runtime.providers, FileStore: full}))
    with database.reading() as session:
        row = session.get_one(MailImport, made)
        assert (row.state, row.last_error) == (
            MailImportState.RUNNING,
            "The file store can't be written.",
        )
        assert row.due_at > clock()
    clock.move(minutes=2)
    run_due()
    assert standing(made) == (MailImportState.DONE, {"in_triage": 60})


def test_a_file_that_is_gone_is_told(runtime, firm, database, run_due, tmp_path, standing):
    path = tmp_path / "old.mbox"
    path.write_bytes(mbox(mail(1)))
    with database.writing() as session:
        made = history.begin(session, runtime, staff_id=None, name="old.mbox", path=path).id
    path.unlink()
    run_due()
    assert standing(made)[0] is MailImportState.FAILED
    with database.reading() as session:
        assert "could not be read" in session.get_one(MailImport, made).last_error


# The command


@pytest.fixture
def command(runtime, firm, tmp_path):
    """Starts `casewell import mail` as its own process; it runs on the true clock."""
    environ = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "src"),
        "CASEWELL_HOME": str(runtime.settings.home),
        "CASEWELL_SECRET_KEY": runtime.settings.secret_key,
        "CASEWELL_ENCRYPTION_KEYS": runtime.settings.encryption_keys,
        "CASEWELL_DATABASE_URL": runtime.settings.database_url,
    }

    def start(path):
        return subprocess.Popen(
            [sys.executable, "-m", "casewell", "import", "mail", str(path)],
            cwd=ROOT,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def test_the_command_takes_a_folder_in_and_says_what_became_of_it(command, tmp_path, database):
    folder = tmp_path / "old"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.eml").write_bytes(mail(number))
    (folder / "3.eml").write_bytes(b"\r\n")
    said, complaints = command(folder).communicate(timeout=90)
    assert "3  in triage" in said, complaints
    assert "1  quarantined" in said
    assert count(database, UnifiedMessage) == 3


@pytest.mark.slow
def test_R02_a_command_killed_between_batches_is_gone_on_with(
    command, tmp_path, database, clock, run_due, standing
):
    path = tmp_path / "old.mbox"
    path.write_bytes(mbox(*(mail(number) for number in range(400))))
    process = command(path)
    deadline = time.monotonic() + 60
    while count(database, InboundMail) < 50:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=10)
    with database.reading() as session:
        (made,) = session.scalars(sa.select(MailImport.id))
        row = session.get_one(MailImport, made)
        clock.at = row.lease_until
    assert row.state is MailImportState.RUNNING
    assert 0 < row.position < row.total
    clock.move(minutes=11)
    while run_due():
        pass
    assert standing(made) == (MailImportState.DONE, {Stands.IN_TRIAGE.value: 400})
    assert count(database, InboundMail) == 400
    with database.reading() as session:
        sources = session.scalars(sa.select(InboundMail.source).distinct()).all()
    assert sources == [Source.IMPORT]
