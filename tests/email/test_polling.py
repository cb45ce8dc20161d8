"""Watching mailboxes on a real Dovecot: nothing is lost, nothing doubled, nothing touched."""

from __future__ import annotations

import socket
from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from casewell.email import polling
from casewell.email.models import (
    EmailMessage,
    InboundMail,
    InboundState,
    Mailbox,
    MailboxState,
)
from casewell.health.checks import check_all
from casewell.health.models import Standing
from casewell.kernel import jobs
from casewell.kernel.crypto import Keyring, new_encryption_key, use_secrets
from casewell.messages.models import UnifiedMessage
from casewell.providers.files import FileStore
from casewell.providers.mail_in import mail_fetcher
from tests.rigs.installation import ENCRYPTION_KEYS, SECRET_KEY
from tests.rigs.mail_in import Between, mail


@pytest.fixture
def office(dovecot):
    return dovecot.user()


@pytest.fixture
def look(run_due, clock):
    """Lets the worker look at what is due some minutes later."""

    def at_once(minutes=2.0):
        clock.move(minutes=minutes)
        while run_due():
            pass

    return at_once


def subjects(database):
    with database.reading() as session:
        return sorted(session.scalars(sa.select(UnifiedMessage.subject)))


def files_and_rows(runtime):
    """How many files there are, and how many rows name one."""
    with runtime.database.reading() as session:
        named = session.scalar(sa.select(sa.func.count(InboundMail.file_key)))
    return len(list(runtime.provider(FileStore).keys())), named


def mail_in_health(runtime):
    return next(report for report in check_all(runtime) if report.part == "mail_in")


def test_mail_is_taken_in_once_however_often_one_looks(mail_in, office, look, database):
    mail_in.deliver(office, mail(1))
    box = mail_in.connect(office)
    look()
    mail_in.deliver(office, mail(2))
    for _ in range(3):
        look()
    assert subjects(database) == ["Mail 1", "Mail 2"]
    assert mail_in.tally().states == {"taken_in": 2}
    row = mail_in.mailbox(box)
    assert (row.state, row.last_uid, row.last_error) == (MailboxState.WORKING, 2, None)
    assert row.last_mail_at is not None


def test_R04_looking_leaves_flags_and_mails_as_they_are(mail_in, office, look, dovecot):
    for number in range(3):
        mail_in.deliver(office, mail(number))
    with dovecot.connection(office) as phone:
        phone.store("2", "+FLAGS", r"(\Seen \Flagged)")
        phone.store("3", "+FLAGS", r"(\Deleted)")
        phone.unselect()
    before = [flags.replace(r"\Recent", "").replace(" )", ")") for flags in dovecot.flags(office)]
    mail_in.connect(office)
    look()
    look(minutes=70)
    after = [flags.replace(r"\Recent", "").replace(" )", ")") for flags in dovecot.flags(office)]
    assert after == before
    assert r"\Seen" not in after[0]
    assert len(dovecot.mails(office)) == 3
    assert mail_in.tally().messages == 3


def test_R02_the_first_connect_reads_the_window_alone(mail_in, office, look, database, clock):
    mail_in.deliver(office, mail("old"), at=clock() - timedelta(days=60))
    mail_in.deliver(office, mail("new"), at=clock() - timedelta(days=2))
    mail_in.connect(office)
    look()
    assert subjects(database) == ["Mail new"]


def test_R02_mail_from_before_the_connection_is_history_and_fires_nothing(
    mail_in, office, look, database, clock, client
):
    marisol = client(emails=["marisol@example.com"])
    mail_in.deliver(office, mail("before"), at=clock() - timedelta(days=2))
    mail_in.connect(office)
    look()
    mail_in.deliver(office, mail("after"))
    look()
    with database.reading() as session:
        rows = session.scalars(sa.select(EmailMessage).order_by(EmailMessage.id)).all()
        assert [(row.subject, row.is_history, row.client_id) for row in rows] == [
            ("Mail before", True, marisol.id),
            ("Mail after", False, marisol.id),
        ]


