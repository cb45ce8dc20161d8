"""Mail by webhook: signed, kept before it is acknowledged, and kept once."""

from __future__ import annotations

import hashlib
import hmac
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import sqlalchemy as sa

from casewell.app import create_app
from casewell.email.models import InboundMail, InboundState
from casewell.kernel.settings import SettingsError, load_settings
from casewell.kernel.signed_bodies import HEADER, signature
from casewell.messages.models import UnifiedMessage
from casewell.providers.errors import Unavailable
from casewell.providers.files import FileStore
from tests.rigs.mail_in import mail

SECRET = "a-secret-of-the-webhook-1"
OTHER = "a-secret-of-the-webhook-2"


@pytest.fixture
def push_to(runtime, firm, clock):
    """Gives a way to push mails to an installation with these settings."""

    def installed(providers=None, **settings):
        made = replace(
            runtime,
            settings=runtime.settings.model_copy(update=settings),
            providers={**runtime.providers, **(providers or {})},
        )
        http = create_app(made).test_client()

        def push(raw, *, secret=SECRET, at=None, sign=None, **options):
            given = signature([secret], sign or raw, at or clock())
            headers = {HEADER: given, **options.pop("headers", {})}
            return http.post(
                "/hooks/mail", data=raw, headers=headers, content_type="message/rfc822", **options
            )

        return push

    return installed


@pytest.fixture
def push(push_to):
    return push_to(mail_webhook_secret=SECRET)


def kept(database, model=InboundMail):
    with database.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(model))


def test_a_pushed_mail_is_kept_and_then_taken_in(push, database, run_due):
    answer = push(mail(1))
    assert answer.status_code == 202
    with database.reading() as session:
        row = session.get_one(InboundMail, answer.json["id"])
        assert (row.state, row.is_history) == (InboundState.STORED, False)
    run_due()
    with database.reading() as session:
        assert session.scalars(sa.select(UnifiedMessage.subject)).all() == ["Mail 1"]


def test_the_signature_is_what_the_documentation_says(push, clock):
    stamp = str(int(clock().timestamp()))
    signed = hmac.new(SECRET.encode(), f"{stamp}.".encode() + mail(1), hashlib.sha256).hexdigest()
    assert push(mail(1), headers={HEADER: f"t={stamp}, v1={signed}"}).status_code == 202


def test_I01_without_a_secret_there_is_no_such_address(push_to, visitor, database):
    assert visitor.http.post("/hooks/mail", data=mail(1)).status_code == 404
    for unset in ("", " ", ","):
        assert push_to(mail_webhook_secret=unset)(mail(1), secret=unset).status_code == 404
    assert kept(database) == 0


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=,v1=",
        "v1=abc",
        "t=1,v1=abc",
        f"t={10**20},v1=abc",
        "t=-5,v1=abc",
        "t=\u0663,v1=abc",
        "t=1;v1=2",
        "=,=,=",
        "x" * 5_000,
    ],
)
def test_I01_a_signature_that_is_none_is_refused(push, database, header):
    answer = push(mail(1), headers={HEADER: header.encode("utf-8").decode("latin-1")})
    assert answer.status_code == 403
    assert answer.mimetype == "application/problem+json"
    assert kept(database) == 0


def test_I01_a_missing_header_is_refused(push_to, runtime, database):
    http = create_app(
        replace(
            runtime, settings=runtime.settings.model_copy(update={"mail_webhook_secret": SECRET})
        )
    ).test_client()
    assert http.post("/hooks/mail", data=mail(1)).status_code == 403
    assert kept(database) == 0


def test_I01_wrong_secrets_other_bodies_and_old_signatures_are_refused(push, database, clock):
    assert push(mail(1), secret=OTHER).status_code == 403
    assert push(mail(1), secret="").status_code == 403
    assert push(mail(1), sign=mail(2)).status_code == 403
    old, early = clock(), clock()
    clock.move(minutes=6)
    assert push(mail(1), at=old).status_code == 403
    clock.move(minutes=-12)
    assert push(mail(1), at=early).status_code == 403
    assert kept(database) == 0


def test_I09_two_secrets_hold_while_one_replaces_the_other(push_to):
    changing = push_to(mail_webhook_secret=f"{OTHER}, {SECRET}")
    assert changing(mail(1), secret=SECRET).status_code == 202
    assert changing(mail(2), secret=OTHER).status_code == 202
    changed = push_to(mail_webhook_secret=OTHER)
    assert changed(mail(3), secret=SECRET).status_code == 403


