"""The second factor: set up, asked for, lost."""

import re

import pyotp
import pytest

from casewell.staff.models import Staff
from tests.rigs.installation import PASSWORD, Person


def enter(visitor, staff, **more):
    return visitor.post("/sign-in", {"email": staff.email, "password": PASSWORD, **more})


def enrol(person, page, clock, path, **more):
    """Scan what `page` shows and enter the code; returns the answer and the secret."""
    secret = re.search(r"by hand: <code[^>]*>([^<]+)<", page.text)[1].replace(" ", "")
    sealed = re.search(r'name="sealed" value="([^"]+)"', page.text)[1]
    person._token = None  # signing in begins the form token anew
    code = pyotp.TOTP(secret).at(clock())
    return person.post(path, {"sealed": sealed, "code": code, **more}), secret


def codes_on(page):
    return re.findall(r"<code[^>]*>([a-z2-9]{4}(?:-[a-z2-9]{4}){3})</code>", page.text)


@pytest.fixture
def half_in(app, staff, with_second_factor):
    """A browser past the password, its person, and the secret of their app."""
    ana = staff()
    secret = with_second_factor(ana)
    visitor = Person(app)
    answer = enter(visitor, ana, next="/settings/security")
    assert answer.location == "/sign-in/code?next=/settings/security"
    visitor._token = None
    visitor.staff = None
    visitor.csrf = lambda: _token_on(visitor, "/sign-in/code")
    return visitor, ana, secret


def _token_on(visitor, path):
    page = visitor.http.get(path, follow_redirects=True).text
    return re.search(r'name="csrf-token" content="([^"]+)"', page)[1]


def test_a_password_alone_opens_nothing(half_in):
    visitor, *_ = half_in
    for path in ("/settings/profile", "/settings/security", "/api"):
        answer = visitor.get(path)
        assert (answer.status_code, answer.location.split("?")[0]) == (302, "/sign-in"), path
    assert visitor.get("/api/me").status_code == 401
    assert visitor.get("/sign-in").location.startswith("/sign-in/code")


def test_a_code_finishes_signing_in_under_a_new_id(half_in, phone):
    visitor, _, secret = half_in
    before = visitor.http.get_cookie("casewell-session").value
    form = {"code": phone(secret), "next": "/settings/security"}
    answer = visitor.post("/sign-in/code", form)
    assert (answer.status_code, answer.location) == (303, "/settings/security")
    assert visitor.http.get_cookie("casewell-session").value != before
    assert visitor.get("/api/me").status_code == 200


def test_a_code_works_once(half_in, phone, app, clock):
    visitor, ana, secret = half_in
    code = phone(secret)
    assert visitor.post("/sign-in/code", {"code": code}).status_code == 303
    other = Person(app)
    enter(other, ana)
    other.csrf = lambda: _token_on(other, "/sign-in/code")
    assert other.post("/sign-in/code", {"code": code}).status_code == 422
    clock.move(seconds=30)
    assert other.post("/sign-in/code", {"code": phone(secret)}).status_code == 303


@pytest.mark.parametrize("code", ["000000", "", "12345", "abcdef", "１２３４５６", "9" * 30])
def test_a_wrong_code_is_refused_in_words(half_in, code):
    visitor, *_ = half_in
    answer = visitor.post("/sign-in/code", {"code": code})
    assert answer.status_code == 422
    assert visitor.get("/api/me").status_code == 401


def test_a_code_of_a_minute_ago_is_too_old(half_in, phone, clock):
    visitor, _, secret = half_in
    code = phone(secret)
    clock.move(seconds=61)
    assert visitor.post("/sign-in/code", {"code": code}).status_code == 422


def test_A01_codes_are_not_to_be_guessed(half_in, phone, clock):
    visitor, ana, secret = half_in
    statuses = [visitor.post("/sign-in/code", {"code": f"{n:06}"}).status_code for n in range(10)]
    assert statuses == [422] * 8 + [429] * 2
    assert visitor.post("/sign-in/code", {"code": phone(secret)}).status_code == 429
    clock.move(minutes=15, seconds=1)
    enter(visitor, ana)
    assert visitor.post("/sign-in/code", {"code": phone(secret)}).status_code == 303


def test_past_the_password_is_a_short_state(half_in, phone, clock):
    visitor, _, secret = half_in
    token = visitor.csrf()
    clock.move(minutes=16)
    form = {"code": phone(secret), "csrf_token": token}
    assert visitor.http.post("/sign-in/code", data=form).status_code == 302


def test_whoever_is_not_the_owner_of_the_phone_can_leave(half_in):
    visitor, *_ = half_in
    assert visitor.post("/sign-out").status_code == 303
    assert visitor.get("/sign-in").status_code == 200


