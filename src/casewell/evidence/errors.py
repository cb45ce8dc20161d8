"""What can go wrong with evidence bundles."""

from casewell.kernel.errors import CasewellError, Conflict, Forbidden


class OnlyAttorneys(Forbidden):
    code = "only_attorneys"

    def __init__(self) -> None:
        super().__init__("Only an attorney can let privileged notes into a bundle.")


class BundleExpired(CasewellError):
    code = "bundle_expired"
    status = 410

    def __init__(self) -> None:
        super().__init__("This bundle has expired, and its file is gone. Make a new one.")


class NotReady(Conflict):
    code = "bundle_not_ready"

    def __init__(self) -> None:
        super().__init__("This bundle is not finished. Wait until it says so.")


class AlreadyAtWork(Conflict):
    code = "bundle_at_work"

    def __init__(self) -> None:
        super().__init__("A bundle of this client is being made. Wait for it, or cancel it.")
