"""Kept files and rows that do not agree are told about, and nothing is deleted by itself."""

import io
from datetime import timedelta

import pytest
import sqlalchemy as sa

from casewell.clients import imports
from casewell.clients.models import ClientImport, ImportState
from casewell.health import files
from casewell.health.checks import check_all
from casewell.health.models import FileFault, FileFaultKind, Standing
from casewell.kernel import jobs
from casewell.messages.files import store_attachment
from casewell.messages.models import Attachment
from casewell.providers.files import FileStore
from casewell.providers.files.disk import DiskStore


@pytest.fixture
def clock(clock):
    """Files carry the disk's own times, so this clock runs with the real one."""
    from casewell.kernel.clock import utc_now

    clock.at = utc_now()
    return clock


@pytest.fixture
def store(runtime) -> DiskStore:
    return runtime.provider(FileStore)


@pytest.fixture
def attach(database, runtime, clock, client, staff):
    """Keeps a file for a draft; returns its row."""
    dana = staff()
    ana = client(main=dana)

    def keep(content: bytes = b"a letter"):
        with database.writing() as session:
            return store_attachment(
                session,
                runtime,
                content=content,
                name="letter.txt",
                content_type="text/plain",
                staff_id=dana.id,
                client_id=ana.id,
                now=clock(),
            )

    return keep


@pytest.fixture
def faults(database):
    def read():
        with database.reading() as session:
            return {row.key: row.kind for row in session.scalars(sa.select(FileFault))}

    return read


def path_of(store, key):
    return store.folder / key[:2] / key


def test_S09_files_and_rows_that_agree_have_no_fault(runtime, attach, faults):
    attach()
    assert not files.reconcile(runtime, whole=True)
    assert faults() == {}


def test_S09_a_file_that_is_gone_is_told(runtime, attach, store, faults, sign_in, staff):
    file = attach()
    path_of(store, file.file_key).unlink()
    assert files.reconcile(runtime) == {FileFaultKind.MISSING: 1}
    assert faults() == {file.file_key: FileFaultKind.MISSING}
    storage = next(report for report in check_all(runtime) if report.part == "storage")
    assert storage.standing is Standing.ATTENTION
    page = sign_in(staff("owner")).get("/health").get_data(as_text=True)
    assert file.file_key in page


def test_S09_a_file_that_is_not_what_was_put_is_told_and_not_handed_out(
    runtime, attach, store, faults, sign_in, database
):
    file = attach()
    path_of(store, file.file_key).write_bytes(b"something else")
    assert files.reconcile(runtime, whole=True) == {FileFaultKind.DAMAGED: 1}
    with database.reading() as session:
        row = session.get_one(Attachment, file.id)
        from casewell.staff.models import Staff

        person = sign_in(session.get_one(Staff, row.staff_id))
    answer = person.get(f"/inbox/attachments/{file.id}")
    assert answer.status_code >= 400
    assert b"something else" not in answer.data


def test_S09_every_file_is_read_within_a_week(runtime, attach, store, clock, faults):
    damaged = [attach(b"%d" % n) for n in range(6)]
    for file in damaged:
        path_of(store, file.file_key).write_bytes(b"other")
    for _ in range(7):
        files.reconcile(runtime)
        clock.move(days=1)
    assert faults() == dict.fromkeys((f.file_key for f in damaged), FileFaultKind.DAMAGED)


def test_S09_within_a_day_every_part_has_had_its_turn(runtime, attach, store, clock, faults):
    gone = {attach(b"%d" % n).file_key for n in range(5)}
    for key in gone:
        path_of(store, key).unlink()
    schedule = jobs.SCHEDULES["reconcile_files"]
    clock.at = clock.at.replace(hour=0, minute=0)
    for _ in range(timedelta(days=1) // schedule.every):
        schedule.act(runtime)
        clock.at += schedule.every
    assert set(faults()) == gone


def test_S09_a_file_nothing_names_is_kept_for_a_week_and_then_only_deleted_when_asked(
    runtime, store, clock, faults
):
    key = store.put(b"nobody's").key
    assert not files.reconcile(runtime)  # whoever puts it may be about to name it
    clock.move(days=1, seconds=5)
    assert files.reconcile(runtime) == {FileFaultKind.UNUSED: 1}
    clock.move(days=6)
    files.reconcile(runtime)
    assert files.delete_unused(runtime) == 0
    assert store.exists(key)
    clock.move(days=1, seconds=5)
    files.reconcile(runtime)
    assert store.exists(key)
    assert files.delete_unused(runtime) == 1
    assert not store.exists(key)
    assert faults() == {}


def test_S09_a_file_that_was_named_after_all_is_not_deleted(
    runtime, store, clock, attach, database, faults
):
    key = store.put(b"somebody's").key
    clock.move(days=2)
    files.reconcile(runtime)
    file = attach()
    with database.writing() as session:
        session.get_one(Attachment, file.id).file_key = key
    clock.move(days=8)
    assert files.delete_unused(runtime) == 0
    assert store.exists(key)


def test_S09_a_fault_that_was_mended_is_forgotten(runtime, attach, store, faults):
    file = attach(b"a letter")
    path_of(store, file.file_key).unlink()
    files.reconcile(runtime)
    path_of(store, file.file_key).write_bytes(b"a letter")
    assert not files.reconcile(runtime, whole=True)
    assert faults() == {}


def test_S09_since_when_a_fault_stands_is_kept(runtime, attach, store, clock, database):
    file = attach()
    path_of(store, file.file_key).unlink()
    files.reconcile(runtime)
    since = clock()
    clock.move(days=3)
    files.reconcile(runtime)
    with database.reading() as session:
        fault = session.get_one(FileFault, file.file_key)
    assert (fault.found_at, fault.checked_at) == (since, clock())


def test_a_file_taken_off_a_draft_leaves_nothing_behind(runtime, attach, store, sign_in, database):
    file = attach()
    with database.reading() as session:
        from casewell.staff.models import Staff

        person = sign_in(session.get_one(Staff, file.staff_id))
    assert person.post(f"/inbox/attachments/{file.id}/remove").status_code == 303
    assert not store.exists(file.file_key)


def test_the_file_of_an_import_that_ended_is_missed_by_nobody(
    runtime, database, staff, clock, store
):
    manager = staff("manager")
    with database.writing() as session:
        row = imports.upload(
            session, runtime, io.BytesIO(b"First name\nIda\n"), "new.csv", manager.id
        )
        key = row.file_key
    with database.writing() as session:
        imports.finish(
            session, runtime, session.get_one(ClientImport, row.id), ImportState.CANCELLED
        )
    assert not store.exists(key)
    assert not files.reconcile(runtime, whole=True)
