"""What leaves the house as a file: what one may see, and nothing a spreadsheet would run."""

import csv
import io
import zipfile

import pytest
import sqlalchemy as sa

from casewell.clients import exporting
from casewell.clients.models import Client, ClientStatus
from casewell.ledger.models import AuditEvent

FORMULAS = [
    '=HYPERLINK("https://evil.example")',
    "+1+1",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)",
    "\t=1+1",
    "\r=1+1",
]


def rows_of(answer):
    text = answer.data.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.fixture
def export(sign_in):
    return lambda person, **form: sign_in(person).post("/clients/export", form, buffered=True)


def test_K08_a_csv_file_holds_the_clients_one_may_see(client, manager, paralegal, export):
    client("Ana", "Ruiz", main=paralegal, emails=["a@example.com", "b@example.com"])
    client("Bo", "Lee", main=manager, phones=["+13125550148"])
    everyone = rows_of(export(manager))
    assert [row["First name"] for row in everyone] == ["Ana", "Bo"]
    assert everyone[0]["Email"] == "a@example.com; b@example.com"
    [own] = rows_of(export(paralegal))
    assert own["Main responsible"] == "Marcus Hill"


def test_a_file_holds_what_the_list_was_narrowed_to(client, manager, export):
    client("Ana", "Ruiz", status=ClientStatus.LEAD)
    client("Bo", "Lee")
    assert [row["First name"] for row in rows_of(export(manager, status="lead"))] == ["Ana"]
    assert [row["First name"] for row in rows_of(export(manager, q="lee"))] == ["Bo"]


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_is_a_formula(client, manager, export, database, formula):
    row = client()
    with database.writing() as session:
        session.execute(
            sa.update(Client).where(Client.id == row.id).values(first_name=formula, city=formula)
        )
    [exported] = rows_of(export(manager))
    for cell in exported.values():
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")), cell
    with zipfile.ZipFile(io.BytesIO(export(manager, format="xlsx").data)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml")
        assert b"<f>" not in sheet
        assert b"<hyperlink" not in sheet


def test_an_ssn_leaves_as_its_last_digits(client, manager, service, database, export):
    row = client()
    with database.writing() as session:
        service(session, manager).set_ssn(row.id, "900123456")
    for kind in ("csv", "xlsx"):
        data = export(manager, format=kind).data
        if kind == "xlsx":
            with zipfile.ZipFile(io.BytesIO(data)) as book:
                data = b"".join(book.read(name) for name in book.namelist())
        assert b"3456" in data
        assert b"900123456" not in data
        assert b"900-12-3456" not in data


def test_K08_who_took_how_many_is_recorded(client, manager, export, database):
    client()
    client("Bo")
    export(manager, q="bo")
    with database.reading() as session:
        event = session.scalars(sa.select(AuditEvent)).one()
    assert (event.kind, event.staff_id) == ("clients.exported", manager.id)
    assert event.data == {"rows": 1, "searched": True}


def test_more_than_a_batch_comes_whole_and_once(client, manager, export, monkeypatch):
    monkeypatch.setattr(exporting, "BATCH", 3)
    for n in range(8):
        client(f"C{n}", "Vega")
    assert [row["First name"] for row in rows_of(export(manager))] == [f"C{n}" for n in range(8)]


@pytest.mark.parametrize("form", [{"format": "exe"}, {"status": "gone"}, {"sort": "ssn"}])
def test_B15_a_file_of_nothing_that_is_offered_is_refused(manager, export, form):
    assert export(manager, **form).status_code == 422
