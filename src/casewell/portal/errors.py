"""What can go wrong in the portal. Clients read these too: short words, and nothing given away."""

from casewell.kernel.errors import CasewellError, Conflict, InvalidInput


class ClientSignInRefused(CasewellError):
    """Unknown, disabled, without a password, or a wrong one: they are never told apart."""

    code = "sign_in_refused"

    def __init__(self) -> None:
        super().__init__(
            "This e-mail address and password don't belong together. "
            "Try again, or let us send you a link."
        )


class ClientLinkNotValid(CasewellError):
    """Never issued, used, too old, or replaced by a newer one: they are not told apart."""

    code = "link_not_valid"
    status = 400

    def __init__(self) -> None:
        super().__init__("This link was used or is too old. Ask for a new one.")


class NotOnFile(InvalidInput):
    def __init__(self) -> None:
        sentence = "This address is not on the client's file. Add it there first."
        super().__init__(sentence, fields={"email": sentence})


class AddressTaken(InvalidInput):
    def __init__(self) -> None:
        sentence = "Another client signs in with this address. Choose another one."
        super().__init__(sentence, fields={"email": sentence})


class NoAccount(Conflict):
    code = "no_portal_account"

    def __init__(self) -> None:
        super().__init__("This client has no portal account. Invite them first.")


class AccountDisabled(Conflict):
    code = "portal_account_disabled"

    def __init__(self) -> None:
        super().__init__("This client's portal account is turned off. Turn it on first.")


class CurrentPasswordWrong(InvalidInput):
    def __init__(self) -> None:
        sentence = "This is not your present password."
        super().__init__(sentence, fields={"current_password": sentence})


class NotForClients(Conflict):
    code = "not_for_clients"

    def __init__(self) -> None:
        super().__init__("This entry is for the firm alone. It can't be shown in the portal.")
