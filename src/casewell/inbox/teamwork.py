"""How a conversation stands for the team, in words: in whose hands, put off, or waited for."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from casewell.inbox.cards import Reader
from casewell.inbox.forms import SnoozeForm
from casewell.kernel.business_hours import BusinessHours
from casewell.kernel.times import short_future, short_time
from casewell.messages.errors import SnoozeInThePast
from casewell.messages.models import Conversation, ConversationState

MORNING = 9
LATER = timedelta(hours=3)
HOURS_SHOWN = timedelta(hours=100)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@dataclass(frozen=True)
class AnswerClock:
    """How long clients wait, in the firm's business hours, and how soon it means to answer."""

    hours: BusinessHours
    target: timedelta
    now: datetime

    def read(self, since: datetime) -> tuple[str, str]:
        """Return "Waiting 3 h", and its hue: amber from half of the target on, red after it."""
        waited = self.hours.between(since, self.now, most=HOURS_SHOWN)
        if waited >= HOURS_SHOWN:
            words = f"Waiting since {short_time(since, self.now, self.hours.zone)}"
        elif waited >= HOUR:
            words = f"Waiting {waited // HOUR} h"
        elif waited >= MINUTE:
            words = f"Waiting {waited // MINUTE} min"
        else:
            words = "Waiting"
        if waited > self.target:
            return words, "red"
        return words, "yellow" if waited >= self.target / 2 else "blue"


def in_hand(talk: Conversation | None, person: Reader, clock: AnswerClock) -> tuple[str, str]:
    """Return how a conversation stands beside its state, and its hue: for the thread's head."""
    if talk is None:
        return "", ""
    if talk.state is ConversationState.SNOOZED:
        if talk.snoozed_until is None:
            return "Snoozed until they answer", ""
        until = short_future(talk.snoozed_until, person.now, person.zone)
        return f"Snoozed until {until}", ""
    return clock.read(talk.waiting_since) if talk.waiting_since is not None else ("", "")


def snooze_until(form: SnoozeForm, person: Reader) -> datetime | None:
    """Return when a snooze ends; None: when the client writes. Raises SnoozeInThePast."""
    here = person.now.astimezone(person.zone)
    morning = here.replace(hour=MORNING, minute=0, second=0, microsecond=0, fold=0)
    match form.until:
        case "answer":
            return None
        case "later":
            return person.now + LATER
        case "tomorrow":
            at = morning + timedelta(days=1)
        case "monday":
            at = morning + timedelta(days=7 - morning.weekday())
        case _:
            if form.at is None:
                raise SnoozeInThePast
            at = form.at.replace(tzinfo=person.zone)
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise SnoozeInThePast from error
