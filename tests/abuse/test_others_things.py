"""What is somebody else's, and what stands elsewhere than the address says (B07, B08)."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from casewell.access_table import TABLE
from casewell.clients.models import Client
from casewell.kernel.access import Role
from casewell.kernel.db import Database
from casewell.messages.models import Attachment, UnifiedMessage
from casewell.portal.models import ClientMessage
from tests.abuse.conftest import ABSENT, World, knock, plain, routes
from tests.rigs.installation import Person


@pytest.fixture
def draft_file(
    world: World, sign_in: Callable[..., Person], database: Database
) -> Callable[[str], int]:
    """Somebody attaches a file to an answer to `hidden` that is not sent yet; returns its id."""

    def attached(who: str) -> int:
        files = {"files": (io.BytesIO(b"zebra"), f"{who}.txt")}
        address = f"/inbox/c/{world.hidden.id}/files"
        assert sign_in(world.people[who]).post(address, files).status_code == 200
        with database.reading() as session:
            newest = sa.select(sa.func.max(Attachment.id))
            return int(session.scalar(newest) or 0)

    return attached


def test_B07_a_file_of_a_colleagues_draft_is_not_there_for_anybody_else(
    app: Flask,
    world: World,
    sign_in: Callable[..., Person],
    draft_file: Callable[[str], int],
    dump: Callable[..., Any],
) -> None:
    """Known by its number alone: not read, not deleted, not sent along, by the owner neither."""
    theirs = draft_file("colleague")
    for who in ("owner", "manager", "attorney", "dana"):
        person = sign_in(world.people[who])
        person.csrf()
        before = dump()
        for rule, method in routes(app):
            if "attachment_id" in rule.arguments:
                answer = knock(person, method, world.address(rule, attachment_id=theirs))
                absent = knock(person, method, world.address(rule, attachment_id=ABSENT))
                assert answer.status_code == absent.status_code == 404, f"{who} {rule.rule}"
                assert plain(answer) == plain(absent)
        body = {"client_id": world.hidden.id, "body": "x", "attachments": [theirs]}
        assert person.api("POST", "/api/inbox/reply", body).status_code == 404
        assert dump() == before, who


def test_B07_a_file_that_was_sent_is_nobodys_to_delete(
    world: World,
    sign_in: Callable[..., Person],
    draft_file: Callable[[str], int],
    dump: Callable[..., Any],
) -> None:
    file = draft_file("colleague")
    colleague = sign_in(world.people["colleague"])
    body = {"client_id": world.hidden.id, "body": "See this.", "attachments": [file]}
    assert colleague.api("POST", "/api/inbox/reply", body).status_code == 201
    before = dump()
    for who in ("colleague", "owner"):
        person = sign_in(world.people[who])
        before["staff_sessions"] = dump()["staff_sessions"]
        answer = person.post(f"/inbox/attachments/{file}/remove")
        assert answer.status_code == 404
        assert dump() == before, who


def test_B07_a_message_that_has_left_is_nobodys_to_take_back(
    world: World,
    sign_in: Callable[..., Person],
    clock: Any,
    run_due: Callable[[], int],
    database: Database,
) -> None:
    clock.move(minutes=1)
    run_due()
    message = world.ids["message_id"]
    for who in ("colleague", "owner"):
        person = sign_in(world.people[who])
        for act in ("undo", "now", "settle"):
            answer = person.post(f"/inbox/messages/{message}/{act}", {"choice": "again"})
            assert answer.status_code in (409, 422), f"{who} {act}"
    with database.reading() as session:
        assert session.get_one(UnifiedMessage, message).status == "sent"


def test_B08_a_thing_of_another_client_is_not_in_this_ones_conversation(
    world: World, sign_in: Callable[..., Person], mail_of: Callable[..., int]
) -> None:
    """A message, a note or a place in a list named beside another client's number."""
    mail_of(world.mine, "An okapi came")
    owner = sign_in(world.people["owner"])
    thread = f"/inbox/c/{world.mine.id}"
    theirs = {
        "message": (world.ids["incoming_id"], world.ids["message_id"], ABSENT),
        "note": (world.ids["note_id"], ABSENT),
        "again": (world.ids["message_id"], ABSENT),
    }
    for name, ids in theirs.items():
        for number in ids:
            for htmx in (False, True):
                answer = owner.get(thread, query_string={name: number}, htmx=htmx)
                assert answer.status_code in (200, 404), f"{name}={number}"
                # The list beside the thread shows every client there is.
                shown = answer.text.partition('id="thread"')[2] or answer.text
                for words in ("zebra", "Thank you"):
                    assert words not in shown, f"{name}={number}"


