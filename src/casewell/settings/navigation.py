"""The pages of settings: what stands at the left of each of them."""

from dataclasses import dataclass
from typing import Any

from flask import current_app, request, url_for

from casewell.kernel import web
from casewell.kernel.access import EVERYONE, MANAGERS, Role

OWNER = frozenset({Role.OWNER})


@dataclass(frozen=True)
class Place:
    group: str
    label: str
    endpoint: str
    roles: frozenset[Role] = EVERYONE


PLACES = (
    Place("You", "Profile", "profile.show"),
    Place("You", "Security", "security.show"),
    Place("Firm", "Firm", "firm.show", OWNER),
    Place("Firm", "Users and roles", "staff.index", OWNER),
    Place("Firm", "Channels", "mailboxes.index", MANAGERS.roles),
    Place("Firm", "SMS", "sms_settings.show", OWNER),
    Place("Firm", "Webhooks", "webhooks.index", OWNER),
    Place("Firm", "Mail import", "mail_imports.index", MANAGERS.roles),
)


def settings_nav() -> list[dict[str, Any]]:
    """Return the groups of links for `side_tabs`; a global of every template."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for place in PLACES:
        if (
            web.identity().role not in place.roles
            or place.endpoint not in current_app.view_functions
        ):
            continue
        href = url_for(place.endpoint)
        item = {"label": place.label, "href": href, "current": request.path.startswith(href)}
        groups.setdefault(place.group, []).append(item)
    return [{"title": title, "items": items} for title, items in groups.items()]
