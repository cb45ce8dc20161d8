"""What can go wrong in the inbox."""

from collections.abc import Mapping, Sequence

from casewell.kernel.errors import CasewellError, Conflict, InvalidInput
from casewell.messages.models import Channel


class SearchNotUnderstood(InvalidInput):
    """An operator of a search has no meaning; `problems` are sentences."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems), fields={"q": " ".join(problems)})


class NothingUnread(CasewellError):
    code = "nothing_to_mark"

    def __init__(self) -> None:
        super().__init__("This client has not written anything yet.")


class RecipientUnknown(CasewellError):
    """The address is not on the client's file, and nobody linked it to them."""

    code = "recipient_unknown"

    def __init__(self, address: str) -> None:
        text = f"{address} is not an address of this client. Add it to the client first."
        super().__init__(text, fields={"to": text})


class NoAddress(CasewellError):
    code = "no_address"

    def __init__(self, channel: Channel) -> None:
        text = NOWHERE[channel]
        super().__init__(text, fields={"to": text})


NOWHERE = {
    Channel.EMAIL: "This client has no e-mail address. Add one to the client first.",
    Channel.SMS: "This client has no phone number. Add one to the client first.",
    Channel.PORTAL: "This client has no access to the portal. Invite them on their page first.",
    Channel.CALL: "A call can't be written. Choose another channel.",
}


class ChannelNotSetUp(CasewellError):
    code = "channel_not_set_up"

    def __init__(self, channel: str) -> None:
        super().__init__(
            f"{channel.capitalize()} can't send here yet. Use e-mail.",
            fields={"channel": "Use email."},
        )


class KeyUsedElsewhere(Conflict):
    code = "idempotency_key_used"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for a message to another client.")


class NeedsConfirmation(Conflict):
    """Something a person should look at before this goes out; `fields` holds code and question.

    The same request with these codes in `confirm` goes through.
    """

    code = "needs_confirmation"

    def __init__(self, questions: Mapping[str, str]) -> None:
        super().__init__(f"Nothing was sent yet. {' '.join(questions.values())}", fields=questions)