def test_B08_a_cursor_of_one_list_opens_no_other(
    world: World, sign_in: Callable[..., Person], mail_of: Callable[..., int]
) -> None:
    """A page of `hidden` asked for with a cursor of `mine` is of `hidden`, or refused."""
    for number in range(3):
        mail_of(world.mine, f"Okapi {number}")
    owner, dana = sign_in(world.people["owner"]), sign_in(world.people["dana"])
    of_mine = f"/api/inbox/client/{world.mine.id}?limit=1"
    cursor = owner.get(of_mine).json["next"]
    other = owner.get(f"/api/inbox/client/{world.hidden.id}?cursor={cursor}")
    assert {row["client_id"] for row in other.json["items"]} <= {world.hidden.id}
    refused = dana.get(f"/api/inbox/client/{world.hidden.id}?cursor={cursor}")
    assert refused.status_code == 404
    for path in ("/api/inbox", "/api/clients", f"/api/notes/client/{world.mine.id}"):
        answer = dana.get(f"{path}?cursor={cursor}")
        assert answer.status_code in (200, 400), path
        assert "zebra" not in answer.text.lower()


def test_B08_a_file_of_the_portal_belongs_to_its_message(
    world: World, in_portal: Callable[[Client], Person], database: Database
) -> None:
    """Another message's name with this one's place, and places there are none at."""
    person = in_portal(world.mine)
    other = in_portal(world.hidden)
    for one, words in ((person, "okapi"), (other, "zebra")):
        for n in range(2):
            files = [(io.BytesIO(words.encode()), f"{words}.txt")] if n == 0 else []
            form = {"body": words, "key": f"key-number-{n}", "file": files}
            sent = one.post("/portal/messages", form, content_type="multipart/form-data")
            assert sent.status_code == 303
    page = person.get("/portal/messages").text
    [(mine, _)] = re.findall(r"/portal/messages/([\w-]+)/files/(\d)", page)
    with database.reading() as session:
        own = session.scalars(
            sa.select(ClientMessage.public_id).where(ClientMessage.client_id == world.mine.id)
        ).all()
    [plain_one] = set(own) - {mine}
    theirs = re.findall(r"/portal/messages/([\w-]+)/files/0", other.get("/portal/messages").text)
    assert person.get(f"/portal/messages/{mine}/files/0").data == b"okapi"
    wrong = [f"{plain_one}/files/0", f"{mine}/files/1", f"{mine}/files/{2**63}"]
    for path in (*wrong, *(f"{name}/files/0" for name in theirs)):
        assert person.get(f"/portal/messages/{path}").status_code == 404, path


def test_B08_every_route_with_two_things_in_its_address_is_thought_about(app: Flask) -> None:
    """The one there is stands above; where a second joins, its mixed numbers want a test.

    A tag is the whole firm's: Their own tests try out the rest.
    """
    two = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if len(rule.arguments) > 1 and (TABLE[rule.endpoint].roles or TABLE[rule.endpoint].clients)
    }
    of_evidence = {
        f"{part}.{act}"
        for part, acts in (("evidence", "cancel file"), ("api_evidence", "cancel file show"))
        for act in acts.split()
    }
    of_documents = {
        "api_client_documents.file",
        "documents.file",
        "documents.message_file",
    }
    of_tags = {"api_client_tags.take", "api_tags.preview_merge", "tags.add", "tags.remove"}
    of_the_timeline = {
        f"{part}.{act}" for part in ("timeline", "api_timeline") for act in ("publish", "unpublish")
    }
    known = {"clients.change_status", "portal_messages.file"}
    assert two == known | of_tags | of_evidence | of_documents | of_the_timeline


@pytest.mark.parametrize("role", [Role.OWNER, Role.CASE_MANAGER])
def test_B08_what_an_answer_names_is_of_its_client(
    role: Role, world: World, sign_in: Callable[..., Person], dump: Callable[..., Any]
) -> None:
    """Addresses, numbers and files of one client in an answer to another."""
    person = sign_in(world.people[role.value])
    before = dump()
    for wrong in (
        {"to": "bruno@example.com"},
        {"to": "+13125550123", "channel": "sms"},
        {"to": "bruno@example.com", "channel": "portal"},
        {"attachments": [world.ids["attachment_id"]]},
    ):
        body = {"client_id": world.mine.id, "body": "x", "subject": "y", **wrong}
        answer = person.api("POST", "/api/inbox/reply", body)
        assert answer.status_code in (404, 422), wrong
    assert dump() == before
