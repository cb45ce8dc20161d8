"""Taking mail from a mailbox that belongs to somebody else's server, and leaving it as it was."""

from __future__ import annotations

from casewell.providers.mail_in.fetcher import (
    FetchedMail,
    Folder,
    MailAccount,
    MailFetcher,
    MailFetchers,
)

__all__ = [
    "FetchedMail",
    "Folder",
    "MailAccount",
    "MailFetcher",
    "MailFetchers",
    "check_account",
    "mail_fetcher",
]


def mail_fetcher(account: MailAccount) -> MailFetcher:
    """Return what fetches the mail of `account`; it connects when entered."""
    from casewell.providers.mail_in.imap import ImapFetcher

    return ImapFetcher(account)


def check_account(account: MailAccount) -> list[str]:
    """Sign in, and return the names of the folders. Raises Unavailable, with what is wrong."""
    with mail_fetcher(account) as mailbox:
        return mailbox.folders()