def test_R02_a_large_mailbox_is_read_in_slices_that_tell_how_far_they_are(
    mail_in, office, run_due, monkeypatch
):
    for number in range(60):
        mail_in.deliver(office, mail(number))
    box = mail_in.connect(office)
    monkeypatch.setattr(polling, "SLICE_SECONDS", -1)
    told = []
    while run_due():
        row = mail_in.mailbox(box)
        told.append((row.first_done, row.first_total, row.state.value))
    assert told == [
        (25, 60, "connecting"),
        (50, 60, "connecting"),
        (60, 60, "connecting"),
        (60, 60, "working"),
    ]
    assert mail_in.tally().states == {"taken_in": 60}


class Killed(BaseException):
    """What kill -9 leaves of a worker: nothing that could clean up."""


class DyingStore:
    """A real file store, whose worker is killed when it keeps one batch more."""

    def __init__(self, real, batches):
        self.real, self.batches = real, batches

    def __getattr__(self, name):
        return getattr(self.real, name)

    def put_all(self, contents):
        self.batches -= 1
        if self.batches < 0:
            raise Killed
        return self.real.put_all(contents)


def test_R02_killed_in_the_middle_it_goes_on_where_it_was(mail_in, office, look, runtime):
    for number in range(60):
        mail_in.deliver(office, mail(number))
    box = mail_in.connect(office)
    store = DyingStore(runtime.provider(FileStore), batches=1)
    dying = replace(runtime, providers={**runtime.providers, FileStore: store})
    with pytest.raises(Killed):
        jobs.sweep(dying)
    assert (mail_in.mailbox(box).last_uid, mail_in.mailbox(box).first_done) == (25, 25)
    look()
    assert mail_in.mailbox(box).last_uid == 25, "the dead worker's lease has not run out"
    look(minutes=11)
    assert mail_in.tally().states == {"taken_in": 60}
    assert mail_in.mailbox(box).first_done == 60


def test_R02_a_folder_numbered_anew_is_read_again_and_doubles_nothing(
    mail_in, office, look, dovecot, database
):
    for number in range(3):
        mail_in.deliver(office, mail(number))
    box = mail_in.connect(office)
    look()
    before = mail_in.mailbox(box).uid_validity
    dovecot.forget_uids(office)
    mail_in.deliver(office, mail("later"))
    look()
    assert mail_in.mailbox(box).uid_validity != before
    assert subjects(database) == ["Mail 0", "Mail 1", "Mail 2", "Mail later"]
    assert mail_in.tally().states == {"taken_in": 4, "duplicate": 3}
    look(minutes=70)
    assert mail_in.mailbox(box).missing_mails == 0


def test_R04_a_mail_expunged_between_list_and_fetch_is_passed_over(
    mail_in, office, look, dovecot, fetching_through, database
):
    for number in range(3):
        mail_in.deliver(office, mail(number))

    def expunge():
        with dovecot.connection(office) as phone:
            phone.uid("STORE", "2", "+FLAGS", r"(\Deleted)")
            phone.expunge()

    box = mail_in.connect(office)
    jobs.sweep(fetching_through(lambda account: Between(account, before_fetching=expunge)))
    look()
    assert subjects(database) == ["Mail 0", "Mail 2"]
    row = mail_in.mailbox(box)
    assert (row.state, row.last_uid, row.missing_mails) == (MailboxState.WORKING, 3, 0)


def test_D10_one_mail_in_two_mailboxes_and_two_folders_is_one_message(
    mail_in, office, look, dovecot, database
):
    second = dovecot.user()
    mail_in.deliver(office, mail(1))
    mail_in.deliver(second, mail(1, trace="from elsewhere.example.net"))
    with dovecot.connection(office) as phone:
        assert phone.create("Archive")[0] == "OK"
        phone.append("Archive", None, None, mail(1, trace="from a third way"))
    boxes = {
        mail_in.connect(office),
        mail_in.connect(second, name="Second", address="second@firm.example"),
        mail_in.connect(office, name="Archive", folder="Archive"),
    }
    look()
    assert subjects(database) == ["Mail 1"]
    rows = mail_in.rows()
    assert {row.mailbox_id for row in rows} == boxes, "each mailbox is noted"
    assert len({row.message_id for row in rows}) == 1
    assert sorted(row.state.value for row in rows) == ["duplicate", "duplicate", "taken_in"]


