"""Signing in with a password, over HTTP."""

import re
import statistics
import time

import pytest
import sqlalchemy as sa

from casewell.ledger.models import AuditEvent
from casewell.staff.models import Staff, StaffSession
from casewell.staff.passwords import hash_password, is_outdated
from tests.rigs.installation import PASSWORD, Person

COOKIE = "casewell-session"


def enter(visitor, email, password=PASSWORD, source="198.51.100.7", **more):
    return visitor.post(
        "/sign-in",
        {"email": email, "password": password, **more},
        environ_base={"REMOTE_ADDR": source},
    )


def test_the_right_password_opens_the_page_that_was_wanted(visitor, staff):
    ana = staff(email="ana@firm.example")
    answer = enter(visitor, " Ana@Firm.Example", next="/settings/security")
    assert (answer.status_code, answer.location) == (303, "/settings/security")
    assert visitor.get("/api/me").json["id"] == ana.id


def test_who_is_signed_in_already_goes_on(staff, sign_in):
    person = sign_in(staff())
    answer = person.get("/sign-in?next=/settings/profile")
    assert (answer.status_code, answer.location) == (302, "/settings/profile")


@pytest.mark.parametrize("password", ["wrong", "", "x" * 2000, "a\x00b"])
def test_a_wrong_password_is_refused_in_words(visitor, staff, password):
    answer = enter(visitor, staff().email, password)
    assert answer.status_code == 422
    assert COOKIE not in answer.headers.get("Set-Cookie", "")
    assert visitor.get("/api/me").status_code == 401


def test_a_page_without_a_session_leads_to_sign_in_and_back(visitor, staff):
    answer = visitor.get("/settings/security?x=1")
    assert answer.status_code == 302
    page = visitor.get(answer.location)
    assert 'name="next" value="/settings/security?x=1"' in page.text


def test_a_weaker_hash_is_renewed_by_signing_in(visitor, staff, row):
    ana = staff()
    assert is_outdated(row(Staff, ana.id).password_hash)
    enter(visitor, ana.email)
    assert not is_outdated(row(Staff, ana.id).password_hash)
    assert enter(visitor, ana.email).status_code in (303, 400)


def test_A01_twenty_wrong_passwords_for_one_account_from_twenty_addresses(visitor, staff, clock):
    ana = staff()
    answers = [enter(visitor, ana.email, "wrong", f"198.51.100.{n}") for n in range(20)]
    assert [answer.status_code for answer in answers] == [422] * 10 + [429] * 10
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 15 * 60
    assert enter(visitor, ana.email, source="203.0.113.9").status_code == 429
    clock.move(minutes=15, seconds=1)
    assert enter(visitor, ana.email, source="203.0.113.9").status_code == 303


def test_A01_twenty_accounts_from_one_address(visitor, staff, app):
    people = [staff() for _ in range(3)]
    addresses = [one.email for one in people] + [f"p{n}@firm.example" for n in range(17)]
    answers = [enter(visitor, address, "wrong") for address in addresses]
    assert [answer.status_code for answer in answers] == [422] * 15 + [429] * 5
    assert enter(Person(app), people[0].email, source="203.0.113.9").status_code == 303


def test_A01_waiting_is_enough_even_while_somebody_keeps_guessing(visitor, staff, clock):
    ana = staff()
    for minute in range(40):
        enter(visitor, ana.email, "wrong", f"198.51.100.{minute}")
        clock.move(seconds=20)
    clock.move(minutes=15)
    assert enter(visitor, ana.email, source="203.0.113.9").status_code == 303


def test_A01_addresses_of_one_ipv6_network_count_as_one(visitor, staff):
    staff()
    sources = [f"2001:db8:1:2::{n:x}" for n in range(1, 17)]
    answers = [enter(visitor, f"p{n}@firm.example", "x", ip) for n, ip in enumerate(sources)]
    assert answers[-1].status_code == 429


