"""Answering by e-mail: to the client's own address, threaded below the mail it answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from casewell.clients.models import ClientEmail
from casewell.email.addresses import is_mailbox
from casewell.email.incoming import own_addresses
from casewell.email.models import EmailMessage
from casewell.email.threading import (
    base_subject,
    is_inside,
    make_message_id,
    references_for_reply,
)
from casewell.inbox import queries
from casewell.inbox.writers import Destination, ReplyDraft, Writer
from casewell.kernel.access import Identity
from casewell.kernel.addresses import normal_form
from casewell.kernel.errors import InvalidInput
from casewell.messages.models import Channel, UnifiedMessage, preview_of
from casewell.staff.models import Firm

MOST_OTHERS = 20
CAME_BACK = "Mail to this address came back."


@dataclass(frozen=True)
class LastMail:
    """What the newest mail a person wrote means for an answer: `others` are no client's."""

    sender: str
    subject: str
    others: Sequence[str]
    row: Any


class EmailWriter(Writer):
    channel = Channel.EMAIL

    @cached_property
    def last(self) -> LastMail | None:
        row = self.session.execute(queries.last_inbound_email(self.client.id)).one_or_none()
        if row is None:
            return None
        inside = self._own | own_addresses(self.session, self.runtime)
        named = [row.from_address, *(one["email"] for one in (*(row.to or ()), *(row.cc or ())))]
        outside = {normal_form(one): one for one in named if one and not is_inside(one, inside)}
        subject = base_subject(row.subject)
        return LastMail(
            sender=normal_form(row.from_address),
            subject=f"Re: {subject}" if subject else "",
            others=list(outside.values())[:MOST_OTHERS],
            row=row,
        )

    @cached_property
    def destinations(self) -> Sequence[Destination]:
        """The address they last wrote from first, if it is theirs; a Reply-To never counts."""
        found = [
            Destination(
                Channel.EMAIL,
                row.address,
                row.address,
                row.label,
                blocked=CAME_BACK if row.bounced_at else "",
            )
            for row in self._on_file
        ]
        on_file = {row.normal_form for row in self._on_file}
        found += [
            Destination(Channel.EMAIL, address, address, "linked")
            for address in self._linked
            if address not in on_file
        ]
        used = self.last.sender if self.last else ""
        found.sort(key=lambda one: (one.blocked != "", normal_form(one.address) != used))
        return [self.asked(found[0]), *found[1:]] if found else []

    def probe(self) -> UnifiedMessage:
        return EmailMessage()

    def recipient(self, to: Destination) -> str:
        return normal_form(to.address)

    def same(self, one: str, other: str) -> bool:
        return normal_form(one) == normal_form(other)

    def write(self, draft: ReplyDraft, to: Destination, viewer: Identity) -> UnifiedMessage:
        settings = self.runtime.settings
        subject = draft.subject or (self.last.subject if self.last else "")
        if not subject:
            raise InvalidInput("Write a subject.", fields={"subject": "Write a subject."})
        answered = self.last.row.rfc_message_id if self.last else None
        body = draft.body.strip()
        return EmailMessage(
            client_id=self.client.id,
            channel=Channel.EMAIL,
            subject=subject,
            preview=preview_of(body),
            body_text=body,
            reply_text=body,
            staff_id=viewer.staff_id,
            rfc_message_id=make_message_id(settings.mail_from.rpartition("@")[2]),
            in_reply_to=answered,
            references=list(references_for_reply(self.last.row.references or (), answered))
            if self.last and answered
            else [],
            from_name=settings.mail_from_name or self._firm_name(),
            from_address=settings.mail_from,
            to=[{"name": self.client.name, "email": to.address}],
            cc=[{"name": "", "email": address} for address in _copies(draft.cc)],
        )

    def outsiders(self, copied: Sequence[str]) -> list[str]:
        """Return who of those copied in is neither this client nor the firm."""
        inside = self._own | own_addresses(self.session, self.runtime)
        return [one for one in copied if not is_inside(one, inside)]

    @cached_property
    def _on_file(self) -> Sequence[sa.Row[str, str, str, datetime | None]]:
        return self.session.execute(
            sa.select(
                ClientEmail.address,
                ClientEmail.normal_form,
                ClientEmail.label,
                ClientEmail.bounced_at,
            )
            .where(ClientEmail.client_id == self.client.id)
            .order_by(ClientEmail.position, ClientEmail.id)
        ).all()

    @cached_property
    def _linked(self) -> Sequence[str]:
        return self.session.scalars(queries.linked_addresses(self.client.id)).all()

    @property
    def _own(self) -> set[str]:
        return {row.normal_form for row in self._on_file} | set(self._linked)

    def _firm_name(self) -> str:
        return self.session.scalar(sa.select(Firm.name)) or ""


def _copies(addresses: Sequence[str]) -> list[str]:
    unique: dict[str, str] = {}
    for address in addresses:
        if not is_mailbox(address):
            raise InvalidInput(
                "Check the addresses in Cc.", fields={"cc": f"{address} is not an e-mail address."}
            )
        unique.setdefault(normal_form(address), address)
    return list(unique.values())
