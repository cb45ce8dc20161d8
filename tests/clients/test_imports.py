"""Importing clients: each row stands or falls alone, and none is taken in twice."""

import io

import pytest
import sqlalchemy as sa

from casewell.clients import imports, jobs
from casewell.clients.import_rows import Existing
from casewell.clients.models import (
    Client,
    ClientEmail,
    ClientImportRow,
    ClientPhone,
    ClientStatus,
    ImportState,
    RowOutcome,
)
from casewell.clients.queries import WHOLE
from casewell.kernel.access import Role
from casewell.kernel.errors import TooLarge
from casewell.providers.files import FileStore

GOOD = """First name,Last name,Email,Phone,Status,State,Date of birth
Marisol,Vega,marisol.vega@example.com,(312) 555-0148,Active,IL,1984-03-21
Dwayne,Okafor,dwayne@example.org,312-555-0179,waiting,Ohio,3/4/1979
"""


def count(database, model=Client):
    with database.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(model))


def results(database, import_id):
    with database.reading() as session:
        query = sa.select(ClientImportRow).where(ClientImportRow.import_id == import_id)
        return list(session.scalars(query.order_by(ClientImportRow.line)))


def test_rows_become_clients(import_file, database):
    done = import_file(GOOD)
    assert (done.state, done.created, done.refused) == (ImportState.DONE, 2, 0)
    with database.reading() as session:
        ana = session.scalars(
            sa.select(Client).where(Client.last_name == "Okafor").options(*WHOLE)
        ).one()
        assert ana.status is ClientStatus.WAITING
        assert (ana.state, str(ana.date_of_birth)) == ("OH", "1979-03-04")
        assert ana.phones[0].e164 == "+13125550179"
        assert ana.emails[0].normal_form == "dwayne@example.org"


def test_K06_a_second_run_creates_nothing(import_file, database):
    import_file(GOOD)
    again = import_file(GOOD)
    assert (again.created, again.updated, again.unchanged) == (0, 0, 2)
    assert count(database) == 2


def test_K06_a_changed_row_updates_and_adds_but_forgets_nothing(import_file, database):
    import_file(GOOD)
    changed = GOOD.replace("(312) 555-0148", "(312) 555-0100").replace("Active", "Completed")
    again = import_file(changed)
    assert (again.created, again.updated, again.unchanged) == (0, 1, 1)
    with database.reading() as session:
        query = sa.select(Client).where(Client.last_name == "Vega").options(*WHOLE)
        vega = session.scalars(query).one()
        assert vega.status is ClientStatus.COMPLETED
        assert [phone.e164 for phone in vega.phones] == ["+13125550148", "+13125550100"]


def test_clients_who_are_here_can_be_left_alone(import_file, database):
    import_file(GOOD)
    again = import_file(GOOD.replace("Active", "Completed"), existing=Existing.KEEP)
    assert (again.updated, again.unchanged) == (0, 2)


def test_K06_the_same_row_twice_is_one_client(import_file, database):
    done = import_file("Name,Email\n" + "Ana Ruiz,ana@example.com\n" * 3)
    assert (done.created, done.unchanged) == (1, 2)


def test_K06_rows_with_nothing_but_a_name_are_created_once(import_file, database):
    text = "Name,City\nAna Ruiz,Reno\nBea Ruiz,Reno\n"
    assert import_file(text).created == 2
    assert import_file(text).unchanged == 2


def test_two_people_may_share_an_address(import_file, database):
    done = import_file("Name,Email\nAna Ruiz,us@example.com\nTom Ruiz,us@example.com\n")
    assert done.created == 2
    assert count(database, ClientEmail) == 2


def test_an_id_of_the_other_program_is_known_again(import_file, database):
    import_file("Id,Name,Email\nX7,Ana Ruiz,ana@example.com\n")
    again = import_file("Id,Name,Email\nX7,Ana Ruiz-Vega,ana.new@example.com\n")
    assert (again.created, again.updated) == (0, 1)


def test_K06_a_bad_row_is_refused_with_its_reasons_and_the_rest_goes_on(import_file, database):
    done = import_file(
        "First name,Email,Date of birth,Status\n"
        "Ana,not an address,31.31.1990,asleep\n"
        ",b@example.com,,\n"
        "Cleo,c@example.com,1990-02-29,\n"
        "Dora,d@example.com,,,,extra\n"
        "Eve,e@example.com,,\n"
    )
    assert (done.state, done.created, done.refused) == (ImportState.DONE, 1, 4)
    rows = results(database, done.id)
    assert [row.outcome for row in rows] == [RowOutcome.REFUSED] * 4 + [RowOutcome.CREATED]
    assert "Email is not an e-mail address" in rows[0].reason
    assert "Date of birth is not a date" in rows[0].reason
    assert "“asleep” is not a status" in rows[0].reason
    assert "name" in rows[1].reason
    assert "Date of birth" in rows[2].reason
    assert "more values" in rows[3].reason


def test_K06_formula_cells_stay_text(import_file, database):
    import_file("Name,City,Email\nAna Ruiz,\"=cmd|'/C calc'!A0\",ana@example.com\n")
    with database.reading() as session:
        assert session.scalar(sa.select(Client.city)) == "=cmd|'/C calc'!A0"


