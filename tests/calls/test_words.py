"""Calls in words."""

import pytest

from casewell.calls.models import CallOutcome
from casewell.calls.words import call_title, result
from casewell.messages.models import Direction


@pytest.mark.parametrize(
    ("seconds", "title"),
    [
        (None, "Outgoing call"),
        (48, "Outgoing call, 48 s"),
        (60, "Outgoing call, 1 min"),
        (301, "Outgoing call, 6 min"),
    ],
)
def test_every_started_minute_counts(seconds, title):
    assert call_title(Direction.OUTBOUND, CallOutcome.CONNECTED, seconds) == title


def test_a_caller_who_reached_nobody_made_a_missed_call():
    assert call_title(Direction.INBOUND, CallOutcome.VOICEMAIL, None) == "Missed call"
    assert result(Direction.INBOUND, CallOutcome.NO_ANSWER) == ("Missed", "warning")
    assert result(Direction.OUTBOUND, CallOutcome.NO_ANSWER) == ("No answer", "warning")
