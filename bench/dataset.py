"""The shared data set, put into Casewell's own tables as an import would have left it."""

from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa

from casewell.clients.models import Client, ClientEmail, ClientPhone, ClientStatus
from casewell.email.models import EmailMessage
from casewell.email.parsed import MailKind
from casewell.inbox.search_walks import INDEXED
from casewell.kernel.access import Role, Scope
from casewell.kernel.crypto import token_hash
from casewell.kernel.runtime import Runtime
from casewell.kernel.search import sqlite_index
from casewell.messages.conversations import rebuild_moved
from casewell.messages.models import (
    Channel,
    Conversation,
    ConversationState,
    Direction,
    MessageStatus,
    UnifiedMessage,
    preview_of,
)
from casewell.messages.position import Position
from casewell.staff.models import ApiToken, Firm, Staff

BATCH = 2_000
MANAGER = 1_000  # beside the staff of the data set: one who sees every client
UNREAD_EACH = 3
STATUSES = {
    "active": ClientStatus.ACTIVE,
    "lead": ClientStatus.LEAD,
    "closed": ClientStatus.COMPLETED,
}


# What the hand-written side needs beside the shared tables: everyone's inbox is a question of ours.
EVERYONES_INDEX = "CREATE INDEX conv_all ON conversation (channel, last_ts DESC, client_id DESC)"


def dataset_of(size: str) -> Any:
    """Return the shared data set, with what is unread made to suit both sides.

    Casewell holds how far a person has read, so what is unread are the newest messages: the last
    three that each fourth client wrote. `unread` maps their ids to clients, oldest first;
    `owner` maps clients to those responsible.
    """
    import gen

    class Dataset(gen.Dataset):  # type: ignore[misc, name-defined]
        def __init__(self, size: str) -> None:
            super().__init__(size)
            self.owner = {one["id"]: one["staff_id"] for one in self.clients()}
            newest: dict[int, deque[int]] = defaultdict(lambda: deque(maxlen=UNREAD_EACH))
            for row in super().messages():
                if row[1] % 4 == 0 and row[3] == "in":
                    newest[row[1]].append(row[0])
            pairs = sorted((one, client) for client, ids in newest.items() for one in ids)
            self.unread = dict(pairs)

        def messages(self, *given: Any, **named: Any) -> Iterator[tuple[Any, ...]]:
            fresh = bool(named.get("salt"))
            for row in super().messages(*given, **named):
                yield (*row[:7], int(not fresh and row[0] not in self.unread))

    return Dataset(size)


def token_of(staff_id: int) -> str:
    return f"bench-token-of-staff-{staff_id}-0123456789abcdef"


def load(runtime: Runtime, dataset: Any) -> None:
    """Fill an empty database: rows first, then the index of the search, heads and counts."""
    with runtime.database.writing() as session:
        connection = session.connection()
        now = runtime.now()
        session.add(
            Firm(
                id=1,
                name="Bench",
                time_zone="UTC",
                second_factor_required=False,
                second_factor_off_reason="measured by a program",
                created_at=now,
            )
        )
        session.flush()
        people = [
            {
                "id": one["id"],
                "name": f"{one['first_name']} {one['last_name']}",
                "email": one["email"],
                "role": Role.CASE_MANAGER,
                "time_zone": "UTC",
                "preferences": {},
                "created_at": now,
            }
            for one in dataset.staff()
        ]
        people.append(
            {
                **people[0],
                "id": MANAGER,
                "name": "Bench Manager",
                "email": "manager@example.test",
                "role": Role.MANAGER,
            }
        )
        connection.execute(sa.insert(Staff), people)
        connection.execute(
            sa.insert(ApiToken),
            [
                {
                    "staff_id": one["id"],
                    "name": "bench",
                    "token_hash": token_hash(token_of(one["id"])),
                    "scopes": [scope.value for scope in Scope],
                    "created_at": now,
                }
                for one in people
            ],
        )
        for batch in _batches(dataset.clients()):
            _clients(connection, batch)
        with _search_rebuilt(connection):
            for batch in _batches(dataset.messages()):
                _messages(connection, batch, dataset.owner)
        _renumber(connection)
    _heads(runtime, dataset)
    _analyze(runtime)


