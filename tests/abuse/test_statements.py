"""No list costs a statement for each row it shows."""

from __future__ import annotations

from itertools import count

import pytest

from casewell.clients.models import ClientView
from casewell.documents.models import ClientDocument, DocumentVersion
from casewell.email.models import (
    PASSWORD_CONTEXT,
    InboundMail,
    InboundState,
    Mailbox,
    MailImport,
    Source,
)
from casewell.evidence.models import BundleState, EvidenceBundle
from casewell.kernel.access import Role, Scope
from casewell.kernel.types import Sealed
from casewell.messages.conversations import rebuild_moved
from casewell.messages.models import Channel, Delivery, MessageStatus, UnifiedMessage
from casewell.staff import tokens
from casewell.tags.models import ClientTag, ClientTagAssignment, TagChange

LISTS = [
    "/clients",
    "/clients?q=Ana",
    "/clients?tag=999&tags=none",
    "/clients/{client}",
    "/clients/{client}?within=all",
    "/clients/{client}/merge",
    "/clients/{client}/tags",
    "/clients/{client}/portal",
    "/clients/{client}/documents",
    "/clients/{client}/evidence",
    "/clients/{client}/timeline",
    "/clients/import",
    "/inbox",
    "/inbox?scope=all",
    "/inbox?q=question",
    "/inbox?unread=1",
    "/inbox/c/{client}",
    "/inbox/new",
    "/inbox/changes?seen=0&shown=5&client={client}&thread_seen=0",
    "/outbox",
    "/outbox?group=waiting",
    "/outbox?group=bounced",
    "/palette",
    "/tags",
    "/tags/1",
    "/tags/choices",
    "/settings/channels",
    "/settings/channels/unreadable",
    "/settings/channels/{mailbox}",
    "/settings/mail-import",
    "/settings/security",
    "/settings/users",
    "/triage",
    "/triage/{sender}",
    "/triage/{sender}/clients",
    "/api/clients",
    "/api/clients/{client}/tags",
    "/api/clients/{client}/documents",
    "/api/clients/{client}/timeline",
    "/api/clients?q=Ana",
    "/api/clients/{client}/duplicates",
    "/api/inbox",
    "/api/inbox?status=any",
    "/api/inbox/client/{client}",
    "/api/inbox/search?q=question",
    "/api/inbox/unread",
    "/api/tags",
]


