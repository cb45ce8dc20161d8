"""What holds for every request, whatever the route."""

import gzip
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from casewell.clients.models import Client
from casewell.kernel.web import CSP, safe_next
from casewell.ledger.service import verify
from casewell.operations.backup import write_backup
from casewell.staff.models import Attempt, Firm


@pytest.fixture
def owner(staff, sign_in):
    return sign_in(staff("owner"))


@pytest.mark.parametrize("path", ["/api/me", "/api/nothing", "/healthz"])
def test_C12_an_answer_to_a_program_loads_and_frames_nothing(owner, path):
    headers = owner.get(path).headers
    policy = {one.strip() for one in headers["Content-Security-Policy"].split(";")}
    assert policy == {"default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"}
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/sign-in", "/settings/profile", "/nothing-here", "/"])
def test_C12_every_page_carries_the_headers_that_guard_it(owner, path):
    headers = owner.get(path).headers
    assert headers["Content-Security-Policy"] == CSP
    assert "unsafe-inline" not in CSP
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "https://127.0.0.1.evil.example"]
)
def test_C15_no_other_origin_is_let_in(owner, origin):
    for method in ("GET", "OPTIONS"):
        answer = owner.http.open("/api/me", method=method, headers={"Origin": origin})
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("method", ["TRACE", "DELETE", "PUT", "PATCH"])
def test_C11_a_method_the_route_does_not_have_is_405(owner, method):
    assert owner.http.open("/settings/profile/theme", method=method).status_code == 405
    assert owner.http.open("/api/me", method=method).status_code == 405


def test_C11_the_method_can_not_be_overridden(owner):
    token = owner.csrf()
    answer = owner.http.post(
        "/api/me", data={"_method": "GET"}, headers={"X-HTTP-Method-Override": "GET"}
    )
    assert answer.status_code == 405
    answer = owner.http.get("/settings/profile/theme?_method=POST&theme=dark&csrf_token=" + token)
    assert answer.status_code == 405


def test_C10_a_form_without_its_token_changes_nothing(owner, database):
    for form in ({"theme": "dark"}, {"theme": "dark", "csrf_token": "made-up"}):
        assert owner.http.post("/settings/profile/theme", data=form).status_code == 400
    answer = owner.post("/settings/profile/theme", {"theme": "dark"})
    assert answer.status_code < 400


def test_C10_another_persons_token_is_refused(owner, staff, sign_in):
    other = sign_in(staff("manager"))
    form = {"theme": "dark", "csrf_token": other.csrf()}
    owner.csrf()
    assert owner.http.post("/settings/profile/theme", data=form).status_code == 400


def test_C10_a_text_body_is_no_json(owner):
    answer = owner.http.post(
        "/api/clients",
        data='{"first_name": "Ana"}',
        content_type="text/plain",
        headers={"X-CSRFToken": owner.csrf()},
    )
    assert answer.status_code == 415
    assert answer.mimetype == "application/problem+json"


def test_R1_who_is_not_signed_in_is_sent_to_sign_in_or_told_401(visitor):
    page = visitor.get("/settings/profile?x=1")
    assert page.status_code == 302
    assert page.location == "/sign-in?next=/settings/profile?x%3D1"
    fragment = visitor.get("/settings/profile", htmx=True)
    assert fragment.status_code == 401
    assert fragment.headers["HX-Redirect"] == "/sign-in"
    answer = visitor.get("/api/me")
    assert answer.status_code == 401
    assert answer.json["code"] == "not_signed_in"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_R6_an_unknown_address_tells_nothing(visitor):
    for path in ("/.git/config", "/static/../casewell.env", "/static/%2e%2e/app.py", "/\x00", "/é"):
        answer = visitor.get(path)
        assert answer.status_code in (400, 404)
        assert "Traceback" not in answer.get_data(as_text=True)


def test_P02_forms_beyond_reason_are_refused_quickly(visitor):
    token = visitor.csrf()
    many = {f"f{n}": "x" for n in range(10_000)} | {"csrf_token": token}
    assert visitor.http.post("/sign-in", data=many).status_code in (400, 413, 422)
    parts = {f"f{n}": "x" for n in range(2_000)} | {"csrf_token": token}
    answer = visitor.http.post("/sign-in", data=parts, content_type="multipart/form-data")
    assert answer.status_code in (400, 413)