def _clients(connection: sa.Connection, batch: list[dict[str, Any]]) -> None:
    clients, emails, phones, conversations = [], [], [], []
    for one in batch:
        at = datetime.fromtimestamp(one["created_at"], UTC)
        name = f"{one['last_name']}, {one['first_name']}".casefold()
        clients.append(
            {
                "id": one["id"],
                "first_name": one["first_name"],
                "last_name": one["last_name"],
                "sort_name": name,
                "status": STATUSES[one["status"]],
                "main_responsible_id": one["staff_id"],
                "created_at": at,
                "updated_at": at,
            }
        )
        address = one["email"]
        emails.append({"client_id": one["id"], "address": address, "normal_form": address})
        number = one["phone"]
        phones.append({"client_id": one["id"], "e164": number, "as_typed": number})
        conversations.append(
            {"id": one["id"], "client_id": one["id"], "state": ConversationState.OPEN}
        )
    connection.execute(sa.insert(Client), clients)
    connection.execute(sa.insert(ClientEmail), emails)
    connection.execute(sa.insert(ClientPhone), phones)
    connection.execute(sa.insert(Conversation), conversations)


def _messages(
    connection: sa.Connection, batch: list[tuple[Any, ...]], owner: dict[int, int]
) -> None:
    messages, mails = [], []
    for message_id, client_id, channel, direction, subject, body, at, _read in batch:
        inbound = direction == "in"
        moment = datetime.fromtimestamp(at, UTC)
        messages.append(
            {
                "id": message_id,
                "client_id": client_id,
                "conversation_id": client_id,
                "channel": Channel(channel),
                "direction": Direction.INBOUND if inbound else Direction.OUTBOUND,
                "status": MessageStatus.RECEIVED if inbound else MessageStatus.SENT,
                "subject": subject or "",
                "preview": preview_of(body),
                "body_text": body,
                "occurred_at": moment,
                "recorded_at": moment,
                "staff_id": None if inbound else owner[client_id],
                "idempotency_key": f"x{message_id}",
            }
        )
        if channel == "email":
            mails.append(
                {
                    "id": message_id,
                    "rfc_message_id": f"<{message_id}@example.test>",
                    "references": [],
                    "from_address": f"c{client_id}@example.test"
                    if inbound
                    else "office@example.test",
                    "to": [],
                    "cc": [],
                    "reply_to": [],
                    "reply_text": body,
                    "kind": MailKind.MAIL,
                    "defects": [],
                }
            )
    connection.execute(sa.insert(UnifiedMessage.__table__), messages)
    connection.execute(sa.insert(EmailMessage.__table__), mails)


@contextmanager
def _search_rebuilt(connection: sa.Connection) -> Iterator[None]:
    """Leave SQLite's index of the search alone while rows come, then build it at once."""
    if connection.dialect.name != "sqlite":
        yield
        return
    triggers = sqlite_index("messages", INDEXED)[1:]
    for what in ("insert", "delete", "update"):
        connection.exec_driver_sql(f"DROP TRIGGER messages_search_{what}")
    yield
    connection.exec_driver_sql("INSERT INTO messages_search(messages_search) VALUES ('rebuild')")
    for trigger in triggers:
        connection.exec_driver_sql(trigger)


def _heads(runtime: Runtime, dataset: Any) -> None:
    """Make heads and readerships by Casewell's own verb."""
    first_unread: dict[int, int] = {}
    for message_id, client_id in dataset.unread.items():
        first_unread.setdefault(client_id, message_id)
    table = UnifiedMessage.__table__
    for first in range(1, dataset.n_clients + 1, 200):
        with runtime.database.writing() as session:
            for client_id in range(first, min(first + 200, dataset.n_clients + 1)):
                place = None
                if message_id := first_unread.get(client_id):
                    at = session.scalar(
                        sa.select(table.c.occurred_at).where(table.c.id == message_id)
                    )
                    place = Position(at, message_id).before
                rebuild_moved(session, client_id, place)


def _renumber(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":
        for table in ("staff", "clients", "conversations", "messages"):
            connection.exec_driver_sql(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
            )


def _analyze(runtime: Runtime) -> None:
    how = "ANALYZE" if runtime.database.is_sqlite else "VACUUM ANALYZE"
    with runtime.database.session(write=False) as session:  # no transaction on PostgreSQL
        session.execute(sa.text(how))
        session.commit()


def _batches(rows: Any) -> Iterator[list[Any]]:
    rows = iter(rows)
    while batch := list(islice(rows, BATCH)):
        yield batch
