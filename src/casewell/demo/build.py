"""Making the demo firm: the same people and the same words each time, dated back from now."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients import consent
from casewell.clients.models import (
    SSN_CONTEXT,
    Client,
    ClientEmail,
    ClientPhone,
    ClientStatus,
    ConsentSource,
    PreferredChannel,
)
from casewell.demo import documents, notes, oddities, tags, told
from casewell.demo.mail_in import tell_how_mail_came
from casewell.demo.moments import UNREAD_CLIENTS, moments_of
from casewell.demo.people import FIRM_NAME, FIRM_ZONE, STAFF, DemoClient, demo_clients
from casewell.demo.writing import Writer
from casewell.kernel.access import Identity
from casewell.kernel.addresses import normal_form
from casewell.kernel.runtime import Runtime
from casewell.kernel.types import Sealed
from casewell.ledger.models import ActivityEvent
from casewell.ledger.service import Actor, Event, record
from casewell.messages.conversations import conversation_of, rebuild_moved
from casewell.messages.models import ConversationState, Snooze
from casewell.messages.position import Position
from casewell.portal.models import ClientAccount
from casewell.portal.publishing import Publishing
from casewell.providers.files import FileStore
from casewell.staff.models import Firm, Staff
from casewell.staff.passwords import hash_password

# By their number: some conversations that somebody put off.
SNOOZED = frozenset({21, 26, 33})
SEED = 20_261_124
CLIENTS = 60
MONTHS = 18
PASSWORD = "harbor-light-on-oak-street"  # noqa: S105 of a firm that doesn't exist
# How many of the first clients sign in at the portal, with the same password.
IN_THE_PORTAL = 2
TOLD_IN_THE_PORTAL = ("client.created", "client.status_changed")

Progress = Callable[[int, int], None]


def build(
    session: Session, runtime: Runtime, *, scale: int = 1, progress: Progress | None = None
) -> None:
    """Fill an empty database. `scale` multiplies the clients; time grows with it, memory not."""
    random = Random(SEED)  # noqa: S311 the same firm each time
    now = runtime.now()
    staff = _staff(session, now)
    total = CLIENTS * scale
    with Writer(session, runtime.provider(FileStore), staff) as writer:
        for number, demo in enumerate(demo_clients(random, total)):
            client = _client(session, demo, staff, now)
            if number < IN_THE_PORTAL:
                _account(session, client, staff[0], demo.email, now)
            _history(session, writer, random, client, demo, staff, now, number)
            if progress is not None:
                progress(number + 1, total)
        oddities.add(session, writer, now)
    notes.add(session, staff, now)
    tags.add(session, staff, now)
    documents.add(session, runtime, staff, now)
    told.add(session, now)
    tell_how_mail_came(session, runtime, staff[0], now)


def _staff(session: Session, now: datetime) -> list[Staff]:
    session.add(
        Firm(
            id=1,
            name=FIRM_NAME,
            time_zone=FIRM_ZONE,
            second_factor_required=False,
            second_factor_off_reason="This is a demonstration; nobody's data is in it.",
            is_demo=True,
            created_at=now - timedelta(days=30 * MONTHS),
        )
    )
    password_hash = hash_password(PASSWORD)
    people = [
        Staff(
            name=one.name,
            email=one.email,
            role=one.role,
            time_zone=one.time_zone,
            password_hash=password_hash,
            preferences={},
            created_at=now - timedelta(days=30 * MONTHS),
        )
        for one in STAFF
    ]
    session.add_all(people)
    session.flush()
    return people


def _client(session: Session, demo: DemoClient, staff: list[Staff], now: datetime) -> Client:
    since = now - timedelta(days=30 * demo.months_ago + 20)
    client = Client(
        reference=demo.reference,
        status=demo.status,
        main_responsible_id=staff[demo.main].id,
        second_responsible_id=staff[demo.second].id if demo.second is not None else None,
        street=demo.street,
        city=demo.city,
        state=demo.state,
        postal_code=demo.postal_code,
        time_zone=demo.time_zone,
        language=demo.language,
        preferred_channel=PreferredChannel.EMAIL,
        created_at=since,
        updated_at=since,
        emails=[ClientEmail(address=demo.email, normal_form=normal_form(demo.email), position=0)],
        phones=[ClientPhone(e164=demo.phone, as_typed=demo.phone_as_typed, position=0)],
    )
    client.rename(demo.first_name, demo.last_name)
    if demo.ssn is not None:
        client.ssn, client.ssn_last4 = Sealed.seal(demo.ssn, SSN_CONTEXT), demo.ssn[-4:]
    session.add(client)
    session.flush()
    owner = Actor.of_staff(staff[0])
    event = Event(client.id, "client.created", owner, since, {"name": client.name})
    record(session, event, now=since)
    consent.grant(
        session,
        client.id,
        demo.phone,
        source=ConsentSource.STAFF,
        words="Signed the intake form, version 3.",
        actor=owner,
        now=since,
    )
    if demo.status is not ClientStatus.LEAD:
        at = since + timedelta(days=3)
        change = {"from": "lead", "to": demo.status.value}
        record(session, Event(client.id, "client.status_changed", owner, at, change), now=at)
    return client


def _account(session: Session, client: Client, staff: Staff, email: str, now: datetime) -> None:
    account = ClientAccount(
        client_id=client.id,
        email=normal_form(email),
        password_hash=staff.password_hash,
        created_at=client.created_at,
        last_sign_in_at=now,
        last_seen_at=now,
    )
    session.add(account)
    at = client.created_at + timedelta(days=4)
    actor = Actor.of_staff(staff)
    event = Event(client.id, "portal.invited", actor, at, {"email": account.email})
    record(session, event, now=at)
    publishing = Publishing(
        session, Identity(staff.id, staff.role, "session"), client.id, actor, at
    )
    told = sa.select(ActivityEvent.id).where(
        ActivityEvent.client_id == client.id, ActivityEvent.kind.in_(TOLD_IN_THE_PORTAL)
    )
    for event_id in session.scalars(told).all():
        publishing.publish(event_id)


def _history(
    session: Session,
    writer: Writer,
    random: Random,
    client: Client,
    demo: DemoClient,
    staff: Sequence[Staff],
    now: datetime,
    number: int,
) -> None:
    conversation = conversation_of(session, client.id)
    moments = sorted(moments_of(random, demo, staff, now, number), key=lambda one: one.at)
    ids = writer.write(client, demo.email, conversation.id, moments)
    unread_after = None
    if number < UNREAD_CLIENTS:
        theirs = [
            Position(moment.at, message_id)
            for moment, message_id in zip(moments, ids, strict=True)
            if moment.line.by_client
        ]
        unread_after = theirs[-1 - number % 2].before
    rebuild_moved(session, conversation.id, unread_after)
    conversation.assignee_id = staff[demo.main].id if number % 7 else None
    if demo.is_closed:
        conversation.state = ConversationState.DONE
        conversation.settled_at, conversation.waiting_since = now, None
    elif number in SNOOZED:
        conversation.state = ConversationState.SNOOZED
        conversation.snoozed_until = now + timedelta(days=1)
        session.add(
            Snooze(
                conversation_id=conversation.id,
                staff_id=staff[demo.main].id,
                due_at=conversation.snoozed_until,
            )
        )


def holds_data(session: Session) -> bool:
    """Whether the installation is in use already."""
    return session.scalar(sa.select(sa.func.count()).select_from(Staff)) != 0