def test_P02_a_body_over_the_limit_is_413_before_it_is_read(owner):
    answer = owner.http.post(
        "/api/clients",
        headers={"X-CSRFToken": owner.csrf()},
        content_type="application/json",
        environ_overrides={"CONTENT_LENGTH": "100000000000"},
    )
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("/sign-in", "application/x-www-form-urlencoded", b"a=1&" * 11_000_000),
        ("/portal/sign-in", "application/x-www-form-urlencoded", b"a=1&" * 11_000_000),
        ("/api/clients", "application/json", b"[" + b"1," * 20_000_000 + b"1]"),
    ],
)
def test_P02_what_brings_no_files_is_refused_before_it_is_read(owner, path, kind, body):
    """Millions of fields would take seconds and gigabytes, from people nobody knows."""
    began = time.monotonic()
    answer = owner.http.post(
        path, data=body, content_type=kind, headers={"X-CSRFToken": owner.csrf()}
    )
    assert answer.status_code == 413
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"1", b"{", b'{"a":' * 100_000, b'"\xff"', b'{"first_name": "\\ud800"}']
)
def test_P02_json_that_is_none_is_refused(owner, body):
    answer = owner.http.post(
        "/api/clients",
        data=body,
        content_type="application/json",
        headers={"X-CSRFToken": owner.csrf()},
    )
    assert answer.status_code in (400, 422)
    assert answer.mimetype == "application/problem+json"


def test_R8_a_refused_request_leaves_the_tables_as_they_were(staff, sign_in, database):
    viewer = sign_in(staff("viewer"))
    token = viewer.csrf()

    def everything():
        with database.reading() as session:
            return {
                table.name: session.execute(sa.select(table)).all()
                for table in Firm.metadata.sorted_tables
                if table.name not in ("audit_events", "ledger_heads", Attempt.__tablename__)
            }

    before = everything()
    answer = viewer.http.post("/settings/firm", data={"name": "Mine", "csrf_token": token})
    assert answer.status_code in (403, 404)
    answer = viewer.api("POST", "/api/clients", json={"first_name": "Ana", "last_name": "Ruiz"})
    assert answer.status_code == 403
    assert everything() == before


def test_C08_only_paths_of_this_site_are_followed(shared):
    lines = (shared / "security" / "fixtures" / "redirect_targets.txt").read_text().splitlines()
    assert len(lines) > 5
    for line in lines:
        assert safe_next(line, "/") == "/" or _stays(safe_next(line, "/"))
    assert safe_next("/inbox?lane=email", "/") == "/inbox?lane=email"


def _stays(path):
    """Whether a browser that follows `path` stays on the site."""
    return path.startswith("/") and path[1:2] not in ("/", "\\")


def test_A21_over_https_cookies_are_bound_to_the_host(settings_of, clock, outbox, database_url):
    from casewell.app import create_app
    from casewell.bootstrap import make_runtime

    runtime = make_runtime(
        settings_of(public_url="https://casewell.firm.example"), now=clock, with_hints=False
    )
    answer = (
        create_app(runtime).test_client().get("/set-up", base_url="https://casewell.firm.example")
    )
    runtime.database.close()
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-casewell-form=")
    for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert part in cookie
    assert "max-age=63072000" in answer.headers["Strict-Transport-Security"]


def test_O08_the_heartbeat_says_nothing_about_the_installation(visitor):
    answer = visitor.get("/healthz")
    assert answer.json == {"status": "ok"}
    assert "Server" not in answer.headers


def test_a_page_is_compressed_where_the_browser_takes_it_each_to_another_length(owner):
    plain = owner.get("/settings/profile")
    assert "Content-Encoding" not in plain.headers
    zipped = [
        owner.get("/settings/profile", headers={"Accept-Encoding": "br, gzip"}) for _ in range(8)
    ]
    assert {answer.headers["Content-Encoding"] for answer in zipped} == {"gzip"}
    assert "Theme" in gzip.decompress(zipped[0].data).decode()
    assert "Accept-Encoding" in ", ".join(plain.headers.getlist("Vary"))
    # A name of random length stands in the header: how long the answer is tells nothing of it.
    names = {answer.data[10 : answer.data.index(b"\0", 10)] for answer in zipped}
    assert len(names) > 1
    assert len(zipped[0].data) < len(plain.data) / 2


def test_S01_twenty_people_who_write_at_once_lose_nothing_and_meet_no_500(
    staff, sign_in, database, runtime, tmp_path
):
    people = [sign_in(staff("manager")) for _ in range(20)]
    for person in people:
        person.csrf()
    statuses = []

    def write(number):
        for turn in range(3):
            form = {"first_name": f"Ana{number}", "last_name": f"Ruiz{turn}"}
            statuses.append(people[number].api("POST", "/api/clients", json=form).status_code)

    with database.reading() as reader:
        assert reader.scalar(sa.select(sa.func.count()).select_from(Client)) == 0
        with ThreadPoolExecutor(20) as threads:
            done = [threads.submit(write, number) for number in range(20)]
            write_backup(runtime, tmp_path / "during.tar.gz")
            for one in done:
                one.result()
    assert statuses == [201] * 60
    with database.reading() as session:
        names = sa.select(Client.first_name, Client.last_name)
        assert len(set(session.execute(names).all())) == 60
        assert not list(verify(session))
