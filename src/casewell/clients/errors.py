"""What can go wrong with clients."""

from casewell.kernel.errors import CasewellError, Conflict, InvalidInput


class ChangedMeanwhile(Conflict):
    """Somebody else saved this client after it was opened for editing."""

    code = "client_changed_meanwhile"

    def __init__(self) -> None:
        super().__init__(
            "Somebody else changed this client while you were editing. Nothing of yours was saved."
        )


class ReferenceTaken(InvalidInput):
    code = "reference_taken"

    def __init__(self, reference: str) -> None:
        sentence = f"Another client has the reference {reference}."
        super().__init__(sentence, fields={"reference": sentence})


class NotResponsible(InvalidInput):
    """The person named can't be responsible for a client."""

    code = "not_a_possible_responsible"

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence, fields={field: sentence})


class NoSSN(CasewellError):
    code = "no_ssn"
    status = 404

    def __init__(self) -> None:
        super().__init__("This client has no SSN on file.")


class SSNUnreadable(CasewellError):
    code = "ssn_unreadable"
    status = 503

    def __init__(self) -> None:
        super().__init__(
            "This SSN can't be decrypted: it was altered, or its key is not configured. "
            "Everything else of the client is as it was."
        )


class CannotMerge(Conflict):
    code = "cannot_merge"


class CannotUndoMerge(Conflict):
    code = "cannot_undo_merge"


class OnlyTheyCanStart(Conflict):
    code = "only_they_can_start"

    def __init__(self) -> None:
        super().__init__(
            "This number has opted out of texts. Only a START from that number ends it."
        )