def test_I01_a_secret_that_can_be_guessed_stops_the_start(tmp_path, runtime):
    environ = {
        "CASEWELL_HOME": str(tmp_path),
        "CASEWELL_SECRET_KEY": runtime.settings.secret_key,
        "CASEWELL_ENCRYPTION_KEYS": runtime.settings.encryption_keys,
    }
    for secret in ("short", f"{SECRET},", f"{SECRET},short"):
        with pytest.raises(SettingsError, match="16 or more characters"):
            load_settings(environ | {"CASEWELL_MAIL_WEBHOOK_SECRET": secret})
    assert load_settings(environ | {"CASEWELL_MAIL_WEBHOOK_SECRET": SECRET}).webhook_secrets


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_I01_it_is_only_pushed_to(visitor, method):
    assert getattr(visitor.http, method)("/hooks/mail").status_code in (403, 404, 405)


def test_P02_a_mail_over_the_limit_is_refused_before_it_is_read(push_to, database):
    push = push_to(mail_webhook_secret=SECRET, mail_max_bytes=100_000)
    answer = push(mail(1, "x" * 200_000))
    assert answer.status_code == 413
    assert answer.json["code"] == "too_large"
    assert kept(database) == 0


def test_P02_a_mail_of_unsaid_length_is_cut_and_then_its_signature_fits_no_more(push_to, database):
    push = push_to(mail_webhook_secret=SECRET, mail_max_bytes=100_000)
    environ = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    assert push(mail(1), environ_overrides=environ).status_code == 202
    assert push(mail(2, "x" * 200_000), environ_overrides=environ).status_code == 403
    assert kept(database) == 1


@pytest.mark.parametrize("raw", [b"", b"\r\n \r\n"])
def test_an_empty_body_is_no_mail(push, database, raw):
    assert push(raw, sign=raw or b"\0").status_code in (400, 403)
    assert kept(database) == 0


def test_hostile_bytes_are_kept_as_they_are(push, database, run_due, runtime):
    raw = b"\x00\xff\xfe" * 1_000
    answer = push(raw)
    assert answer.status_code == 202
    run_due()
    with database.reading() as session:
        row = session.get_one(InboundMail, answer.json["id"])
    assert row.state is not InboundState.STORED
    with runtime.provider(FileStore).open(row.file_key) as file:
        assert file.read() == raw


def test_I07_the_same_mail_again_is_answered_alike_and_kept_once(push, database, run_due, runtime):
    first = push(mail(1))
    again = push(mail(1))
    run_due()
    later = push(mail(1))
    assert first.json == again.json == later.json
    assert (kept(database), kept(database, UnifiedMessage)) == (1, 1)
    assert len(list(runtime.provider(FileStore).keys())) == 1


def test_I07_the_same_mail_at_the_same_moment_is_kept_once(push, database, runtime):
    def push_until_kept(_):
        """As a sender does: what was too busy to answer is asked again."""
        while (answer := push(mail(1))).status_code == 503:
            pass
        return answer

    with ThreadPoolExecutor(6) as senders:
        answers = list(senders.map(push_until_kept, range(12)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert kept(database) == 1
    assert len(list(runtime.provider(FileStore).keys())) == 1


def test_D10_a_mail_that_came_by_imap_too_is_one_message(push, database, run_due, mail_in):
    user = mail_in.dovecot.user()
    mail_in.deliver(user, mail(1))
    mail_in.connect(user)
    run_due()
    assert push(mail(1)).status_code == 202
    run_due()
    assert kept(database, UnifiedMessage) == 1
    assert mail_in.tally().states == {"taken_in": 1, "duplicate": 1}


class FullDisk:
    """A file store on a disk that is full."""

    def __init__(self, real):
        self.real = real

    def __getattr__(self, name):
        return getattr(self.real, name)

    def put_all(self, contents):
        raise Unavailable("The file store can't be written.", "No space left on device")


def test_I07_a_mail_that_cannot_be_put_on_disk_is_not_acknowledged(push_to, database, runtime):
    store = FullDisk(runtime.provider(FileStore))
    answer = push_to({FileStore: store}, mail_webhook_secret=SECRET)(mail(1))
    assert answer.status_code == 503
    assert "No space" not in answer.text
    assert kept(database) == 0


def test_I07_a_database_that_is_locked_is_not_waited_for_long(push, database, runtime):
    with database.writing() as session:
        session.execute(sa.text("SELECT 1" if database.is_sqlite else "LOCK TABLE inbound_mails"))
        begun = time.monotonic()
        answer = push(mail(1))
        assert time.monotonic() - begun < 5
    assert answer.status_code == 503
    assert kept(database) == 0
    assert list(runtime.provider(FileStore).keys()) == [], "its bytes are not left behind"
    assert push(mail(1)).status_code == 202
