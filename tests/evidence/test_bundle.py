"""What a bundle holds, what it covers, and who may have one made."""

import io
import json
import re

import pytest
import sqlalchemy as sa

from casewell.clients.models import Client
from casewell.kernel.access import Role
from casewell.ledger.models import ActivityEvent, AuditEvent
from casewell.models import EvidenceBundle, Staff
from casewell.providers.files import FileStore
from tests.evidence.conftest import opened


def told(raw):
    return json.loads(opened(raw).read("timeline.json"))


def words_of(raw):
    """Return the text of the pages, as a reader of PDFs finds it."""
    from pypdf import PdfReader

    pages = PdfReader(io.BytesIO(opened(raw).read("bundle.pdf"))).pages
    return [page.extract_text() for page in pages]


def write_note(person, client, text, kind="general"):
    body = {"client_id": client.id, "text": text, "kind": kind}
    assert person.api("POST", "/api/notes", body).status_code == 201


def test_it_tells_all_in_order_and_numbers_it(person, ana, received, fetch, clock):
    received(ana, "Here is my letter")
    clock.move(minutes=5)
    write_note(person, ana, "Asked for the second page")
    clock.move(minutes=5)
    person.post(f"/clients/{ana.id}/status/waiting")
    raw = fetch(person, ana)
    items = told(raw)["items"]
    assert [one["number"] for one in items] == list(range(1, len(items) + 1))
    assert [one["at"] for one in items] == sorted(one["at"] for one in items)
    titles = [one["title"] for one in items]
    assert any("Email received" in title for title in titles)
    assert "Internal note (general)" in titles
    assert "Status changed to Waiting on client" in titles
    mail = next(one for one in items if one["source"] == "message")
    assert mail["text"] == "Here is my letter"
    assert opened(raw).read(mail["mail"]["file"]).endswith(b"Here is my letter\r\n")
    assert mail["mail"]["what"] == "as it was received"


def test_its_files_are_those_that_it_says(person, ana, received, fetch):
    received(ana, "Here is my letter", file=b"%PDF-1.4 lease", name="Léase/../../page 1.pdf")
    names = set(opened(fetch(person, ana, redact=False)).namelist())
    fixed = {"bundle.pdf", "timeline.json", "ledger.jsonl", "manifest.sha256", "verify.py"}
    assert fixed | {"README.txt"} <= names
    assert any(re.fullmatch(r"messages/\d{5}\.eml", name) for name in names)
    attached = [name for name in names if name.startswith("attachments/")]
    assert len(attached) == 1
    assert re.fullmatch(r"attachments/\d{5}-01-[\w.-]+\.pdf", attached[0])


def test_pages_are_numbered_and_say_the_bundle(person, ana, received, fetch):
    for number in range(60):
        received(ana, f"Letter {number}\n" + "A line of it.\n" * 5)
    pages = words_of(fetch(person, ana))
    assert len(pages) > 3
    for number, page in enumerate(pages, 1):
        assert f"Page {number} of {len(pages)}" in page
        assert "Ana Ruiz" in page
    assert "Letter 0" in "".join(pages)
    assert "Letter 59" in "".join(pages)


def test_words_of_any_script_and_length_are_printed(person, ana, received, fetch):
    received(ana, "Señor Ruiz — naïve\n" + "w" * 500 + "\n你好\x07\t\u202etxt")
    text = "".join(words_of(fetch(person, ana)))
    assert "Señor Ruiz — naïve" in text
    assert "[U+4F60]" in text
    assert "[U+202E]" in text
    assert text.count("w") >= 500


def test_C17_a_hostile_name_is_text_in_the_pages(person, ana, received, fetch, database):
    name = "<img src=x onerror=alert(1)>"
    with database.writing() as session:
        session.get_one(Client, ana.id).rename(name, "<b>Ruiz")
    received(ana, f"{name} & <font color=red>")
    pages = "".join(words_of(fetch(person, ana)))
    assert f"{name} <b>Ruiz" in " ".join(pages.split())
    assert f"{name} & <font color=red>" in " ".join(pages.split())