def test_D01_poison_between_two_good_mails_stops_nothing(
    mail_in, office, look, shared, database, runtime
):
    poison = sorted((shared / "security" / "fixtures" / "eml").glob("D*.eml"))
    mail_in.deliver(office, mail("first"))
    for path in poison:
        mail_in.deliver(office, path.read_bytes())
        mail_in.deliver(office, mail(path.stem))
    mail_in.deliver(office, b"\r\n\r\n")
    mail_in.deliver(office, mail("last"))
    box = mail_in.connect(office)
    look()
    found = subjects(database)
    assert {f"Mail {name}" for name in ("first", *(path.stem for path in poison), "last")} <= set(
        found
    )
    tally = mail_in.tally()
    assert set(tally.states) <= {"taken_in", "quarantined"}
    assert tally.states["quarantined"] >= 1
    assert sum(tally.states.values()) == 2 * len(poison) + 3
    assert all(mail_in.reasons())
    assert mail_in.mailbox(box).state is MailboxState.WORKING
    assert mail_in_health(runtime).standing is Standing.ATTENTION


def test_R05_a_wrong_password_is_tried_three_times_and_then_a_person_is_asked(
    mail_in, office, look, fetching_through, runtime, clock, sign_in, staff
):
    tries = []

    def counted(account):
        tries.append(account)
        return mail_fetcher(account)

    box = mail_in.connect(office, password="wrong")
    counting = fetching_through(counted)
    for _ in range(8):
        jobs.sweep(counting)
        clock.move(hours=2)
    assert len(tries) == 3
    row = mail_in.mailbox(box)
    assert (row.state, row.due_at) == (MailboxState.SIGN_IN_REFUSED, None)
    assert mail_in_health(runtime).standing is Standing.FAILING
    page = sign_in(staff("owner")).get("/settings/channels").text
    assert "Sign-in refused" in page
    assert "Enter password" in page

    mail_in.deliver(office, mail(1))
    with runtime.database.writing() as session:
        mail_in.service(session).change(box, mail_in.form(office))
    look()
    assert mail_in.mailbox(box).state is MailboxState.WORKING
    assert mail_in.tally().messages == 1


def test_R05_a_server_that_is_down_is_asked_again_within_minutes_until_it_is_back(
    mail_in, office, look, fetching_through, clock, database
):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = closed.getsockname()[1]

    def to_nobody(account):
        return mail_fetcher(replace(account, server=replace(account.server, port=nobody)))

    mail_in.deliver(office, mail(1))
    box = mail_in.connect(office)
    waits = []
    for _ in range(8):
        jobs.sweep(fetching_through(to_nobody))
        row = mail_in.mailbox(box)
        assert row.state is MailboxState.UNREACHABLE
        assert row.last_error
        waits.append(row.due_at - clock())
        clock.at = row.due_at
    assert waits[0] < timedelta(minutes=1)
    assert waits[0] < waits[3] <= waits[-1] <= timedelta(minutes=5)
    since = mail_in.mailbox(box).state_since
    assert clock() - since > timedelta(minutes=5), "it tells since when, not the last try"
    look(minutes=0)
    assert mail_in.mailbox(box).state is MailboxState.WORKING
    assert subjects(database) == ["Mail 1"]


def test_O07_a_password_that_cannot_be_read_any_more_asks_a_person(mail_in, office, look):
    box = mail_in.connect(office)
    use_secrets(SECRET_KEY, Keyring.parse(new_encryption_key("another")))
    look()
    use_secrets(SECRET_KEY, Keyring.parse(ENCRYPTION_KEYS))
    row = mail_in.mailbox(box)
    assert (row.state, row.due_at) == (MailboxState.SIGN_IN_REFUSED, None)
    assert "Enter it again" in row.last_error


