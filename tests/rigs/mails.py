"""Mail that has come, without a mail server: rows made by the same door as real mail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from casewell.clients.models import Client
from casewell.email.models import EmailMessage
from casewell.email.parsed import MailKind
from casewell.kernel.addresses import normal_form
from casewell.kernel.db import Database
from casewell.messages.intake import Match, match, take_in
from casewell.messages.models import (
    PREVIEW_CHARS,
    Channel,
    Direction,
    MessageStatus,
)


@pytest.fixture
def mail_of(database: Database, clock: Any) -> Callable[..., int]:
    """Takes in a mail of a client (or of a stranger, by address) and returns its message's id.

    Each comes a second after the one before. `out=True` makes it one of ours, long sent.
    """
    count = 0

    def make(
        who: Client | str,
        body: str = "Any news?",
        subject: str = "My report",
        *,
        out: bool = False,
        verified: bool | None = None,
        at: datetime | None = None,
        **columns: Any,
    ) -> int:
        nonlocal count
        count += 1
        at = at or clock.move(seconds=1)
        client = who if isinstance(who, Client) else None
        address = columns.pop("from_address", None) or (
            client.emails[0].address if client else str(who)
        )
        quoted = columns.pop("quoted_text", "")
        ours = {"from_address": "office@firm.example", "to": [{"name": "", "email": address}]}
        theirs = {"from_address": address, "to": [{"name": "", "email": "office@firm.example"}]}
        message = EmailMessage(
            channel=Channel.EMAIL,
            direction=Direction.OUTBOUND if out else Direction.INBOUND,
            status=MessageStatus.SENT if out else MessageStatus.RECEIVED,
            subject=subject,
            preview=" ".join(body.split())[:PREVIEW_CHARS],
            body_text=f"{body}\n{quoted}".strip(),
            reply_text=body,
            quoted_text=quoted,
            occurred_at=at,
            recorded_at=at,
            **{
                "from_name": client.name if client else "",
                "cc": [],
                "reply_to": [],
                "references": [],
                "defects": [],
                "kind": MailKind.MAIL,
                "rfc_message_id": f"<mail{count}@mail.example>",
                **(ours if out else theirs),
                **columns,
            },
        )
        with database.writing() as session:
            to = (
                Match(client_id=client.id)
                if client
                else match(session, Channel.EMAIL, normal_form(address), verified=verified)
            )
            take_in(
                session,
                message,
                to,
                address=normal_form(address),
                name=message.from_name,
                now=clock(),
                reopens=MailKind(message.kind or MailKind.MAIL).from_a_person,
            )
            return message.id

    return make
