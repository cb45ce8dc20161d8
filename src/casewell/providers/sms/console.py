"""Where texts go while no carrier is set: a file, shown as the local outbox."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from casewell.kernel.clock import Clock, utc_now
from casewell.providers.errors import Unavailable
from casewell.providers.sms.sender import ListedFile, SentText, TextPage


@dataclass(frozen=True)
class KeptText:
    """One text in the local outbox."""

    id: str
    to: str
    body: str
    sent_at: datetime


@dataclass(frozen=True)
class ConsoleSMS:
    """Adds each text as one line of JSON to a file."""

    file: Path
    now: Clock = utc_now
    kind: str = field(default="console", init=False)

    def send(
        self,
        to: str,
        body: str,
        *,
        report_to: str = "",
        on_handover: Callable[[], None] | None = None,
    ) -> SentText:
        text_id = f"SM{secrets.token_hex(16)}"
        line = {"id": text_id, "to": to, "body": body, "at": self.now().isoformat()}
        if on_handover:
            on_handover()
        try:
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self.file.open("a", encoding="utf-8") as outbox:
                outbox.write(json.dumps(line) + "\n")
        except OSError as error:
            raise Unavailable("The local outbox can't be written.", str(error)) from error
        return SentText(text_id)

    def check(self) -> None:
        try:
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.file.open("a").close()
        except OSError as error:
            raise Unavailable("The local outbox can't be written.", str(error)) from error

    def list_texts(self, since: date, after: str = "") -> TextPage:
        return TextPage()  # nothing comes or goes that is not written here

    def files_of(self, provider_id: str) -> Sequence[ListedFile]:
        return ()

    def texts(self, limit: int = 200) -> list[KeptText]:
        """Return the newest texts, newest first."""
        try:
            lines = self.file.read_text("utf-8").splitlines()[-limit:]
        except FileNotFoundError:
            return []
        kept = map(json.loads, reversed(lines))
        return [
            KeptText(one["id"], one["to"], one["body"], datetime.fromisoformat(one["at"]))
            for one in kept
        ]
