"""What the gate asks about a text beside what it asks about every message."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients import consent
from casewell.clients.models import Client, ClientPhone, ConsentState, TextFault
from casewell.clients.phones import may_be_texted, shown
from casewell.kernel.runtime import Runtime
from casewell.kernel.times import clock_time
from casewell.messages.decisions import Reason
from casewell.messages.models import Attachment, Hold, UnifiedMessage
from casewell.messages.quiet_hours import quiet_until, zones_of
from casewell.providers.sms import LONGEST_TEXT, SMSSender

SSN_LIKE = re.compile(
    r"(?<![\d-])(?!000|666)\d{3}[-. ]\d{2}[-. ]\d{4}(?![\d-])"
    r"|\b(?:ssn|social security)\b\D{0,20}\d{9}\b",
    re.IGNORECASE,
)
PLACEHOLDER = re.compile(r"\{\{?\s*[a-z_][a-z0-9_. ]*\}?\}", re.IGNORECASE)
NO_FILES = "A text carries no files. Send them by email or in the portal."
FAULT_WORDS = {
    TextFault.NOT_MOBILE: "is a landline or can't take texts",
    TextFault.UNKNOWN: "does not exist, says the carrier",
}


def about_a_text(
    session: Session,
    runtime: Runtime,
    message: UnifiedMessage,
    recipient: str,
    name: str,
    attachments: Sequence[Attachment],
    now: datetime,
) -> Iterator[Reason]:
    """Yield why a text may not go to a number, or not now."""
    if runtime.provider(SMSSender).kind == "off":
        yield Reason("sms_off", "SMS is not set up. An owner can do that under Settings, SMS.")
        return
    phone = session.execute(
        sa.select(ClientPhone.text_fault, Client.time_zone, Client.state)
        .join(Client, Client.id == ClientPhone.client_id)
        .where(ClientPhone.client_id == message.client_id, ClientPhone.e164 == recipient)
    ).one_or_none()
    number = shown(recipient) or "Nobody"
    if phone is None:
        text = f"{number} is not on the file of {name}. Add it there first."
        yield Reason("recipient_unknown", text)
        return
    if not may_be_texted(recipient, runtime.settings.text_countries):
        yield Reason("number_not_allowed", f"{number} is not a number that texts may go to.")
        return
    if phone.text_fault is not None:
        text = f"{number} {FAULT_WORDS[phone.text_fault]}. Use another number."
        yield Reason("number_takes_no_texts", text)
    yield from _about_consent(session, message, recipient, number, name)
    yield from _about_the_hour(phone.time_zone, phone.state, name, now)
    yield from _about_the_words(message.body_text)
    if attachments:
        yield Reason("files_by_text", NO_FILES)


def _about_consent(
    session: Session, message: UnifiedMessage, recipient: str, number: str, name: str
) -> Iterator[Reason]:
    found = consent.standing(session, message.client_id, recipient)
    if found.by_number:
        text = f"{number} has opted out of texts. Only a START from that number ends it."
        yield Reason("opted_out", text)
    elif found.state is ConsentState.WITHDRAWN:
        yield Reason("opted_out", f"{name} wants no texts at {number}.")
    elif found.state is None:
        text = (
            f"It is not recorded that {name} agrees to texts at {number}. Ask, and record it on "
            "the client's page."
        )
        yield Reason("no_consent", text)


def _about_the_hour(zone: str | None, state: str, name: str, now: datetime) -> Iterator[Reason]:
    until = quiet_until(now, zone, state)
    if until is None:
        return
    zones = zones_of(zone, state)
    if len(zones) == 1:
        at = clock_time(until, zones[0])
        text = f"It is too early or too late for texts where {name} is. It leaves at {at} there."
    else:
        text = f"It may be too early or too late for texts where {name} is. It leaves later."
    yield Reason("quiet_hours", text, Hold.QUIET_HOURS, until)


def _about_the_words(body: str) -> Iterator[Reason]:
    if len(body) > LONGEST_TEXT:
        text = f"A text has at most {LONGEST_TEXT:,} characters; this one has {len(body):,}."
        yield Reason("text_too_long", text)
    if SSN_LIKE.search(body):
        text = "There seems to be a Social Security number in it. Texts are not private."
        yield Reason("ssn_in_text", text)
    if found := PLACEHOLDER.search(body):
        yield Reason("placeholder_left", f"{found.group()} was not filled in.")
