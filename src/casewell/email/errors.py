"""What can go wrong while a mail is read or written."""

from casewell.kernel.errors import CasewellError


class UnreadableMail(CasewellError):
    """The bytes can't be read as a mail within the limits; they are kept as they came."""

    code = "unreadable_mail"

    def __init__(self, reason: str) -> None:
        super().__init__(f"This mail could not be read: {reason}.")
        self.reason = reason


class MailNotSendable(CasewellError):
    """The draft can't become a mail that says exactly what was meant."""

    code = "mail_not_sendable"


class BadAddress(MailNotSendable):
    code = "bad_address"

    def __init__(self, address: str) -> None:
        super().__init__(f"“{address}” is not an e-mail address that mail can be sent to.")


class AddressNeedsSmtpUtf8(MailNotSendable):
    """The part before the @ holds letters beyond ASCII, which few mail servers accept."""

    code = "address_needs_smtputf8"

    def __init__(self, address: str) -> None:
        super().__init__(
            f"“{address}” has letters before the @ that most mail servers refuse. "
            "Ask for another address."
        )
