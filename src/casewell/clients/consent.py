"""Who agreed to be texted, at which number, and who asked for it to end: nothing is overwritten.

Each change is a row of its own, with when, how, by whom and in what words. Consent is a client's,
for one number; it doesn't follow the number to somebody else. An opt-out is the number's: whoever
texted STOP gets no more texts, for whichever client they were meant.

Source: 47 CFR 64.1200(a)(10); 16 CFR 310.5(a)(8).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients.errors import OnlyTheyCanStart
from casewell.clients.models import (
    Client,
    ClientPhone,
    ConsentSource,
    ConsentState,
    ContactConsent,
    PreferredChannel,
)
from casewell.ledger.service import Actor, Event, hold, record

WORDS_CHARS = 500
SMS = PreferredChannel.SMS


@dataclass(frozen=True)
class Standing:
    """How it stands with texts to one client at one number; `latest` is what it rests on.

    `by_number`: the number itself opted out, which only a START from it ends.
    """

    state: ConsentState | None
    by_number: bool = False
    latest: ContactConsent | None = None

    @property
    def is_granted(self) -> bool:
        return self.state is ConsentState.GRANTED


def standing(session: Session, client_id: int | None, number: str) -> Standing:
    """Return how it stands; nothing recorded is no consent."""
    if (of_number := _latest(session, None, number)) and not of_number.is_granted:
        return Standing(ConsentState.WITHDRAWN, True, of_number)
    latest = None if client_id is None else _latest(session, client_id, number)
    return Standing(latest.state if latest else None, False, latest)


def is_opted_out(session: Session, number: str) -> bool:
    """Whether the number itself asked for no more texts."""
    return standing(session, None, number).by_number


def history(session: Session, client_id: int, numbers: Sequence[str]) -> Sequence[ContactConsent]:
    """Return what was recorded for a client and for their numbers, newest first."""
    return session.scalars(
        sa.select(ContactConsent)
        .where(
            ContactConsent.channel == SMS,
            sa.or_(
                _said_by(client_id),
                sa.and_(ContactConsent.client_id.is_(None), ContactConsent.address.in_(numbers)),
            ),
        )
        .order_by(ContactConsent.id.desc())
    ).all()


def grant(
    session: Session,
    client_id: int,
    number: str,
    *,
    source: ConsentSource,
    words: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Record that a client agrees to texts at a number. Raises OnlyTheyCanStart."""
    found = standing(session, client_id, number)
    if found.by_number:
        raise OnlyTheyCanStart
    if not found.is_granted:
        _add(session, client_id, number, ConsentState.GRANTED, source, words, actor, now)


def withdraw(
    session: Session,
    client_id: int,
    number: str,
    *,
    source: ConsentSource,
    words: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Record that a client wants no texts at a number."""
    if standing(session, client_id, number).state is not ConsentState.WITHDRAWN:
        _add(session, client_id, number, ConsentState.WITHDRAWN, source, words, actor, now)


def opt_out(
    session: Session,
    number: str,
    *,
    source: ConsentSource,
    words: str,
    actor: Actor,
    now: datetime,
) -> bool:
    """Let a number get no more texts, for any client; return whether that is new."""
    is_new = not is_opted_out(session, number)
    if is_new:
        _for_all(session, number, ConsentState.WITHDRAWN, source, words, actor, now)
    return is_new


def opt_in(
    session: Session,
    number: str,
    *,
    source: ConsentSource,
    words: str,
    actor: Actor,
    now: datetime,
) -> bool:
    """Let a number get texts again, since it asked for them; return whether it had opted out."""
    had_opted_out = is_opted_out(session, number)
    _for_all(session, number, ConsentState.GRANTED, source, words, actor, now)
    return had_opted_out


def clients_with(session: Session, number: str) -> Sequence[int]:
    """Return the ids of clients with a number, in the order in which they are locked."""
    return session.scalars(
        sa.select(ClientPhone.client_id)
        .where(ClientPhone.e164 == number)
        .order_by(ClientPhone.client_id)
    ).all()


def _for_all(
    session: Session,
    number: str,
    state: ConsentState,
    source: ConsentSource,
    words: str,
    actor: Actor,
    now: datetime,
) -> None:
    found = clients_with(session, number)
    for client_id in found:
        hold(session, client_id)
    everyone: list[int | None] = [None, *found]
    for whose in everyone:
        _add(session, whose, number, state, source, words, actor, now)


def _latest(session: Session, client_id: int | None, number: str) -> ContactConsent | None:
    return session.scalars(
        sa.select(ContactConsent)
        .where(
            ContactConsent.channel == SMS,
            ContactConsent.address == number,
            ContactConsent.client_id.is_(None) if client_id is None else _said_by(client_id),
        )
        .order_by(ContactConsent.id.desc())
        .limit(1)
    ).first()


def _said_by(client_id: int) -> sa.ColumnElement[bool]:
    """Whether a word is this client's: it stays theirs where their file was put into another."""
    merged = sa.select(Client.id).where(Client.merged_into_id == client_id)
    return sa.or_(ContactConsent.client_id == client_id, ContactConsent.client_id.in_(merged))


def _add(
    session: Session,
    client_id: int | None,
    number: str,
    state: ConsentState,
    source: ConsentSource,
    words: str,
    actor: Actor,
    now: datetime,
) -> None:
    words = words[:WORDS_CHARS]
    row = ContactConsent(
        client_id=client_id,
        channel=SMS,
        address=number,
        state=state,
        source=source,
        words=words,
        actor_name=actor.name[:200],
        recorded_at=now,
    )
    session.add(row)
    session.flush()
    if client_id is None:
        return
    data = {
        "channel": SMS.value,
        "address": number,
        "state": state.value,
        "source": source.value,
        "words": words,
    }
    kind = f"client.texts_{'allowed' if row.is_granted else 'stopped'}"
    event = Event(client_id, kind, actor, now, data, "client", client_id)
    record(session, event, now=now)