@pytest.fixture
def grow(database, clock, staff, client, mail_of, sign_in):
    """Adds one more of all that stands in a list."""
    numbers = count(1)
    boss = staff(Role.OWNER)
    first = client("Ana", "Ruiz", main=boss, emails=["ana@example.com"], phones=["+13125550101"])

    def more():
        number = next(numbers)
        staff(Role.CASE_MANAGER)
        # The same name: a duplicate of the first as well.
        other = client("Ana", "Ruiz", main=boss, phones=["+13125550101"])
        for who in (first, other):
            mail_of(who, "A question")
        mail_of("stranger@example.net", "A question")
        mail_of(f"stranger{number}@example.net", "A question")
        sign_in(boss)
        with database.writing() as session:
            tokens.make(session, boss, name=f"t{number}", scopes=[Scope.READ], days=9, now=clock())
            for status in (
                MessageStatus.FAILED,
                MessageStatus.UNCONFIRMED,
                MessageStatus.QUEUED,
                MessageStatus.BOUNCED,
            ):
                _sent(session, first, boss, status, clock.move(seconds=1))
            mailbox = Mailbox(
                name=f"Mailbox {number}",
                address=f"office{number}@firm.example",
                host="imap.firm.example",
                username=f"office{number}",
                password=Sealed.seal("secret", PASSWORD_CONTEXT),
                since=clock().date(),
                state_since=clock(),
                created_at=clock(),
            )
            session.add_all(
                [
                    mailbox,
                    MailImport(staff_id=boss.id, name=f"{number}.mbox", created_at=clock()),
                ]
            )
            tag = ClientTag(
                name=f"Tag {number}", name_key=f"tag {number}", colour="blue", created_at=clock()
            )
            session.add(tag)
            session.flush()
            for who in (first, other):
                session.add(
                    ClientTagAssignment(client_id=who.id, tag_id=tag.id, assigned_at=clock())
                )
            session.add(
                TagChange(
                    staff_id=boss.id,
                    adds=[tag.id],
                    removes=[],
                    added_names=[tag.name],
                    removed_names=[],
                    total=1,
                    created_at=clock(),
                )
            )
            session.add(
                EvidenceBundle(
                    client_id=first.id,
                    staff_id=boss.id,
                    state=BundleState.EXPIRED,
                    is_redacted=True,
                    with_files=False,
                    with_privileged=False,
                    created_at=clock(),
                )
            )
            session.add(
                ClientView(
                    staff_id=boss.id,
                    name=f"View {number}",
                    name_key=f"view {number}",
                    wanted={"status": "lead"},
                    created_at=clock(),
                )
            )
            document = ClientDocument(
                client_id=first.id,
                title=f"Lease {number}",
                staff_id=boss.id,
                created_at=clock(),
                updated_at=clock(),
            )
            session.add(document)
            session.flush()
            session.add(
                DocumentVersion(
                    document_id=document.id,
                    number=1,
                    file_key=f"{number:032}",
                    sha256="0" * 64,
                    size=5,
                    shown_name="lease.pdf",
                    content_type="application/pdf",
                    staff_id=boss.id,
                    created_at=clock(),
                )
            )
            for state in (InboundState.QUARANTINED, InboundState.SKIPPED):
                session.add(_inbound(1, number, state, clock()))

    return boss, first, more


def _sent(session, client, staff, status, at):
    message = UnifiedMessage(
        client_id=client.id,
        conversation_id=1,
        channel=Channel.EMAIL,
        direction="outbound",
        status=status,
        subject="Our answer",
        body_text="An answer",
        occurred_at=at,
        recorded_at=at,
        staff_id=staff.id,
    )
    session.add(message)
    session.flush()
    row = {"message_id": message.id, "channel": Channel.EMAIL, "status": status}
    session.add(Delivery(**row, recipient="ana@example.com", queued_at=at))
    rebuild_moved(session, 1)


def _inbound(mailbox_id, number, state, at):
    return InboundMail(
        source=Source.IMAP,
        mailbox_id=mailbox_id,
        uid_validity=1,
        uid=2 * number + (state is InboundState.SKIPPED),
        received_at=at,
        recorded_at=at,
        size=100,
        sha256=f"{number:064}",
        file_key=f"{number:032}",
        state=state,
        reason="for a reason",
    )


def test_no_list_asks_more_often_for_more_rows(grow, sign_in, count_queries):
    boss, first, more = grow
    person = sign_in(boss)
    known = {"client": first.id, "sender": 1, "mailbox": 1}

    def ask(address):
        # What is looked for in these stands in no address.
        if address in ("/palette", "/triage/1/clients"):
            answer = person.post(address, {"q": "Ana"})
        else:
            answer = person.get(address)
        assert answer.status_code == 200, address
        return answer

    def asked():
        counts = {}
        for path in LISTS:
            address = path.format(**known)
            ask(address)
            with count_queries() as statements:
                answer = ask(address)
            counts[path] = len(statements), len(answer.data)
        return counts

    for _ in range(2):
        more()
    few = asked()
    for _ in range(10):
        more()
    many = asked()
    assert {path: n for path, (n, _) in many.items()} == {path: n for path, (n, _) in few.items()}
    grown = {path for path in LISTS if many[path][1] > few[path][1]}
    # What holds no list of these, or a count alone, and says so by its length.
    assert set(LISTS) - grown <= {"/clients/import", "/inbox/new", "/api/inbox/unread"}
