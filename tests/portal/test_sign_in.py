"""How clients get into the portal, and how nobody else does."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from casewell.clients.models import ClientMerge
from casewell.kernel.access import Role
from casewell.ledger.models import ActivityEvent, AuditEvent
from casewell.portal.models import ClientAccount, ClientLink, ClientSession
from tests.abuse.conftest import plain
from tests.portal.conftest import PASSWORD, text_of

INSIDE = "Signed in as"


@pytest.fixture
def ask_for_link(visitor, run_due):
    def ask(email="marisol@example.com"):
        answer = visitor.post("/portal/sign-in/link", {"email": email})
        run_due()
        return answer

    return ask


def home_of(person):
    return person.get("/portal/")


def test_a_client_signs_in_with_their_password(account, marisol, visitor):
    account(marisol)
    form = {"email": " Marisol@Example.com ", "password": PASSWORD}
    assert visitor.post("/portal/sign-in", form).location == "/portal/messages"
    page = home_of(visitor)
    assert INSIDE in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "form",
    [
        {"email": "marisol@example.com", "password": "something else entirely"},
        {"email": "nobody@example.com", "password": PASSWORD},
        {"email": "off@example.com", "password": PASSWORD},
        {"email": "bare@example.com", "password": PASSWORD},
    ],
)
def test_A02_a_wrong_password_and_an_unknown_client_look_the_same(
    account, marisol, client, clock, visitor, form
):
    account(marisol)
    account(client(emails=["off@example.com"]), disabled_at=clock())
    account(client(emails=["bare@example.com"]), password_hash=None)
    answer = visitor.post("/portal/sign-in", form)
    assert answer.status_code == 422
    assert "belong together" in answer.text
    assert "Set-Cookie" not in answer.headers or "casewell-portal" not in str(answer.headers)


def test_A01_guessing_ends_for_a_while_and_locks_nobody_out(account, marisol, visitor, clock):
    account(marisol)
    wrong = {"email": "marisol@example.com", "password": "not this one at all"}
    answers = [visitor.post("/portal/sign-in", wrong).status_code for _ in range(11)]
    assert answers == [422] * 10 + [429]
    right = {**wrong, "password": PASSWORD}
    assert visitor.post("/portal/sign-in", right).status_code == 429
    clock.move(minutes=16)
    assert visitor.post("/portal/sign-in", right).status_code == 303


def test_A18_opening_a_link_uses_nothing_up_and_the_button_works_once(
    account, marisol, visitor, ask_for_link, link_in, app, database
):
    account(marisol)
    assert "on its way" in ask_for_link().text
    path = link_in()
    token = path.rsplit("/", 1)[1]
    with database.reading() as session:
        [kept] = session.scalars(sa.select(ClientLink.token_hash))
    assert kept != token
    for _ in range(3):
        page = visitor.get(path)
        assert "Press the button" in page.text
        assert home_of(visitor).location == "/portal/sign-in"
    assert visitor.post(path).location == "/portal/messages"
    assert INSIDE in home_of(visitor).text
    forwarded = type(visitor)(app)
    assert forwarded.get(path).status_code == 400
    assert forwarded.post(path).status_code == 400
    assert home_of(forwarded).location == "/portal/sign-in"


def test_A18_a_link_is_good_for_a_quarter_of_an_hour(
    account, marisol, visitor, ask_for_link, link_in, clock
):
    account(marisol)
    ask_for_link()
    clock.move(minutes=15, seconds=1)
    assert visitor.post(link_in()).status_code == 400


def test_A04_a_newer_link_makes_the_older_one_worthless(
    account, marisol, visitor, ask_for_link, link_in
):
    account(marisol)
    ask_for_link()
    older = link_in()
    ask_for_link()
    assert visitor.get(older).status_code == 400
    assert visitor.get(link_in()).status_code == 200


def test_A02_a_link_is_promised_to_everyone_and_sent_to_clients(
    account, marisol, client, clock, ask_for_link, sent_mails
):
    account(marisol)
    account(client(emails=["off@example.com"]), disabled_at=clock())
    known = ask_for_link()
    addresses = ("nobody@example.com", "off@example.com", "person1@firm.example")
    others = [ask_for_link(email) for email in addresses]
    assert {one.status_code for one in others} == {known.status_code} == {200}
    for email, other in zip(addresses, others, strict=True):
        assert plain(other).replace(email, "") == plain(known).replace("marisol@example.com", "")
    assert [to for _, to, _ in sent_mails] == [["marisol@example.com"]]


def test_A01_links_are_not_sent_without_end(account, marisol, ask_for_link, sent_mails):
    account(marisol)
    answers = [ask_for_link().status_code for _ in range(6)]
    assert answers == [200] * 5 + [429]
    assert len(sent_mails) == 5


def test_A15_guessed_links_are_counted(visitor):
    answers = {visitor.get(f"/portal/enter/{number}").status_code for number in range(20)}
    assert answers == {400}
    assert visitor.get("/portal/enter/21").status_code == 429


def test_A08_signing_in_gives_a_new_session_and_ends_the_old_one(
    account, marisol, visitor, runtime, database
):
    account(marisol)
    form = {"email": "marisol@example.com", "password": PASSWORD}
    visitor.http.set_cookie("casewell-portal", "chosen-by-somebody-else")
    visitor.post("/portal/sign-in", form)
    first = visitor.http.get_cookie("casewell-portal").value
    visitor.post("/portal/sign-in", form)
    assert visitor.http.get_cookie("casewell-portal").value not in (
        first,
        "chosen-by-somebody-else",
    )
    with database.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(ClientSession)) == 1


def test_A10_signing_out_ends_the_session(enter, marisol):
    person = enter(marisol)
    cookie = person.http.get_cookie("casewell-portal").value
    answer = person.post("/portal/sign-out")
    assert answer.headers["Clear-Site-Data"] == '"cache"'
    person.http.set_cookie("casewell-portal", cookie)
    assert home_of(person).location == "/portal/sign-in"


@pytest.mark.parametrize(("step", "steps"), [(31, 1), (20, 37)])
def test_A11_a_session_ends_when_unused_and_when_old(enter, marisol, clock, step, steps):
    person = enter(marisol)
    for _ in range(steps):
        clock.move(minutes=step)
        last = home_of(person)
    assert last.location == "/portal/sign-in"


def test_A09_a_new_password_signs_every_other_browser_out(enter, account, marisol):
    has = account(marisol)
    here, elsewhere = enter(marisol, has), enter(marisol, has)
    form = {"current_password": PASSWORD, "password": "a newer tree by the water"}
    wrong = here.post("/portal/password", {**form, "current_password": "no"})
    assert wrong.status_code == 422
    weak = here.post("/portal/password", {**form, "password": "marisol"})
    assert weak.status_code == 422
    assert here.post("/portal/password", form).status_code == 200
    assert INSIDE in home_of(here).text
    assert home_of(elsewhere).location == "/portal/sign-in"


def test_A19_a_clients_cookie_opens_nothing_of_staff_and_the_reverse(
    enter, marisol, dana, sign_in, runtime
):
    in_portal = enter(marisol)
    token = in_portal.http.get_cookie("casewell-portal").value
    for name in ("casewell-portal", "casewell-session"):
        in_portal.http.set_cookie(name, token)
        assert in_portal.get("/inbox").location.startswith("/sign-in")
        assert in_portal.get("/api/inbox").status_code == 401
    staff = sign_in(dana)
    staff.http.set_cookie("casewell-portal", staff.http.get_cookie("casewell-session").value)
    assert staff.get("/portal/").location == "/portal/sign-in"


def test_A21_over_https_the_cookie_is_guarded_by_the_browser(settings_of):
    from casewell.portal.sessions import cookie_of

    assert cookie_of(settings_of(public_url="https://firm.example")) == "__Host-casewell-portal"


def test_staff_invite_a_client_who_then_signs_in(
    marisol, dana, sign_in, run_due, sent_mails, link_in, visitor, database
):
    person = sign_in(dana)
    page = f"/clients/{marisol.id}/portal"
    assert "has no portal account" in person.get(page).text
    person.post(f"{page}/invite", {"email": "marisol@example.com"})
    run_due()
    [(_, to, raw)] = sent_mails
    assert to == ["marisol@example.com"]
    assert "Harbor Law Group has opened a portal" in text_of(raw)
    visitor.post(link_in())
    assert "Choose a password" in home_of(visitor).text
    assert "marisol@example.com" in person.get(page).text
    with database.reading() as session:
        kinds = session.scalars(sa.select(ActivityEvent.kind)).all()
        signed_in = sa.select(AuditEvent.kind).where(AuditEvent.kind == "portal.signed_in")
        assert "portal.invited" in kinds
        assert len(session.scalars(signed_in).all()) == 1


def test_A15_an_invitation_ends_after_a_week(
    marisol, dana, sign_in, run_due, link_in, visitor, clock
):
    sign_in(dana).post(f"/clients/{marisol.id}/portal/invite", {"email": "marisol@example.com"})
    run_due()
    clock.move(days=7, seconds=1)
    assert visitor.post(link_in()).status_code == 400


def test_an_invitation_goes_only_to_an_address_on_file_that_is_nobody_elses(
    marisol, bruno, account, dana, sign_in, sent_mails, run_due, client
):
    account(bruno)
    person = sign_in(dana)
    stranger = person.post(f"/clients/{marisol.id}/portal/invite", {"email": "x@example.net"})
    assert "not on the client" in stranger.text
    partner = client("Ida", "Salas", emails=["bruno@example.com"], main=dana)
    shared = person.post(f"/clients/{partner.id}/portal/invite", {"email": "bruno@example.com"})
    assert "Another client signs in" in shared.text
    run_due()
    assert sent_mails == []


def test_A09_turning_an_account_off_ends_all_it_gave(
    marisol, account, enter, dana, sign_in, visitor, run_due, link_in, sent_mails
):
    has = account(marisol)
    inside = enter(marisol, has)
    person = sign_in(dana)
    person.post(f"/clients/{marisol.id}/portal/link")
    run_due()
    path = link_in()
    person.post(f"/clients/{marisol.id}/portal/disable")
    assert home_of(inside).location == "/portal/sign-in"
    assert visitor.post(path).status_code == 400
    form = {"email": "marisol@example.com", "password": PASSWORD}
    assert visitor.post("/portal/sign-in", form).status_code == 422
    assert person.post(f"/clients/{marisol.id}/portal/link").status_code == 409
    person.post(f"/clients/{marisol.id}/portal/enable")
    assert visitor.post("/portal/sign-in", form).status_code == 303
    assert home_of(inside).location == "/portal/sign-in"


def test_a_reader_sees_the_account_and_changes_nothing(marisol, staff, sign_in):
    person = sign_in(staff(Role.VIEWER))
    page = person.get(f"/clients/{marisol.id}/portal")
    assert page.status_code == 200
    assert "Send invitation" not in page.text


def test_a_merge_leaves_one_valid_account_and_undoing_it_gives_it_back(
    marisol, bruno, client, account, enter, dana, staff, sign_in, database
):
    spare = client("Marisol", "Vega", emails=["spare@example.com"], main=dana)
    has = account(marisol)
    inside = enter(marisol, has)
    person = sign_in(dana)

    def merge(kept, merged):
        person.post(f"/clients/{kept.id}/merge", {"merged_id": merged.id})

    def accounts():
        with database.reading() as session:
            rows = sa.select(ClientAccount.client_id, ClientAccount.disabled_at)
            return {client_id: at is None for client_id, at in session.execute(rows)}

    merge(spare, marisol)
    assert accounts() == {spare.id: True}
    assert home_of(inside).location == "/portal/sign-in"
    with database.reading() as session:
        merge_id = session.scalars(sa.select(ClientMerge.id)).one()
    person.post(f"/clients/merges/{merge_id}/undo")
    assert accounts() == {marisol.id: True}
    account(bruno)
    merge(bruno, marisol)
    assert accounts() == {bruno.id: True, marisol.id: False}