SECRETS = {
    "900-12-3456": "XXX-XX-3456",
    "my ssn is 900123456": "my ssn is XXXXX3456",
    "900123456": "XXXXX3456",
    "account number 12-345-678": "account number XX-XX5-678",
    "4111 1111 1111 1111": "XXXX XXXX XXXX 1111",
    "Acct. 0001234567": "Acct. XXXXXX4567",
}


@pytest.mark.parametrize(("secret", "shown"), SECRETS.items())
def test_numbers_are_covered_in_every_file(person, ana, received, fetch, secret, shown):
    received(ana, f"For you: {secret}.")
    write_note(person, ana, f"They said {secret}")
    raw = fetch(person, ana)
    hidden = re.sub(r"[A-Za-z.]+ ", "", secret) if secret[0].isalpha() else secret
    bundle = opened(raw)
    for name in bundle.namelist():
        if name != "bundle.pdf":
            assert hidden.encode() not in bundle.read(name), name
    pages = " ".join("".join(words_of(raw)).split())
    assert hidden not in pages
    assert any(shown in one["text"] for one in told(raw)["items"])
    mail = next(one for one in told(raw)["items"] if one["source"] == "message")
    assert "numbers covered" in mail["mail"]["what"]
    assert b"X-Casewell-Redacted" in bundle.read(mail["mail"]["file"])


@pytest.mark.parametrize(
    "plain",
    [
        "Call me at (312) 555-0148 or +1 312 555 0149",
        "On 2026-03-10 at 10:15, 12345 of 67890",
        "ZIP 60601-1234, file 24-0187",
        "Message 1681s-2(b), 15 U.S.C.",
        "$12,345.67",
    ],
)
def test_other_numbers_stay(person, ana, received, fetch, plain):
    received(ana, plain)
    mail = next(one for one in told(fetch(person, ana))["items"] if one["source"] == "message")
    assert mail["text"] == plain
    assert mail["mail"]["what"] == "as it was received"


def test_nothing_is_covered_where_somebody_says_so(person, ana, received, fetch):
    received(ana, "My SSN is 900-12-3456", file=b"%PDF-1.4 lease")
    raw = fetch(person, ana, redact=False)
    mail = next(one for one in told(raw)["items"] if one["source"] == "message")
    assert "900-12-3456" in mail["text"]
    assert opened(raw).read(mail["files"][0]["file"]) == b"%PDF-1.4 lease"


def test_files_stay_out_of_what_is_covered_and_are_named(person, ana, received, fetch):
    received(ana, "Here", file=b"%PDF-1.4 900-12-3456", name="report.pdf")
    raw = fetch(person, ana)
    file = next(one for one in told(raw)["items"] if one["files"])["files"][0]
    assert file["name"] == "report.pdf"
    assert "can't be covered" in file["left_out"]
    assert not [name for name in opened(raw).namelist() if name.startswith("attachments/")]
    raw = fetch(person, ana, with_files=True)
    assert [name for name in opened(raw).namelist() if name.startswith("attachments/")]


def test_privileged_notes_stay_out_unless_an_attorney_lets_them_in(
    person, attorney, ana, fetch, make
):
    write_note(attorney, ana, "A zebra claim under 1681s-2(b)", "privileged")
    for raw in (fetch(person, ana), fetch(attorney, ana)):
        bundle = opened(raw)
        assert not any(b"zebra" in bundle.read(name) for name in bundle.namelist())
        assert "zebra" not in "".join(words_of(raw))
        assert "privileged" not in bundle.read("ledger.jsonl").decode().replace(
            '"privileged": false', ""
        )
        withheld = bundle.read("ledger.jsonl").decode().count("outside of what")
        assert withheld >= 1
    raw = fetch(attorney, ana, with_privileged=True)
    assert "zebra" in "".join(words_of(raw))
    refused = person.api("POST", f"/api/clients/{ana.id}/evidence", {"with_privileged": True})
    assert (refused.status_code, refused.json["code"]) == (403, "only_attorneys")


