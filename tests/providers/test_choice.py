"""Which provider the settings choose."""

from __future__ import annotations

import base64

import pytest

from casewell.kernel.settings import Settings
from casewell.providers import chosen_providers
from casewell.providers.files import FileStore, file_store
from casewell.providers.files.disk import DiskStore
from casewell.providers.http import WebClient
from casewell.providers.mail_in import MailFetchers, mail_fetcher
from casewell.providers.mail_out import MailSender, mail_sender
from casewell.providers.mail_out.console import ConsoleSender
from casewell.providers.mail_out.smtp import SmtpSender
from casewell.providers.wire import Login, Security, Server


@pytest.fixture
def installed(tmp_path):
    def settings(**values):
        keys = "1:" + base64.b64encode(bytes(range(32))).decode()
        secret = "0123456789abcdefghijklmnopqrstuv"
        return Settings(home=tmp_path, secret_key=secret, encryption_keys=keys, **values)

    return settings


def test_without_a_mail_server_mail_goes_to_the_local_outbox(installed, tmp_path):
    sender = mail_sender(installed())
    assert sender == ConsoleSender(tmp_path / "outbox")
    assert sender.kind == "console"


def test_with_a_mail_server_mail_goes_there(installed):
    sender = mail_sender(
        installed(smtp_host="mail.example.com", smtp_port=465, smtp_security="tls")
    )
    assert sender == SmtpSender(Server("mail.example.com", 465, Security.TLS))
    assert sender.kind == "smtp"


def test_with_a_user_name_it_signs_in(installed):
    sender = mail_sender(
        installed(smtp_host="mail.example.com", smtp_username="office", smtp_password="secret")
    )
    server = Server("mail.example.com", 587, Security.STARTTLS)
    assert sender == SmtpSender(server, Login("office", "secret"))


def test_every_capability_has_a_provider(installed):
    chosen = chosen_providers(installed())
    assert chosen[MailFetchers] is mail_fetcher
    assert isinstance(chosen[MailSender], ConsoleSender)
    assert isinstance(chosen[FileStore], DiskStore)


def test_J07_private_targets_are_named_one_by_one(installed):
    settings = installed(private_targets="Calendar.office.test:8443, [fd12::1]:443")
    guard = chosen_providers(settings)[WebClient].guard
    assert guard.private == {"calendar.office.test:8443", "[fd12::1]:443"}
    with pytest.raises(ValueError, match="host:port"):
        installed(private_targets="10.0.0.0/8")


def test_files_go_to_the_home(installed, tmp_path):
    assert file_store(installed()) == DiskStore(tmp_path / "files")
