"""Answering in the portal: to the one place that the client alone can open."""

from collections.abc import Sequence
from functools import cached_property

import sqlalchemy as sa

from casewell.inbox.writers import Destination, ReplyDraft, Writer
from casewell.kernel.access import Identity
from casewell.kernel.crypto import new_token
from casewell.messages.models import Channel, UnifiedMessage, preview_of
from casewell.portal.models import ClientAccount, ClientMessage


class PortalWriter(Writer):
    channel = Channel.PORTAL

    @cached_property
    def destinations(self) -> Sequence[Destination]:
        """The portal, where the client has an account; the gate says whether it is turned on."""
        return [self.asked(Destination(Channel.PORTAL, "", ""))] if self._signs_in_with else []

    def probe(self) -> UnifiedMessage:
        return ClientMessage()

    def recipient(self, to: Destination) -> str:
        return self._signs_in_with or ""

    def write(self, draft: ReplyDraft, to: Destination, viewer: Identity) -> UnifiedMessage:
        body = draft.body.strip()
        return ClientMessage(
            client_id=self.client.id,
            channel=Channel.PORTAL,
            preview=preview_of(body),
            body_text=body,
            staff_id=viewer.staff_id,
            public_id=new_token(),
        )

    @cached_property
    def _signs_in_with(self) -> str | None:
        return self.session.scalar(
            sa.select(ClientAccount.email).where(ClientAccount.client_id == self.client.id)
        )
