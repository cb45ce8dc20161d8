"""The forms of a page, as a browser would send them."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Form:
    method: str
    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)


class Forms(HTMLParser):
    """The forms of a page, with what a browser would send."""

    def __init__(self, address: str, text: str) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._address = address
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "form":
            action = given.get("hx-post") or given.get("action") or self._address
            self.found.append(Form(given.get("method", "get").lower(), action))
        elif not self.found or not name or name == "csrf_token":
            return
        elif tag == "input" and given.get("type") not in ("file", "submit"):
            self.found[-1].fields.append((name, given.get("value", "")))
        elif tag in ("textarea", "select"):
            self.found[-1].fields.append((name, ""))
