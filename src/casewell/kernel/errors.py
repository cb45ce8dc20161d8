"""What can go wrong, in words for a person and a code for a program.

Every error that a person or an API client may see is a `CasewellError`; anything else is a bug.
"""

from collections.abc import Mapping
from typing import ClassVar


class CasewellError(Exception):
    """An outcome that is refused for a reason its reader can act on.

    `code` is public API and never changes. `fields` names the inputs at fault, each with a
    sentence that tells what to enter instead.
    """

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 422

    def __init__(self, message: str, *, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fields: dict[str, str] = dict(fields or {})


class InvalidInput(CasewellError):
    """The input as a whole was understood, some of its fields were not acceptable."""

    code = "invalid_input"


class MalformedRequest(CasewellError):
    """The request could not be read at all."""

    code = "malformed_request"
    status = 400


class BadCursor(MalformedRequest):
    code = "bad_cursor"

    def __init__(self) -> None:
        super().__init__("This page link is no longer valid. Start again from the first page.")


class NotSignedIn(CasewellError):
    code = "not_signed_in"
    status = 401

    def __init__(self, message: str = "Sign in to go on.") -> None:
        super().__init__(message)


class Forbidden(CasewellError):
    code = "forbidden"
    status = 403

    def __init__(self, message: str = "Your role does not allow this. Ask an owner.") -> None:
        super().__init__(message)


class NotFound(CasewellError):
    """Absent, or not for this person: the two are never told apart."""

    code = "not_found"
    status = 404

    def __init__(self, message: str = "There is nothing here that you may see.") -> None:
        super().__init__(message)


class Conflict(CasewellError):
    """Somebody else was quicker, or the row is no longer in the state the request assumed."""

    code = "conflict"
    status = 409


class TooLarge(CasewellError):
    code = "too_large"
    status = 413


class TooManyRequests(CasewellError):
    """Refused for its frequency; `retry_after` is in whole seconds."""

    code = "too_many_requests"
    status = 429

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ServiceUnavailable(CasewellError):
    """Something Casewell depends on does not answer; nothing was changed."""

    code = "unavailable"
    status = 503