def test_staff_are_known_by_name_or_address(import_file, database, manager, staff):
    staff(Role.CASE_MANAGER, name="Marcus Hill", email="marcus@firm.example")
    done = import_file(
        "Name,Email,Owner,Attorney\n"
        "Ana Ruiz,a@example.com,marcus@firm.example,Dana Whitfield\n"
        "Bea Ruiz,b@example.com,Nobody Here,\n"
    )
    assert (done.created, done.refused) == (1, 1)
    with database.reading() as session:
        client = session.scalars(sa.select(Client).options(*WHOLE)).one()
        assert client.main_responsible.name == "Marcus Hill"
        assert client.second_responsible.name == "Dana Whitfield"


def test_an_ssn_is_sealed_and_the_file_goes(import_file, runtime, database):
    done = import_file("Name,SSN\nAna Ruiz,900-12-3456\nBea Ruiz,123\n")
    assert (done.created, done.refused) == (1, 1)
    with database.reading() as session:
        client = session.scalars(sa.select(Client)).one()
        assert (client.ssn.open(), client.ssn_last4) == ("900123456", "3456")
    assert done.file_key is None
    assert list(runtime.provider(FileStore).keys()) == []


def many(number: int) -> str:
    lines = (f"Client {n},c{n}@example.com" for n in range(number))
    return "Name,Email\n" + "\n".join(lines) + "\n"


def test_K06_a_killed_import_goes_on_where_it_stopped(
    import_file, import_state, runtime, database, clock, run_due
):
    class Killed(BaseException):
        """As kill -9: nothing is cleaned up."""

    commits, died = [], []

    def die_in_the_second(_connection, _cursor, statement, *_):
        # The first commit is the claim, the second the first batch.
        second = len(commits) == 2 and not died
        if second and "rows_done=" in statement:
            died.append(True)
            raise Killed

    row = import_file(many(250), until_done=False)
    sa.event.listen(database.engine, "commit", lambda _connection: commits.append(True))
    sa.event.listen(database.engine, "before_cursor_execute", die_in_the_second)
    with pytest.raises(Killed):
        jobs.import_clients(runtime, row.id)
    assert import_state(row.id).rows_done == 100
    assert run_due() == 0, "somebody still holds the lease"
    clock.move(minutes=6)
    while run_due():
        pass
    done = import_state(row.id)
    assert (done.state, done.created, done.rows_done) == (ImportState.DONE, 250, 250)
    assert count(database) == 250


def test_K06_a_file_that_is_too_large_is_told_and_not_kept(runtime, manager):
    content = io.BytesIO(b"Name\n" + b"x" * 1_000_000)
    with runtime.database.writing() as session, pytest.raises(TooLarge, match="more than 1 MB"):
        imports.upload(session, runtime, content, "a.csv", manager.id, most_bytes=1_000_000)
    assert not list(runtime.provider(FileStore).keys())


def test_a_long_import_lets_others_work(import_state, import_file, runtime, run_due, monkeypatch):
    monkeypatch.setattr(jobs, "BATCHES_IN_A_RUN", 1)
    row = import_file(many(150), until_done=False)
    assert run_due() == 1
    assert import_state(row.id).rows_done == 100
    assert run_due() == 1
    assert run_due() == 1
    assert import_state(row.id).state is ImportState.DONE


def test_K06_cancelling_stops_before_the_next_rows(
    import_state, import_file, runtime, run_due, monkeypatch
):
    monkeypatch.setattr(jobs, "BATCHES_IN_A_RUN", 1)
    row = import_file(many(250), until_done=False)
    run_due()
    with runtime.database.writing() as session:
        imports.cancel(session, runtime, imports.find_import(session, row.id, hold=True))
    assert run_due() == 0
    done = import_state(row.id)
    assert (done.state, done.created) == (ImportState.CANCELLED, 100)


def test_K06_a_file_replaced_meanwhile_is_not_read(import_state, import_file, runtime, run_due):
    row = import_file(many(3), until_done=False)
    store = runtime.provider(FileStore)
    path = next(p for p in runtime.settings.files.rglob(f"*{row.file_key[4:]}*") if p.is_file())
    path.write_bytes(b"Name,Email\nMallory,m@example.com\n")
    run_due()
    done = import_state(row.id)
    assert (done.state, done.created) == (ImportState.FAILED, 0)
    assert "can't be read any more" in done.last_error
    assert not store.exists(row.file_key)


def test_an_import_ends_with_the_rights_of_who_started_it(
    import_state, import_file, runtime, run_due, manager, database
):
    row = import_file(many(3), until_done=False)
    with database.writing() as session:
        session.merge(manager).role = Role.CASE_MANAGER
    run_due()
    assert import_state(row.id).state is ImportState.FAILED
    assert count(database) == 0


def test_phones_are_kept_once(import_file, database):
    import_file("Name,Phone,Mobile\nAna Ruiz,(312) 555-0148,312.555.0148; 312-555-0100\n")
    assert count(database, ClientPhone) == 2
