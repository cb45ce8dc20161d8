"""Settings, Webhooks: for owners, with the secret shown once."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from casewell.ledger.models import AuditEvent
from casewell.webhooks.models import HookState, Webhook


@pytest.fixture
def owner(staff, sign_in):
    return sign_in(staff("owner"))


@pytest.fixture
def stored(database):
    def read():
        with database.reading() as session:
            return session.scalars(sa.select(Webhook).order_by(Webhook.id)).all()

    return read


def text(answer):
    return answer.get_data(as_text=True)


def test_a_webhook_is_added_and_its_secret_shown_once(owner, receiver, stored):
    given = {"url": receiver.url, "events": ["message.sent", "message.received"]}
    answer = owner.post("/settings/webhooks", given)
    secret = re.search(r"whsec_[\w-]{43}", text(answer))
    assert answer.status_code == 200
    assert secret
    [webhook] = stored()
    assert webhook.events == ["message.received", "message.sent"]
    assert webhook.secret.open() == secret[0]
    for path in ("/settings/webhooks", f"/settings/webhooks/{webhook.id}"):
        page = owner.get(path)
        assert receiver.url in text(page)
        assert secret[0] not in text(page)


@pytest.mark.parametrize(
    "url",
    [
        "http://public.example/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::ffff:127.0.0.1]/",
        "https://public.example@127.0.0.1/",
        "https://public.example:6379/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "",
    ],
)
def test_J01_an_address_inside_is_refused_at_its_field(url, owner, receiver, stored):
    answer = owner.post("/settings/webhooks", {"url": url, "events": ["message.sent"]})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in text(answer)
    assert stored() == []
    owner.post("/settings/webhooks", {"url": receiver.url, "events": ["message.sent"]})
    [webhook] = stored()
    changed = owner.post(
        f"/settings/webhooks/{webhook.id}", {"url": url, "events": ["message.sent"]}
    )
    assert changed.status_code == 422
    assert stored()[0].url == receiver.url


@pytest.mark.parametrize("events", [[], ["note.added"], ["message.sent", "x"]])
def test_only_events_there_are_can_be_chosen(events, owner, receiver, stored):
    answer = owner.post("/settings/webhooks", {"url": receiver.url, "events": events})
    assert answer.status_code == 422
    assert stored() == []


def test_a_test_call_says_what_it_gave(owner, receiver, add):
    webhook, _ = add()
    at = f"/settings/webhooks/{webhook.id}"
    owner.post(f"{at}/test")
    page = text(owner.get(at))
    assert "The test call was taken in" in page
    assert "It answered 204." in page
    receiver.status = 500
    owner.post(f"{at}/test")
    assert "The test call was not taken. It answered 500." in text(owner.get(at))


def test_it_is_paused_resumed_changed_and_removed(owner, receiver, add, stored, database):
    webhook, _ = add()
    at = f"/settings/webhooks/{webhook.id}"
    owner.post(f"{at}/pause")
    assert stored()[0].state is HookState.PAUSED
    assert "Paused" in text(owner.get(at))
    owner.post(f"{at}/resume")
    assert stored()[0].state is HookState.ACTIVE
    owner.post(at, {"url": f"{receiver.url}?a=1", "events": ["message.bounced"]})
    assert (stored()[0].url, stored()[0].events) == (f"{receiver.url}?a=1", ["message.bounced"])
    assert "whsec_" in text(owner.post(f"{at}/secret"))
    owner.post(f"{at}/remove")
    assert stored() == []
    with database.reading() as session:
        kinds = session.scalars(
            sa.select(AuditEvent.kind)
            .where(AuditEvent.kind.startswith("webhook."))
            .order_by(AuditEvent.seq)
        ).all()
    assert [kind.removeprefix("webhook.") for kind in kinds] == [
        "added",
        "paused",
        "resumed",
        "changed",
        "secret_renewed",
        "removed",
    ]


def test_one_that_was_stopped_says_so_and_what_to_do(owner, add, database):
    webhook, _ = add()
    with database.writing() as session:
        session.get_one(Webhook, webhook.id).state = HookState.STOPPED
    assert "Casewell stopped calling this address" in text(
        owner.get(f"/settings/webhooks/{webhook.id}")
    )
    assert "Stopped: it failed for 3 days" in text(owner.get("/settings/webhooks"))


def test_there_is_an_end_to_how_many(owner, receiver, add, stored):
    for _ in range(20):
        add()
    answer = owner.post("/settings/webhooks", {"url": receiver.url, "events": ["message.sent"]})
    assert answer.status_code == 409
    assert len(stored()) == 20
