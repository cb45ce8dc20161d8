"""What the inbox reads, as statements over columns: no list ever loads an object.

Each statement that reads clients' data holds the viewer's own filter.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Select

from casewell.calls.models import CallLog
from casewell.clients.models import Client
from casewell.clients.queries import clients_visible_as, clients_visible_to
from casewell.email.models import EmailMessage
from casewell.email.parsed import MailKind
from casewell.inbox.access import TRIAGING
from casewell.kernel.access import Identity, Role
from casewell.kernel.db import BigId
from casewell.kernel.types import UTCDateTime
from casewell.messages.models import (
    Attachment,
    Channel,
    Conversation,
    ConversationHead,
    ConversationState,
    Delivery,
    Direction,
    Lane,
    Readership,
    TriageSender,
    TriageState,
    UnifiedMessage,
)
from casewell.messages.queries import senders_visible_to
from casewell.portal.models import ClientMessage
from casewell.sms.models import SMSMessage
from casewell.staff.models import Staff

Scope = Literal["mine", "assigned", "unassigned", "all"]
Keys = tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]

messages = UnifiedMessage.__table__
emails = EmailMessage.__table__
calls = CallLog.__table__
portal = ClientMessage.__table__
texts = SMSMessage.__table__
talks = Conversation.__table__
heads = ConversationHead.__table__
reads = Readership.__table__
clients = Client.__table__
staff = Staff.__table__
READER: sa.BindParameter[int] = sa.bindparam("reader", type_=BigId)
ONE_CLIENT: sa.BindParameter[int] = sa.bindparam("client", type_=clients.c.id.type)
CLIENT_NAME = sa.func.trim(clients.c.first_name + " " + clients.c.last_name)


@dataclass(frozen=True)
class ConversationList:
    """Which conversations: whose, of which lane, in which state (None: in any)."""

    scope: Scope = "mine"
    lane: Lane = Lane.ALL
    state: ConversationState | None = ConversationState.OPEN
    unread_only: bool = False
    waiting_only: bool = False


@cache
def conversations(role: Role, wanted: ConversationList) -> tuple[Select[Any], Keys]:
    """Return the conversations of a list, with the keys that order them, newest first.

    Made once; it is run with {"viewer": the id of who looks, "reader": of whose inbox it is}.
    What is mine, or that of somebody who sees only their own, walks the reader's readerships,
    the rest the heads: both indexes hold the order.
    """
    few = role is Role.CASE_MANAGER and wanted.scope == "unassigned"
    mine = few or wanted.scope in ("mine", "assigned")
    walked = reads if mine else heads
    columns = sa.select(
        talks.c.client_id,
        walked.c.conversation_id,
        CLIENT_NAME.label("name"),
        clients.c.status,
        talks.c.state,
        heads.c.last_channel.label("channel"),
        heads.c.last_direction.label("direction"),
        heads.c.preview,
        walked.c.last_at,
        heads.c.last_message_id,
        sa.func.coalesce(reads.c.unread, 0).label("unread"),
        staff.c.id.label("assignee_id"),
        staff.c.name.label("assignee"),
        talks.c.snoozed_until,
        talks.c.waiting_since,
    )
    same = sa.and_(heads.c.conversation_id == reads.c.conversation_id, heads.c.lane == reads.c.lane)
    if mine:
        query = columns.select_from(reads).join(heads, same).where(reads.c.staff_id == READER)
    else:
        query = columns.select_from(heads).outerjoin(
            reads, sa.and_(same, reads.c.staff_id == READER)
        )
    query = (
        query.join(talks, talks.c.id == walked.c.conversation_id)
        .join(clients, clients.c.id == talks.c.client_id)
        .outerjoin(staff, staff.c.id == talks.c.assignee_id)
        .where(walked.c.lane == wanted.lane, clients_visible_as(role))
    )
    if wanted.state is not None:
        query = query.where(talks.c.state == wanted.state)
    if wanted.unread_only:
        query = query.where(reads.c.unread > 0)
    if wanted.waiting_only:
        query = query.where(talks.c.waiting_since.is_not(None))
    if wanted.scope == "assigned":
        query = query.where(talks.c.assignee_id == READER)
    if wanted.scope == "unassigned":
        query = query.where(talks.c.assignee_id.is_(None))
    return query, (walked.c.last_at, walked.c.conversation_id)


MESSAGE_COLUMNS = (
    messages.c.id,
    messages.c.client_id,
    messages.c.channel,
    messages.c.direction,
    messages.c.subject,
    messages.c.body_text.label("body"),
    messages.c.occurred_at,
    messages.c.status,
    messages.c.staff_id,
    staff.c.name.label("staff_name"),
    messages.c.sender_verified,
)


def messages_with(client_id: int | sa.BindParameter[int]) -> Select[Any]:
    """A client's messages over every channel, but for those taken back before they left."""
    return (
        sa.select(*MESSAGE_COLUMNS)
        .select_from(messages)
        .outerjoin(staff, staff.c.id == messages.c.staff_id)
        .where(messages.c.client_id == client_id, messages.c.status != "undone")
    )


