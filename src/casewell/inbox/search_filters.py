"""The operators of a search as conditions on messages, for statements that are made once."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import sqlalchemy as sa

from casewell.clients.queries import VIEWER, clients_visible_as
from casewell.inbox import queries
from casewell.kernel.access import Role
from casewell.messages.models import Attachment, Direction

Given = dict[str, Any]
messages = queries.messages
files = Attachment.__table__

TIME, ID = messages.c.occurred_at.type, messages.c.id.type
BEFORE: sa.BindParameter[Any] = sa.bindparam("before", type_=TIME)
BEFORE_ID: sa.BindParameter[int] = sa.bindparam("before_id", type_=ID)
NOT_BEFORE: sa.BindParameter[Any] = sa.bindparam("not_before", type_=TIME)
SENT_BY_CLIENTS: sa.BindParameter[Any] = sa.bindparam("sent_by_clients", expanding=True, type_=ID)
SENT_BY_STAFF: sa.BindParameter[Any] = sa.bindparam("sent_by_staff", expanding=True, type_=ID)
# What the conditions below look at, beside the time and number of a message.
LOOKED_AT = ("client_id", "status", "direction", "channel", "staff_id")


class Sender(Enum):
    A_CLIENT = auto()
    ME = auto()
    # Those that a name or an address means, with colleagues among them or not.
    CLIENTS = auto()
    CLIENTS_AND_STAFF = auto()


@dataclass(frozen=True)
class Sought:
    """Which operators a search has; their values are what its statement is run with."""

    sender: Sender | None = None
    channel: bool = False
    after: bool = False
    has_attachment: bool = False


def shown(role: Role, of: Any, sought: Sought) -> sa.ColumnElement[bool]:
    """Return a condition on messages `of`, joined with `clients`: to be seen, and sought."""
    conditions: list[sa.ColumnElement[bool]] = [
        clients_visible_as(role),
        of.c.status != "undone",
        sa.tuple_(of.c.occurred_at, of.c.id) < sa.tuple_(BEFORE, BEFORE_ID),
    ]
    if sought.channel:
        conditions.append(of.c.channel == sa.bindparam("channel", type_=messages.c.channel.type))
    if sought.after:
        conditions.append(of.c.occurred_at >= NOT_BEFORE)
    if sought.has_attachment:
        conditions.append(
            sa.exists().where(files.c.message_id == of.c.id, files.c.is_inline.is_(False))
        )
    if sought.sender is not None:
        conditions.append(_sent_by(sought.sender, of))
    return sa.and_(*conditions)


def _sent_by(sender: Sender, of: Any) -> sa.ColumnElement[bool]:
    came: sa.ColumnElement[bool] = of.c.direction == Direction.INBOUND
    left: sa.ColumnElement[bool] = of.c.direction == Direction.OUTBOUND
    match sender:
        case Sender.A_CLIENT:
            return came
        case Sender.ME:
            return sa.and_(left, of.c.staff_id == VIEWER)
        case Sender.CLIENTS:
            return sa.and_(came, of.c.client_id.in_(SENT_BY_CLIENTS))
        case Sender.CLIENTS_AND_STAFF:
            return sa.or_(
                sa.and_(came, of.c.client_id.in_(SENT_BY_CLIENTS)),
                sa.and_(left, of.c.staff_id.in_(SENT_BY_STAFF)),
            )
