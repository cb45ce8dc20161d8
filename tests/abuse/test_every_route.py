"""The rules that hold for each route there is, whatever it does (R1 to R8, B01, C10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from casewell.access_table import TABLE
from casewell.kernel.access import Role, Scope, check_complete
from casewell.kernel.runtime import Runtime
from casewell.staff import tokens
from casewell.staff.models import Staff
from tests.abuse.conftest import ABSENT, World, knock, plain, routes
from tests.rigs.installation import LIMITER_AND_AUDIT, Person

# What anyone may call: each is here because somebody thought about it.
OPEN_TO_ALL = {
    "health.alive",
    "inbox.picture",
    "links.accept_invitation",
    "links.confirm_email_change",
    "links.email_change",
    "links.invitation",
    "links.reset",
    "links.reset_password",
    "mail_hook.receive",
    "sms_hooks.receive",
    "sms_hooks.report",
    "set_up.form",
    "set_up.set_up",
    "portal_sign_in.ask_for_link",
    "portal_sign_in.enter",
    "portal_sign_in.enter_by_link",
    "portal_sign_in.form",
    "portal_sign_in.link",
    "sign_in.ask_for_reset",
    "sign_in.enter",
    "sign_in.form",
    "sign_in.reset",
    "static",
}
# What a reader may do beside reading: their own account, their own marks, and searching by POST.
FOR_READERS = ("profile.", "security.", "sign_in.")
READERS_MAY = {
    "api_inbox.read",
    "client_exports.export",
    "clients.delete_view",
    "clients.keep_view",
    "clients.search",
    "inbox.follow",
    "inbox.here",
    "inbox.mark_read",
    "inbox.mark_unread",
    "inbox.search",
    "inbox.unfollow",
    "timeline.seen",
    "notifications.open_one",
    "notifications.read_all",
    "notifications.read_one",
    "palette.results",
}


def test_B01_a_route_nobody_declared_stops_the_build(app: Flask) -> None:
    endpoints = [rule.endpoint for rule in app.url_map.iter_rules()]
    check_complete(TABLE, endpoints)
    with pytest.raises(RuntimeError, match=r"new\.route"):
        check_complete(TABLE, [*endpoints, "new.route"])
    with pytest.raises(RuntimeError, match=r"home\.index"):
        check_complete(TABLE, set(endpoints) - {"home.index"})


def test_B01_the_table_opens_no_more_than_was_thought_about(app: Flask) -> None:
    assert {name for name, audience in TABLE.items() if audience.public} == OPEN_TO_ALL
    for rule, method in routes(app, unsafe=True):
        audience, name = TABLE[rule.endpoint], rule.endpoint
        if (
            audience.public
            or audience.clients
            or name in READERS_MAY
            or name.startswith(FOR_READERS)
        ):
            continue
        assert Role.VIEWER not in audience.roles, f"a reader may {method} {rule.rule}"
        if rule.rule.startswith(("/settings/users", "/settings/firm")):
            assert audience.roles == {Role.OWNER}
            assert audience.session_only


@pytest.mark.parametrize("role", list(Role))
def test_B01_each_role_gets_what_the_table_says_and_no_more(
    role: Role, app: Flask, world: World, sign_in: Callable[..., Person], dump: Callable[..., Any]
) -> None:
    """R3: 403 for what the role may not, and nothing written (R8); never a 5xx."""
    for rule, method in routes(app):
        person = sign_in(world.people[role.value])
        person.csrf()
        address = world.address(rule)
        audience = TABLE[rule.endpoint]
        if audience.public or role in audience.roles:
            answer = knock(person, method, address)
            assert answer.status_code not in (401, 403), f"{method} {address}"
            assert answer.status_code < 500, f"{method} {address}"
            continue
        before = dump()
        answer = knock(person, method, address)
        if audience.clients:  # A19: staff are nobody there
            assert answer.location == "/portal/sign-in", f"{method} {address}"
            assert dump() == before
            continue
        assert answer.status_code == 403, f"{method} {address}: {answer.status_code}"
        assert dump() == before, f"{method} {address} was refused and yet wrote"


def test_B01_who_has_left_is_nobody(
    app: Flask, world: World, sign_in: Callable[..., Person], runtime: Runtime
) -> None:
    person = sign_in(world.people["owner"])
    person.csrf()
    with runtime.database.writing() as session:
        session.get_one(Staff, world.people["owner"].id).deactivated_at = runtime.now()
    _is_nobody(person, app, world)


def test_R1_who_is_not_signed_in_gets_to_sign_in_and_nowhere_else(
    app: Flask, world: World, visitor: Person, dump: Callable[..., Any]
) -> None:
    before = dump()
    _is_nobody(visitor, app, world)
    assert dump() == before


def _is_nobody(person: Person, app: Flask, world: World) -> None:
    for rule, method in routes(app):
        if TABLE[rule.endpoint].public:
            continue
        address = world.address(rule)
        answer = knock(person, method, address)
        if address.startswith("/api/"):
            assert answer.status_code == 401, f"{method} {address}"
            assert answer.mimetype == "application/problem+json"
            continue
        assert answer.status_code == 302, f"{method} {address}"
        if TABLE[rule.endpoint].clients:
            assert answer.location == "/portal/sign-in"
            continue
        assert answer.location.startswith("/sign-in")
        fragment = knock(person, method, address, htmx=True)
        assert fragment.status_code == 401, f"{method} {address}"
        assert fragment.headers["HX-Redirect"] == "/sign-in"
        assert fragment.get_data() == b""


def test_R1_half_a_sign_in_opens_only_its_second_half(
    app: Flask, world: World, sign_in: Callable[..., Person]
) -> None:
    for rule, method in routes(app):
        audience = TABLE[rule.endpoint]
        if audience.public or audience.unfinished:
            continue
        person = sign_in(world.people["owner"], finished=False)
        person.staff = None  # a token from the page that everyone may see
        answer = knock(person, method, world.address(rule))
        assert answer.status_code in (302, 401), f"{method} {rule.rule}"


@pytest.mark.parametrize("scope", [None, *Scope])
def test_R3_a_token_does_what_its_scopes_say(
    scope: Scope | None, app: Flask, world: World, runtime: Runtime, dump: Callable[..., Any]
) -> None:
    with runtime.database.writing() as session:
        owner = session.get_one(Staff, world.people["owner"].id)
        _, text = tokens.make(
            session, owner, name="x", scopes=[scope] if scope else [], days=1, now=runtime.now()
        )
    http = app.test_client()
    headers = {"Authorization": f"Bearer {text}"}
    http.get("/api/me", headers=headers)  # from now on it counts as used
    for rule, method in routes(app):
        audience, address = TABLE[rule.endpoint], world.address(rule)
        if audience.public or audience.clients:
            continue
        before = dump()
        answer = http.open(
            address, method=method, headers=headers, json={} if method != "GET" else None
        )
        needed = Scope.READ if method == "GET" else Scope.WRITE
        if audience.session_only or scope is not needed:
            assert answer.status_code == 403, f"{method} {address}"
            assert dump() == before
        else:
            assert answer.status_code not in (401, 403), f"{method} {address}"
            assert answer.status_code < 500, f"{method} {address}"


def test_R2_what_one_may_not_see_is_as_if_it_were_not(
    app: Flask, world: World, sign_in: Callable[..., Person], dump: Callable[..., Any]
) -> None:
    """B03, B08: 404 with the body of an absent id, for every route that names an object."""
    person = sign_in(world.people["dana"])
    person.csrf()
    tried = 0
    for rule, method in routes(app):
        names = [name for name in rule.arguments if name.endswith("_id") and name != "letter_id"]
        if set(names) == {"tag_id"}:
            continue  # tags are the whole firm's
        if not names or Role.CASE_MANAGER not in TABLE[rule.endpoint].roles:
            continue
        tried += 1
        numbers = [{name: world.ids[name] for name in names}]
        if "message_id" in names:
            numbers.append({"message_id": world.ids["incoming_id"]})
        before = dump()
        for given in numbers:
            answer = knock(person, method, world.address(rule, **given), _enough(rule.endpoint))
            absent = dict.fromkeys(given, ABSENT)
            other = knock(person, method, world.address(rule, **absent), _enough(rule.endpoint))
            assert answer.status_code == 404, f"{method} {rule.rule}: {answer.status_code}"
            assert plain(answer) == plain(other)
            assert "zebra" not in plain(answer).lower()
        assert dump() == before, f"{method} {rule.rule} hid its object and yet wrote"
    assert tried > 20


def _enough(endpoint: str) -> dict[str, Any]:
    """Return a body that is right, where one is looked at before the object is."""
    return {
        "client_merges.merge": {"merged_id": 1},
        "clients.assign": {"main_responsible_id": 1},
        "staff.change_role": {"role": "viewer"},
        "api_client_tags.give": {"tag": 1},
        "api_tags.change": {"name": "Zebra"},
        "api_tags.merge": {"into": 1},
        "documents.save": {"title": "Zebra"},
        "tags.assign": {"tag": 1},
        "tags.merge": {"into": 1},
        "tags.save": {"name": "Zebra"},
    }.get(endpoint, {})


@pytest.mark.parametrize("number", [0, 2**31, 2**63 - 1, 2**63, 10**40, "9" * 5000])
def test_R6_a_number_no_row_can_have_is_not_found(
    number: int | str, app: Flask, world: World, sign_in: Callable[..., Person]
) -> None:
    person = sign_in(world.people["owner"])
    person.csrf()
    for rule, method in routes(app):
        names = [name for name in rule.arguments if name.endswith("_id") and name != "letter_id"]
        if not names or TABLE[rule.endpoint].public or TABLE[rule.endpoint].clients:
            continue
        address = world.address(rule, **dict.fromkeys(names, 77_777)).replace("77777", str(number))
        answer = knock(person, method, address, _enough(rule.endpoint))
        allowed = {404}
        if rule.endpoint == "mailboxes.change":
            allowed.add(422)  # the server is tried out before the database is asked
        assert answer.status_code in allowed, f"{method} {address}: {answer.status_code}"


def test_R4_no_unsafe_route_acts_without_its_token(
    app: Flask, world: World, sign_in: Callable[..., Person], dump: Callable[..., Any]
) -> None:
    """C10: a missing token, one of another person, one from before signing in, a text body."""
    other = sign_in(world.people["manager"])
    before_signing_in = Person(app).csrf()
    for rule, method in routes(app, unsafe=True):
        audience, address = TABLE[rule.endpoint], world.address(rule)
        if audience.machine or (audience.clients and not audience.public):
            continue  # clients' own routes: tests/portal
        person = Person(app) if audience.public else sign_in(world.people["owner"])
        person.csrf()
        before = dump()
        for token in (None, "made-up", other.csrf(), before_signing_in):
            headers = {"X-CSRFToken": token} if token else {}
            for extra in ({}, {"HX-Request": "true"}):
                answer = person.http.open(address, method=method, headers=headers | extra)
                assert answer.status_code == 400, f"{method} {address}: {answer.status_code}"
        text = person.http.open(address, method=method, data='{"a":1}', content_type="text/plain")
        assert text.status_code == 400
        assert dump() == before, f"{method} {address} acted without a token"


def test_R4_reading_changes_nothing(
    app: Flask, world: World, sign_in: Callable[..., Person], dump: Callable[..., Any]
) -> None:
    person = sign_in(world.people["owner"])
    # The health page remembers since when a part stands as it does.
    # A link that is none counts as a guess; reading a mail as it came is an act that is recorded.
    apart = {"part_health", *LIMITER_AND_AUDIT}
    before = dump(without=apart)
    for rule, method in routes(app, unsafe=False):
        address = world.address(rule)
        for how in (method, "HEAD"):
            answer = person.http.open(address, method=how)
            assert answer.status_code < 500, f"{how} {address}"
    assert dump(without=apart) == before


def test_C11_a_method_a_route_does_not_have_is_refused(
    app: Flask, world: World, sign_in: Callable[..., Person], dump: Callable[..., Any]
) -> None:
    person = sign_in(world.people["owner"])
    token = person.csrf()
    before = dump()
    known: dict[str, set[str]] = {}
    for rule, method in routes(app):
        known.setdefault(world.address(rule), {"HEAD", "OPTIONS"}).add(method)
    for address, methods in known.items():
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - methods:
            answer = person.http.open(
                address,
                method=method,
                headers={"X-CSRFToken": token, "X-HTTP-Method-Override": "POST"},
                query_string={"_method": "POST", "csrf_token": token},
            )
            # An address may also be one of another route that takes any word in its place.
            assert answer.status_code in (404, 405), f"{method} {address}: {answer.status_code}"
    assert dump() == before
