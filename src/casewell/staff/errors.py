"""What can go wrong with accounts, in words for a person."""

from casewell.kernel.errors import CasewellError, Conflict, InvalidInput, NotFound


class SignInRefused(CasewellError):
    """Unknown account, wrong password, deactivated: the three are never told apart."""

    code = "sign_in_refused"

    def __init__(self) -> None:
        super().__init__("This e-mail address and password don't belong together. Try again.")


class WrongCode(CasewellError):
    code = "wrong_code"

    def __init__(self) -> None:
        sentence = "This code is not right, or it has been used. Enter the one shown now."
        super().__init__(sentence, fields={"code": sentence})


class WrongPassword(InvalidInput):
    """The password asked for again before a sensitive change."""

    def __init__(self) -> None:
        sentence = "This is not your present password."
        super().__init__(sentence, fields={"current_password": sentence})


class WeakPassword(InvalidInput):
    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, fields={"password": sentence})


class LinkNotValid(CasewellError):
    """Never issued, used, expired, or replaced by a newer one: the four are not told apart."""

    code = "link_not_valid"
    status = 400

    def __init__(self) -> None:
        super().__init__("This link was used, has expired, or was replaced by a newer one.")


class LastOwner(Conflict):
    code = "last_owner"

    def __init__(self) -> None:
        super().__init__("The firm needs an owner. Make somebody else an owner first.")


class EmailTaken(InvalidInput):
    def __init__(self) -> None:
        sentence = "Somebody of the firm has this e-mail address already."
        super().__init__(sentence, fields={"email": sentence})


class SecondFactorRequired(Conflict):
    code = "second_factor_required"

    def __init__(self) -> None:
        super().__init__("The firm asks everyone for a second factor, so it can't be turned off.")


class SetUpDone(NotFound):
    def __init__(self) -> None:
        super().__init__("Casewell is set up already. Sign in instead.")
