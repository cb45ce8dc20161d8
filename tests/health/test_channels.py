"""The table of channels: what was seen, stored and why not, and what its buttons do."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from casewell.email.models import (
    PASSWORD_CONTEXT,
    InboundMail,
    InboundState,
    Mailbox,
    MailboxState,
    Source,
)
from casewell.kernel.access import Role
from casewell.kernel.types import Sealed
from casewell.ledger.models import AuditEvent
from casewell.messages.consistency import found_wrong, sample
from casewell.messages.models import (
    Conversation,
    ConversationHead,
    Delivery,
    Lane,
    Readership,
    UnifiedMessage,
)
from casewell.messages.reconciling import reconcilers


@pytest.fixture
def stand(runtime, database):
    def read(part):
        with database.reading() as session:
            return reconcilers()[part].stand(session, runtime.now())

    return read


@pytest.fixture
def repair(runtime, database):
    def act(part):
        with database.writing() as session:
            return reconcilers()[part].repair(session, runtime)

    return act


@pytest.fixture
def talk(staff, client, mail_of):
    """Two conversations with unread mail, one of them answered."""
    dana, marcus = staff(), staff()
    ana = client("Ana", main=dana, second=marcus)
    ben = client("Ben", main=marcus)
    for one in (ana, ben, ana):
        mail_of(one)
    mail_of(ben, out=True)
    return dana, ana, ben


def wrong(database):
    with database.reading() as session:
        return found_wrong(session, sample(session, 100))


def test_lists_that_are_right_are_found_right(talk, database, stand, sign_in, repair):
    dana, ana, _ = talk
    assert wrong(database) == []
    with database.reading() as session:
        first = session.scalars(
            sa.select(UnifiedMessage.id).where(UnifiedMessage.client_id == ana.id)
        ).first()
    sign_in(dana).api("PUT", f"/api/inbox/{first}/read")
    assert wrong(database) == []
    assert (stand("lists").seen, stand("lists").stored, stand("lists").why_not) == (2, 2, [])
    assert repair("lists") == (
        "2 conversations were compared with the messages. All of them are right."
    )


SPOILT = [
    sa.update(ConversationHead).values(last_message_id=1, last_at=sa.literal_column("last_at")),
    sa.delete(ConversationHead).where(ConversationHead.lane == Lane.ALL),
    sa.update(Readership).values(unread=9),
    sa.update(Readership).where(Readership.lane == Lane.EMAIL).values(unread=0),
    sa.delete(Readership),
]


@pytest.mark.parametrize("spoil", SPOILT, ids=range(len(SPOILT)))
def test_what_was_spoilt_is_found_and_made_as_it_was(spoil, talk, database, stand, repair, dump):
    before = dump()
    with database.writing() as session:
        session.execute(spoil)
    spoilt = stand("lists")
    assert spoilt.stored < spoilt.seen
    assert "made anew" in repair("lists")
    assert wrong(database) == []
    after = dump()
    assert after["conversation_heads"] == before["conversation_heads"]
    if spoil is not SPOILT[-1]:  # who had read how far went with the rows
        assert after["readerships"] == before["readerships"]
    assert stand("lists").why_not == []


def test_a_sample_is_bounded_and_holds_the_newest(talk, database):
    with database.reading() as session:
        assert sample(session, 0) == []
        assert len(sample(session, 100)) == 2
        newest = session.scalar(
            sa.select(ConversationHead.conversation_id)
            .where(ConversationHead.lane == Lane.ALL)
            .order_by(ConversationHead.last_at.desc())
            .limit(1)
        )
        assert newest in sample(session, 2)


def test_e_mail_tells_what_became_of_each(database, clock, stand, repair, staff):
    with database.writing() as session:
        box = Mailbox(
            name="Office",
            address="office@firm.example",
            host="127.0.0.1",
            port=1,
            username="office",
            password=Sealed.seal("x", PASSWORD_CONTEXT),
            since=date(2026, 1, 1),
            state=MailboxState.WORKING,
            state_since=clock(),
            created_at=clock(),
            missing_mails=3,
        )
        session.add(box)
        for state, reason in (
            (InboundState.TAKEN_IN, ""),
            (InboundState.STORED, ""),
            (InboundState.DUPLICATE, ""),
            (InboundState.QUARANTINED, "It is empty."),
            (InboundState.QUARANTINED, "It is empty."),
        ):
            session.add(
                InboundMail(
                    source=Source.IMPORT,
                    received_at=clock(),
                    recorded_at=clock(),
                    size=1,
                    sha256="0" * 64,
                    state=state,
                    reason=reason,
                )
            )
    found = stand("email")
    assert (found.seen, found.stored, found.waiting) == (8, 1, 1)
    assert list(found.why_not) == [
        ("Copies of a mail that is here", 1),
        ("Unreadable: It is empty.", 2),
        ("On the server and not here", 3),
    ]
    said = repair("email")
    assert said.startswith("3 mails are read again and 1 mailbox is looked at.")
    with database.reading() as session:
        due = session.scalars(
            sa.select(InboundMail.due_at).where(InboundMail.state == InboundState.STORED)
        ).all()
        assert due == [clock()] * 3
        assert session.scalars(sa.select(Mailbox.due_at)).all() == [clock()]


def test_a_mail_that_is_being_read_is_left_alone(database, clock, repair):
    with database.writing() as session:
        session.add(
            InboundMail(
                source=Source.IMPORT,
                received_at=clock(),
                recorded_at=clock(),
                size=1,
                sha256="0" * 64,
                state=InboundState.STORED,
                due_at=clock(),
                lease_until=clock() + timedelta(minutes=1),
                attempts=1,
            )
        )
    assert repair("email") == "No mail waits."


def test_what_goes_out_tells_why_it_is_late(talk, sign_in, database, clock, stand, repair):
    dana, ana, _ = talk
    assert repair("outbox") == "Nothing is due to leave."
    sign_in(dana).api("POST", "/api/inbox/reply", {"client_id": ana.id, "body": "Soon"})
    assert (stand("outbox").waiting, stand("outbox").why_not) == (1, [])
    clock.move(hours=1)
    assert stand("outbox").why_not == [("Overdue: no worker has taken it.", 1)]
    with database.writing() as session:
        session.execute(sa.update(Delivery).values(last_error="The server is away."))
    assert stand("outbox").why_not == [("The server is away.", 1)]
    assert repair("outbox") == "The workers were told again of 1 message."


def test_the_page_shows_each_channel_and_repairs_in_words(talk, staff, sign_in, database):
    with database.writing() as session:
        session.execute(sa.update(Readership).values(unread=9))
    person = sign_in(staff(Role.MANAGER))
    page = person.get("/health").get_data(as_text=True)
    for label in ("E-mail", "SMS", "Portal", "Calls", "Messages going out"):
        assert f'aria-label="Repair {label}"' in page
    assert "2: The list or a count is not what the messages say." in page
    person.post("/health/channels/lists/repair")
    page = person.get("/health").get_data(as_text=True)
    assert "2 conversations were compared with the messages, and 2 made anew." in page
    assert "is not what the messages say" not in page
    assert person.post("/health/channels/fax/repair").status_code == 404
    with database.reading() as session:
        kept = session.scalars(
            sa.select(AuditEvent.data).where(AuditEvent.kind == "health.repaired")
        ).one()
    assert kept["part"] == "lists"


def test_the_page_costs_no_statement_per_conversation(
    talk, staff, client, mail_of, sign_in, count_queries, database, clock
):
    person = sign_in(staff(Role.OWNER))
    person.get("/health")
    clock.move(seconds=1)  # when each part was last looked at is written down
    with count_queries() as few:
        person.get("/health")
    for number in range(15):
        mail_of(client(f"C{number}", main=talk[0]))
    with count_queries() as many:
        person.get("/health")
    assert len(many) == len(few)
    with database.reading() as session:
        assert session.scalar(sa.select(sa.func.count(Conversation.id))) == 17
