"""What can go wrong with documents."""

from casewell.kernel.errors import CasewellError, Conflict


class NoFile(CasewellError):
    code = "no_file"

    def __init__(self) -> None:
        words = "Choose a file that is not empty."
        super().__init__(words, fields={"files": words})


class TooManyFiles(CasewellError):
    code = "too_many_files"

    def __init__(self, most: int) -> None:
        words = f"Upload at most {most} files at once."
        super().__init__(words, fields={"files": words})


class AlreadyFiled(Conflict):
    code = "already_filed"

    def __init__(self) -> None:
        super().__init__("This file has been filed already.")


class CannotKeep(CasewellError):
    """The store refused a file; the rest of the answer says why."""

    code = "file_not_kept"
    status = 503
