"""A backup is whole or refused; a restored installation is the same one, with sending paused."""

import io
import tarfile
from datetime import date

import pytest
import sqlalchemy as sa

from casewell.bootstrap import make_runtime
from casewell.clients.models import SSN_CONTEXT, Client
from casewell.kernel.db import Database
from casewell.kernel.types import Sealed
from casewell.ledger.service import SYSTEM, Event, record, verify
from casewell.messages.models import Attachment
from casewell.migrations import upgrade
from casewell.operations.backup import BackupRefused, restore, verify_backup, write_backup
from casewell.providers.files import FileStore
from casewell.staff.models import Firm, Staff


@pytest.fixture
def filled(runtime, database, staff, client, clock):
    """A firm with people, a client with an SSN and a file, a merged client, ledger entries."""
    dana = staff(name="Dana Whitfield")
    ana = client("Ana", "Ruiz", main=dana, date_of_birth=date(1980, 2, 29))
    twin = client("Anna", "Ruiz", emails=[])
    with database.writing() as session:
        ana = session.get_one(Client, ana.id)
        ana.ssn, ana.ssn_last4 = Sealed.seal("912-45-6789", SSN_CONTEXT), "6789"
        session.get_one(Client, twin.id).merged_into_id = ana.id
        stored = runtime.provider(FileStore).put(b"%PDF-1.4 a letter")
        session.add(
            Attachment(
                client_id=ana.id,
                staff_id=dana.id,
                shown_name="letter.pdf",
                content_type="application/pdf",
                size=stored.size,
                sha256=stored.sha256,
                file_key=stored.key,
                created_at=clock(),
            )
        )
        for n in range(3):
            event = Event(ana.id, "client.changed", SYSTEM, clock(), {"n": n})
            record(session, event, now=clock())
    return runtime


@pytest.fixture
def elsewhere(settings_of, tmp_path, clock, outbox):
    """A second, empty installation on SQLite, with the same keys."""
    home = tmp_path / "elsewhere"
    home.mkdir()
    made = make_runtime(settings_of(home=home, database_url=""), now=clock, with_hints=False)
    upgrade(made.database)
    yield made
    made.database.close()


def table_contents(database: Database):
    with database.reading() as session:
        return {
            table.name: session.execute(sa.select(table).order_by(*table.primary_key)).all()
            for table in Firm.metadata.sorted_tables
            if table.name != "firm"
        }


def test_a_restored_installation_is_the_same_with_sending_paused(filled, elsewhere, tmp_path):
    archive = tmp_path / "backup.tar.gz"
    counted = write_backup(filled, archive)
    assert counted.files == 1
    restore(elsewhere, archive)
    assert table_contents(elsewhere.database) == table_contents(filled.database)
    with elsewhere.database.reading() as session:
        assert session.get_one(Firm, 1).sending_paused_at is not None
        ana = session.scalars(sa.select(Client).where(Client.ssn.is_not(None))).one()
        assert ana.ssn is not None
        assert ana.ssn.open() == "912-45-6789"
        key = session.scalars(sa.select(Attachment.file_key)).one()
        assert key is not None
        assert list(verify(session)) == []
    with elsewhere.provider(FileStore).open(key) as file:
        assert file.read() == b"%PDF-1.4 a letter"


def test_new_rows_are_numbered_after_the_restored_ones(filled, elsewhere, tmp_path, clock):
    archive = tmp_path / "backup.tar.gz"
    write_backup(filled, archive)
    restore(elsewhere, archive)
    with elsewhere.database.writing() as session:
        before = session.scalar(sa.select(sa.func.max(Staff.id)))
        new = Staff(
            name="New",
            email="new@firm.example",
            role="viewer",
            time_zone="UTC",
            preferences={},
            created_at=clock(),
        )
        session.add(new)
        session.flush()
        assert before is not None
        assert new.id > before


def test_a_backup_is_taken_while_others_write(filled, database, tmp_path, clock):
    with database.session(write=True) as writer:
        writer.execute(sa.update(Firm).values(name="Changed meanwhile"))
        if not database.is_sqlite:
            write_backup(filled, tmp_path / "one.tar.gz")
        writer.rollback()
    write_backup(filled, tmp_path / "two.tar.gz")
    assert verify_backup(tmp_path / "two.tar.gz")["rows"]["clients"] == 2


def test_an_altered_archive_is_refused_before_anything_is_written(filled, elsewhere, tmp_path):
    archive, altered = tmp_path / "backup.tar.gz", tmp_path / "altered.tar.gz"
    write_backup(filled, archive)
    with tarfile.open(archive) as old, tarfile.open(altered, "w:gz") as new:
        for entry in old:
            content = old.extractfile(entry).read()
            if entry.name == "tables/clients.jsonl":
                content = content.replace(b"Ana", b"Eva")
            new.addfile(entry, io.BytesIO(content))
    with pytest.raises(BackupRefused, match=r"clients\.jsonl"):
        restore(elsewhere, altered)
    with elsewhere.database.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Client)) == 0


def test_a_cut_archive_is_refused(filled, elsewhere, tmp_path):
    archive = tmp_path / "backup.tar.gz"
    write_backup(filled, archive)
    archive.write_bytes(archive.read_bytes()[:-200])
    with pytest.raises(BackupRefused):
        restore(elsewhere, archive)


def test_an_installation_in_use_is_never_overwritten(filled, tmp_path):
    archive = tmp_path / "backup.tar.gz"
    write_backup(filled, archive)
    with pytest.raises(BackupRefused, match="holds data"):
        restore(filled, archive)


def test_O07_keys_are_rotated_and_the_old_one_may_go(filled, settings_of, clock):
    from casewell.kernel.crypto import new_encryption_key
    from casewell.operations.keys import rotate
    from tests.rigs.installation import ENCRYPTION_KEYS

    new = new_encryption_key("second")
    both = make_runtime(
        settings_of(encryption_keys=f"{new},{ENCRYPTION_KEYS}"), now=clock, with_hints=False
    )
    assert rotate(both) == (1, 0)
    both.database.close()
    only_new = make_runtime(settings_of(encryption_keys=new), now=clock, with_hints=False)
    with only_new.database.reading() as session:
        sealed = session.scalars(sa.select(Client.ssn).where(Client.ssn.is_not(None))).one()
        assert sealed is not None
        assert sealed.open() == "912-45-6789"
    only_new.database.close()
