"""Where mail goes while no mail server is set: a folder, shown as the local outbox."""

from __future__ import annotations

import itertools
import json
import os
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from casewell.kernel.clock import Clock, utc_now
from casewell.providers.errors import Rejected, Unavailable
from casewell.providers.mail_out.sender import Sent

LETTER_ID = re.compile(r"\d{8}T\d{12}-[0-9a-f]{16}")
STAMP = "%Y%m%dT%H%M%S%f"


class LetterMissing(Rejected):
    def __init__(self) -> None:
        super().__init__("This letter is not in the local outbox.")


@dataclass(frozen=True)
class Letter:
    """One mail in the local outbox; its content is read by id."""

    id: str
    envelope_from: str
    recipients: tuple[str, ...]
    sent_at: datetime


@dataclass(frozen=True)
class ConsoleSender:
    """Keeps each mail as `<id>.eml`, and its envelope beside it as `<id>.json`."""

    folder: Path
    now: Clock = utc_now
    kind: str = field(default="console", init=False)

    def send(
        self,
        envelope_from: str,
        recipients: Sequence[str],
        raw: bytes,
        *,
        on_handover: Callable[[], None] | None = None,
    ) -> Sent:
        letter_id = f"{self.now().astimezone(UTC):{STAMP}}-{secrets.token_hex(8)}"
        envelope = json.dumps({"from": envelope_from, "to": list(recipients)})
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._write(f"{letter_id}.json", envelope.encode())
            if on_handover:
                on_handover()
            self._write(f"{letter_id}.eml", raw)  # only now the letter stands in the outbox
        except OSError as error:
            raise Unavailable("The local outbox can't be written.", str(error)) from error
        return Sent(letter_id)

    def check(self) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise Unavailable("The local outbox can't be written.", str(error)) from error
        if not os.access(self.folder, os.W_OK | os.X_OK):
            raise Unavailable("The local outbox can't be written.", str(self.folder))

    def letters(self, limit: int = 200) -> list[Letter]:
        """Return the newest letters, newest first."""
        ids = sorted((path.stem for path in self.folder.glob("*.eml")), reverse=True)
        return [self._letter(letter_id) for letter_id in itertools.islice(ids, limit)]

    def read(self, letter_id: str) -> bytes:
        """Return a letter as it was sent. Raises LetterMissing."""
        if not LETTER_ID.fullmatch(letter_id):
            raise LetterMissing
        try:
            return (self.folder / f"{letter_id}.eml").read_bytes()
        except FileNotFoundError as error:
            raise LetterMissing from error

    def _letter(self, letter_id: str) -> Letter:
        envelope = json.loads((self.folder / f"{letter_id}.json").read_text("utf-8"))
        sent_at = datetime.strptime(letter_id.partition("-")[0], STAMP).replace(tzinfo=UTC)
        return Letter(letter_id, envelope["from"], tuple(envelope["to"]), sent_at)

    def _write(self, name: str, content: bytes) -> None:
        unfinished = self.folder / f".{name}"
        unfinished.write_bytes(content)
        unfinished.rename(self.folder / name)
