"""The first start."""

import pytest
from click.testing import CliRunner

from casewell.staff.commands import staff as staff_command
from casewell.staff.commands import token as token_command
from casewell.staff.models import Firm, Staff
from tests.rigs.installation import Person

PASSWORD = "seven kites over the harbor"
FORM = {
    "firm_name": "Harbor Law Group",
    "time_zone": "America/Chicago",
    "name": "Grace Okafor",
    "email": "grace@firm.example",
    "password": PASSWORD,
    "password_again": PASSWORD,
}


@pytest.fixture
def first_visitor(runtime):
    """Somebody who opens an installation that has no firm yet."""
    from casewell.app import create_app

    visitor = Person(create_app(runtime))
    visitor.csrf = lambda: _token(visitor)
    return visitor


def _token(visitor):
    page = visitor.get("/set-up").text
    return page.split('name="csrf-token" content="')[1].split('"')[0]


def test_everything_leads_to_set_up(first_visitor):
    assert first_visitor.get("/").location.startswith("/sign-in")
    assert first_visitor.get("/sign-in").location == "/set-up"
    assert "Name of the firm" in first_visitor.get("/set-up").text


def test_A20_there_is_no_account_before_somebody_makes_one(first_visitor, dump):
    assert dump()["staff"] == []
    answer = first_visitor.post("/sign-in", {"email": "admin@firm.example", "password": "admin"})
    assert answer.status_code == 422


def test_it_makes_the_firm_and_its_owner_who_sets_a_second_factor_up(first_visitor, row):
    answer = first_visitor.post("/set-up", FORM)
    assert (answer.status_code, answer.location) == (303, "/sign-in/second-factor")
    assert row(Firm, 1).second_factor_required
    assert row(Staff, 1).role == "owner"
    assert first_visitor.get("/sign-in/second-factor").status_code == 200
    assert first_visitor.get("/settings/profile").status_code == 302


def test_it_works_once(first_visitor, dump):
    token = first_visitor.csrf()
    first_visitor.http.post("/set-up", data={**FORM, "csrf_token": token})
    before = dump()
    thief = Person(first_visitor.http.application)
    thief.staff = None
    answer = thief.post("/set-up", {**FORM, "email": "thief@firm.example"})
    assert answer.status_code == 404
    assert thief.get("/set-up").status_code == 404
    assert dump() == before


@pytest.mark.parametrize(
    "change",
    [
        {"password": "password1234", "password_again": "password1234"},
        {"password_again": "something else here"},
        {"email": "no address"},
        {"email": "a@b"},
        {"time_zone": "Mars/Olympus"},
        {"firm_name": ""},
        {"name": "x" * 300},
        {"role": "owner"},
    ],
)
def test_bad_input_comes_back_with_the_field_named(first_visitor, dump, change):
    answer = first_visitor.post("/set-up", {**FORM, **change})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert dump()["staff"] == dump()["firm"] == []


def run(runtime, command, *arguments, given=None):
    return CliRunner().invoke(
        command, list(arguments), obj=lambda **_: runtime, input=given, catch_exceptions=False
    )


def make(runtime, *more, given=None):
    arguments = ("create", "--name", "Grace Okafor", "--email", "grace@firm.example", *more)
    return run(runtime, staff_command, *arguments, given=given)


def test_the_first_account_can_be_made_by_command(runtime, first_visitor):
    told = make(runtime, "--firm", "Harbor", "--password-stdin", given=PASSWORD + "\n")
    assert "can sign in" in told.output
    visitor = Person(first_visitor.http.application)
    answer = visitor.post("/sign-in", {"email": "grace@firm.example", "password": PASSWORD})
    assert answer.location.startswith("/sign-in/second-factor")


def test_the_first_account_is_an_owner(runtime):
    assert make(runtime, "--role", "viewer").exit_code != 0


def test_without_a_password_a_link_is_printed(runtime, first_visitor):
    told = make(runtime, "--time-zone", "America/Denver")
    path = told.output.split("http://127.0.0.1:8000")[1].strip()
    assert "Grace Okafor" in first_visitor.get(path).text


def test_accounts_are_managed_by_command(runtime, app, staff, sign_in, with_second_factor, row):
    staff("owner", email="grace@firm.example")
    ana = staff(email="ana@firm.example")
    with_second_factor(ana)
    person = sign_in(ana)
    assert "ana@firm.example\tcase_manager\tactive" in run(runtime, staff_command, "list").output
    run(runtime, staff_command, "reset-second-factor", "Ana@firm.example")
    assert not row(Staff, ana.id).has_second_factor
    link = run(runtime, staff_command, "reset-password", "ana@firm.example").output
    assert person.get(link.strip().removeprefix("http://127.0.0.1:8000")).status_code == 200
    token = run(
        runtime, token_command, "create", "ana@firm.example", "--name", "Reports"
    ).output.strip()
    headers = {"Authorization": f"Bearer {token}"}
    assert Person(app).get("/api/me", headers=headers).json["scopes"] == ["read"]
    run(runtime, staff_command, "deactivate", "ana@firm.example")
    assert Person(app).get("/api/me", headers=headers).status_code == 401
    assert run(runtime, staff_command, "deactivate", "nobody@firm.example").exit_code != 0


def test_a_second_account_takes_the_zone_of_the_firm(runtime, staff, row):
    staff("owner")
    make(runtime, "--role", "viewer", "--password-stdin", given=PASSWORD)
    assert row(Staff, 2).time_zone == "America/Chicago"
