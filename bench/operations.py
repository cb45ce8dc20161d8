"""What is measured: each operation asked of both sides, and how their answers are compared."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Answer = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """One operation. `ours` and `theirs` are requests in the words of the shared driver.

    `asked_by`: the staff member of the round, the one responsible for the client in question,
    or a manager, who sees every client. `ours_says` and `theirs_says` take from an answer what
    must be equal on both sides.
    """

    words: str
    ours: dict[str, Any]
    theirs: dict[str, Any]
    ours_says: Callable[[Answer], Any]
    theirs_says: Callable[[Answer], Any]
    asked_by: Literal["staff", "responsible", "manager"] = "staff"
    changes: bool = False


def _column(*names: str) -> Callable[[Answer], Any]:
    return lambda answer: [tuple(row[name] for name in names) for row in answer["items"]]


def _waiting(answer: Answer) -> Any:
    channels = ("email", "sms", "portal", "call")
    return {
        str(number): answer[name] for number, name in enumerate(channels) if answer.get(name, 0)
    }


def _read(path: str) -> dict[str, Any]:
    return {"path": path, "rows": "items"}


def _walk(start: str, cursor: str) -> dict[str, Any]:
    path = f"{start}&{cursor}={{cursor}}"
    follow = {"start": start, "next": "next", "path": path, "pages": 99}
    return {"walk": follow, "rows": "items"}


HEADS = _column("client_id", "unread")
IDS = _column("id")
OPERATIONS = {
    "A": Operation(
        "my inbox, first 50",
        _read("/api/inbox?status=any"),
        _read("/inbox?staff={staff_id}"),
        HEADS,
        HEADS,
    ),
    "B": Operation(
        "everyone's inbox, 100th page",
        _walk("/api/inbox?status=any", "cursor"),
        _walk("/conversations?", "after"),
        _column("client_id"),
        _column("client_id"),
        asked_by="manager",
    ),
    "C": Operation(
        "one channel",
        _read("/api/inbox?status=any&channel={channel}"),
        _read("/inbox?staff={staff_id}&channel={channel}"),
        HEADS,
        HEADS,
    ),
    "D": Operation(
        "unread counts",
        {"path": "/api/inbox/unread"},
        {"path": "/unread?staff={staff_id}"},
        _waiting,
        lambda answer: answer["counts"],
    ),
    "E": Operation(
        "a client's thread, newest 50",
        _read("/api/inbox/client/{client_id}"),
        _read("/clients/{client_id}/thread"),
        _column("id", "body"),
        _column("id", "body"),
        asked_by="responsible",
    ),
    "E_busiest": Operation(
        "the busiest clients' threads",
        _read("/api/inbox/client/{busy_client_id}"),
        _read("/clients/{busy_client_id}/thread"),
        IDS,
        IDS,
        asked_by="responsible",
    ),
    "F": Operation(
        "search of the whole firm",
        _read("/api/inbox/search?q={q_mid}&limit=20"),
        _read("/search/begins?q={q_mid}"),
        IDS,
        IDS,
        asked_by="manager",
    ),
    "F_mine": Operation(
        "search of one's own clients",
        _read("/api/inbox/search?q={q_mid}&limit=20"),
        _read("/search/begins?q={q_mid}&staff={staff_id}"),
        IDS,
        IDS,
    ),
    "G": Operation(
        "mark read",
        {"method": "PUT", "path": "/api/inbox/{unread_id}/read", "once": True},
        {"method": "POST", "path": "/messages/{unread_id}/read", "once": True},
        lambda answer: True,
        lambda answer: answer["changed"],
        asked_by="responsible",
        changes=True,
    ),
}
TAKING_IN = ("H", "take one message in (in process)")
