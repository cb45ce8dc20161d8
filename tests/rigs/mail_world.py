"""Mail from end to end: what the SMTP server accepts stands in the recipients' IMAP mailboxes."""

from __future__ import annotations

import smtplib
from dataclasses import dataclass

import pytest

from tests.rigs.dovecot import DovecotRig, MailUser
from tests.rigs.smtp_server import Delivery, SmtpRig


@dataclass
class MailWorld:
    """Both servers, and the people who have mailboxes. Mail to strangers is only counted."""

    smtp: SmtpRig
    dovecot: DovecotRig
    people: dict[str, MailUser]

    def user(self, address: str) -> MailUser:
        """Give somebody a mailbox, empty at first."""
        self.people[address.lower()] = user = self.dovecot.user(address)
        return user

    def send(self, sender: str, recipient: str, raw: bytes) -> None:
        """Send as somebody outside of Casewell, with their own mail program."""
        with smtplib.SMTP("127.0.0.1", self.smtp.port, local_hostname="[127.0.0.1]") as client:
            client.sendmail(sender, [recipient], raw)

    def mails(self, user: MailUser) -> list[bytes]:
        return self.dovecot.mails(user)

    def carry(self, delivery: Delivery) -> None:
        for recipient in delivery.recipients:
            if user := self.people.get(mailbox_of(recipient)):
                trace = f"Return-Path: <{delivery.envelope_from}>\r\nDelivered-To: {recipient}\r\n"
                self.dovecot.deliver(user, trace.encode() + delivery.raw)


def mailbox_of(address: str) -> str:
    """The mailbox a server puts mail for `name+tag@domain` into."""
    local, _, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


@pytest.fixture
def mail_world(smtp: SmtpRig, dovecot: DovecotRig) -> MailWorld:
    world = MailWorld(smtp, dovecot, {})
    smtp.on_delivery = world.carry
    return world
