"""What the composer starts with: the ways to the client, the one chosen and why, and the draft."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from casewell.clients.models import Client
from casewell.inbox import files
from casewell.inbox.api import inbox
from casewell.inbox.best_channel import NAMES, Choice, Ways
from casewell.inbox.cards import Reader
from casewell.inbox.changes import newest_message
from casewell.inbox.reader import reader
from casewell.inbox.replies import Reply, message_text
from casewell.inbox.writers import Destination
from casewell.kernel import web
from casewell.kernel.errors import InvalidInput, NotFound
from casewell.kernel.times import clock_time, day_name
from casewell.messages.models import Channel
from casewell.messages.text_rules import NO_FILES

MORNING = 9


def context(client: Client) -> dict[str, Any]:
    """Return what an empty composer shows; `again` brings a message back that was undone.

    Raises NotFound where that is another client's.
    """
    again = web.row_number("again")
    text = None
    if again is not None:
        if inbox().get_message(again).client_id != client.id:
            raise NotFound
        text = message_text(web.db(), again)
    ways = Ways(web.db(), web.runtime(), client)
    best = ways.best
    chosen = best.to
    if text is not None:
        chosen = next((one for one in ways.destinations if one.channel == text.channel), chosen)
    mail = ways.mail.last
    return {
        "ways": _by_channel(ways),
        "via": chosen.via if chosen else "",
        "chosen": chosen,
        "why": best.why if chosen is best.to else "",
        "against": _against(best, chosen),
        "no_files": NO_FILES,
        "others": mail.others if mail else (),
        "subject": text.subject if text and text.subject else (mail.subject if mail else ""),
        "body": text.body_text if text else "",
        "cc": "",
        "files": files.drafts_of(client.id),
        "key": uuid4().hex,
        "seen": newest_message(web.db()),
        "later": _later(reader()),
        "error": "",
        "error_fields": {},
        "questions": {},
        "anyway": "",
    }


def _against(best: Choice, chosen: Destination | None) -> list[str]:
    """Return what speaks against the ways passed over, and against the one that is chosen."""
    told = [*best.passed_over] if chosen is best.to else []
    own = (chosen.blocked or chosen.waits) if chosen else ""
    return told if not own or own in told else [*told, own]


def _by_channel(ways: Ways) -> list[dict[str, Any]]:
    """Return the destinations as the menu of the composer shows them, each with what it says."""
    return [
        {
            "via": one.via,
            "channel": one.channel.value,
            "label": f"{_to(one.channel)} {one.shown}".strip(),
            "note": " · ".join(
                filter(None, [one.label, "can't be written to" if one.blocked else ""])
            ),
            "blocked": one.blocked,
            "waits": one.waits,
        }
        for one in ways.destinations
    ]


def _to(channel: Channel) -> str:
    return {Channel.EMAIL: "Email to", Channel.SMS: "SMS to"}.get(channel, "Portal message")


def _later(person: Reader) -> list[dict[str, str]]:
    """Return the times that people send at most: the next morning, and the next Monday's."""
    today = person.now.astimezone(person.zone)
    morning = (today + timedelta(days=1)).replace(hour=MORNING, minute=0, second=0, microsecond=0)
    monday = morning + timedelta(days=(7 - morning.weekday()) % 7)
    times = [("tomorrow", morning)]
    if monday != morning:
        times.append(("on Monday", monday))
    return [
        {
            "label": f"{name}, {clock_time(at.astimezone(UTC), person.zone)}",
            "value": f"{at:%Y-%m-%dT%H:%M}",
        }
        for name, at in times
    ]


def in_utc(at: datetime | None) -> datetime | None:
    """Return a time of the reader's own clock as the database keeps it. Raises InvalidInput."""
    if at is None:
        return None
    try:
        return at.replace(tzinfo=reader().zone).astimezone(UTC)
    except OverflowError as error:
        text = "Choose a time that is still to come, within a year."
        raise InvalidInput(text, fields={"send_at": text}) from error


def queued_in_words(made: Reply, send_at: datetime | None, person: Reader) -> str:
    """Say what happens now with an answer that was queued."""
    name = NAMES[made.channel]
    if send_at is None or made.leaves_at is None:
        return f"Reply by {name} leaves in a few seconds"
    leaves = made.leaves_at.astimezone(person.zone)
    return (
        f"Reply by {name} leaves {day_name(leaves.date(), person.today)}, "
        f"{clock_time(made.leaves_at, person.zone)}"
    )
