"""What can go wrong with tags."""

from casewell.kernel.errors import CasewellError, Conflict


class TagNameTaken(Conflict):
    code = "tag_name_taken"

    def __init__(self, name: str) -> None:
        words = f'There is a tag "{name}" already. Use that one, or merge the two.'
        super().__init__(words, fields={"name": words})


class NoSuchTag(CasewellError):
    code = "no_such_tag"

    def __init__(self, name: str = "") -> None:
        words = (
            f'There is no tag "{name}". A manager can make it.' if name else "There is no such tag."
        )
        super().__init__(words, fields={"name": words})


class SameTag(CasewellError):
    code = "same_tag"

    def __init__(self) -> None:
        super().__init__(
            "A tag can't be merged into itself.", fields={"into": "Choose another tag."}
        )


class NotConfirmed(CasewellError):
    code = "not_confirmed"

    def __init__(self) -> None:
        super().__init__("The name that was typed is not the tag's. Nothing was deleted.")


class TooManyTags(CasewellError):
    code = "too_many_tags"

    def __init__(self, most: int) -> None:
        super().__init__(f"A firm has at most {most:,} tags. Delete or merge some.")


class NothingAsked(CasewellError):
    code = "nothing_asked"

    def __init__(self) -> None:
        super().__init__("Choose a tag to add or to remove.")


class CannotUndo(Conflict):
    code = "cannot_undo"
