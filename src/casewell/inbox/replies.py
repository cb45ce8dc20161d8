"""Answering a client: one draft becomes one queued message, however often it is asked to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients.models import Client
from casewell.inbox import queries
from casewell.inbox.best_channel import NAMES, Ways
from casewell.inbox.errors import KeyUsedElsewhere
from casewell.inbox.guards import ask_first
from casewell.inbox.writers import Destination, ReplyDraft
from casewell.kernel.access import Identity
from casewell.kernel.errors import InvalidInput, NotFound, TooLarge
from casewell.kernel.runtime import Runtime
from casewell.messages import outbox
from casewell.messages.files import largest_files
from casewell.messages.models import (
    Attachment,
    Channel,
    Delivery,
    MessageStatus,
    UnifiedMessage,
)

LATEST = timedelta(days=366)


@dataclass(frozen=True)
class Reply:
    """A queued answer; until `leaves_at` it can be taken back.

    `why`: what the channel was chosen for; empty where its writer chose it.
    """

    message_id: int
    client_id: int
    status: MessageStatus
    leaves_at: datetime | None
    channel: Channel
    to: str
    why: str = ""


class Replying:
    """Turns one draft into one queued message."""

    def __init__(self, session: Session, viewer: Identity, runtime: Runtime) -> None:
        self._session = session
        self._viewer = viewer
        self._runtime = runtime

    def send(self, client: Client, draft: ReplyDraft, idempotency_key: str | None) -> Reply:
        key = f"{self._viewer.staff_id}:{idempotency_key}" if idempotency_key else None
        if key is not None and (earlier := self._sent_with(key)) is not None:
            if earlier.client_id != client.id:
                raise KeyUsedElsewhere
            return earlier
        if not draft.body.strip():
            raise InvalidInput("Write a message first.", fields={"body": "Write a message first."})
        self._check_time(draft.send_at)
        ways = Ways(self._session, self._runtime, client)
        to, why = self._destination(ways, draft)
        message = ways.writer(to.channel).write(draft, to, self._viewer)
        outsiders = ways.mail.outsiders(draft.cc) if to.channel is Channel.EMAIL else []
        ask_first(self._session, self._viewer, client, draft, outsiders=outsiders)
        message.idempotency_key = key
        delivery = outbox.queue(
            self._session,
            self._runtime,
            message,
            recipient=ways.writer(to.channel).recipient(to),
            attachments=self._files(client.id, draft.attachments),
            now=self._runtime.now(),
            at=draft.send_at,
            why=why,
        )
        return Reply(
            delivery.message_id,
            client.id,
            delivery.status,
            delivery.due_at,
            to.channel,
            delivery.recipient,
            why,
        )

    def _destination(self, ways: Ways, draft: ReplyDraft) -> tuple[Destination, str]:
        """Return where a draft goes, and why it was chosen for its writer."""
        if draft.channel is not None:
            return ways.writer(draft.channel).chosen(draft.to), ""
        if draft.to is not None:
            return ways.mail.chosen(draft.to), ""
        best = ways.best
        if best.to is None:
            return ways.mail.chosen(None), ""
        told = [best.why or f"Auto: {NAMES[best.to.channel]}", *best.passed_over]
        return best.to, ". ".join(one.rstrip(".") for one in told) + "."

    def _check_time(self, at: datetime | None) -> None:
        if at is None:
            return
        now = self._runtime.now()
        if not now < at <= now + LATEST:
            text = "Choose a time that is still to come, within a year."
            raise InvalidInput(text, fields={"send_at": text})

    def _sent_with(self, key: str) -> Reply | None:
        row = self._session.execute(
            sa.select(
                UnifiedMessage.id,
                UnifiedMessage.client_id,
                UnifiedMessage.status,
                UnifiedMessage.channel,
                UnifiedMessage.decision,
                Delivery.due_at,
                Delivery.recipient,
            )
            .outerjoin(Delivery, Delivery.message_id == UnifiedMessage.id)
            .where(UnifiedMessage.idempotency_key == key)
        ).one_or_none()
        if row is None or row.client_id is None:
            return None
        return Reply(
            row.id,
            row.client_id,
            row.status,
            row.due_at,
            row.channel,
            row.recipient or "",
            (row.decision or {}).get("why", ""),
        )

    def _files(self, client_id: int, ids: Sequence[int]) -> list[Attachment]:
        """Return the files of this draft. One that isn't of this person and client is absent."""
        if not ids:
            return []
        found = self._session.scalars(
            sa.select(Attachment).where(
                Attachment.id.in_(ids),
                Attachment.message_id.is_(None),
                Attachment.staff_id == self._viewer.staff_id,
                Attachment.client_id == client_id,
            )
        ).all()
        if {file.id for file in found} != set(ids):
            raise NotFound("An attached file is no longer there. Attach it again.")
        limit = largest_files(self._runtime)
        if sum(file.size for file in found) > limit:
            raise TooLarge(f"Together the files have more than {limit // 1_000_000} MB.")
        return sorted(found, key=lambda file: list(ids).index(file.id))


def message_text(session: Session, message_id: int) -> Any:
    """Return what was written in a message, to be put back into the composer."""
    return session.execute(
        sa.select(
            queries.messages.c.subject, queries.messages.c.body_text, queries.messages.c.channel
        ).where(queries.messages.c.id == message_id)
    ).one_or_none()