def test_a_folder_that_is_gone_is_told(mail_in, office, look):
    box = mail_in.connect(office, folder="Gone")
    look()
    row = mail_in.mailbox(box)
    assert row.state is MailboxState.UNREACHABLE
    assert "Gone" in row.last_error


@pytest.mark.parametrize("act", ["pause", "remove"])
def test_a_mailbox_taken_away_while_it_is_read_is_left_at_once(
    mail_in, office, runtime, fetching_through, act
):
    for number in range(3):
        mail_in.deliver(office, mail(number))
    box = mail_in.connect(office)

    def take_away():
        with runtime.database.writing() as session:
            getattr(mail_in.service(session), act)(box)

    jobs.sweep(fetching_through(lambda account: Between(account, before_fetching=take_away)))
    assert mail_in.rows() == []
    assert files_and_rows(runtime) == (0, 0), "bytes nobody knows of are not left behind"
    with runtime.database.reading() as session:
        row = session.get(Mailbox, box)
    if act == "remove":
        assert row is None
    else:
        assert (row.state, row.due_at, row.lease_until) == (MailboxState.PAUSED, None, None)


def test_what_came_in_stays_when_its_mailbox_is_removed_and_is_known_again(
    mail_in, office, look, runtime
):
    mail_in.deliver(office, mail(1))
    box = mail_in.connect(office)
    look()
    with runtime.database.writing() as session:
        mail_in.service(session).remove(box)
    assert (mail_in.tally().messages, mail_in.rows()[0].mailbox_id) == (1, None)
    mail_in.connect(office)
    look()
    assert mail_in.tally().messages == 1
    assert mail_in.tally().states == {"taken_in": 1, "duplicate": 1}


def test_a_window_that_reaches_further_back_is_read_again(
    mail_in, office, look, runtime, database, clock
):
    mail_in.deliver(office, mail("old"), at=clock() - timedelta(days=60))
    mail_in.deliver(office, mail("new"))
    box = mail_in.connect(office)
    look()
    with runtime.database.writing() as session:
        mail_in.service(session).change(box, mail_in.form(office, since=date(2025, 12, 1)))
    look()
    assert subjects(database) == ["Mail new", "Mail old"]
    assert mail_in.tally().states == {"taken_in": 2}
    assert mail_in.mailbox(box).server_mails == 2


def test_a_mail_that_is_on_the_server_and_not_here_is_fetched_within_the_hour(
    mail_in, office, look, runtime
):
    for number in range(3):
        mail_in.deliver(office, mail(number))
    box = mail_in.connect(office)
    look()
    assert (mail_in.mailbox(box).server_mails, mail_in.mailbox(box).missing_mails) == (3, 0)
    with runtime.database.writing() as session:
        session.execute(sa.delete(InboundMail).where(InboundMail.uid == 2))
    look(minutes=70)
    assert [row.uid for row in mail_in.rows(InboundMail.mailbox_id == box)] == [1, 3, 2]
    assert mail_in.rows(InboundMail.uid == 2)[0].state is InboundState.DUPLICATE
    row = mail_in.mailbox(box)
    assert (row.last_uid, row.missing_mails, row.missing_uids) == (3, 0, [])


def test_a_mail_the_server_names_but_does_not_give_is_told_everywhere(
    mail_in, office, fetching_through, runtime, sign_in, staff
):
    for number in range(3):
        mail_in.deliver(office, mail(number))
    box = mail_in.connect(office)
    jobs.sweep(fetching_through(lambda account: Between(account, withheld=(2,))))
    row = mail_in.mailbox(box)
    assert (row.server_mails, row.missing_mails, row.missing_uids) == (3, 1, [2])
    report = mail_in_health(runtime)
    assert report.standing is Standing.FAILING
    assert "1 of Office mailbox" in report.finding
    me = sign_in(staff("manager"))
    assert "1 mail is on the server and not here" in me.get(f"/settings/channels/{box}").text
    assert "1 on the server and not here" in me.get("/health").text
