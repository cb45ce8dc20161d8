"""A bundle proves itself, with nothing but Python, and against the database it came from."""

import io
import random
import zipfile

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from casewell.messages.models import Attachment, UnifiedMessage
from casewell.models import ActivityEvent, CaseNote
from casewell.providers.files import FileStore
from casewell.verify_command import verify
from tests.evidence.conftest import opened, verified

SEED = 11
EACH = 4  # altered bytes of each file


@pytest.fixture
def raw(person, ana, received, fetch, clock):
    received(ana, "Here is my letter", file=b"%PDF-1.4 lease")
    clock.move(minutes=1)
    person.api("POST", "/api/notes", {"client_id": ana.id, "text": "Asked for page two"})
    person.post(f"/clients/{ana.id}/status/waiting")
    return fetch(person, ana, redact=False)


@pytest.fixture
def folder(raw, tmp_path):
    path = tmp_path / "unpacked"
    opened(raw).extractall(path)
    return path


@pytest.fixture
def checked(runtime, tmp_path):
    """Compares a bundle with the database by the command; returns its end and what it said."""

    def check(raw):
        path = tmp_path / "bundle.zip"
        path.write_bytes(raw)
        done = CliRunner().invoke(
            verify, ["--bundle", str(path)], obj=lambda with_hints=True: runtime
        )
        return done.exit_code, done.output

    return check


def test_it_verifies_in_an_empty_python(folder):
    code, said = verified(folder)
    assert (code, said.splitlines()[0][:19]) == (0, "The bundle is whole")


def test_the_zip_verifies_as_it_was_downloaded(raw, tmp_path):
    (tmp_path / "apart").mkdir()
    (tmp_path / "apart" / "verify.py").write_bytes(opened(raw).read("verify.py"))
    path = tmp_path / "bundle.zip"
    path.write_bytes(raw)
    assert verified(path)[0] == 0


def test_sha256sum_reads_the_manifest(folder):
    import subprocess

    done = subprocess.run(
        ["sha256sum", "--check", "--quiet", "manifest.sha256"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_O02_one_altered_byte_of_any_file_is_named(folder):
    chance = random.Random(SEED)
    names = [one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file()]
    assert len(names) >= 8
    for name in names:
        path = folder / name
        whole = path.read_bytes()
        for place in {0, len(whole) - 1, *chance.sample(range(len(whole)), EACH)}:
            altered = bytearray(whole)
            altered[place] ^= 1
            path.write_bytes(altered)
            code, said = verified(folder)
            assert code == 1, f"{name} at {place}: {said}"
            assert name in said, f"{name} at {place}: {said}"
        path.write_bytes(whole)
    assert verified(folder)[0] == 0


def test_O02_one_altered_byte_of_the_zip_is_noticed(raw, tmp_path):
    chance = random.Random(SEED)
    (tmp_path / "apart").mkdir()
    (tmp_path / "apart" / "verify.py").write_bytes(opened(raw).read("verify.py"))
    path = tmp_path / "bundle.zip"
    for place in {0, 10, len(raw) - 1, len(raw) - 70, *chance.sample(range(len(raw)), 30)}:
        altered = bytearray(raw)
        altered[place] ^= 1
        path.write_bytes(altered)
        code, said = verified(path)
        assert code == 1, f"byte {place}: {said}"


def test_a_file_that_is_missing_or_added_is_named(folder):
    mail = next((folder / "messages").iterdir())
    kept = mail.read_bytes()
    mail.unlink()
    assert f"messages/{mail.name}: is missing" in verified(folder)[1]
    mail.write_bytes(kept)
    (folder / "extra.txt").write_text("added")
    assert "extra.txt: is not in the manifest" in verified(folder)[1]


def test_an_entry_left_out_of_the_ledger_is_named(folder):
    ledger = folder / "ledger.jsonl"
    lines = ledger.read_text().splitlines(keepends=True)
    ledger.write_text("".join(lines[:1] + lines[2:]))
    said = verified(folder)[1]
    assert "ledger.jsonl: was altered" in said
    assert "stands where entry 2 should" in said


def test_the_database_is_as_the_bundle_says(raw, checked):
    code, said = checked(raw)
    assert code == 0, said


def test_O02_an_altered_entry_of_the_database_is_named(raw, checked, database, ana):
    with database.writing() as session:
        event = session.scalars(
            sa.select(ActivityEvent).where(ActivityEvent.kind == "client.status_changed")
        ).one()
        event.data = {**event.data, "to": "active"}
        seq = event.seq
    code, said = checked(raw)
    assert code == 1
    assert f"client {ana.id}, entry {seq}: was altered" in said


def test_O02_an_entry_written_anew_with_its_chain_is_named(raw, checked, database, ana):
    from casewell.ledger.chain import chained_hash
    from casewell.ledger.models import LedgerHead
    from casewell.ledger.service import facts_of

    events = ActivityEvent.__table__
    with database.writing() as session:
        rows = session.execute(
            sa.select(events).where(events.c.client_id == ana.id).order_by(events.c.seq)
        ).mappings()
        previous = None
        for row in map(dict, rows.all()):
            if previous is None:
                row["actor_name"] = "Somebody else"
                previous = row["prev_hash"]
            row["prev_hash"] = previous
            previous = row["hash"] = chained_hash(previous, facts_of(row))
            session.execute(sa.update(events).where(events.c.id == row["id"]).values(**row))
        session.get_one(LedgerHead, ana.id).hash = previous
    code, said = checked(raw)
    assert code == 1
    assert f"client {ana.id}, entry 1: is not the one in the bundle" in said


@pytest.mark.parametrize("model", [UnifiedMessage, CaseNote])
def test_O02_an_altered_message_or_note_is_named(raw, checked, database, model):
    with database.writing() as session:
        row = session.scalars(sa.select(model)).one()
        if model is CaseNote:
            row.text += "."
        else:
            row.body_text += "."
        named = f"{'note' if model is CaseNote else 'message'} {row.id}"
    code, said = checked(raw)
    assert code == 1
    assert f"{named} (no. " in said
    assert "is not as it was in the database" in said


def test_O02_an_altered_file_of_the_store_is_named(raw, checked, database, runtime):
    with database.reading() as session:
        key = session.scalars(sa.select(Attachment.file_key)).one()
    store = runtime.provider(FileStore)
    store.delete(key)
    store.put(b"%PDF-1.4 leasX", key=key)
    code, said = checked(raw)
    assert code == 1
    assert "file letter.pdf" in said


def test_a_bundle_made_anew_by_others_is_noticed(raw, checked):
    """Files, manifest and seal all hold in themselves: the ledger knows the bundle's hash."""
    import hashlib

    source, made = opened(raw), io.BytesIO()
    with zipfile.ZipFile(made, "w") as copy:
        for name in source.namelist():
            copy.writestr(name, source.read(name))
        copy.comment = b"0" * 64
    whole = made.getvalue()[:-64]
    code, said = checked(whole + hashlib.sha256(whole).hexdigest().encode())
    assert code == 1
    assert "the file is not the one that was made" in said


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_bundle_is_said_to_be_none(checked, content):
    code, said = checked(content)
    assert code == 1
    assert "is missing" in said or "can't be read as a ZIP" in said
