"""The one place that says whether a message may leave, and why not."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients.models import Client, ClientEmail
from casewell.kernel.addresses import normal_form
from casewell.kernel.runtime import Runtime
from casewell.messages import files
from casewell.messages.decisions import Decision, Reason
from casewell.messages.models import (
    Attachment,
    Channel,
    Hold,
    TriageSender,
    TriageState,
    UnifiedMessage,
)
from casewell.messages.text_rules import about_a_text
from casewell.staff.models import Firm

Rule = Callable[[Session, UnifiedMessage, str], Iterator[Reason]]


class _Wiring:
    rules: Mapping[Channel, Sequence[Rule]] = {}


def use_rules(rules: Mapping[Channel, Sequence[Rule]]) -> None:
    """Say what else is asked of a channel's messages; the one table is in `casewell.wiring`."""
    _Wiring.rules = rules


def may_send(
    session: Session,
    runtime: Runtime,
    message: UnifiedMessage,
    *,
    recipient: str,
    attachments: Sequence[Attachment],
    now: datetime,
) -> Decision:
    """Decide whether a message, stored or still a draft, may go to `recipient` with these files.

    It is asked when a message is queued and again when it leaves; unsure means no.
    """
    reasons = [
        *_about_the_firm(session),
        *_about_the_recipient(session, runtime, message, recipient, attachments, now),
        *_about_the_content(message, attachments),
        *_about_the_files(runtime, message, attachments),
    ]
    return Decision(reasons, now)


def _about_the_firm(session: Session) -> Iterator[Reason]:
    paused = session.execute(
        sa.select(Firm.sending_paused_reason).where(Firm.sending_paused_at.is_not(None))
    ).one_or_none()
    if paused is not None:
        text = "Sending is paused for the whole firm; it leaves once that is over."
        yield Reason("sending_paused", text, Hold.PAUSED)


def _about_the_recipient(
    session: Session,
    runtime: Runtime,
    message: UnifiedMessage,
    recipient: str,
    attachments: Sequence[Attachment],
    now: datetime,
) -> Iterator[Reason]:
    client = session.execute(
        sa.select(Client.merged_into_id, Client.first_name, Client.last_name).where(
            Client.id == message.client_id
        )
    ).one_or_none()
    if client is None:
        yield Reason("client_unknown", "This message is for no client.")
        return
    if client.merged_into_id is not None:
        yield Reason("client_merged", "This client was merged into another. Write to that one.")
        return
    for rule in _Wiring.rules.get(message.channel, ()):
        yield from rule(session, message, recipient)
    name = f"{client.first_name} {client.last_name}".strip()
    if message.channel is Channel.EMAIL:
        yield from _about_an_address(session, message, recipient, name)
    elif message.channel is Channel.SMS:
        yield from about_a_text(session, runtime, message, recipient, name, attachments, now)


def _about_an_address(
    session: Session, message: UnifiedMessage, recipient: str, name: str
) -> Iterator[Reason]:
    form = normal_form(recipient)
    on_file = session.execute(
        sa.select(ClientEmail.bounced_at).where(
            ClientEmail.client_id == message.client_id, ClientEmail.normal_form == form
        )
    ).one_or_none()
    if on_file is None and not _is_linked(session, message, form):
        yield _not_on_file(recipient, name)
    elif on_file is not None and on_file.bounced_at is not None:
        text = (
            f"Mail to {recipient} came back. Ask {name} for an address that works and change it "
            "on their page."
        )
        yield Reason("address_bounced", text)


def _is_linked(session: Session, message: UnifiedMessage, form: str) -> bool:
    """Whether a person has said that what comes from this address is about this client."""
    linked = sa.select(TriageSender.id).where(
        TriageSender.channel == message.channel,
        TriageSender.address == form,
        TriageSender.unproven.is_(False),
        TriageSender.state == TriageState.LINKED,
        TriageSender.client_id == message.client_id,
    )
    return session.scalar(linked) is not None


def _not_on_file(recipient: str, name: str) -> Reason:
    text = f"{recipient or 'Nobody'} is not on the file of {name}. Add it there first."
    return Reason("recipient_unknown", text)


def _about_the_content(
    message: UnifiedMessage, attachments: Sequence[Attachment]
) -> Iterator[Reason]:
    if not message.body_text.strip() and not attachments:
        yield Reason("empty", "There is nothing in this message.")


def _about_the_files(
    runtime: Runtime, message: UnifiedMessage, attachments: Sequence[Attachment]
) -> Iterator[Reason]:
    for one in attachments:
        is_draft_for_client = one.message_id is None and one.client_id == message.client_id
        is_its_own = one.message_id is not None and one.message_id == message.id
        if not (is_draft_for_client or is_its_own):
            text = f"{one.shown_name} belongs to another client or message."
            yield Reason("attachment_foreign", text)
    for one in files.missing(runtime, attachments):
        yield Reason("attachment_missing", f"{one.shown_name} is no longer there. Attach it again.")
    limit = files.largest_files(runtime)
    if sum(one.size for one in attachments) + len(message.body_text) > limit:
        yield Reason("too_large", f"Together the files have more than {limit // 1_000_000} MB.")
