"""Sending mail: over SMTP, or into a folder where no mail server is set."""

from __future__ import annotations

from casewell.kernel.settings import Settings
from casewell.providers.mail_out.sender import AllRefused, MailSender, Sent
from casewell.providers.wire import Login, Security, Server

__all__ = ["AllRefused", "MailSender", "Sent", "mail_sender"]


def mail_sender(settings: Settings) -> MailSender:
    """Return the sender this installation is set up for."""
    if not settings.smtp_host:
        from casewell.providers.mail_out.console import ConsoleSender

        return ConsoleSender(settings.home / "outbox")
    from casewell.providers.mail_out.smtp import SmtpSender

    server = Server(settings.smtp_host, settings.smtp_port, Security(settings.smtp_security))
    login = None
    if settings.smtp_username:
        login = Login(settings.smtp_username, settings.smtp_password)
    return SmtpSender(server, login)