# The same for any client, made once; it is run with {"client": their id}.
MESSAGES_OF_ONE_CLIENT = messages_with(ONE_CLIENT)
# And with {"since": a time}: none from before.
MESSAGES_OF_ONE_CLIENT_SINCE = MESSAGES_OF_ONE_CLIENT.where(
    messages.c.occurred_at >= sa.bindparam("since", type_=UTCDateTime())
)


@cache
def standing(role: Role) -> Select[Any]:
    """Where one {"message"} stands, if it is of a client that {"viewer"} may see."""
    return (
        sa.select(
            messages.c.id,
            messages.c.client_id,
            messages.c.conversation_id,
            messages.c.occurred_at,
            messages.c.status,
        )
        .join(clients, clients.c.id == messages.c.client_id)
        .where(messages.c.id == sa.bindparam("message"), clients_visible_as(role))
    )


@cache
def one_client(role: Role) -> Select[Any]:
    """The id of one client, if the viewer may see them; run with {"client", "viewer"}."""
    return sa.select(clients.c.id).where(clients.c.id == ONE_CLIENT, clients_visible_as(role))


def of_channel(viewer: Identity, lane: Lane) -> Select[Any]:
    """Messages of every client the viewer may see, newest first when paged."""
    query = (
        sa.select(*MESSAGE_COLUMNS)
        .select_from(messages)
        .join(Client, Client.id == messages.c.client_id)
        .outerjoin(staff, staff.c.id == messages.c.staff_id)
        .where(clients_visible_to(viewer), messages.c.status != "undone")
    )
    return query if lane is Lane.ALL else query.where(messages.c.channel == lane.value)


# What a card shows of an e-mail beside what every message has. `html` itself stays where it is.
_HTML = sa.func.lower(sa.func.coalesce(emails.c.html, ""))
EMAIL_COLUMNS = (
    messages.c.is_history,
    messages.c.counts_as_read,
    messages.c.decision,
    emails.c.from_name,
    emails.c.from_address,
    emails.c.to,
    emails.c.cc,
    emails.c.reply_to,
    emails.c.reply_text,
    emails.c.quoted_text,
    emails.c.kind,
    emails.c.must_not_answer,
    emails.c.sender_check,
    emails.c.sender_note,
    emails.c.defects,
    emails.c.asks_to_stop,
    emails.c.html.is_not(None).label("has_html"),
    sa.or_(_HTML.contains("<img"), _HTML.contains("<table")).label("is_designed"),
    sa.and_(_HTML.contains("<img"), _HTML.contains("http")).label("may_load_images"),
    Delivery.id.label("delivery_id"),
    Delivery.due_at,
    Delivery.attempts,
    Delivery.last_error,
    Delivery.held,
    Delivery.recipient,
    Delivery.scheduled_for,
)


CALL_COLUMNS = (calls.c.outcome,)
PORTAL_COLUMNS = (portal.c.seen_at,)
TEXT_COLUMNS = (
    texts.c.segments,
    texts.c.media_count,
    texts.c.may_ask_to_stop,
    texts.c.carrier_status,
    texts.c.carrier_conflict,
)


def with_details(query: Select[Any]) -> Select[Any]:
    """Add to messages what their cards show: their channel's facts and how a delivery stands."""
    return (
        query.add_columns(*EMAIL_COLUMNS, *CALL_COLUMNS, *PORTAL_COLUMNS, *TEXT_COLUMNS)
        .outerjoin(emails, emails.c.id == messages.c.id)
        .outerjoin(calls, calls.c.id == messages.c.id)
        .outerjoin(portal, portal.c.id == messages.c.id)
        .outerjoin(texts, texts.c.id == messages.c.id)
        .outerjoin(Delivery, Delivery.message_id == messages.c.id)
    )


def thread_messages(client_id: int) -> Select[Any]:
    return with_details(messages_with(client_id))


