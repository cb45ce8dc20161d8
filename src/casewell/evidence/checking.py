"""A bundle against the database it was made from: what differs, on either side."""

import hashlib
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.evidence import verifier
from casewell.evidence.contents import check_of_message, check_of_note, files_of
from casewell.evidence.models import EvidenceBundle
from casewell.kernel.db import Base
from casewell.kernel.errors import CasewellError
from casewell.kernel.runtime import Runtime
from casewell.ledger.chain import chained_hash
from casewell.ledger.models import ActivityEvent
from casewell.ledger.service import facts_of
from casewell.messages.files import open_attachment
from casewell.messages.models import UnifiedMessage
from casewell.notes.models import CaseNote

_events = Base.metadata.tables[ActivityEvent.__tablename__]


def differences(session: Session, runtime: Runtime, path: Path) -> Iterator[str]:
    """Yield a sentence for each thing that is not as it was written: within the file at first,
    then between the file and the database."""
    broken = list(verifier.faults(path))
    yield from broken
    try:
        with zipfile.ZipFile(path) as bundle:
            told = json.loads(bundle.read("timeline.json"))
            entries = [json.loads(line) for line in bundle.read(verifier.LEDGER).splitlines()]
            number, client_id = told["bundle"]["number"], told["bundle"]["client_id"]
            items = {(one["source"], one["id"]): one for one in told["items"]}
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        if not broken:
            yield f"{path.name}: is no bundle of Casewell"
        return
    yield from _against_row(session, path, number)
    yield from _against_ledger(session, client_id, entries)
    yield from _against_messages(session, runtime, items)
    yield from _against_notes(session, items)


def _against_row(session: Session, path: Path, number: int) -> Iterator[str]:
    """The bundle's own entry in the ledger holds the hash of the whole file."""
    row = session.get(EvidenceBundle, number)
    made = session.scalars(
        sa.select(ActivityEvent.data).where(
            ActivityEvent.kind == "evidence.made",
            ActivityEvent.subject_type == "evidence",
            ActivityEvent.subject_id == number,
        )
    ).all()
    if row is None or not made:
        yield f"bundle {number}: this installation has made none of that number"
        return
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest not in {data["sha256"] for data in made}:
        yield f"bundle {number}: the file is not the one that was made"


def _against_ledger(
    session: Session, client_id: int, entries: list[dict[str, Any]]
) -> Iterator[str]:
    known = {entry["seq"]: entry["hash"] for entry in entries if "seq" in entry}
    rows = session.execute(
        sa.select(_events)
        .where(_events.c.client_id == client_id, _events.c.seq <= max(known, default=0))
        .order_by(_events.c.seq)
        .execution_options(yield_per=500)
    ).mappings()
    for row in rows:
        expected = known.pop(row["seq"], None)
        where = f"client {client_id}, entry {row['seq']}"
        if chained_hash(row["prev_hash"], facts_of(dict(row))) != row["hash"]:
            yield f"{where}: was altered in the database"
        elif row["hash"] != expected:
            yield f"{where}: is not the one in the bundle"
    for seq in sorted(known):
        yield f"client {client_id}, entry {seq}: is missing in the database"


def _against_messages(
    session: Session, runtime: Runtime, items: Mapping[tuple[str, int], dict[str, Any]]
) -> Iterator[str]:
    for (source, row_id), item in items.items():
        if source != "message":
            continue
        row = session.get(UnifiedMessage, row_id)
        if row is None:
            yield f"message {row_id} (no. {item['number']}): is missing in the database"
            continue
        files = files_of(session, [row_id]).get(row_id, [])
        if check_of_message(row, files) != item["check"]:
            yield f"message {row_id} (no. {item['number']}): is not as it was in the database"
        for file in files:
            try:
                open_attachment(runtime, file).close()
            except CasewellError as error:
                yield f"message {row_id}, file {file.shown_name}: {error.message}"
        session.expunge(row)


def _against_notes(
    session: Session, items: Mapping[tuple[str, int], dict[str, Any]]
) -> Iterator[str]:
    for (source, row_id), item in items.items():
        if source != "note":
            continue
        row = session.get(CaseNote, row_id)
        if row is None:
            yield f"note {row_id} (no. {item['number']}): is missing in the database"
        elif check_of_note(row) != item["check"]:
            yield f"note {row_id} (no. {item['number']}): is not as it was in the database"
