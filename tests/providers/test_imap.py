"""Reading a mailbox on a real Dovecot, and on servers that no Dovecot would be."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from casewell.providers.errors import Insecure, Rejected, SignInRefused, Unavailable
from casewell.providers.mail_in import MailAccount, check_account, mail_fetcher
from casewell.providers.mail_in.imap import ImapFetcher, ImapLimits
from casewell.providers.wire import Login, Security, Server
from tests.rigs.scripted import drip, silence

MEGABYTE = 1_000_000
IMPATIENT = ImapLimits(step=0.4, command=2, goodbye=0.2)
MAY_FIRST = datetime(2026, 5, 1, 23, 30, tzinfo=UTC)


def mail(number, body="Hello"):
    return f"Message-ID: <{number}@example.com>\r\nSubject: {number}\r\n\r\n{body}\r\n".encode()


@pytest.fixture
def ana(dovecot):
    return dovecot.user()


@pytest.fixture
def box(dovecot, ana):
    with mail_fetcher(dovecot.account(ana)) as box:
        yield box


def test_mails_arrive_as_they_are(dovecot, ana, box):
    dovecot.deliver(ana, mail(1), received_at=MAY_FIRST)
    dovecot.deliver(ana, mail(2, "ж" * 5000))
    folder = box.open()
    assert (folder.exists, folder.uidnext) == (2, 3)
    first, second = box.fetch(box.uids_after(0), MEGABYTE)
    assert (first.uid, first.raw, first.received_at) == (1, mail(1), MAY_FIRST)
    assert first.size == len(mail(1))
    assert (second.uid, second.raw, second.whole) == (2, mail(2, "ж" * 5000), True)


def test_R04_reading_leaves_no_trace(dovecot, ana):
    for number in range(3):
        dovecot.deliver(ana, mail(number, "x" * 3000))
    before = dovecot.flags(ana)
    for _ in range(2):
        with mail_fetcher(dovecot.account(ana)) as box:
            box.open()
            assert len(list(box.fetch(box.uids_since(date(2020, 1, 1)), 1000))) == 3
            assert len(list(box.fetch(box.uids_after(0), MEGABYTE))) == 3
    after = dovecot.flags(ana)
    assert [flags.replace(r"\Recent", "") for flags in after] == [
        flags.replace(r"\Recent", "") for flags in before
    ]
    assert not any(r"\Seen" in flags for flags in after)
    assert len(dovecot.mails(ana)) == 3


def test_R04_a_mail_expunged_between_list_and_fetch_is_left_out(dovecot, ana, box):
    for number in range(1, 5):
        dovecot.deliver(ana, mail(number))
    box.open()
    uids = list(box.uids_after(0))
    with dovecot.connection(ana) as phone:
        phone.uid("STORE", "2", "+FLAGS", r"(\Deleted)")
        phone.uid("STORE", "3", "+FLAGS", r"(\Seen \Flagged)")
        phone.expunge()
    assert [fetched.uid for fetched in box.fetch(uids, MEGABYTE)] == [1, 3, 4]
    assert box.fetch_raw(2, MEGABYTE) is None
    assert box.fetch_raw(4, MEGABYTE).raw == mail(4)


def test_R04_a_mail_expunged_between_its_size_and_its_body_is_left_out(dovecot, ana, box):
    dovecot.deliver(ana, mail(1))
    dovecot.deliver(ana, mail(2, "x" * 900))
    dovecot.deliver(ana, mail(3))
    account = dovecot.account(ana)
    with ImapFetcher(account, ImapLimits(mails_bytes=100)) as box:
        box.open()
        mails = box.fetch(box.uids_after(0), MEGABYTE)
        assert next(mails).uid == 1  # all three sizes are known by now, the other bodies are not
        with dovecot.connection(ana) as phone:
            phone.uid("STORE", "2", "+FLAGS", r"(\Deleted)")
            phone.expunge()
        later = [fetched.uid for fetched in mails]
    assert later[-1] == 3


def test_a_mail_marked_for_deletion_elsewhere_is_read_and_not_expunged(dovecot, ana, box):
    dovecot.deliver(ana, mail(1))
    with dovecot.connection(ana) as phone:
        phone.store("1", "+FLAGS", r"(\Deleted)")
        phone.unselect()
    box.open()
    assert box.fetch_raw(1, MEGABYTE).raw == mail(1)
    box.open()
    assert len(dovecot.mails(ana)) == 1


def test_only_what_is_new_is_asked_for(dovecot, ana, box):
    dovecot.deliver(ana, mail(1))
    assert box.open().uidnext == 2
    assert list(box.uids_after(1)) == []
    dovecot.deliver(ana, mail(2))
    box.open()
    assert list(box.uids_after(1)) == [2]
    assert list(box.uids_after(99)) == []


def test_R02_the_first_connect_takes_a_window_and_resumes(dovecot, ana, box):
    for day in (1, 10, 20, 30):
        dovecot.deliver(ana, mail(day), received_at=datetime(2026, 4, day, 12, tzinfo=UTC))
    box.open()
    assert list(box.uids_since(date(2026, 4, 15))) == [3, 4]
    assert list(box.uids_since(date(2026, 4, 15), after=3)) == [4]
    assert list(box.uids_since(date(2026, 4, 20))) == [3, 4]
    assert list(box.uids_since(date(2027, 1, 1))) == []


def test_R02_a_large_mailbox_is_asked_for_in_ranges(dovecot, ana):
    for number in range(1, 41):
        dovecot.deliver(ana, mail(number))
    with dovecot.connection(ana) as phone:  # a gap, as years of cleaning up leave
        phone.uid("STORE", "5:33", "+FLAGS", r"(\Deleted)")
        phone.expunge()
    limits = ImapLimits(uid_range=4, widest_uid_range=16, mails=3, mails_bytes=100)
    with ImapFetcher(dovecot.account(ana), limits) as box:
        box.open()
        kept = [1, 2, 3, 4, *range(34, 41)]
        assert list(box.uids_after(0)) == kept
        assert [fetched.uid for fetched in box.fetch(box.uids_after(0), MEGABYTE)] == kept


def test_R02_three_hundred_thousand_mails_need_little_memory(script):
    asked = []

    def answer(connection):
        """Have a mail for every UID from 1 to 300,000."""
        with connection.makefile("rb") as lines:
            for line in lines:
                tag, _, command = line.rstrip().partition(b" ")
                if command.startswith(b"UID SEARCH"):
                    low, high = map(int, command.split()[3].split(b":"))
                    asked.append(high - low + 1)
                    found = " ".join(map(str, range(low, high + 1)))
                    tag = f"* SEARCH {found}\r\n".encode() + tag
                connection.sendall(tag + b" OK done\r\n")
                if command == b"LOGOUT":
                    return

    dialogue = [*_welcome(), *_examine(uidnext=300_001, exists=300_000), answer]
    with script(dialogue) as server, ImapFetcher(_account(server)) as box:
        box.open()
        assert sum(1 for _ in box.uids_after(0)) == 300_000
    assert max(asked) <= ImapLimits().uid_range


def test_R02_sparse_numbers_cost_few_questions(script):
    questions = []

    def answer(connection):
        with connection.makefile("rb") as lines:
            for line in lines:
                tag, _, command = line.rstrip().partition(b" ")
                questions.append(command)
                connection.sendall(b"* SEARCH\r\n" + tag + b" OK done\r\n")
                if command == b"LOGOUT":
                    return

    dialogue = [*_welcome(), *_examine(uidnext=3_000_000, exists=1), answer]
    with script(dialogue) as server, ImapFetcher(_account(server)) as box:
        box.open()
        assert list(box.uids_after(0)) == []
    assert len(questions) < 60


def test_R02_a_folder_numbered_anew_says_so(dovecot, ana):
    dovecot.deliver(ana, mail(1))
    with mail_fetcher(dovecot.account(ana)) as box:
        before = box.open()
    dovecot.forget_uids(ana)
    with mail_fetcher(dovecot.account(ana)) as box:
        after = box.open()
        assert [fetched.raw for fetched in box.fetch(box.uids_after(0), MEGABYTE)] == [mail(1)]
    assert after.uidvalidity != before.uidvalidity


def test_D02_a_mail_over_the_limit_comes_as_its_headers(dovecot, ana, box):
    dovecot.deliver(ana, mail(1, "x" * 5000))
    dovecot.deliver(ana, mail(2))
    box.open()
    large, small = box.fetch(box.uids_after(0), 1000)
    assert (large.whole, large.size) == (False, len(mail(1, "x" * 5000)))
    assert large.raw == b"Message-ID: <1@example.com>\r\nSubject: 1\r\n\r\n"
    assert (small.whole, small.raw) == (True, mail(2))


def test_D02_headers_without_end_are_cut(dovecot, ana, box):
    dovecot.deliver(ana, b"X-Endless: " + b"x" * 900_000 + b"\r\n\r\nBody")
    box.open()
    (fetched,) = box.fetch([1], 1000)
    assert not fetched.whole
    assert len(fetched.raw) <= 256 * 1024


def test_D02_a_size_announced_wrongly_does_not_get_past_the_limit(script):
    body = mail(1, "x" * 5000)
    dialogue = [
        *_welcome(),
        *_examine(uidnext=2, exists=1),
        *("UID FETCH 1", b"* 1 FETCH (UID 1 RFC822.SIZE 10)\r\n{tag} OK done\r\n"),
        *(r"BODY\.PEEK\[\]<0\.1001>", b"* 1 FETCH (UID 1 BODY[]<0> {1001}\r\n"),
        *(body[:1001], b")\r\n{tag} OK done\r\n"),
        *("LOGOUT", b"* BYE\r\n{tag} OK done\r\n"),
    ]
    with script(dialogue) as server, ImapFetcher(_account(server)) as box:
        box.open()
        fetched = box.fetch_raw(1, 1000)
    assert (fetched.whole, fetched.received_at) == (False, None)
    assert fetched.raw == b"Message-ID: <1@example.com>\r\nSubject: 1\r\n\r\n"


def test_D02_a_server_that_sends_more_than_was_asked_for_is_left(script):
    dialogue = [
        *_welcome(),
        *_examine(uidnext=2, exists=1),
        *("UID FETCH 1", b"* 1 FETCH (UID 1 RFC822.SIZE 10)\r\n{tag} OK done\r\n"),
        *("UID FETCH 1", b"* 1 FETCH (UID 1 BODY[] {99999999999}\r\n", silence(2)),
    ]
    with script(dialogue) as server, ImapFetcher(_account(server), IMPATIENT) as box:
        box.open()
        with pytest.raises(Unavailable, match="99999999999 bytes announced"):
            box.fetch_raw(1, 1000)


@pytest.mark.parametrize(
    "answer",
    [
        b"* 1 FETCH (BODY[]<0> {4}\r\nUID  UID 1)\r\n* 1 FETCH (FLAGS (\\Seen) UID 1)\r\n",
        b'* 1 FETCH (FLAGS (\\Seen))\r\n* 1 FETCH (UID 1 BODY[]<0> "UID ")\r\n',
        b"* 3 EXPUNGE\r\n* 1 FETCH (UID 1 FLAGS () BODY[]<0> {4}\r\nUID )\r\n* 7 EXISTS\r\n",
        b"* 1 FETCH (UID 1 RFC822.SIZE 4 BODY[] {4}\r\nUID )\r\n",
    ],
)
def test_answers_of_other_servers_are_understood(script, answer):
    dialogue = [
        *_welcome(),
        *_examine(uidnext=2, exists=1),
        *(
            "UID FETCH 1",
            b'* 1 FETCH (INTERNALDATE " 1-May-2026 18:30:00 -0500" RFC822.SIZE 4 UID 1)',
        ),
        *(b"\r\n{tag} OK done\r\n", "UID FETCH 1", answer, b"{tag} OK done\r\n"),
        *("LOGOUT", b"* BYE\r\n{tag} OK done\r\n"),
    ]
    with script(dialogue) as server, ImapFetcher(_account(server)) as box:
        box.open()
        fetched = box.fetch_raw(1, 1000)
    assert (fetched.raw, fetched.received_at) == (b"UID ", MAY_FIRST)


def test_D04_a_date_no_calendar_has_is_no_date(script):
    dialogue = [
        *_welcome(),
        *_examine(uidnext=2, exists=1),
        *("FETCH", b'* 1 FETCH (UID 1 INTERNALDATE "31-Feb-2026 18:30:00 -0500" RFC822.SIZE 2)'),
        *(b"\r\n{tag} OK done\r\n", "FETCH", b'* 1 FETCH (UID 1 BODY[] "Hi")\r\n{tag} OK done\r\n'),
        *("LOGOUT", b"* BYE\r\n{tag} OK done\r\n"),
    ]
    with script(dialogue) as server, ImapFetcher(_account(server)) as box:
        box.open()
        assert box.fetch_raw(1, 1000).received_at is None


def test_a_server_that_does_not_announce_the_next_number_is_asked(script):
    dialogue = [
        *_welcome(),
        *("EXAMINE", b"* 3 EXISTS\r\n* OK [UIDVALIDITY 9] ok\r\n{tag} OK [READ-ONLY] done\r\n"),
        *(r"UID FETCH \*", b"* 3 FETCH (UID 41 RFC822.SIZE 5)\r\n{tag} OK done\r\n"),
        *("LOGOUT", b"* BYE\r\n{tag} OK done\r\n"),
    ]
    with script(dialogue) as server, ImapFetcher(_account(server)) as box:
        assert box.open().uidnext == 42


def test_a_server_without_lasting_numbers_is_no_source(script):
    dialogue = [
        *_welcome(),
        *("EXAMINE", b"* 0 EXISTS\r\n* OK [UIDNEXT 1] ok\r\n{tag} OK [READ-ONLY] done\r\n"),
        *("LOGOUT", b"* BYE\r\n{tag} OK done\r\n"),
    ]
    with (
        script(dialogue) as server,
        ImapFetcher(_account(server)) as box,
        pytest.raises(Rejected, match="lasting numbers"),
    ):
        box.open()


@pytest.mark.parametrize("name", ["Büro & Archiv", 'With "quotes" and \\', "顧客", "Plain.Sub"])
def test_folders_of_any_name_can_be_listed_and_opened(dovecot, ana, name):
    (dovecot.home / "mail" / ana.address).mkdir(exist_ok=True)
    with mail_fetcher(dovecot.account(ana)) as box:
        assert box.folders() == ["INBOX"]
        with pytest.raises(Rejected, match="no folder"):
            box.open(name)
    _make_folder(dovecot, ana, name)
    assert name in check_account(dovecot.account(ana))
    with mail_fetcher(dovecot.account(ana)) as box:
        assert box.open(name).exists == 0


def test_a_folder_name_is_no_way_to_give_commands(dovecot, ana, box):
    with pytest.raises(Rejected, match="no folder"):
        box.open('INBOX"\r\nX1 DELETE "INBOX')


def test_folder_names_as_literals_and_nodes_without_mail(script):
    listed = (
        b'* LIST (\\HasNoChildren) "/" {5}\r\nA "b"\r\n'
        b'* LIST (\\Noselect \\HasChildren) "/" "[Gmail]"\r\n'
        b'* LIST () NIL &AA-\r\n* LIST () "/" Sent\r\n{tag} OK done\r\n'
    )
    dialogue = [*_welcome(), "LIST", listed, "LOGOUT", b"* BYE\r\n{tag} OK done\r\n"]
    with script(dialogue) as server, ImapFetcher(_account(server)) as box:
        assert box.folders() == ["&AA-", 'A "b"', "Sent"]


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
def test_R05_encrypted(dovecot, ana, security):
    dovecot.deliver(ana, mail(1))
    with mail_fetcher(dovecot.account(ana, security)) as box:
        box.open()
        assert box.fetch_raw(1, MEGABYTE).raw == mail(1)


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
def test_R05_a_certificate_nobody_vouches_for_is_refused(dovecot, ana, security):
    account = dovecot.account(ana, security)
    with pytest.raises(Insecure, match="not trusted"):
        check_account(replace(account, server=replace(account.server, tls=None)))


def test_R05_a_tls_downgrade_never_becomes_plain_text(script):
    dialogue = [
        b"* OK hi\r\n",
        "CAPABILITY",
        b"* CAPABILITY IMAP4rev1\r\n{tag} OK done\r\n",
        silence(1),
    ]
    with script(dialogue) as server:
        with pytest.raises(Insecure, match="no encryption"):
            check_account(_account(server, Security.STARTTLS))
        assert not any(b"LOGIN" in line or b"AUTH" in line for line in server.heard)


def test_R05_refused_encryption_never_becomes_plain_text(script):
    dialogue = [
        *(b"* OK hi\r\n", "CAPABILITY", b"* CAPABILITY IMAP4rev1 STARTTLS\r\n{tag} OK done\r\n"),
        *("STARTTLS", b"{tag} NO not today\r\n", silence(1)),
    ]
    with script(dialogue) as server, pytest.raises(Insecure, match="not today"):
        check_account(_account(server, Security.STARTTLS))


def test_R05_being_let_in_before_the_encryption_is_a_trap(script):
    dialogue = [
        *(
            b"* PREAUTH hi\r\n",
            "CAPABILITY",
            b"* CAPABILITY IMAP4rev1 STARTTLS\r\n{tag} OK done\r\n",
        ),
        silence(1),
    ]
    with script(dialogue) as server, pytest.raises(Insecure):
        check_account(_account(server, Security.STARTTLS))


def test_R05_a_connection_lost_while_encrypting_may_be_tried_again(script):
    dialogue = [
        *(b"* OK hi\r\n", "CAPABILITY", b"* CAPABILITY IMAP4rev1 STARTTLS\r\n{tag} OK done\r\n"),
        "STARTTLS",
    ]
    with script(dialogue) as server, pytest.raises(Unavailable):
        check_account(_account(server, Security.STARTTLS))


def test_R05_plain_text_stays_on_this_machine():
    account = MailAccount(Server("imap.example.com", 143, Security.PLAIN), Login("ana", "x"))
    with pytest.raises(Insecure, match="another machine"):
        check_account(account)


def test_R05_a_wrong_password_is_tried_once(dovecot, ana):
    account = dovecot.account(ana)
    wrong = replace(account, login=Login(ana.address, "wrong"))
    with pytest.raises(SignInRefused, match="refused the sign-in") as caught:
        check_account(wrong)
    assert "AUTHENTICATIONFAILED" in caught.value.detail


def test_a_password_of_any_letters(dovecot):
    user = dovecot.user(password='пароль \\ "quoted" ñ')
    assert check_account(dovecot.account(user)) == ["INBOX"]


@pytest.mark.parametrize(
    ("capabilities", "login", "outcome"),
    [
        ("LOGINDISABLED", Login("ana", "x"), SignInRefused),
        ("", Login("ana", "ñ"), SignInRefused),
        ("", Login("ana\r\nX DELETE INBOX", "x"), SignInRefused),
    ],
)
def test_a_sign_in_that_can_not_be_said_is_not_said(script, capabilities, login, outcome):
    with script([*_greeting(capabilities), silence(1)]) as server:
        with pytest.raises(outcome):
            check_account(replace(_account(server), login=login))
        assert len(server.heard) == 1


def test_a_name_with_spaces_is_quoted(script):
    dialogue = [
        *_greeting(""),
        *('LOGIN "ana \\\\\\\\ \\\\"b\\\\"" "secret"', b"{tag} OK done\r\n"),
        *("LIST", b"{tag} OK done\r\n", "LOGOUT", b"* BYE\r\n{tag} OK done\r\n"),
    ]
    with script(dialogue) as server:
        check_account(replace(_account(server), login=Login('ana \\ "b"', "secret")))


@pytest.mark.parametrize(
    "refusal",
    [
        b"{tag} NO [UNAVAILABLE] Temporary authentication failure\r\n",
        b"{tag} NO [ALERT] Too many simultaneous connections. (Failure)\r\n",
        b"{tag} NO [INUSE] Locked\r\n",
        b"* BYE [UNAVAILABLE] going down\r\n",
        b"* BYE\r\n",
        b"",
    ],
)
def test_R05_a_sign_in_that_fails_for_now_does_not_stop_the_mailbox(script, refusal):
    dialogue = [*_greeting(""), "LOGIN", refusal]
    with script(dialogue) as server, pytest.raises(Unavailable) as caught:
        check_account(_account(server))
    assert not isinstance(caught.value, SignInRefused)


def test_R02_a_spent_daily_allowance_is_waited_out(script):
    dialogue = [
        *(*_welcome(), "EXAMINE"),
        b"* BYE Account exceeded command or bandwidth limits.\r\n",
    ]
    with (
        script(dialogue) as server,
        ImapFetcher(_account(server), IMPATIENT) as box,
        pytest.raises(Unavailable) as caught,
    ):
        box.open()
    assert caught.value.retry_after.total_seconds() >= 3600


@pytest.mark.parametrize(
    "ending",
    [
        b"* BYE shutting down\r\n",
        b"{tag} BAD what\r\n",
        b"nonsense\r\n",
        b"* SEARCH one two\r\n{tag} OK done\r\n",
        b"",
    ],
)
def test_R05_a_server_that_breaks_off_may_be_tried_again(script, ending):
    dialogue = [*_welcome(), *_examine(uidnext=5, exists=4), "SEARCH", ending]
    with script(dialogue) as server, ImapFetcher(_account(server), IMPATIENT) as box:
        box.open()
        with pytest.raises(Unavailable) as caught:
            list(box.uids_after(0))
        assert not isinstance(caught.value, SignInRefused)


def test_R05_a_server_that_hangs_is_given_up(script):
    dialogue = [*_welcome(), *_examine(uidnext=5, exists=4), "SEARCH", silence(3)]
    started = time.monotonic()
    with script(dialogue) as server, ImapFetcher(_account(server), IMPATIENT) as box:
        box.open()
        with pytest.raises(Unavailable):
            list(box.uids_after(0))
    assert time.monotonic() - started < 3


def test_R05_a_server_that_drips_is_cut_off(script):
    dialogue = [*_welcome(), *_examine(uidnext=5, exists=4), "SEARCH", drip(b"* ", 0.05, 200)]
    limits = replace(IMPATIENT, step=5, command=0.5)
    started = time.monotonic()
    with script(dialogue) as server, ImapFetcher(_account(server), limits) as box:
        box.open()
        with pytest.raises(Unavailable):
            list(box.uids_after(0))
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("welcome", [b"* BYE no\r\n", b"nonsense\r\n", b"", silence(1)])
def test_a_server_that_does_not_welcome_us_may_be_tried_again(script, welcome):
    with script([welcome]) as server, pytest.raises(Unavailable):
        ImapFetcher(_account(server), IMPATIENT).__enter__()


def test_a_server_that_knows_us_already_is_not_told_the_password(script):
    dialogue = [
        *(b"* PREAUTH hi\r\n", "CAPABILITY", b"* CAPABILITY IMAP4rev1\r\n{tag} OK done\r\n"),
        *("LIST", b"{tag} OK done\r\n", "LOGOUT", b"* BYE\r\n{tag} OK done\r\n"),
    ]
    with script(dialogue) as server:
        assert check_account(_account(server)) == []


def test_a_folder_that_is_locked_for_now_may_be_tried_again(script):
    dialogue = [
        *(*_welcome(), "EXAMINE", b"{tag} NO [INUSE] Mailbox locked\r\n"),
        *("LOGOUT", b"* BYE\r\n{tag} OK done\r\n"),
    ]
    with (
        script(dialogue) as server,
        ImapFetcher(_account(server)) as box,
        pytest.raises(Unavailable),
    ):
        box.open()


def test_a_mailbox_is_read_inside_a_with_block(dovecot, ana):
    with pytest.raises(RuntimeError):
        mail_fetcher(dovecot.account(ana)).open()


def _greeting(capabilities):
    said = f"* CAPABILITY IMAP4rev1 {capabilities}\r\n".encode()
    return [b"* OK hi\r\n", "CAPABILITY", said + b"{tag} OK done\r\n"]


def _welcome():
    return [*_greeting(""), "LOGIN", b"{tag} OK done\r\n"]


def _examine(uidnext, exists):
    said = f"* {exists} EXISTS\r\n* OK [UIDVALIDITY 9] ok\r\n* OK [UIDNEXT {uidnext}] ok\r\n"
    return ["EXAMINE", said.encode() + b"{tag} OK [READ-ONLY] done\r\n"]


def _account(server, security=Security.PLAIN):
    return MailAccount(Server(server.host, server.port, security), Login("ana", "secret"))


def _make_folder(dovecot, user, name):
    from imap_tools.imap_utf7 import utf7_encode

    encoded = utf7_encode(name).decode().replace("\\", "\\\\").replace('"', '\\"')
    with dovecot.connection(user) as phone:
        assert phone.create(f'"{encoded}"')[0] == "OK"