def test_B08_a_bundle_with_privileged_notes_is_not_there_for_others(person, attorney, ana, make):
    bundle = make(attorney, ana, with_privileged=True)
    path = f"/api/clients/{ana.id}/evidence/{bundle['id']}"
    assert person.api("GET", path).status_code == 404
    assert person.get(f"{path}/file").status_code == 404
    assert person.api("POST", f"{path}/cancel").status_code == 404
    assert person.api("GET", f"/api/clients/{ana.id}/evidence").json == {"items": []}


def test_a_range_holds_whole_days_of_the_firm(sign_in, dana, ana, received, fetch, clock):
    received(ana, "On the first day")
    first = clock().date()
    clock.move(days=1)
    received(ana, "On the second day")
    clock.move(days=1)
    received(ana, "On the third day")
    second = str(first.replace(day=first.day + 1))
    raw = fetch(sign_in(dana), ana, since=second, until=second)
    texts = [one["text"] for one in told(raw)["items"] if one["source"] == "message"]
    assert texts == ["On the second day"]
    lines = [json.loads(line) for line in opened(raw).read("ledger.jsonl").splitlines()]
    assert [one["seq"] for one in lines[:-1]] == list(range(1, len(lines)))
    assert any("withheld" in one for one in lines)
    assert any("facts" in one for one in lines)


@pytest.mark.parametrize(
    "terms", [{"since": "2026-03-02", "until": "2026-03-01"}, {"since": "soon"}, {"zebra": 1}]
)
def test_nonsense_is_refused(person, ana, terms):
    assert person.api("POST", f"/api/clients/{ana.id}/evidence", terms).status_code == 422


def test_the_same_terms_give_the_same_pages(sign_in, dana, ana, received, fetch, clock):
    received(ana, "Here is my letter")
    until = str(clock().date())
    clock.move(days=2)
    person = sign_in(dana)
    first, second = (opened(fetch(person, ana, until=until)) for _ in range(2))
    mails = [name for name in first.namelist() if name.startswith("messages/")]
    for name in (*mails, "verify.py"):
        assert first.read(name) == second.read(name), name
    one, other = (json.loads(each.read("timeline.json"))["items"] for each in (first, second))
    assert one == other


def test_K08_it_is_in_the_ledger_and_each_fetch_is_audited(person, ana, fetch, database):
    fetch(person, ana)
    with database.reading() as session:
        kinds = session.scalars(
            sa.select(ActivityEvent.kind).where(ActivityEvent.kind.startswith("evidence."))
        ).all()
        assert kinds == ["evidence.requested", "evidence.made"]
        fetched = session.scalars(
            sa.select(AuditEvent).where(AuditEvent.kind == "evidence.downloaded")
        ).one()
        assert fetched.client_id == ana.id
        assert fetched.staff_name == "Dana Whitfield"
    page = person.get(f"/clients/{ana.id}/timeline?topic=evidence").text
    assert "Evidence bundle made" in page


def test_K08_the_link_expires_and_the_file_goes(
    person, sign_in, dana, ana, make, clock, runtime, database
):
    from casewell.evidence.jobs import expire_bundles

    bundle = make(person, ana)
    with database.reading() as session:
        key = session.get_one(EvidenceBundle, bundle["id"]).file_key
    clock.move(days=7, minutes=1)
    later = sign_in(dana)
    path = f"/api/clients/{ana.id}/evidence/{bundle['id']}"
    assert later.get(f"{path}/file").status_code == 410
    expire_bundles(runtime)
    assert later.get(f"{path}/file").status_code == 410
    assert later.api("GET", path).json["state"] == "expired"
    assert not runtime.provider(FileStore).exists(key)


def test_one_that_is_not_ready_is_not_fetched(person, ana, make):
    bundle = make(person, ana, until_done=False)
    answer = person.get(f"/api/clients/{ana.id}/evidence/{bundle['id']}/file")
    assert answer.status_code == 409


def test_a_second_one_waits_for_the_first(person, ana, make):
    make(person, ana, until_done=False)
    answer = person.api("POST", f"/api/clients/{ana.id}/evidence", {})
    assert (answer.status_code, answer.json["code"]) == (409, "bundle_at_work")


