"""The unified inbox: every word exchanged with the clients one may see, over every channel."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients.queries import find_client
from casewell.inbox import queries
from casewell.inbox.errors import NothingUnread
from casewell.inbox.narrowing import Narrowing
from casewell.inbox.queries import ConversationList
from casewell.inbox.replies import Reply, Replying
from casewell.inbox.search import search
from casewell.inbox.writers import ReplyDraft
from casewell.kernel.access import Identity
from casewell.kernel.db import LARGEST_ID
from casewell.kernel.errors import NotFound
from casewell.kernel.paging import Page, keyset_page
from casewell.kernel.runtime import Runtime
from casewell.messages import readers
from casewell.messages.models import (
    Conversation,
    Direction,
    Lane,
    Readership,
    UnifiedMessage,
)
from casewell.portal import receipts

PAGE = 50
THREAD_PAGE = 30
LONGEST_THREAD_PAGE = 100
BEFORE_A_HIT = 5
MESSAGE_ORDER = (queries.messages.c.occurred_at, queries.messages.c.id)


@dataclass(frozen=True)
class ReadUpTo:
    """Up to where a person has read a conversation; both None: nothing, or not a reader."""

    at: datetime | None = None
    id: int | None = None
    unread: int = 0

    def covers(self, occurred_at: datetime, message_id: int) -> bool:
        if self.at is None or self.id is None:
            return False
        return (occurred_at, message_id) <= (self.at, self.id)


@dataclass(frozen=True)
class Thread:
    """Part of a conversation, oldest first, with the cursors of what lies before and after."""

    messages: Sequence[Any]
    before: str | None
    after: str | None


class UnifiedInboxService:
    """What one person does in the inbox, in one transaction.

    Every method answers only for clients that `viewer` may see; for all others it behaves as if
    they did not exist. Lists are pages of rows in the columns of `inbox.queries`, newest first.
    """

    def __init__(self, session: Session, viewer: Identity, runtime: Runtime) -> None:
        self._session = session
        self._viewer = viewer
        self._runtime = runtime

    def get_client_inbox(
        self,
        client_id: int,
        *,
        since: datetime | None = None,
        after: str | None = None,
        size: int = PAGE,
    ) -> Page[Any]:
        """Return a client's messages over every channel, or those from a time on.

        Raises NotFound or BadCursor.
        """
        self.must_see(client_id)
        query = queries.MESSAGES_OF_ONE_CLIENT
        values: dict[str, Any] = {"client": client_id}
        if since is not None:
            query = queries.MESSAGES_OF_ONE_CLIENT_SINCE
            values |= {"since": since}
        return keyset_page(
            self._session, query, by=MESSAGE_ORDER, after=after, size=size, values=values
        )

    def get_staff_inbox(
        self,
        staff_id: int | None = None,
        wanted: ConversationList = ConversationList(),  # noqa: B008 frozen
        *,
        narrowing: Narrowing = Narrowing(),  # noqa: B008 frozen
        after: str | None = None,
        size: int = PAGE,
    ) -> Page[Any]:
        """Return somebody's conversations, one row per client; None: the viewer's own.

        Of a colleague's it holds those that the viewer may see too. Raises BadCursor.
        """
        query, keys = narrowing.of(self._viewer.role, wanted)
        values = self._reading(staff_id) | narrowing.values
        return keyset_page(self._session, query, by=keys, after=after, size=size, values=values)

    def search_messages(
        self, query: str, *, after: str | None = None, size: int = PAGE
    ) -> Page[Any]:
        """Return the messages that `query` asks for: see `read_search`.

        Raises BadCursor or SearchNotUnderstood.
        """
        return search(self._session, self._viewer, query, after=after, size=size)

    def filter_by_channel(
        self, channel: Lane, *, after: str | None = None, size: int = PAGE
    ) -> Page[Any]:
        """Return the messages of one channel, whoever the client. Raises BadCursor."""
        return keyset_page(
            self._session,
            queries.of_channel(self._viewer, channel),
            by=MESSAGE_ORDER,
            after=after,
            size=size,
        )

    def get_unread_counts(self) -> dict[Lane, int]:
        """Return how many messages wait for the viewer, by lane; `all` is their sum."""
        return readers.unread_counts(self._session, self._viewer)

    def mark_read(self, message_id: int) -> None:
        """Count everything up to this message as read by the viewer, for nobody else.

        Raises NotFound.
        """
        row = self._standing(message_id)
        readers.mark_read(self._session, self._viewer.staff_id, row)
        receipts.seen_by_firm(
            self._session, row.conversation_id, row.occurred_at, row.id, self._runtime.now()
        )

    def mark_unread(self, client_id: int) -> None:
        """Let the client's last message stand unread again. Raises NotFound or NothingUnread."""
        self.must_see(client_id)
        last = self._session.scalars(
            sa.select(UnifiedMessage)
            .where(
                UnifiedMessage.client_id == client_id,
                UnifiedMessage.direction == Direction.INBOUND,
            )
            .order_by(UnifiedMessage.occurred_at.desc(), UnifiedMessage.id.desc())
            .limit(1)
        ).first()
        if last is None:
            raise NothingUnread
        readers.mark_unread(self._session, self._viewer.staff_id, last)

    def read_up_to(self, client_id: int) -> ReadUpTo:
        """Return what the viewer has read of a conversation."""
        row = self._session.execute(
            sa.select(Readership.read_up_to_at, Readership.read_up_to_id, Readership.unread)
            .join(Conversation, Conversation.id == Readership.conversation_id)
            .where(
                Conversation.client_id == client_id,
                Readership.staff_id == self._viewer.staff_id,
                Readership.lane == Lane.ALL,
            )
        ).one_or_none()
        return ReadUpTo() if row is None else ReadUpTo(*row)

    def get_conversation_thread(
        self,
        client_id: int,
        *,
        before: str | None = None,
        after: str | None = None,
        around: int | None = None,
        at: datetime | None = None,
        size: int = THREAD_PAGE,
    ) -> Thread:
        """Return a part of a client's conversation, oldest first, with details of each message.

        Without bounds it is the newest part; `before` and `after` are cursors of an earlier
        answer; `around` is a message to have in sight, `at` a time. Raises NotFound or BadCursor.
        """
        self.must_see(client_id)
        query = queries.thread_messages(client_id)
        keys = MESSAGE_ORDER
        size = min(size, LONGEST_THREAD_PAGE)
        if after is not None:
            newer = keyset_page(
                self._session, query, by=keys, after=after, size=size, ascending=True
            )
            return Thread(newer.items, None, newer.next)
        if around is not None:
            return self._thread_around(client_id, self._place(client_id, around), size)
        if at is not None:
            return self._thread_around(client_id, (at, 0), size)
        older = keyset_page(self._session, query, by=keys, after=before, size=size)
        return Thread(older.items[::-1], older.next, None)

    def _place(self, client_id: int, message_id: int) -> tuple[datetime, int]:
        table = queries.messages.c
        here = self._session.execute(
            sa.select(table.occurred_at, table.id).where(
                table.id == message_id, table.client_id == client_id
            )
        ).one_or_none()
        if here is None:
            raise NotFound
        return here.occurred_at, here.id

    def _thread_around(self, client_id: int, here: tuple[datetime, int], size: int) -> Thread:
        query, keys = queries.thread_messages(client_id), MESSAGE_ORDER
        mark = sa.tuple_(*keys)
        older = keyset_page(self._session, query.where(mark < here), by=keys, size=BEFORE_A_HIT)
        newer = keyset_page(
            self._session, query.where(mark >= here), by=keys, size=size, ascending=True
        )
        return Thread([*older.items[::-1], *newer.items], older.next, newer.next)

    def reply(self, draft: ReplyDraft, *, idempotency_key: str | None = None) -> Reply:
        """Queue an answer to a client; it leaves after the time to undo.

        The same key of the same person gives the first call's result. Raises NotFound for a
        client, an attachment or a message that isn't the viewer's, RecipientUnknown,
        SendingRefused, NeedsConfirmation, KeyUsedElsewhere or InvalidInput.
        """
        client = find_client(self._session, self._viewer, draft.client_id)
        return Replying(self._session, self._viewer, self._runtime).send(
            client, draft, idempotency_key
        )

    def get_list_row(self, client_id: int, wanted: ConversationList) -> Any | None:
        """Return one client's row of a list, None where the list does not hold them."""
        query, _ = queries.conversations(self._viewer.role, wanted)
        return self._session.execute(
            query.where(Conversation.client_id == client_id), self._reading()
        ).one_or_none()

    def get_message(self, message_id: int) -> Any:
        """Return one message with its details. Raises NotFound."""
        if message_id > LARGEST_ID:
            raise NotFound
        row = self._session.execute(queries.one_message(self._viewer, message_id)).one_or_none()
        if row is None:
            raise NotFound
        return row

    def _reading(self, staff_id: int | None = None) -> dict[str, int]:
        """Return whose list it is and who looks, as a statement of conversations takes them."""
        own = self._viewer.staff_id
        return {"viewer": own, "reader": own if staff_id is None else staff_id}

    def must_see(self, client_id: int) -> None:
        """Raise NotFound for a client that is not the viewer's to see."""
        if client_id > LARGEST_ID:
            raise NotFound
        given = {"client": client_id, "viewer": self._viewer.staff_id}
        if self._session.scalar(queries.one_client(self._viewer.role), given) is None:
            raise NotFound

    def _standing(self, message_id: int) -> sa.Row[Any]:
        if message_id > LARGEST_ID:
            raise NotFound
        given = {"message": message_id, "viewer": self._viewer.staff_id}
        row = self._session.execute(queries.standing(self._viewer.role), given).one_or_none()
        if row is None:
            raise NotFound
        return row
