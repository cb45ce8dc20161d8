"""Answering by text: to a number of the client's, the one they last texted from first."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import sqlalchemy as sa

from casewell.clients.models import ClientPhone
from casewell.clients.phones import shown
from casewell.inbox.writers import Destination, ReplyDraft, Writer
from casewell.kernel.access import Identity
from casewell.kernel.errors import InvalidInput
from casewell.kernel.runtime import Runtime
from casewell.messages.models import Channel, Direction, UnifiedMessage, preview_of
from casewell.providers.sms import SMSSender
from casewell.sms.characters import readable
from casewell.sms.limits import spent
from casewell.sms.models import SMSMessage
from casewell.sms.segments import segments


class SMSWriter(Writer):
    channel = Channel.SMS

    @classmethod
    def is_set_up(cls, runtime: Runtime) -> bool:
        return runtime.provider(SMSSender).kind != "off"

    @cached_property
    def destinations(self) -> Sequence[Destination]:
        rows = self.session.execute(
            sa.select(ClientPhone.e164, ClientPhone.label)
            .where(ClientPhone.client_id == self.client.id)
            .order_by(ClientPhone.position, ClientPhone.id)
        ).all()
        found = [Destination(Channel.SMS, row.e164, shown(row.e164), row.label) for row in rows]
        used = self._last_used() if len(found) > 1 else None
        found.sort(key=lambda one: one.address != used)
        asked = [self.asked(one) for one in found]
        return sorted(asked, key=lambda one: one.blocked != "")

    def probe(self) -> UnifiedMessage:
        return SMSMessage()

    def write(self, draft: ReplyDraft, to: Destination, viewer: Identity) -> UnifiedMessage:
        if draft.cc:
            text = "Nobody can be copied in on a text."
            raise InvalidInput(text, fields={"cc": text})
        body = readable(draft.body.strip())
        return SMSMessage(
            client_id=self.client.id,
            channel=Channel.SMS,
            preview=preview_of(body),
            body_text=body,
            staff_id=viewer.staff_id,
            from_number=self.runtime.settings.twilio_sender,
            to_number=to.address,
            segments=segments(body).count if body else 1,
        )

    def asked(self, to: Destination) -> Destination:
        found = super().asked(to)
        if found.blocked:
            return found
        return replace(found, blocked=spent(self.session, self.runtime, to.address))

    def _last_used(self) -> str | None:
        """Return the number the client last texted from."""
        return self.session.scalar(
            sa.select(SMSMessage.from_number)
            .where(
                SMSMessage.client_id == self.client.id,
                SMSMessage.direction == Direction.INBOUND,
            )
            .order_by(SMSMessage.occurred_at.desc(), SMSMessage.id.desc())
            .limit(1)
        )
