"""Every screen there is, from the URL map: what a person signed in can open by an address."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from werkzeug.routing import Rule

from casewell.access_table import TABLE
from casewell.app import create_app
from casewell.clients.models import Client
from casewell.documents.models import ClientDocument
from casewell.email.models import InboundMail, InboundState, Mailbox, MailImport
from casewell.messages.models import TriageSender
from casewell.tags.models import ClientTag
from tests.e2e.live import Live

# Answers of these are no screens: fragments, files, data.
NO_SCREENS = frozenset(
    {
        "api_docs.openapi",
        "client_imports.progress",
        "evidence.file",
        "client_imports.report",
        "documents.message_file",
        "documents.version_file",
        "documents.version_view",
        "health.alive",
        "health.metrics",
        "inbox.attachment",
        "inbox.changes",
        "inbox.message_body",
        "inbox.message_state",
        "inbox.picture",
        "mail_imports.progress",
        "mailboxes.state",
        "outbox.letter_file",
        "palette.results",
        "sign_in.code",
        "sign_in.enrolment",
        "sign_in.recovery",
        "static",
        "tags.choices",
        "triage.choices",
        "unreadable_mails.download",
    }
)
# Whose addresses need a row that a demo firm has not: their tests look at them.
NO_ROW = frozenset(
    {
        "client_imports.show",
        "links.email_change",
        "links.invitation",
        "links.reset",
        "outbox.letter",
        "outbox.texts",
        "portal_sign_in.link",
        "set_up.form",
        "tags.change",
        "tags.preview",
        "webhooks.show",
    }
)
# States of a screen that its bare address does not show.
MORE = (
    "/clients?q=nobody-of-that-name",
    "/inbox?scope=all",
    "/inbox?scope=all&q=report",
    "/inbox?scope=all&state=done",
    "/clients?tag=1&tag=2&tags=all",
    "/outbox?group=waiting",
    "/triage?state=set_aside",
    "/no-such-page",
)
VISITORS = ("/sign-in", "/sign-in/reset", "/portal/sign-in")


@dataclass(frozen=True)
class Screen:
    path: str
    signed_in: bool = True

    @property
    def name(self) -> str:
        return self.path.lstrip("/") or "home"


def all_screens(live: Live) -> list[Screen]:
    """Return the screens of the running firm. A new page joins by itself."""
    with live.runtime.database.reading() as session:
        values = {
            "client_id": session.scalars(sa.select(Client.id).order_by(Client.id)).first(),
            "document_id": session.scalars(sa.select(ClientDocument.id)).first(),
            "tag_id": session.scalars(sa.select(ClientTag.id)).first(),
            "sender_id": session.scalars(sa.select(TriageSender.id)).first(),
            "mailbox_id": session.scalars(sa.select(Mailbox.id)).first(),
            "import_id": session.scalars(sa.select(MailImport.id)).first(),
            "inbound_id": session.scalars(
                sa.select(InboundMail.id).where(InboundMail.state == InboundState.QUARANTINED)
            ).first(),
        }
    paths = []
    for rule in create_app(live.runtime).url_map.iter_rules():
        if _is_screen(rule) and not TABLE[rule.endpoint].clients:
            paths.append(_path(rule, values))
    screens = [Screen(path) for path in sorted({*paths, *MORE} - set(VISITORS))]
    return [*screens, *(Screen(path, signed_in=False) for path in VISITORS)]


def _is_screen(rule: Rule) -> bool:
    return (
        "GET" in (rule.methods or set())
        and not rule.endpoint.startswith("api_")
        and rule.endpoint not in NO_SCREENS | NO_ROW
    ) or rule.endpoint == "api_docs.show"


def _path(rule: Rule, values: dict[str, int | None]) -> str:
    missing = rule.arguments - {name for name, value in values.items() if value is not None}
    assert not missing, f"say in tests/e2e/screens.py how {rule.rule} is opened ({missing})"
    given = {name: values[name] for name in rule.arguments}
    path = rule.rule
    for name, value in given.items():
        path = path.replace(f"<int:{name}>", str(value))
    return path
