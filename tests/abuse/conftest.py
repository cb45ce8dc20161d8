"""A firm with one of everything, and ways to knock at every route there is."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from casewell.clients import imports
from casewell.clients.models import Client, ClientView
from casewell.clients.service import ClientService
from casewell.documents.models import ClientDocument, DocumentVersion
from casewell.email.models import (
    PASSWORD_CONTEXT,
    InboundMail,
    InboundState,
    Mailbox,
    MailImport,
    Source,
)
from casewell.evidence.models import EvidenceBundle
from casewell.kernel.access import SAFE_METHODS, Identity, Role
from casewell.kernel.crypto import new_token, token_hash
from casewell.kernel.runtime import Runtime
from casewell.kernel.types import Sealed
from casewell.ledger.models import ActivityEvent
from casewell.ledger.service import Actor
from casewell.messages.files import store_attachment
from casewell.messages.models import TriageSender
from casewell.notes.models import CaseNote
from casewell.portal import sessions
from casewell.portal.models import ClientAccount
from casewell.providers.files import FileStore
from casewell.staff import links, tokens
from casewell.staff.models import LinkKind, Notification, NotificationKind, Staff, StaffSession
from casewell.staff.passwords import hash_password
from casewell.tags.models import ClientTag, TagChange
from casewell.webhooks.models import SECRET_CONTEXT, Webhook
from tests.rigs.installation import PASSWORD, Person

# The SSN is one that is never issued.
SSN = "900-12-3456"
ABSENT = 999_999


@dataclass
class World:
    """What stands in the firm. `hidden` belongs to a colleague of the case manager `dana`."""

    people: dict[str, Staff]
    mine: Client
    hidden: Client
    # For each argument of a route: the id of something that `dana` may not see.
    ids: dict[str, Any] = field(default_factory=dict)

    def address(self, rule: Rule, **changes: Any) -> str:
        """Return the address of a route, about `hidden` unless told otherwise."""
        unknown = set(rule.arguments) - set(self.ids)
        assert not unknown, f"{rule.rule}: give the world a {unknown}, then it is tried out too"
        given = {name: self.ids[name] for name in rule.arguments} | changes
        return rule.build(given)[1]  # type: ignore[index]


@pytest.fixture
def world(
    runtime: Runtime,
    staff: Callable[..., Staff],
    client: Callable[..., Client],
    mail_of: Callable[..., int],
    sign_in: Callable[..., Person],
) -> World:
    people = {role.value: staff(role) for role in Role}
    people["dana"] = people["case_manager"]
    people["colleague"] = colleague = staff(Role.CASE_MANAGER, name="Marcus Hill")
    mine = client("Ana", "Ruiz", main=people["dana"], emails=["ana@example.com"])
    hidden = client(
        "Bruno", "Salas", main=colleague, emails=["bruno@example.com"], phones=["+13125550123"]
    )
    made = World(people, mine, hidden)
    incoming = mail_of(hidden, "The zebra letter came", html="<p>The zebra letter came</p>")
    mail_of("stranger@example.net", "A zebra wrote")
    person = sign_in(colleague)
    reply = {"client_id": hidden.id, "body": "Thank you", "subject": "Your letter"}
    outgoing = person.api("POST", "/api/inbox/reply", reply).json["message_id"]
    same = client("Bruno", "Salas", main=colleague, emails=[])
    now = runtime.now()
    owner = people["owner"]
    with runtime.database.writing() as session:
        file = store_attachment(
            session,
            runtime,
            content=b"zebra",
            name="zebra.txt",
            content_type="text/plain",
            staff_id=colleague.id,
            client_id=hidden.id,
            now=now,
        )
        service = ClientService(
            session, Identity(owner.id, owner.role, "session"), Actor.of_staff(owner), runtime.now
        )
        service.set_ssn(hidden.id, SSN.replace("-", ""))
        merge = service.merge(hidden.id, same.id)
        upload = imports.upload(
            session, runtime, io.BytesIO(b"First name,Last name\nIda,Moss\n"), "new.csv", owner.id
        )
        browser = StaffSession(
            staff_id=colleague.id,
            token_hash=token_hash(new_token()),
            finished=True,
            created_at=now,
            last_seen_at=now,
        )
        session.add(browser)
        token, _ = tokens.make(session, colleague, name="theirs", scopes=[], days=30, now=now)
        link = links.issue(session, colleague.id, LinkKind.PASSWORD_RESET, now)
        sender = session.query(TriageSender).one()
        mailbox = Mailbox(
            name="Office",
            address="office@firm.example",
            host="127.0.0.1",
            port=1,
            username="office",
            password=Sealed.seal("zebra-password", PASSWORD_CONTEXT),
            since=now.date(),
            state_since=now,
            created_at=now,
        )
        unreadable = InboundMail(
            source=Source.WEBHOOK,
            received_at=now,
            recorded_at=now,
            size=5,
            sha256=file.sha256,
            file_key=file.file_key,
            state=InboundState.QUARANTINED,
            reason="no mail",
        )
        note = CaseNote(
            client_id=hidden.id, staff_id=colleague.id, text="A zebra, between us", created_at=now
        )
        session.add(note)
        notification = Notification(
            staff_id=colleague.id,
            kind=NotificationKind.MENTIONED,
            client_id=hidden.id,
            subject_id=1,
            at=now,
        )
        session.add(notification)
        mail_import = MailImport(name="old.mbox", staff_id=owner.id, created_at=now)
        webhook = Webhook(
            url="https://127.0.0.1/zebra",  # refused before anything is sent
            events=["message.sent"],
            secret=Sealed.seal("zebra-secret", SECRET_CONTEXT),
            state_since=now,
            created_at=now,
        )
        tag = ClientTag(name="Grouped", name_key="grouped", colour="red", created_at=now)
        change = TagChange(
            staff_id=colleague.id,
            adds=[],
            removes=[],
            added_names=["Grouped"],
            removed_names=[],
            total=1,
            created_at=now,
        )
        bundle = EvidenceBundle(
            client_id=hidden.id,
            staff_id=colleague.id,
            is_redacted=True,
            with_files=False,
            with_privileged=False,
            created_at=now,
        )
        document = ClientDocument(
            client_id=hidden.id,
            title="A zebra's lease",
            staff_id=colleague.id,
            created_at=now,
            updated_at=now,
        )
        session.add_all([mailbox, unreadable, mail_import, webhook, tag, change, bundle, document])
        session.flush()
        stored = runtime.provider(FileStore).put(b"zebra")
        version = DocumentVersion(
            document_id=document.id,
            number=1,
            file_key=stored.key,
            sha256=stored.sha256,
            size=stored.size,
            shown_name="zebra.txt",
            content_type="text/plain",
            staff_id=colleague.id,
            created_at=now,
        )
        view = ClientView(
            staff_id=colleague.id,
            name="Zebras",
            name_key="zebras",
            wanted={"status": "lead"},
            created_at=now,
        )
        session.add_all([version, view])
        session.flush()
        assert mail_import.id == upload.id, "one `import_id` stands for both kinds"
        made.ids = {
            "inbound_id": unreadable.id,
            "mailbox_id": mailbox.id,
            "act": "done",
            "client_id": hidden.id,
            "message_id": outgoing,
            "incoming_id": incoming,
            "attachment_id": file.id,
            "sender_id": sender.id,
            "staff_id": colleague.id,
            "session_id": browser.id,
            "token_id": token.id,
            "merge_id": merge.id,
            "note_id": note.id,
            "notification_id": notification.id,
            "import_id": upload.id,
            "letter_id": "0" * 32,
            "public_id": new_token(),
            "position": 0,
            "webhook_id": webhook.id,
            "tag_id": tag.id,
            "into_id": tag.id,
            "change_id": change.id,
            "bundle_id": bundle.id,
            "document_id": document.id,
            "version_id": version.id,
            "view_id": view.id,
            "event_id": session.scalars(
                sa.select(ActivityEvent.id).where(
                    ActivityEvent.client_id == hidden.id, ActivityEvent.kind == "message.received"
                )
            ).one(),
            "part": "lists",
            "filename": "css/casewell.css",
            "status": "waiting",
            "token": link,
        }
    return made


@pytest.fixture
def in_portal(app: Flask, runtime: Runtime) -> Callable[[Client], Person]:
    """Gives a client a browser that has just signed in at the portal, and an account at first."""

    def enter(client: Client) -> Person:
        with runtime.database.writing() as session:
            of_client = sa.select(ClientAccount).where(ClientAccount.client_id == client.id)
            account = session.scalar(of_client)
            if account is None:
                email = client.emails[0].address
                account = ClientAccount(
                    client_id=client.id,
                    email=email,
                    password_hash=hash_password(PASSWORD),
                    created_at=runtime.now(),
                )
                session.add(account)
                session.flush()
            token = sessions.begin(session, account.id, runtime.now())
        person = Person(app)
        person.http.set_cookie(sessions.cookie_of(runtime.settings), token)
        return person

    return enter


def routes(app: Flask, *, unsafe: bool | None = None) -> list[tuple[Rule, str]]:
    """Return each route with its method, but for static files."""
    found = [
        (rule, method)
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        if rule.endpoint != "static"
    ]
    return [one for one in found if unsafe is None or (one[1] not in SAFE_METHODS) == unsafe]


def knock(
    person: Person, method: str, address: str, body: dict[str, Any] | None = None, **options: Any
) -> TestResponse:
    """Call a route as a browser would, with a token where one is needed."""
    if method in SAFE_METHODS:
        return person.get(address, **options)
    if address.startswith("/api/"):
        return person.api(method, address, json=body or {}, **options)
    return person.post(address, body, **options)


def plain(answer: TestResponse) -> str:
    """Return a body without what differs from one request to the next."""
    return re.sub(r'(csrf[-_]token"? (content|value)=")[^"]*', r"\1", answer.get_data(as_text=True))


def unpacked(data: bytes) -> bytes:
    """Return what a file says: of a workbook, its sheets."""
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return data
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        return b"".join(book.read(name) for name in book.namelist())
