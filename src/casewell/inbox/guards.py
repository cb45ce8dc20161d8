"""Questions before an answer goes out: whether it is the right client's, and still needed."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients.models import Client, folded
from casewell.clients.queries import clients_visible_to
from casewell.inbox.errors import NeedsConfirmation
from casewell.inbox.queries import messages, staff
from casewell.inbox.writers import ReplyDraft
from casewell.kernel.access import Identity
from casewell.messages.models import Direction, MessageStatus

WORD = re.compile(r"[^\W\d_][\w'’.-]*")
LONGEST_NAME = 4  # words
MOST_NAMES = 400


def ask_first(
    session: Session,
    viewer: Identity,
    client: Client,
    draft: ReplyDraft,
    *,
    outsiders: Sequence[str],
) -> None:
    """Raise NeedsConfirmation with every question that `draft` has not answered yet.

    `outsiders` are those copied in who are neither this client nor the firm.
    """
    asked: dict[str, str] = {}
    if outsiders:
        asked["copied_to_outsiders"] = (
            f"{_joined(outsiders)} {'is' if len(outsiders) == 1 else 'are'} not on the file of "
            f"{client.name or 'this client'}. Whoever is copied reads all of it."
        )
    if named := another_client_named(session, viewer, client, draft.body):
        asked["another_client_named"] = (
            f"It names {_joined(named)}, but goes to {client.name or 'this client'}."
        )
    if draft.seen is not None and (answer := answered_meanwhile(session, viewer, client, draft)):
        asked["answered_meanwhile"] = (
            f"{answer} answered {client.name or 'this client'} while you wrote. Read that first."
        )
    open_questions: Mapping[str, str] = {
        code: text for code, text in asked.items() if code not in draft.confirmed
    }
    if open_questions:
        raise NeedsConfirmation(open_questions)


def answered_meanwhile(
    session: Session, viewer: Identity, client: Client, draft: ReplyDraft
) -> str | None:
    """Return the colleague who wrote to the client since the newest message the draft knows of."""
    return session.scalar(
        sa.select(staff.c.name)
        .select_from(messages)
        .join(staff, staff.c.id == messages.c.staff_id)
        .where(
            messages.c.client_id == client.id,
            messages.c.id > draft.seen,
            messages.c.direction == Direction.OUTBOUND,
            messages.c.status != MessageStatus.UNDONE,
            messages.c.staff_id != viewer.staff_id,
        )
        .order_by(messages.c.id.desc())
        .limit(1)
    )


def another_client_named(
    session: Session, viewer: Identity, client: Client, text: str
) -> Sequence[str]:
    """Return the full names in a text of other clients whom the viewer may see."""
    own = {client.sort_name, folded(f"{client.first_name}, {client.last_name}")}
    names = list(dict.fromkeys(name for name in _names(text) if name not in own))[:MOST_NAMES]
    if not names:
        return []
    found = session.execute(
        sa.select(Client.first_name, Client.last_name)
        .where(
            Client.sort_name.in_(names),
            Client.id != client.id,
            Client.merged_into_id.is_(None),
            clients_visible_to(viewer),
        )
        .order_by(Client.id)
        .limit(3)
    ).all()
    mine = client.name.casefold()
    full = [f"{row.first_name} {row.last_name}" for row in found]
    return [name for name in dict.fromkeys(full) if name.casefold() != mine]


def _names(text: str) -> Iterator[str]:
    """Yield what may be a name in a text, as `Client.sort_name` would hold it."""
    words = list(WORD.finditer(text))
    apart = {
        second.start()
        for first, second in pairwise(words)
        if text[first.end() : second.start()].strip() or _ends_a_sentence(first.group())
    }
    for at, first in enumerate(words):
        if not first.group()[0].isupper():
            continue
        for end in range(at + 2, min(at + LONGEST_NAME, len(words)) + 1):
            if words[end - 1].start() in apart:
                break
            parts = [word.group().rstrip(".,'’-") for word in words[at:end]]
            for split in range(1, len(parts)):
                given, family = " ".join(parts[:split]), " ".join(parts[split:])
                yield folded(f"{family}, {given}")


def _ends_a_sentence(word: str) -> bool:
    """Whether the stop after a word ends more than an initial."""
    return word.endswith(".") and len(word) > len("J.")


def _joined(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
