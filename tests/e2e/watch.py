"""What must never happen in a browser, whatever a test is about."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Request, WebError


@dataclass
class Watch:
    """Collects errors of pages, breaches of the CSP, requests to other hosts, script dialogs."""

    url: str
    offences: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("request", self._request)
        context.on("dialog", self._dialog)

    def expect(self, pattern: str) -> None:
        """Allow what a test provokes, such as the console's line about a refusal."""
        self.expected.append(pattern)

    def check(self) -> None:
        unexpected = [
            offence
            for offence in self.offences
            if not any(re.search(pattern, offence) for pattern in self.expected)
        ]
        assert not unexpected, "\n".join(["The browser saw:", *unexpected])

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.offences.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _error(self, error: WebError) -> None:
        self.offences.append(f"script: {error.error}")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        own = f"{parts.scheme}://{parts.netloc}" == self.url
        if parts.scheme in ("http", "https", "ws", "wss") and not own:
            self.offences.append(f"request to another host: {request.url}")

    def _dialog(self, dialog: Dialog) -> None:
        self.offences.append(f"dialog: {dialog.message}")
        dialog.dismiss()
