"""What a person does with several conversations at once: the acts of one, in one transaction."""

from collections.abc import Callable, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients.models import Client
from casewell.clients.queries import clients_visible_to
from casewell.inbox.errors import NothingUnread
from casewell.inbox.service import UnifiedInboxService
from casewell.kernel.access import Identity
from casewell.kernel.errors import NotFound
from casewell.kernel.runtime import Runtime
from casewell.ledger.service import Actor
from casewell.messages import states, team
from casewell.messages.errors import MayNotSee
from casewell.messages.models import Conversation, ConversationHead, ConversationState, Lane

Given = tuple[Conversation, int | None]


class Selection:
    """Conversations of clients that the viewer may see; others are as if they were not named.

    Each act returns the conversations that it changed. They come in order of their clients, so
    that two people who select the same ones never wait for each other. Raises NotFound where
    nothing is left.
    """

    def __init__(
        self,
        session: Session,
        viewer: Identity,
        runtime: Runtime,
        actor: Actor,
        client_ids: Sequence[int],
    ) -> None:
        self._session, self._viewer, self._runtime = session, viewer, runtime
        self._actor = actor
        self.talks = session.scalars(
            sa.select(Conversation)
            .join(Client, Client.id == Conversation.client_id)
            .where(Client.id.in_(client_ids), clients_visible_to(viewer))
            .order_by(Conversation.client_id)
        ).all()
        if not self.talks:
            raise NotFound

    def mark_done(self) -> list[Conversation]:
        now = self._runtime.now()
        return self._move(
            ConversationState.DONE,
            lambda talk: states.mark_done(self._session, talk, self._actor, now),
        )

    def reopen(self) -> list[Conversation]:
        now = self._runtime.now()
        return self._move(
            ConversationState.OPEN,
            lambda talk: states.reopen(self._session, talk, self._actor, now),
        )

    def _move(
        self, to: ConversationState, act: Callable[[Conversation], None]
    ) -> list[Conversation]:
        moved = [talk for talk in self.talks if talk.state is not to]
        for talk in moved:
            act(talk)
        return moved

    def snooze(self, until: datetime | None) -> list[Conversation]:
        """Put off those that are not done. Raises SnoozeInThePast."""
        put_off = [talk for talk in self.talks if talk.state is not ConversationState.DONE]
        for talk in put_off:
            states.snooze(self._session, self._runtime, talk, until, self._actor)
        return put_off

    def assign(self, staff_id: int | None, words: str = "") -> list[Given]:
        """Give them to somebody, but for those whose client that person may not see.

        Returns each with whose it was before. Raises MayNotSee where they may see none.
        """
        given = self._assign([(talk, staff_id) for talk in self.talks], words)
        if not given and not any(talk.assignee_id == staff_id for talk in self.talks):
            raise MayNotSee
        return given

    def give_back(self, before: dict[int, int | None]) -> list[Given]:
        """Give each to whoever had it, by client: undoes `assign`."""
        return self._assign([(talk, before.get(talk.client_id)) for talk in self.talks])

    def _assign(self, wanted: list[Given], words: str = "") -> list[Given]:
        given: list[Given] = []
        now = self._runtime.now()
        for talk, staff_id in wanted:
            had = talk.assignee_id
            try:
                changed = team.assign(
                    self._session, talk, staff_id, actor=self._actor, now=now, words=words
                )
            except MayNotSee:
                continue
            if changed:
                given.append((talk, had))
        return given

    def mark_read(self) -> list[Conversation]:
        newest = self._session.scalars(
            sa.select(ConversationHead.last_message_id)
            .where(
                ConversationHead.conversation_id.in_([talk.id for talk in self.talks]),
                ConversationHead.lane == Lane.ALL,
            )
            .order_by(ConversationHead.conversation_id)
        ).all()
        service = UnifiedInboxService(self._session, self._viewer, self._runtime)
        for message_id in newest:
            service.mark_read(message_id)
        return list(self.talks)

    def mark_unread(self) -> list[Conversation]:
        """Let each stand unread again; those in which the client never wrote stay as they are."""
        service = UnifiedInboxService(self._session, self._viewer, self._runtime)
        marked = []
        for talk in self.talks:
            try:
                service.mark_unread(talk.client_id)
            except NothingUnread:
                continue
            marked.append(talk)
        return marked
