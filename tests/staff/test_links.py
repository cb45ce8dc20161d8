"""One-time links: reset, invitation, change of address."""

import re
import statistics
import time

import pytest

from casewell.staff.models import Staff
from tests.rigs.installation import PASSWORD, Person

NEW = "seven kites over the harbor"
PAIR = {"password": NEW, "password_again": NEW}


def ask(visitor, email, source="198.51.100.7"):
    form = {"email": email}
    return visitor.post("/sign-in/reset", form, environ_base={"REMOTE_ADDR": source})


def can_enter(app, email, password):
    answer = Person(app).post("/sign-in", {"email": email, "password": password})
    return answer.status_code == 303


def invite(owner, email="new@firm.example"):
    form = {"name": "Noor Haddad", "email": email, "role": "attorney"}
    assert owner.post("/settings/users", form).status_code == 303


def test_a_reset_link_gives_a_new_password_and_ends_all_access(
    app, visitor, staff, sign_in, link_in
):
    ana = staff()
    there = sign_in(ana)
    assert ask(visitor, ana.email).status_code == 200
    path = link_in(ana.email)
    assert ana.email in visitor.get(path).text
    assert visitor.post(path, PAIR).location == "/sign-in"
    assert there.get("/api/me").status_code == 401
    assert can_enter(app, ana.email, NEW)
    assert not can_enter(app, ana.email, PASSWORD)


def test_A02_reset_mail_goes_only_to_who_is_known_and_from_the_worker(
    app, staff, clock, letters, sent_mails
):
    known = staff().email
    disabled = staff(deactivated_at=clock()).email
    seen = {}
    for kind, email in (("k", known), ("u", "nobody@firm.example"), ("d", disabled)):
        visitor, took = Person(app), []
        visitor.csrf()
        for n in range(5):
            began = time.perf_counter()
            answer = ask(visitor, email, f"198.51.100.{n}")
            took.append(time.perf_counter() - began)
        seen[kind] = (
            answer.status_code,
            answer.text,
            [name for name, _ in answer.headers],
        )
        assert statistics.median(took) < 1
    assert seen["k"][0] == seen["u"][0] == seen["d"][0] == 200
    assert seen["k"][2] == seen["u"][2] == seen["d"][2]
    strip = re.compile(r'content="[^"]*"|value="[^"]*"')  # tokens hold a time
    assert len({strip.sub("", body) for _, body, _ in seen.values()}) == 1
    assert sent_mails == []
    assert {to for to, _ in letters()} == {known}


def test_reset_requests_are_limited(visitor, staff):
    answers = [ask(visitor, "nobody@firm.example", f"198.51.100.{n}") for n in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]


def test_A04_a_reset_link_works_once(visitor, staff, link_in, dump):
    ana = staff()
    ask(visitor, ana.email)
    path = link_in(ana.email)
    assert path.removeprefix("/reset/") not in repr(dump(without=set()))
    assert visitor.post(path, PAIR).status_code == 303
    assert visitor.post(path, PAIR).status_code == 400
    assert visitor.get(path).status_code == 400


def test_A04_a_reset_link_dies_after_an_hour(visitor, staff, link_in, clock):
    ana = staff()
    ask(visitor, ana.email)
    path = link_in(ana.email)
    clock.move(minutes=60, seconds=1)
    assert visitor.get(path).status_code == 400
    assert visitor.post(path, PAIR).status_code == 400


def test_A04_a_newer_link_kills_the_older(visitor, staff, link_in, clock):
    ana = staff()
    ask(visitor, ana.email)
    older = link_in(ana.email)
    ask(visitor, ana.email)
    newer = link_in(ana.email)
    assert visitor.post(older, PAIR).status_code == 400
    assert visitor.post(newer, PAIR).status_code == 303


def test_A04_a_change_of_address_kills_the_link(app, visitor, staff, sign_in, link_in):
    ana = staff(email="old@firm.example")
    ask(visitor, ana.email)
    path = link_in("old@firm.example")
    person = sign_in(ana)
    form = {"email": "new@firm.example", "current_password": PASSWORD}
    assert person.post("/settings/profile/email", form).status_code == 303
    for address in ("old@firm.example", "new@firm.example"):
        assert visitor.post(link_in(address)).status_code == 200
    assert visitor.post(path, PAIR).status_code == 400


def test_a_weak_new_password_uses_nothing_up(visitor, staff, link_in):
    ana = staff()
    ask(visitor, ana.email)
    path = link_in(ana.email)
    for form in (
        {"password": "short", "password_again": "short"},
        {"password": NEW, "password_again": "another one entirely"},
        {},
    ):
        assert visitor.post(path, form).status_code == 422
    assert visitor.post(path, PAIR).status_code == 303


def test_A14_a_reset_leaves_the_second_factor_asked_for(
    app, visitor, staff, with_second_factor, link_in
):
    ana = staff()
    with_second_factor(ana)
    ask(visitor, ana.email)
    visitor.post(link_in(ana.email), PAIR)
    answer = visitor.post("/sign-in", {"email": ana.email, "password": NEW})
    assert answer.location.startswith("/sign-in/code")
    assert visitor.get("/api/me").status_code == 401


