"""The pages of an import, from the upload to the report."""

import io

import pytest
import sqlalchemy as sa

from casewell.clients.models import Client, ImportState
from casewell.kernel.access import Role
from casewell.providers.files import FileStore

GOOD = """First name,Last name,Email,Phone,Status,State,Date of birth
Marisol,Vega,marisol.vega@example.com,(312) 555-0148,Active,IL,1984-03-21
Dwayne,Okafor,dwayne@example.org,312-555-0179,waiting,Ohio,3/4/1979
"""


def nobody(database):
    with database.reading() as session:
        return session.scalar(sa.select(sa.func.count(Client.id))) == 0


def upload(me, content, name="clients.csv"):
    data = content.encode() if isinstance(content, str) else content
    return me.post("/clients/import", {"file": (io.BytesIO(data), name)})


def test_K06_an_import_from_upload_to_report(sign_in, manager, run_due, database, runtime):
    me = sign_in(manager)
    answer = upload(me, GOOD + "Bad,,nonsense,,,,\n")
    assert answer.status_code == 303, answer.text
    address = answer.headers["Location"]
    page = me.get(address).text
    assert "Marisol" in page
    assert "Email is not an e-mail address" in page
    assert nobody(database), "nothing is saved before the start"
    form = {f"column-{n}": field for n, field in enumerate(("first_name", "last_name", "email"))}
    fragment = me.post(f"{address}/mapping", form | {"existing": "keep"}, htmx=True)
    assert fragment.status_code == 200
    assert "<html" not in fragment.text
    assert "Good" in fragment.text
    assert me.post(f"{address}/start", form).status_code == 303
    assert "every 2s" in me.get(f"{address}/progress", htmx=True).text
    while run_due():
        pass
    assert me.get(f"{address}/progress", htmx=True).headers["HX-Refresh"] == "true"
    page = me.get(address).text
    assert "Refused rows" in page
    report = me.get(f"{address}/report.csv")
    assert report.headers["Content-Disposition"].startswith("attachment")
    lines = report.text.splitlines()
    assert lines[0] == "\ufeffLine,Outcome,Client,Reason"
    assert lines[1].startswith("2,created,")
    assert lines[3].startswith("4,refused,,Email is not")


def test_an_import_without_a_name_column_does_not_start(sign_in, manager):
    me = sign_in(manager)
    address = upload(me, GOOD).headers["Location"]
    answer = me.post(f"{address}/start", {"column-2": "email"})
    assert answer.status_code == 422
    assert "Choose the column that holds the name." in answer.text


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        ("", 422, "This file is empty."),
        ('Name\n"Ana\n', 422, "never closed"),
    ],
)
def test_K06_a_file_that_cannot_be_read_is_told(sign_in, manager, content, status, words):
    answer = upload(sign_in(manager), content)
    assert answer.status_code == status
    assert words in answer.text


def test_R5_a_form_without_a_file_is_told(sign_in, manager):
    answer = sign_in(manager).post("/clients/import", {})
    assert answer.status_code == 422
    assert "Choose a CSV file." in answer.text


def test_B15_only_fields_that_exist_can_be_mapped(sign_in, manager):
    me = sign_in(manager)
    address = upload(me, GOOD).headers["Location"]
    assert me.post(f"{address}/mapping", {"column-0": "merged_into_id"}).status_code == 422
    assert me.post(f"{address}/mapping", {"existing": "delete"}).status_code == 422


def test_a_cancelled_upload_is_gone(import_state, sign_in, manager, runtime):
    me = sign_in(manager)
    address = upload(me, GOOD).headers["Location"]
    key = import_state(1).file_key
    me.post(f"{address}/cancel")
    assert import_state(1).state is ImportState.CANCELLED
    assert not runtime.provider(FileStore).exists(key)
    assert me.post(f"{address}/start", {"column-0": "name"}).status_code == 409


@pytest.mark.parametrize("role", [Role.CASE_MANAGER, Role.ATTORNEY, Role.VIEWER])
def test_R3_only_managers_import(sign_in, staff, role):
    me = sign_in(staff(role))
    assert me.get("/clients/import").status_code == 403
    assert upload(me, GOOD).status_code == 403
    assert me.get("/clients/import/1").status_code == 403


def test_R2_an_absent_import_is_not_found(sign_in, manager):
    me = sign_in(manager)
    for path in ("/clients/import/99", f"/clients/import/{2**70}", "/clients/import/99/report.csv"):
        assert me.get(path).status_code == 404


def test_C17_a_hostile_file_is_shown_as_text(sign_in, manager):
    me = sign_in(manager)
    evil = "<img src=x onerror=alert(1)>"
    address = upload(me, f"Name,{evil}\n{evil},x\n", f"{evil}.csv").headers["Location"]
    assert evil not in me.get(address).text
    assert evil not in me.get("/clients/import").text