def test_A01_success_is_not_counted(visitor, staff, app):
    ana = staff(password_hash=hash_password(PASSWORD))
    for _ in range(12):
        assert enter(Person(app), ana.email).status_code == 303


def test_A02_known_unknown_and_disabled_look_alike(app, staff, clock):
    good = hash_password(PASSWORD)
    known = staff(password_hash=good).email
    disabled = staff(password_hash=good, deactivated_at=clock()).email
    invited = staff(password_hash=None).email
    seen = {}
    for kind, email in {
        "known": known,
        "unknown": "nobody@firm.example",
        "disabled": disabled,
        "invited": invited,
    }.items():
        visitor, took = Person(app), []
        visitor.csrf()
        for n in range(7):
            began = time.process_time()
            answer = enter(visitor, email, "a wrong password", f"198.51.100.{n}")
            took.append(time.process_time() - began)
        token = re.search(r'name="csrf-token" content="([^"]+)"', answer.text)
        assert token, "the page holds no CSRF token"
        body = answer.text.replace(email, "").replace(token[1], "")
        headers = [name for name, _ in answer.headers]
        seen[kind] = (answer.status_code, body, headers)
        seen[kind + " took"] = statistics.median(took)
    assert seen["known"] == seen["unknown"] == seen["disabled"] == seen["invited"]
    # The work done, not the time that passed: a busy machine tells nothing. Without the dummy
    # hash it is 20 times less.
    for kind in ("unknown", "disabled", "invited"):
        assert 0.6 < seen[kind + " took"] / seen["known took"] < 1.6


def test_A08_a_cookie_set_before_is_not_the_session_after(visitor, staff):
    visitor.csrf()
    visitor.http.set_cookie(COOKIE, "known-to-the-attacker")
    enter(visitor, staff().email)
    assert visitor.http.get_cookie(COOKIE).value != "known-to-the-attacker"
    other = visitor.http.application.test_client()
    other.set_cookie(COOKIE, "known-to-the-attacker")
    assert other.get("/api/me").status_code == 401


def test_A08_signing_in_as_somebody_else_ends_the_session_before(app, staff, sign_in):
    ana, ben = staff(), staff()
    person = sign_in(ana)
    old = person.http.get_cookie(COOKIE).value
    assert enter(person, ben.email).status_code == 303
    assert person.get("/api/me").json["id"] == ben.id
    replay = Person(app)
    replay.http.set_cookie(COOKIE, old)
    assert replay.get("/api/me").status_code == 401


def test_A10_signing_out_ends_it_here_and_in_every_tab(app, staff, sign_in):
    person = sign_in(staff())
    old = person.http.get_cookie(COOKIE).value
    answer = person.post("/sign-out")
    assert answer.status_code == 303
    assert answer.headers["Cache-Control"] == "no-store"
    assert '"cookies"' in answer.headers["Clear-Site-Data"]
    assert person.get("/settings/profile").status_code == 302
    replay = Person(app)
    replay.http.set_cookie(COOKIE, old)
    assert replay.get("/api/me").status_code == 401
    assert replay.get("/settings/profile", htmx=True).headers["HX-Redirect"] == "/sign-in"


def test_A10_pages_are_not_kept_by_the_browser(staff, sign_in):
    assert sign_in(staff()).get("/settings/profile").headers["Cache-Control"] == "no-store"


def test_A11_half_an_hour_without_use_ends_a_session(staff, sign_in, clock):
    person = sign_in(staff())
    clock.move(minutes=29)
    assert person.get("/api/me").status_code == 200
    clock.move(minutes=29)
    assert person.get("/api/me").status_code == 200
    clock.move(minutes=30, seconds=1)
    assert person.get("/api/me").status_code == 401


def test_A11_twelve_hours_end_a_session_however_used(staff, sign_in, clock):
    person = sign_in(staff())
    for _ in range(36):
        clock.move(minutes=20)
        assert person.get("/api/me").status_code == 200
    clock.move(minutes=1)
    assert person.get("/api/me").status_code == 401