def test_A15_an_invitation_works_once(app, visitor, staff, sign_in, link_in, row):
    owner = sign_in(staff("owner"))
    invite(owner)
    path = link_in("new@firm.example")
    for _ in range(3):
        assert visitor.get(path).status_code == 200  # scanners of mail open it too
    form = {"name": "Noor H.", "time_zone": "America/Denver", **PAIR}
    assert visitor.post(path, form).status_code == 303
    assert visitor.get("/api/me").json["role"] == "attorney"
    assert Person(app).post(path, form).status_code == 400
    staff_id = visitor.get("/api/me").json["id"]
    assert row(Staff, staff_id).name == "Noor H."


def test_A15_an_invitation_dies_after_seven_days(visitor, staff, sign_in, link_in, clock):
    invite(sign_in(staff("owner")))
    path = link_in("new@firm.example")
    clock.move(days=7, seconds=1)
    assert visitor.get(path).status_code == 400


def test_A15_a_new_invitation_kills_the_older(visitor, staff, sign_in, link_in):
    owner = sign_in(staff("owner"))
    invite(owner)
    older = link_in("new@firm.example")
    assert owner.post("/settings/users/2/invitation").status_code == 303
    newer = link_in("new@firm.example")
    assert visitor.get(older).status_code == 400
    assert visitor.get(newer).status_code == 200


def test_A15_whoever_has_a_password_is_not_invited(staff, sign_in):
    ana = staff()
    answer = sign_in(staff("owner")).post(f"/settings/users/{ana.id}/invitation")
    assert answer.status_code == 422


@pytest.mark.parametrize("token", ["None", "null", "0", "%00", "x" * 3000, "%2e%2e", "' OR 1=1 --"])
def test_A15_an_empty_or_odd_token_matches_nothing(visitor, staff, sign_in, token):
    invite(sign_in(staff("owner")))
    for path in ("/invitation/", "/reset/", "/email-change/"):
        assert visitor.get(path + token).status_code in (400, 404), path
        assert visitor.post(path + token, PAIR).status_code in (400, 404), path
        assert visitor.get(path).status_code == 404


def test_A15_guessing_is_limited_by_source_not_by_guess(visitor, staff, sign_in, link_in):
    invite(sign_in(staff("owner")))
    statuses = [visitor.get(f"/invitation/guess{n}").status_code for n in range(25)]
    assert statuses == [400] * 20 + [429] * 5
    assert visitor.get(link_in("new@firm.example")).status_code == 200


def test_the_invited_set_their_second_factor_up_where_the_firm_asks_for_it(
    visitor, staff, sign_in, link_in, require_second_factor, with_second_factor
):
    boss = staff("owner")
    with_second_factor(boss)
    invite(sign_in(boss))
    form = {"name": "Noor", "time_zone": "America/Denver", **PAIR}
    answer = visitor.post(link_in("new@firm.example"), form)
    assert answer.location.startswith("/sign-in/second-factor")
    assert visitor.get("/api/me").status_code == 401


def test_A17_a_new_address_needs_the_password_and_both_addresses(
    visitor, app, staff, sign_in, link_in, row
):
    ana = staff(email="old@firm.example")
    person = sign_in(ana)
    path = "/settings/profile/email"
    wrong = {"email": "new@firm.example", "current_password": "wrong"}
    assert person.post(path, wrong).status_code == 422
    right = {"email": "New@firm.example", "current_password": PASSWORD}
    assert person.post(path, right).status_code == 303
    at_new, at_old = link_in("new@firm.example"), link_in("old@firm.example")
    assert visitor.get(at_new).status_code == 200
    assert "other address" in visitor.post(at_new).text
    assert row(Staff, ana.id).email == "old@firm.example"
    assert visitor.post(at_new).status_code == 400
    assert visitor.post(at_old).status_code == 200
    assert row(Staff, ana.id).email == "new@firm.example"
    assert person.get("/api/me").status_code == 401
    assert can_enter(app, "new@firm.example", PASSWORD)


def test_an_address_that_somebody_has_is_not_taken(staff, sign_in):
    ana, ben = staff(), staff()
    form = {"email": ben.email.upper(), "current_password": PASSWORD}
    assert sign_in(ana).post("/settings/profile/email", form).status_code == 422


def test_links_of_two_changes_do_not_add_up(visitor, staff, sign_in, link_in, row):
    ana = staff(email="old@firm.example")
    person = sign_in(ana)
    for new in ("one@firm.example", "two@firm.example"):
        form = {"email": new, "current_password": PASSWORD}
        assert person.post("/settings/profile/email", form).status_code == 303
        first = link_in(new)
        if new == "one@firm.example":
            assert visitor.post(first).status_code == 200
    assert visitor.post(link_in("old@firm.example")).status_code == 200
    assert row(Staff, ana.id).email == "old@firm.example"
