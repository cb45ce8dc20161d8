"""What can go wrong with conversations and with sending, for people to read."""

from datetime import datetime, timedelta

from casewell.kernel.errors import CasewellError, Conflict, ServiceUnavailable, TooManyRequests


class SendingRefused(CasewellError):
    """`may_send` said no; the sentences of its reasons are the message."""

    code = "sending_refused"


class LimitReached(TooManyRequests):
    """As many as may leave in a day have left; `until` is when the next ones may."""

    code = "limit_reached"

    def __init__(self, text: str, *, until: datetime, now: datetime) -> None:
        wait = max(1, -((now - until) // timedelta(seconds=1)))
        super().__init__(text, retry_after=wait)
        self.fields = {"channel": text}
        self.until = until


class MonthUsedUp(LimitReached):
    """What a month may cost is spent: to ask again soon is of no use."""

    code = "month_used_up"
    status = 422


class TooLateToUndo(Conflict):
    code = "too_late_to_undo"

    def __init__(self) -> None:
        super().__init__("This message has already left. It can't be taken back.")


class NotWaiting(Conflict):
    code = "not_waiting"

    def __init__(self) -> None:
        super().__init__("This message is no longer waiting to be sent.")


class NothingToResolve(Conflict):
    code = "nothing_to_resolve"

    def __init__(self) -> None:
        super().__init__("Somebody has already decided about this message.")


class KeyReused(Conflict):
    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__("This idempotency key was already used for another client's message.")


class AlreadyDecided(Conflict):
    code = "already_decided"

    def __init__(self) -> None:
        super().__init__("Somebody else has just decided about this sender. Reload the page.")


class NotDecided(Conflict):
    code = "not_decided"

    def __init__(self) -> None:
        super().__init__("There is no decision about this sender to take back.")


class AttachmentUnreadable(ServiceUnavailable):
    code = "attachment_unreadable"


class NoWayOut(CasewellError):
    code = "no_way_out"

    def __init__(self, channel: str) -> None:
        super().__init__(f"Casewell has no way to send over {channel} yet.")


class SnoozeInThePast(CasewellError):
    code = "snooze_in_the_past"

    def __init__(self) -> None:
        text = "Choose a time that is still to come."
        super().__init__(text, fields={"at": text})


class MayNotSee(CasewellError):
    code = "assignee_may_not_see"

    def __init__(self) -> None:
        text = (
            "This colleague can't see the client. Make them responsible for the client first, or "
            "choose somebody else."
        )
        super().__init__(text, fields={"assignee_id": text})