def test_use_is_noted_once_a_minute(staff, sign_in, clock, count_queries):
    person = sign_in(staff())
    clock.move(minutes=1)
    person.get("/api/me")
    with count_queries() as statements:
        person.get("/api/me")
    assert not [one for one in statements.seen if one.startswith("UPDATE")]


def test_A21_cookies_of_http_and_of_https(settings_of, clock, staff, runtime):
    from casewell.app import create_app
    from casewell.bootstrap import make_runtime

    ana = staff()
    https = make_runtime(
        settings_of(public_url="https://casewell.firm.example", trusted_proxies=1),
        now=clock,
        with_hints=False,
    )
    visitor = create_app(https).test_client()
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.5"}
    page = visitor.get("/sign-in", headers=headers, base_url="https://casewell.firm.example")
    token = page.text.split('name="csrf-token" content="')[1].split('"')[0]
    answer = visitor.post(
        "/sign-in",
        data={"email": ana.email, "password": PASSWORD, "csrf_token": token},
        headers=headers,
        base_url="https://casewell.firm.example",
    )
    cookies = answer.headers.getlist("Set-Cookie")
    session = next(one for one in cookies if one.startswith("__Host-casewell-session="))
    for attribute in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert attribute in session
    assert "Domain" not in session
    age = int(page.headers["Strict-Transport-Security"].split(";")[0].partition("=")[2])
    assert age >= 365 * 86_400
    https.database.close()


def test_C08_signing_in_never_leads_off_the_site(app, staff, shared):
    ana = staff(password_hash=hash_password(PASSWORD))
    lines = (shared / "security/fixtures/redirect_targets.txt").read_text().splitlines()
    targets = [eval(line) for line in lines if line.strip()]  # Python literals
    assert targets
    for number, target in enumerate(targets):
        visitor = Person(app)
        answer = enter(visitor, ana.email, source=f"198.51.100.{number}", next=target)
        assert answer.status_code == 303
        location = answer.location
        assert location.startswith("/"), target
        assert not location.startswith(("//", "/\\", "/\t")), target


def test_C10_a_token_from_before_signing_in_is_worth_nothing_after(visitor, staff):
    before = visitor.csrf()
    enter(visitor, staff().email)
    answer = visitor.http.post("/sign-out", data={"csrf_token": before})
    assert answer.status_code == 400
    assert visitor.get("/api/me").status_code == 200


def test_C10_signing_in_without_a_token_has_no_effect(visitor, staff):
    ana = staff()
    answer = visitor.http.post("/sign-in", data={"email": ana.email, "password": PASSWORD})
    assert answer.status_code == 400
    assert visitor.get("/api/me").status_code == 401


def test_every_attempt_is_in_the_audit_without_what_was_typed(visitor, staff, database):
    ana = staff()
    enter(visitor, ana.email, "a wrong password")
    enter(visitor, "my password typed as address", "x")
    enter(visitor, ana.email)
    with database.reading() as session:
        events = session.scalars(sa.select(AuditEvent).order_by(AuditEvent.seq)).all()
    assert [event.kind for event in events] == [
        "staff.sign_in_failed",
        "staff.sign_in_failed",
        "staff.signed_in",
    ]
    assert [event.data.get("staff_id") for event in events[:2]] == [ana.id, None]
    assert "typed" not in repr([event.data for event in events])
    assert {event.address for event in events} == {"198.51.100.7"}


def test_the_token_of_a_session_is_not_in_the_database(visitor, staff, dump):
    enter(visitor, staff().email)
    assert visitor.http.get_cookie(COOKIE).value not in repr(dump(without=set()))


def test_sessions_that_ended_by_age_are_deleted(staff, sign_in, clock, runtime, database):
    from casewell.staff.sessions import forget_sessions
    from casewell.staff.throttle import forget_attempts

    sign_in(staff())
    clock.move(hours=13)
    forget_sessions(runtime)
    forget_attempts(runtime)
    with database.reading() as session:
        assert session.scalars(sa.select(StaffSession)).all() == []
