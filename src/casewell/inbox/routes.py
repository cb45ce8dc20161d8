"""Every route of this package, for the application."""

from casewell.inbox import (
    api,
    live_pages,
    message_pages,
    note_pages,
    outbox_pages,
    pages,
    presence_pages,
    selection_pages,
    team_pages,
    triage_pages,
)
from casewell.inbox.blueprint import blueprint

# All add their routes to the one blueprint of the inbox's pages.
INBOX_PAGES = (
    pages,
    live_pages,
    message_pages,
    note_pages,
    presence_pages,
    selection_pages,
    team_pages,
)
BLUEPRINTS = (
    blueprint,
    triage_pages.blueprint,
    outbox_pages.blueprint,
    api.api.blueprint,
)
