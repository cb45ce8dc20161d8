"""Calls in words."""

from casewell.calls.models import CallOutcome
from casewell.messages.models import Direction

MINUTE = 60
RESULTS = {
    CallOutcome.CONNECTED: "Connected",
    CallOutcome.VOICEMAIL: "Voicemail",
    CallOutcome.NO_ANSWER: "No answer",
    CallOutcome.BUSY: "Busy",
    CallOutcome.WRONG_NUMBER: "Wrong number",
}
TONES = {CallOutcome.CONNECTED: "success", CallOutcome.WRONG_NUMBER: ""}


def call_title(direction: Direction, outcome: CallOutcome, seconds: int | None) -> str:
    """Return "Outgoing call, 6 min": every started minute counts, as it does for carriers."""
    inbound = direction is Direction.INBOUND
    if inbound and outcome.reached_nobody:
        name = "Missed call"
    else:
        name = "Incoming call" if inbound else "Outgoing call"
    return f"{name}, {length(seconds)}" if seconds else name


def length(seconds: int) -> str:
    return f"{seconds} s" if seconds < MINUTE else f"{-(-seconds // MINUTE)} min"


def result(direction: Direction, outcome: CallOutcome) -> tuple[str, str]:
    """Return how a call ended in a word or two, and the tone of its badge."""
    if direction is Direction.INBOUND and outcome is CallOutcome.NO_ANSWER:
        return "Missed", "warning"
    return RESULTS[outcome], TONES.get(outcome, "warning")