def test_what_is_cancelled_leaves_no_file(person, ana, make, run_due, database, runtime):
    bundle = make(person, ana, until_done=False)
    path = f"/api/clients/{ana.id}/evidence/{bundle['id']}"
    assert person.api("POST", f"{path}/cancel").json["state"] == "cancelled"
    run_due()
    assert person.api("GET", path).json["state"] == "cancelled"
    assert list(runtime.provider(FileStore).keys()) == []


def test_a_worker_that_died_is_followed_by_another(person, ana, make, run_due, clock, database):
    bundle = make(person, ana, until_done=False)
    with database.writing() as session:
        row = session.get_one(EvidenceBundle, bundle["id"])
        row.attempts, row.lease_until = 1, clock()  # it claimed the row, and was never heard of
    clock.move(minutes=1)
    run_due()
    path = f"/api/clients/{ana.id}/evidence/{bundle['id']}"
    assert person.api("GET", path).json["state"] == "done"


def test_B12_rights_are_asked_for_again_when_it_is_made(
    person, sign_in, ruth, dana, ana, make, run_due, database
):
    bundle = make(person, ana, until_done=False)
    with database.writing() as session:
        session.get_one(Staff, dana.id).role = Role.VIEWER
    run_due()
    path = f"/api/clients/{ana.id}/evidence/{bundle['id']}"
    seen = sign_in(ruth).api("GET", path).json
    assert seen["state"] == "failed"
    assert "may not make bundles" in seen["error"]


def test_B01_a_client_one_may_not_see_has_no_bundle(person, client, make, sign_in, ruth):
    hidden = client("Ben", "Okoro")
    bundle = make(sign_in(ruth), hidden)
    path = f"/api/clients/{hidden.id}/evidence"
    assert person.api("POST", path, {}).status_code == 404
    assert person.api("GET", path).status_code == 404
    assert person.get(f"{path}/{bundle['id']}/file").status_code == 404
    assert person.get(f"/clients/{hidden.id}/evidence").status_code == 404


def test_B08_a_bundle_is_found_under_its_own_client_alone(attorney, client, make):
    ana, ben = client("Ana", "Ruiz"), client("Ben", "Okoro")
    bundle = make(attorney, ana)
    assert attorney.get(f"/api/clients/{ben.id}/evidence/{bundle['id']}/file").status_code == 404
    assert attorney.api("GET", f"/api/clients/{ben.id}/evidence/{bundle['id']}").status_code == 404


def test_viewers_have_none_made(staff, sign_in, ana):
    viewer = sign_in(staff(Role.VIEWER))
    assert viewer.get(f"/clients/{ana.id}/evidence").status_code == 403
    assert viewer.api("POST", f"/api/clients/{ana.id}/evidence", {}).status_code == 403
    assert "Evidence bundle" not in viewer.get(f"/clients/{ana.id}/timeline").text


def test_the_page_has_one_made_and_shows_how_far_it_is(person, attorney, ana, run_due):
    path = f"/clients/{ana.id}/evidence"
    assert "No bundle yet" in person.get(path).text
    assert "Let privileged notes in" not in person.get(path).text
    assert "Let privileged notes in" in attorney.get(path).text
    assert person.post(path, {"redact": "1"}).location == path
    assert "every 2s" in person.get(path, htmx=True).text
    waits = person.post(path, {"redact": "1"})
    assert waits.status_code == 409
    assert "Wait for it" in waits.text
    while run_due():
        pass
    page = person.get(path).text
    assert "Download" in page
    assert "every 2s" not in page
    refused = person.post(path, {"since": "2026-03-02", "until": "2026-03-01"})
    assert refused.status_code == 422
    assert "before the first" in refused.text


def test_a_form_without_the_box_covers_nothing(person, ana, run_due, database):
    person.post(f"/clients/{ana.id}/evidence", {"since": "2026-01-01"})
    with database.reading() as session:
        assert session.scalars(sa.select(EvidenceBundle.is_redacted)).one() is False
