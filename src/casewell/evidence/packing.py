"""Writing a bundle: one pass over what it tells, into pages, JSON, mails, files and a manifest."""

import hashlib
import json
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from sqlalchemy.orm import Session

from casewell.evidence import contents, verifier
from casewell.evidence.contents import Item, Terms
from casewell.evidence.mails import letter_of
from casewell.evidence.models import EvidenceBundle
from casewell.evidence.printing import Pages
from casewell.evidence.redaction import Redactor
from casewell.kernel.errors import CasewellError
from casewell.kernel.runtime import Runtime
from casewell.kernel.times import full_time
from casewell.ledger.chain import instant
from casewell.messages.file_kinds import shown_name
from casewell.messages.files import open_attachment
from casewell.messages.models import Attachment
from casewell.staff.models import Staff

CHUNK = 1 << 20
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Packed:
    """A finished bundle. `file` stands at its beginning; who takes it closes it."""

    file: IO[bytes]
    items: int
    pages: int


def pack(
    session: Session,
    runtime: Runtime,
    bundle: EvidenceBundle,
    terms: Terms,
    maker: Staff,
    progress: Progress,
) -> Packed:
    """Write a bundle to a file without a name, from one moment of the database."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 handed to the caller
    packer = _Packer(session, runtime, bundle, terms, maker, file)
    number = 0
    for number, item in enumerate(contents.items(session, terms), 1):
        packer.add(number, item)
        progress(number)
    pages = packer.finish(number)
    file.seek(0)
    return Packed(file, number, pages)


class _Packer:
    def __init__(
        self,
        session: Session,
        runtime: Runtime,
        bundle: EvidenceBundle,
        terms: Terms,
        maker: Staff,
        file: IO[bytes],
    ) -> None:
        self._session, self._runtime, self._bundle, self._terms = session, runtime, bundle, terms
        self._redactor = Redactor(terms.client.ssn_last4) if bundle.is_redacted else None
        self._file = file
        # The listing grows beside the ZIP, which takes one file after the other.
        self._listing = tempfile.TemporaryFile()  # noqa: SIM115 closed when it is added
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self._digests: dict[str, str] = {}
        name = terms.client.name
        self._pages = Pages(f"Evidence about {name}", f"Bundle {bundle.id} · {name}")
        self._about = self._cover(maker)
        self._listing.write(b'{"bundle": ' + json.dumps(self._about).encode() + b', "items": [\n')

    def _cover(self, maker: Staff) -> dict[str, Any]:
        bundle, client, zone = self._bundle, self._terms.client, self._terms.zone
        days = f"{bundle.since or 'the beginning'} to {bundle.until or 'the day it was made'}"
        covered = (
            "SSNs and account numbers show their last four digits. "
            + (
                "Files are in it as they are: no number in them is covered."
                if bundle.with_files
                else "Files stay out, for no number in them can be covered; each is named."
            )
            if bundle.is_redacted
            else "Nothing is covered."
        )
        notes = (
            "Privileged notes are in it: an attorney let them in."
            if bundle.with_privileged
            else "Privileged notes stay out."
        )
        told = {
            "number": bundle.id,
            "client_id": client.id,
            "client": client.name,
            "reference": client.reference or "",
            "days": days,
            "zone": zone.key,
            "made_at": instant(bundle.created_at),
            "made_by": maker.name,
            "covered": covered,
            "notes": notes,
        }
        pages = self._pages
        pages.gap(40)
        pages.heading(f"Evidence about {client.name}", 18)
        pages.facts(
            [
                ("Bundle", str(bundle.id)),
                ("Client", f"{client.name}{f', {client.reference}' if client.reference else ''}"),
                ("Days", f"{days} ({zone.key})"),
                ("Asked for", f"{full_time(bundle.created_at, zone)} by {maker.name}"),
                ("Covered", covered),
                ("Left out", notes),
            ]
        )
        pages.gap(12)
        pages.paragraph(
            "Each message, note and act is numbered in the order in which it happened. The same "
            "stands in timeline.json for machines; mails are in the folder messages, files in the "
            "folder attachments. manifest.sha256 proves each file, ledger.jsonl that no act was "
            "added, altered or left out. verify.py checks both with nothing but Python: "
            "python3 verify.py"
        )
        pages.paragraph(
            "A character that the type of these pages does not hold is written as its number, "
            "such as [U+4E2D]; timeline.json holds it as it is.",
            size=8,
        )
        pages.new_page()
        return told

    def add(self, number: int, item: Item) -> None:
        cover = self._redactor.text if self._redactor else str
        letter = None
        if item.source == "message":
            letter = letter_of(self._session, self._runtime, item, self._redactor)
        told: dict[str, Any] = {
            "number": number,
            "source": item.source,
            "id": item.row_id,
            "at": instant(item.at),
            "recorded_at": instant(item.recorded_at),
            "by": cover(item.actor),
            "title": cover(item.title),
            "text": cover(item.text),
            "fields": {
                name: value if name == "Message-ID" else cover(value)
                for name, value in item.fields.items()
            },
            "changes": [
                {"what": one.what, "before": cover(one.before), "after": cover(one.after)}
                for one in item.changes
            ],
            "files": [self._attach(number, place, one) for place, one in enumerate(item.files, 1)],
            "check": item.check,
        }
        if letter is not None:
            told["mail"] = {"what": letter.what}
            if letter.raw is not None:
                told["mail"]["file"] = f"messages/{number:05}.eml"
                self._put(told["mail"]["file"], letter.raw)
        self._print(told, item.at, item.recorded_at)
        separator = b",\n" if number > 1 else b""
        self._listing.write(separator + json.dumps(told, ensure_ascii=False).encode())

    def _attach(self, number: int, place: int, file: Attachment) -> dict[str, Any]:
        cover = self._redactor.text if self._redactor else str
        told: dict[str, Any] = {
            "name": cover(file.shown_name),
            "type": file.content_type,
            "size": file.size,
        }
        if self._bundle.is_redacted and not self._bundle.with_files:
            return {**told, "left_out": "numbers in it can't be covered"}
        try:
            content = open_attachment(self._runtime, file)
        except CasewellError as error:
            return {**told, "left_out": error.message}
        path = f"attachments/{number:05}-{place:02}-{_safe(told['name'])}"
        with content:
            self._stream(path, content)
        return {**told, "file": path, "sha256": file.sha256}

    def _print(self, told: dict[str, Any], at: datetime, recorded_at: datetime) -> None:
        pages, zone = self._pages, self._terms.zone
        pages.rule()
        pages.paragraph(f"{told['number']}.  {told['title']}", bold=True)
        when = full_time(at, zone)
        late = (recorded_at - at).total_seconds() > 60
        pages.paragraph(
            f"{when} · {told['by']}"
            + (f" · recorded {full_time(recorded_at, zone)}" if late else ""),
            size=8,
        )
        pages.facts(told["fields"].items())
        pages.facts(
            (one["what"], f"{one['before'] or 'nothing'} → {one['after'] or 'nothing'}")
            for one in told["changes"]
        )
        if told["text"].strip():
            pages.gap(3)
            pages.paragraph(told["text"].strip())
        pages.facts(
            ("File", f"{one['name']} ({one.get('file') or one['left_out']})")
            for one in told["files"]
        )
        if mail := told.get("mail"):
            pages.facts([("Mail", f"{mail.get('file', 'none')}: {mail['what']}")])
        pages.gap(6)

    def finish(self, number: int) -> int:
        """Write what comes last; return how many pages there are."""
        if not number:
            self._pages.paragraph("Nothing happened in these days.")
        self._listing.write(b"\n]}\n")
        self._listing.seek(0)
        with self._listing:
            self._stream("timeline.json", self._listing)
        pdf, pages = self._pages.finish()
        self._put("bundle.pdf", pdf)
        self._lines("ledger.jsonl", contents.chain(self._session, self._terms, self._redactor))
        self._put("verify.py", Path(verifier.__file__).read_bytes())
        self._put("README.txt", self._readme(number, pages))
        body = "".join(f"{digest}  {name}\n" for name, digest in sorted(self._digests.items()))
        seal = hashlib.sha256(body.encode()).hexdigest()
        self._put(verifier.MANIFEST, f"{body}# sha256 {seal}\n".encode())
        self._seal()
        return pages

    def _readme(self, number: int, pages: int) -> bytes:
        about = self._about
        lines = [
            f"Evidence about {about['client']}, bundle {about['number']}",
            f"{about['days']} ({about['zone']}), made {about['made_at']} for {about['made_by']}",
            about["covered"],
            about["notes"],
            "",
            f"bundle.pdf       {number} things that happened, on {pages} pages",
            "timeline.json    the same, for machines",
            "messages/        mails, numbered as in the pages",
            "attachments/     files, numbered likewise",
            "ledger.jsonl     the client's chain in the ledger; withheld entries by hash alone",
            "manifest.sha256  the SHA-256 of each file: sha256sum -c manifest.sha256",
            "verify.py        checks all of it: python3 verify.py",
            "",
        ]
        return "\n".join(lines).encode()

    def _lines(self, name: str, entries: Iterator[dict[str, Any]]) -> None:
        with tempfile.TemporaryFile() as lines:
            for entry in entries:
                lines.write(json.dumps(entry, ensure_ascii=False).encode() + b"\n")
            lines.seek(0)
            self._stream(name, lines)

    def _put(self, name: str, content: bytes) -> None:
        self._digests[name] = hashlib.sha256(content).hexdigest()
        self._zip.writestr(self._entry(name), content)

    def _stream(self, name: str, content: Any) -> None:
        digest = hashlib.sha256()
        with self._zip.open(self._entry(name), "w", force_zip64=True) as into:
            while part := content.read(CHUNK):
                digest.update(part)
                into.write(part)
        self._digests[name] = digest.hexdigest()

    def _entry(self, name: str) -> zipfile.ZipInfo:
        made = self._bundle.created_at
        info = zipfile.ZipInfo(name, made.timetuple()[:6])
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o644 << 16
        return info

    def _seal(self) -> None:
        """End the ZIP with a comment: the hash of all that stands before it."""
        self._zip.comment = b"0" * verifier.SEAL_BYTES
        self._zip.close()
        size = self._file.seek(0, 2) - verifier.SEAL_BYTES
        self._file.seek(0)
        digest, left = hashlib.sha256(), size
        while left:
            part = self._file.read(min(left, CHUNK))
            digest.update(part)
            left -= len(part)
        self._file.seek(size)
        self._file.write(digest.hexdigest().encode())
        self._file.flush()


def _safe(name: str) -> str:
    """Return a name that every system takes, in letters that every ZIP program reads."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", shown_name(name))[-80:].lstrip(".")
    return plain or "file"
