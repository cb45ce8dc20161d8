"""Where one can go: the sidebar, the phone's bar and the palette read this one list."""

from dataclasses import dataclass

from casewell.inbox.access import TRIAGING
from casewell.kernel.access import EDITORS, EVERYONE, MANAGERS, Role


@dataclass(frozen=True)
class Destination:
    """One place. `key`: the letter after G. `phone`: also in the bar at a phone's foot."""

    group: str
    label: str
    endpoint: str
    icon: str
    key: str = ""
    phone: bool = False
    roles: frozenset[Role] = EVERYONE


DESTINATIONS = (
    Destination("Communication", "Inbox", "inbox.index", "inbox", "i", phone=True),
    Destination(
        "Communication", "Triage", "triage.index", "user-question", "q", phone=True, roles=TRIAGING
    ),
    Destination("Communication", "Outbox", "outbox.index", "send", "o", roles=EDITORS),
    Destination("Communication", "Notifications", "notifications.index", "bell", "n"),
    Destination("Clients", "Clients", "clients.index", "users", "c", phone=True),
    Destination("Clients", "Tags", "tags.index", "tags", "t"),
    Destination("Firm", "Health", "health.index", "heartbeat", "h", roles=MANAGERS.roles),
    Destination("Firm", "Settings", "profile.show", "settings", "s", phone=True),
)


def destinations(role: Role) -> list[Destination]:
    """Return the places that a role may go to."""
    return [place for place in DESTINATIONS if role in place.roles]
