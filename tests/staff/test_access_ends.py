"""Whatever proves who one is ends everything that was opened by it before (A09)."""

import re

import pytest

from casewell.kernel.access import Scope
from casewell.staff import links, tokens
from casewell.staff.models import LinkKind, Staff
from tests.rigs.installation import PASSWORD, Person

NEW = "another correct horse battery"


@pytest.fixture
def someone(staff, sign_in, database, clock):
    """A person with two browsers and a token: (row, the browser that acts, what must end)."""
    ana = staff("manager")
    acting, other = sign_in(ana), sign_in(ana)
    acting.csrf()
    with database.writing() as session:
        _, text = tokens.make(
            session,
            session.get_one(Staff, ana.id),
            name="script",
            scopes=[Scope.READ],
            days=30,
            now=clock(),
        )

    def living(*, replayed: str | None = None):
        by_token = other.http.application.test_client().get(
            "/api/me", headers={"Authorization": f"Bearer {text}"}
        )
        opened = {"browser": other.get("/api/me"), "token": by_token}
        if replayed is not None:
            replay = Person(other.http.application)
            replay.http.set_cookie("casewell-session", replayed)
            opened["replayed"] = replay.get("/api/me")
        return {name for name, answer in opened.items() if answer.status_code == 200}

    return ana, acting, living


def change_password(ana, acting, owner, database, clock):
    form = {"current_password": PASSWORD, "password": NEW, "password_again": NEW}
    assert acting.post("/settings/profile/password", form).status_code == 303


def reset_password(ana, acting, owner, database, clock):
    with database.writing() as session:
        token = links.issue(session, ana.id, LinkKind.PASSWORD_RESET, clock())
    form = {"password": NEW, "password_again": NEW}
    assert Person(acting.http.application).post(f"/reset/{token}", form).status_code == 303


def change_role(ana, acting, owner, database, clock):
    assert owner.post(f"/settings/users/{ana.id}/role", {"role": "viewer"}).status_code == 303


def deactivate(ana, acting, owner, database, clock):
    assert owner.post(f"/settings/users/{ana.id}/deactivate").status_code == 303


def reset_second_factor(ana, acting, owner, database, clock):
    assert owner.post(f"/settings/users/{ana.id}/second-factor/reset").status_code == 303


def change_address(ana, acting, owner, database, clock):
    form = {"email": "ana.new@firm.example", "current_password": PASSWORD}
    assert acting.post("/settings/profile/email", form).status_code == 303
    with database.writing() as session:
        both = [
            links.issue(session, ana.id, kind, clock(), email="ana.new@firm.example")
            for kind in (LinkKind.EMAIL_CHANGE_OLD, LinkKind.EMAIL_CHANGE_NEW)
        ]
    for token in both:
        visitor = Person(acting.http.application)
        assert visitor.post(f"/email-change/{token}").status_code == 200


@pytest.mark.parametrize(
    "act",
    [
        change_password,
        reset_password,
        change_role,
        deactivate,
        reset_second_factor,
        change_address,
    ],
)
def test_A09_older_cookies_and_tokens_are_dead_at_once(
    act, someone, staff, sign_in, database, clock
):
    ana, acting, living = someone
    before = acting.http.get_cookie("casewell-session").value
    assert living(replayed=before) == {"browser", "token", "replayed"}
    act(ana, acting, sign_in(staff("owner")), database, clock)
    assert living(replayed=before) == set()


def test_A09_signing_out_everywhere_leaves_this_browser_alone(someone):
    _, acting, living = someone
    assert acting.post("/settings/security/sessions/end-others").status_code == 303
    assert living() == {"token"}
    assert acting.get("/api/me").status_code == 200


def test_A09_one_browser_of_the_list_is_signed_out(someone, database, sign_in, staff):
    _, acting, living = someone
    page = acting.get("/settings/security").get_data(as_text=True)
    ids = set(re.findall(r"/settings/security/sessions/(\d+)/end", page))
    assert ids
    stranger = sign_in(staff("viewer"))
    for number in ids:
        address = f"/settings/security/sessions/{number}/end"
        assert stranger.post(address).status_code == 404
        assert acting.post(address).status_code == 303
    assert living() == {"token"}


