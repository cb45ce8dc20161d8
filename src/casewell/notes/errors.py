"""What can go wrong with notes."""

from casewell.kernel.errors import CasewellError


class NotYourNote(CasewellError):
    code = "not_your_note"

    def __init__(self) -> None:
        super().__init__("Only who wrote a note can change or delete it.")


class TooLateToChange(CasewellError):
    code = "note_too_old"

    def __init__(self) -> None:
        super().__init__(
            "A note can be changed or deleted for a day. Write another one that sets it right."
        )


class KindNotForYou(CasewellError):
    code = "note_kind_not_allowed"

    def __init__(self) -> None:
        super().__init__("Privileged notes are for attorneys and managers.")