def test_who_has_none_sets_one_up_before_anything_else(
    visitor, staff, require_second_factor, clock, row
):
    ana = staff()
    answer = enter(visitor, ana, next="/settings/profile")
    assert answer.location == "/sign-in/second-factor?next=/settings/profile"
    assert visitor.get("/settings/profile").status_code == 302
    page = visitor.get(answer.location)
    assert "<svg" in page.text
    assert "style=" not in page.text
    visitor.csrf = lambda: _token_on(visitor, "/sign-in/second-factor")
    done, _ = enrol(visitor, page, clock, "/sign-in/second-factor", next="/settings/profile")
    assert done.status_code == 200
    assert len(set(codes_on(done))) == 10
    assert 'href="/settings/profile"' in done.text
    assert visitor.get("/settings/profile").status_code == 200
    assert row(Staff, ana.id).has_second_factor


def test_looking_at_the_qr_code_changes_nothing(staff, sign_in, dump):
    person = sign_in(staff())
    before = dump(without=set())
    person.get("/settings/security/second-factor")
    assert dump(without=set()) == before


def test_a_secret_sealed_for_somebody_else_is_refused(staff, sign_in, clock):
    ana, ben = sign_in(staff()), sign_in(staff())
    page = ana.get("/settings/security/second-factor")
    answer, _ = enrol(
        ben, page, clock, "/settings/security/second-factor", current_password=PASSWORD
    )
    assert answer.status_code == 422


def test_a_wrong_code_keeps_the_secret_the_app_has_scanned(staff, sign_in):
    person = sign_in(staff())
    page = person.get("/settings/security/second-factor")
    sealed = re.search(r'name="sealed" value="([^"]+)"', page.text)[1]
    form = {"sealed": sealed, "code": "000000", "current_password": PASSWORD}
    again = person.post("/settings/security/second-factor", form)
    assert again.status_code == 422
    assert sealed in again.text


def test_A09_setting_it_up_ends_every_other_session(staff, sign_in, clock):
    ana = staff()
    here, there = sign_in(ana), sign_in(ana)
    old = here.http.get_cookie("casewell-session").value
    page = here.get("/settings/security/second-factor")
    done, _ = enrol(
        here, page, clock, "/settings/security/second-factor", current_password=PASSWORD
    )
    assert len(codes_on(done)) == 10
    assert there.get("/api/me").status_code == 401
    assert here.get("/api/me").status_code == 200
    assert here.http.get_cookie("casewell-session").value != old


def test_A09_turning_it_off_asks_for_the_password_and_ends_every_other_session(
    staff, sign_in, with_second_factor, row
):
    ana = staff()
    with_second_factor(ana)
    here, there = sign_in(ana), sign_in(ana)
    path = "/settings/security/second-factor/off"
    assert here.post(path, {"current_password": "wrong"}).status_code == 422
    assert row(Staff, ana.id).has_second_factor
    assert here.post(path, {"current_password": PASSWORD}).status_code == 303
    assert not row(Staff, ana.id).has_second_factor
    assert there.get("/api/me").status_code == 401
    assert here.get("/api/me").status_code == 200


def test_it_stays_on_where_the_firm_asks_for_it(
    staff, sign_in, with_second_factor, require_second_factor, row
):
    ana = staff()
    with_second_factor(ana)
    person = sign_in(ana)
    form = {"current_password": PASSWORD}
    assert person.post("/settings/security/second-factor/off", form).status_code == 409
    assert row(Staff, ana.id).has_second_factor


def test_A14_each_recovery_code_works_once_and_old_sets_are_dead(half_in, app, sign_in, dump):
    visitor, ana, _ = half_in
    owner = sign_in(ana)
    path, form = "/settings/security/recovery-codes", {"current_password": PASSWORD}
    old = codes_on(owner.post(path, form))
    new = codes_on(owner.post(path, form))
    assert len(old) == len(new) == 10
    assert not any(code in repr(dump(without=set())) for code in new)
    assert visitor.post("/sign-in/recovery", {"code": old[0]}).status_code == 422
    assert visitor.post("/sign-in/recovery", {"code": new[0].upper()}).status_code == 303
    again = Person(app)
    enter(again, ana)
    again.csrf = lambda: _token_on(again, "/sign-in/recovery")
    assert again.post("/sign-in/recovery", {"code": new[0]}).status_code == 422
    assert again.post("/sign-in/recovery", {"code": new[1]}).status_code == 303


def test_an_owner_resets_what_somebody_lost(staff, sign_in, with_second_factor, row, letters):
    ana = staff()
    with_second_factor(ana)
    there, owner = sign_in(ana), sign_in(staff("owner"))
    assert owner.post(f"/settings/users/{ana.id}/second-factor/reset").status_code == 303
    assert not row(Staff, ana.id).has_second_factor
    assert there.get("/api/me").status_code == 401
    assert "reset by an owner" in letters()[-1][1]


def test_an_owner_does_not_reset_their_own(staff, sign_in, with_second_factor, row):
    ana = staff("owner")
    with_second_factor(ana)
    answer = sign_in(ana).post(f"/settings/users/{ana.id}/second-factor/reset")
    assert answer.status_code == 403
    assert row(Staff, ana.id).has_second_factor