def one_message(viewer: Identity, message_id: int) -> Select[Any]:
    """One message as its card shows it, if its client is the viewer's to see."""
    query = (
        sa.select(*MESSAGE_COLUMNS)
        .select_from(messages)
        .join(Client, Client.id == messages.c.client_id)
        .outerjoin(staff, staff.c.id == messages.c.staff_id)
        .where(messages.c.id == message_id, clients_visible_to(viewer))
    )
    return with_details(query)


def triage_messages(sender_id: int) -> Select[Any]:
    """Messages that wait under one sender for a person to say whose they are."""
    query = (
        sa.select(*MESSAGE_COLUMNS)
        .select_from(messages)
        .outerjoin(staff, staff.c.id == messages.c.staff_id)
        .where(messages.c.triage_sender_id == sender_id, messages.c.client_id.is_(None))
    )
    return with_details(query)


ATTACHMENT_COLUMNS: tuple[Any, ...] = (
    Attachment.id,
    Attachment.message_id,
    Attachment.shown_name,
    Attachment.content_type,
    Attachment.size,
    Attachment.is_inline,
    Attachment.file_key.is_not(None).label("is_kept"),
    Attachment.note,
)


def attachments_of(message_ids: list[int]) -> Select[Any]:
    return (
        sa.select(*ATTACHMENT_COLUMNS)
        .where(Attachment.message_id.in_(message_ids))
        .order_by(Attachment.message_id, Attachment.position)
    )


_HIT = (
    messages.c.id,
    messages.c.client_id,
    CLIENT_NAME.label("client_name"),
    messages.c.channel,
    messages.c.direction,
    messages.c.subject,
    messages.c.preview,
    messages.c.body_text.label("body"),
    messages.c.occurred_at,
)


@cache
def hits(role: Role) -> Select[Any]:
    """Messages by {"ids"}, newest first, of clients that {"viewer"} may see."""
    return (
        sa.select(*_HIT)
        .join(clients, clients.c.id == messages.c.client_id)
        .where(messages.c.id.in_(sa.bindparam("ids", expanding=True)), clients_visible_as(role))
        .order_by(messages.c.occurred_at.desc(), messages.c.id.desc())
    )


def last_inbound_email(client_id: int) -> Select[Any]:
    """The newest mail a person wrote in the client's conversation: what a reply answers.

    Not a bounce or an automatic reply, which nobody would read an answer to.
    """
    return (
        sa.select(
            messages.c.id,
            messages.c.subject,
            emails.c.from_address,
            emails.c.rfc_message_id,
            emails.c.references,
            emails.c.cc,
            emails.c.to,
        )
        .join_from(messages, emails, emails.c.id == messages.c.id)
        .where(
            messages.c.client_id == client_id,
            messages.c.direction == Direction.INBOUND.value,
            emails.c.kind.in_([kind for kind in MailKind if kind.from_a_person]),
        )
        .order_by(messages.c.occurred_at.desc(), messages.c.id.desc())
        .limit(1)
    )


def in_triage_of(viewer: Identity) -> sa.ColumnElement[bool]:
    """Return a condition on messages: they wait in triage, under a sender the viewer may see."""
    if viewer.role not in TRIAGING:
        return sa.false()
    senders = sa.select(TriageSender.id).where(senders_visible_to(viewer))
    return sa.and_(messages.c.client_id.is_(None), messages.c.triage_sender_id.in_(senders))


def triage_message(viewer: Identity, message_id: int) -> Select[Any]:
    """One message that waits in triage, if it is the viewer's to see."""
    columns: tuple[Any, ...] = (messages.c.id,)
    return sa.select(*columns).where(messages.c.id == message_id, in_triage_of(viewer))


def linked_addresses(client_id: int) -> Select[str]:
    """E-mail addresses that a person has linked to a client from triage."""
    return (
        sa.select(TriageSender.address)
        .where(
            TriageSender.client_id == client_id,
            TriageSender.channel == Channel.EMAIL,
            TriageSender.state == TriageState.LINKED,
            TriageSender.unproven.is_(False),
        )
        .order_by(TriageSender.id)
    )


def files_with(client_id: int, most: int) -> Select[Any]:
    """The newest files of a client's messages that are kept."""
    return (
        sa.select(
            Attachment.id,
            Attachment.shown_name,
            Attachment.size,
            messages.c.id.label("message_id"),
            messages.c.occurred_at,
        )
        .join(messages, messages.c.id == Attachment.message_id)
        .where(
            messages.c.client_id == client_id,
            messages.c.status != "undone",
            Attachment.file_key.is_not(None),
        )
        .order_by(messages.c.occurred_at.desc(), messages.c.id.desc(), Attachment.position)
        .limit(most)
    )
