"""What Casewell needs from outside: a Protocol per capability, a small class per way to get it."""

from typing import Any

from casewell.kernel.settings import Settings


def chosen_providers(settings: Settings) -> dict[type[Any], Any]:
    """Return the provider of each capability that the settings name."""
    from casewell.providers.files import FileStore, file_store
    from casewell.providers.http import WebClient, web_client
    from casewell.providers.mail_in import MailFetchers, mail_fetcher
    from casewell.providers.mail_out import MailSender, mail_sender
    from casewell.providers.sms import SMSSender, sms_sender

    http = web_client(settings)
    return {
        FileStore: file_store(settings),
        MailFetchers: mail_fetcher,
        MailSender: mail_sender(settings),
        SMSSender: sms_sender(settings, http),
        WebClient: http,
    }
