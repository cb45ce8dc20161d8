"""The inbox for programs: `/api/inbox`."""

from datetime import datetime
from typing import Any

from flask import request
from pydantic import BaseModel, Field

from casewell.clients.models import ClientStatus
from casewell.inbox.excerpts import excerpt
from casewell.inbox.forms import InboxQuery, MessagesQuery, NewReply, SearchQuery
from casewell.inbox.narrowing import Narrowing
from casewell.inbox.queries import ConversationList
from casewell.inbox.service import UnifiedInboxService
from casewell.inbox.writers import ReplyDraft
from casewell.kernel import web
from casewell.kernel.access import Role
from casewell.kernel.api import Api
from casewell.kernel.errors import InvalidInput
from casewell.kernel.paging import Page
from casewell.messages.models import Channel, ConversationState, Direction, Lane, MessageStatus

api = Api("inbox", "/inbox", tag="Inbox")
KEY_HEADER = "Idempotency-Key"
MAX_KEY = 64


class ConversationOut(BaseModel):
    """One client's conversation as a list shows it."""

    client_id: int
    conversation_id: int
    name: str
    status: ClientStatus = Field(description="The client's status.")
    state: ConversationState
    channel: Channel = Field(description="Of the last message.")
    direction: Direction = Field(description="Of the last message.")
    preview: str
    last_at: datetime
    last_message_id: int
    unread: int = Field(description="Messages that wait for you.")
    assignee_id: int | None = Field(description="Who has it in hand.")
    assignee: str | None
    snoozed_until: datetime | None
    waiting_since: datetime | None = Field(
        description="The first words of the client that nobody has answered."
    )


class ConversationPage(BaseModel):
    items: list[ConversationOut]
    next: str | None = Field(description="Give it as `cursor` for the next page.")


class MessageOut(BaseModel):
    id: int
    client_id: int
    channel: Channel
    direction: Direction
    subject: str
    body: str
    occurred_at: datetime
    status: MessageStatus
    staff_id: int | None = Field(description="Who wrote it (outbound).")
    staff_name: str | None
    sender_verified: bool | None = Field(description="Whether the sender was proven (inbound).")


class MessagePage(BaseModel):
    items: list[MessageOut]
    next: str | None


class HitOut(BaseModel):
    id: int
    client_id: int
    client_name: str
    channel: Channel
    direction: Direction
    subject: str
    excerpt: str = Field(description="Text around the first hit.")
    occurred_at: datetime


class HitPage(BaseModel):
    items: list[HitOut]
    next: str | None


class UnreadOut(BaseModel):
    """Messages that wait for you."""

    all: int
    email: int
    sms: int
    portal: int
    call: int


class ReplyOut(BaseModel):
    message_id: int
    client_id: int
    status: MessageStatus
    leaves_at: datetime | None = Field(description="Until then it can be taken back.")
    channel: Channel
    to: str = Field(
        description="The address or number it goes to; for the portal, the one they sign in with."
    )
    why: str = Field(description="Why this channel was chosen; empty where you named it.")


def inbox() -> UnifiedInboxService:
    return UnifiedInboxService(web.db(), web.identity(), web.runtime())


def _page(page: Page[Any]) -> dict[str, Any]:
    names = page.items[0]._fields if page.items else ()
    return {"items": [dict(zip(names, row, strict=True)) for row in page.items], "next": page.next}


@api.get(
    "",
    summary="Conversations, newest first",
    query=InboxQuery,
    answers=ConversationPage,
)
def conversations(query: InboxQuery) -> dict[str, Any]:
    """Those you may see, or what the filters leave of them."""
    me = web.identity()
    assignee = {"me": me.staff_id, "none": 0}.get(str(query.assignee), query.assignee)
    assert not isinstance(assignee, str)
    # Who sees only their own clients, or asks for what waits for them, reads a shorter index.
    is_own = query.unread or me.role is Role.CASE_MANAGER
    wanted = ConversationList(
        "mine" if is_own else "all", query.lane, query.state, query.unread, query.waiting
    )
    narrowing = Narrowing(query.client, assignee, query.since, query.tag)
    return _page(
        inbox().get_staff_inbox(
            wanted=wanted, narrowing=narrowing, after=query.cursor, size=query.limit
        )
    )


@api.get(
    "/client/<int:client_id>",
    summary="One client's messages over every channel, newest first",
    query=MessagesQuery,
    answers=MessagePage,
)
def client(client_id: int, query: MessagesQuery) -> dict[str, Any]:
    return _page(
        inbox().get_client_inbox(client_id, since=query.since, after=query.cursor, size=query.limit)
    )


@api.get(
    "/search",
    summary="Search over every message you may see, newest first",
    query=SearchQuery,
    answers=HitPage,
)
def search(query: SearchQuery) -> dict[str, Any]:
    """A hit holds every word; the last word also matches as the beginning of one."""
    page = inbox().search_messages(query.q, after=query.cursor, size=query.limit)
    items = []
    for row in page.items:
        hit = dict(row._mapping)
        text = "".join(piece.text for piece in excerpt(hit.pop("body"), query.q))
        hit["excerpt"] = text or hit["preview"]
        del hit["preview"]
        items.append(hit)
    return {"items": items, "next": page.next}


@api.get("/unread", summary="How many messages wait for you", answers=UnreadOut)
def unread() -> dict[str, int]:
    return counts()


@api.put(
    "/<int:message_id>/read",
    summary="Mark everything up to a message as read, for you alone",
    answers=UnreadOut,
)
def read(message_id: int) -> dict[str, int]:
    service = inbox()
    service.mark_read(message_id)
    return counts()


@api.post(
    "/reply",
    summary="Answer a client",
    body=NewReply,
    answers=ReplyOut,
    status=201,
    errors=(404, 409),
    headers={KEY_HEADER: "8 to 64 characters of your choice: a repeated call sends nothing twice."},
)
def reply(body: NewReply) -> ReplyOut:
    """The message waits for the time to undo, then leaves. Without `channel` one is chosen.

    Where a person should look first (`needs_confirmation`), nothing is sent: `errors` names each
    question, and the same call with these codes in `confirm` goes through.

    Send the same key again after a doubt: the answer is that of the first call.
    """
    key = request.headers.get(KEY_HEADER)
    if key is not None and not (8 <= len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
        raise InvalidInput(f"{KEY_HEADER} has 8 to {MAX_KEY} printable characters.")
    made = inbox().reply(
        ReplyDraft(
            body.client_id,
            body.body,
            body.subject,
            body.to,
            body.cc,
            body.attachments,
            body.channel,
            body.send_at,
            body.seen,
            frozenset(body.confirm),
        ),
        idempotency_key=key,
    )
    return ReplyOut(
        message_id=made.message_id,
        client_id=made.client_id,
        status=made.status,
        leaves_at=made.leaves_at,
        channel=made.channel,
        to=made.to,
        why=made.why,
    )


def counts() -> dict[str, int]:
    waiting = inbox().get_unread_counts()
    return {lane.value: waiting.get(lane, 0) for lane in Lane}