def test_A09_a_revoked_token_is_dead(someone, database):
    _, acting, living = someone
    page = acting.get("/settings/security").get_data(as_text=True)
    [number] = set(re.findall(r"/settings/security/tokens/(\d+)/revoke", page))
    assert acting.post(f"/settings/security/tokens/{number}/revoke").status_code == 303
    assert living() == {"browser"}


def test_a_token_is_shown_once_and_stored_as_a_hash(staff, sign_in, dump):
    person = sign_in(staff("manager"))
    form = {"name": "script", "scopes": "read", "days": "30", "current_password": PASSWORD}
    page = person.post("/settings/security/tokens", form).get_data(as_text=True)
    text = re.search(r"cw_[\w-]{40,}", page)[0]
    assert text not in repr(dump(without=set()))
    assert text not in person.get("/settings/security").get_data(as_text=True)
    api = person.http.application.test_client()
    headers = {"Authorization": f"Bearer {text}"}
    assert api.get("/api/me", headers=headers).json["scopes"] == ["read"]
    assert api.post("/api/clients", json={"first_name": "X"}, headers=headers).status_code == 403


def test_a_token_ends_on_its_day(staff, sign_in, database, clock, app):
    ana = staff()
    with database.writing() as session:
        _, text = tokens.make(
            session,
            session.get_one(Staff, ana.id),
            name="script",
            scopes=[Scope.READ],
            days=30,
            now=clock(),
        )
    api = app.test_client()
    headers = {"Authorization": f"Bearer {text}"}
    clock.move(days=30)
    clock.move(seconds=-1)
    assert api.get("/api/me", headers=headers).status_code == 200
    clock.move(seconds=1)
    assert api.get("/api/me", headers=headers).status_code == 401


def test_a_token_needs_the_password_again(staff, sign_in, dump):
    person = sign_in(staff())
    person.csrf()
    before = dump()
    form = {"name": "script", "scopes": "read", "current_password": "a wrong password"}
    assert person.post("/settings/security/tokens", form).status_code == 422
    assert dump() == before


def test_A17_a_profile_takes_its_own_fields_only(staff, sign_in, row):
    ana = staff()
    person = sign_in(ana)
    given = {"name": "Ana", "time_zone": "America/Chicago"}
    for more in (
        {"email": "owner@firm.example"},
        {"role": "owner"},
        {"is_active": "true", "mfa_enabled": "false"},
    ):
        assert person.post("/settings/profile", given | more).status_code == 422
    found = row(Staff, ana.id)
    assert (found.email, found.role, found.name) == (ana.email, ana.role, ana.name)
    assert person.post("/settings/profile", given).status_code == 303
    assert row(Staff, ana.id).name == "Ana"


def test_the_second_factor_of_the_firm_goes_only_with_a_reason(
    staff, sign_in, require_second_factor, with_second_factor, database, row
):
    from casewell.ledger.models import AuditEvent
    from casewell.staff.models import Firm

    owner = staff("owner")
    with_second_factor(owner)
    person = sign_in(owner)
    form = {"current_password": PASSWORD}
    assert person.post("/settings/firm/second-factor", form).status_code == 422
    assert row(Firm, 1).second_factor_required
    reason = "Everyone sits in one locked office."
    answer = person.post("/settings/firm/second-factor", form | {"reason": reason})
    assert answer.status_code == 303
    assert row(Firm, 1).second_factor_off_reason == reason
    with database.reading() as session:
        data = [event.data for event in session.query(AuditEvent).filter_by(kind="firm.changed")]
    assert data[-1]["reason"] == reason
    assert person.post("/settings/firm/second-factor", form | {"required": "1"}).status_code == 303
    assert row(Firm, 1).second_factor_required
