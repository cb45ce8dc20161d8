"""One inbound message, from whose it is to the index of the search: a transaction for each."""

import time
from datetime import UTC, datetime
from typing import Any

from casewell.email.models import EmailMessage
from casewell.email.parsed import MailKind
from casewell.kernel.runtime import Runtime
from casewell.messages import intake
from casewell.messages.models import Channel, Direction, MessageStatus, preview_of

WARM = 20
SALT = 7


def casewell(runtime: Runtime, data: Any, n: int) -> dict[str, float]:
    times = []
    for message in data.messages(n=n + WARM, salt=SALT):
        started = time.perf_counter()
        take_one_in(runtime, message, at=datetime.fromtimestamp(message[6], UTC))
        times.append(time.perf_counter() - started)
    return summary(times[WARM:])


def take_one_in(runtime: Runtime, message: tuple[Any, ...], *, at: datetime) -> None:
    """Take a message of the data set in as a mail of its client, in a transaction of its own."""
    number, client_id, _channel, _direction, subject, body, _moment, _read = message
    address = f"c{client_id}@example.test"
    with runtime.database.writing() as session:
        found = intake.match(session, Channel.EMAIL, address, verified=None)
        row = EmailMessage(
            channel=Channel.EMAIL,
            direction=Direction.INBOUND,
            status=MessageStatus.RECEIVED,
            subject=subject or "",
            preview=preview_of(body),
            body_text=body,
            occurred_at=at,
            recorded_at=at,
            idempotency_key=f"h{number}",
            rfc_message_id=f"<h{number}@example.test>",
            references=[],
            from_address=address,
            to=[],
            cc=[],
            reply_to=[],
            reply_text=body,
            kind=MailKind.MAIL,
            defects=[],
        )
        intake.take_in(session, row, found, address=address, name="", now=at)


def by_hand(store: Any, data: Any, n: int) -> dict[str, float]:
    times = []
    for message in data.messages(n=n + WARM, salt=SALT):
        number, client_id, channel, _direction, subject, body, moment, _read = message
        started = time.perf_counter()
        store.ingest(f"h{number}", f"c{client_id}@example.test", channel, moment, subject, body)
        times.append(time.perf_counter() - started)
    return summary(times[WARM:])


def summary(times: list[float]) -> dict[str, float]:
    times = sorted(times)
    return {
        "p50_ms": times[len(times) // 2] * 1e3,
        "p95_ms": times[int(len(times) * 0.95)] * 1e3,
        "per_second": len(times) / sum(times),
    }
