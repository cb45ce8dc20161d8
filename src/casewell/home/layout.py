"""What the layout shows on every page: the firm, who is signed in, where one can go."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypedDict
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask import g, get_flashed_messages, request, url_for
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup

from casewell.home.navigation import Destination, destinations
from casewell.kernel import assets, web
from casewell.kernel.access import EDITORS, Identity, Role
from casewell.kernel.times import full_time, short_time
from casewell.ledger.service import SYSTEM
from casewell.messages.models import Lane
from casewell.messages.notices import unread_notifications
from casewell.messages.readers import unread_counts
from casewell.messages.triage import TriageService
from casewell.staff.current import current_staff
from casewell.staff.models import Firm, Staff
from casewell.staff.roles import ROLE_LABELS


class Me(TypedDict):
    id: int
    name: str
    role: Role
    role_label: str
    time_zone: str


def template_globals() -> dict[str, Any]:
    """Return the functions that macros use, which see no context."""
    return {"asset_url": assets.asset_url, "csrf_token": generate_csrf}


def reader_zone() -> ZoneInfo:
    """Return the zone that the person signed in reads times in."""
    return ZoneInfo(current_staff().time_zone)


def local_time(at: datetime) -> Markup:
    """Return a time as people read it, with the whole of it on hover."""
    zone = reader_zone()
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        at.isoformat(), full_time(at, zone), short_time(at, web.now(), zone)
    )


def template_filters() -> dict[str, Callable[..., Any]]:
    return {"local_time": local_time}


def layout_context() -> dict[str, Any]:
    """Return what the layout needs. A fragment for htmx is no page and gets none of it."""
    if g.get("is_fragment", web.is_htmx()):
        return {}
    # What staff were told in this browser is none of a client's business.
    for_staff = not web.is_for_clients()
    flashed: list[Any] = list(get_flashed_messages(with_categories=True)) if for_staff else []
    toasts = [{"kind": kind, **one} for kind, one in flashed]
    context: dict[str, Any] = {"firm_name": "Casewell", "theme": "system", "toasts": toasts}
    who: Identity | None = g.get("identity")
    if who is None:
        return context
    session = web.db()
    row = session.execute(
        sa.select(Staff.id, Staff.name, Staff.time_zone, Staff.theme, Firm.name.label("firm"))
        .join(Firm, sa.true())
        .where(Staff.id == who.staff_id)
    ).one()
    me = Me(
        id=row.id,
        name=row.name,
        role=who.role,
        role_label=ROLE_LABELS[who.role],
        time_zone=row.time_zone,
    )
    context |= {"firm_name": row.firm, "theme": row.theme.value, "current_staff": me}
    if not who.finished:
        return context | {"nav": [], "commands": []}
    return context | {"nav": _navigation(who), "commands": _commands(who)}


def _commands(who: Identity) -> list[dict[str, str]]:
    """Return what a person can begin from anywhere: the palette's commands, some by a key."""
    commands = []
    if who.role in EDITORS:
        message, client = url_for("inbox.new"), url_for("clients.new")
        commands += [
            {"label": "New message", "href": message, "icon": "pencil-plus", "key": "c"},
            {"label": "New client", "href": client, "icon": "user-plus", "key": ""},
        ]
    return commands


def _navigation(who: Identity) -> list[dict[str, Any]]:
    tray = TriageService(web.db(), who, SYSTEM, web.now())
    counts = {
        "inbox.index": (unread_counts(web.db(), who)[Lane.ALL], "unread", "nav-unread"),
        "triage.index": (tray.count(), "open", "nav-triage"),
        "notifications.index": (unread_notifications(web.db(), who), "open", "nav-notifications"),
    }
    groups: dict[str, list[dict[str, Any]]] = {}
    for place in destinations(who.role):
        count, kind, count_id = counts.get(place.endpoint, (0, "open", ""))
        groups.setdefault(place.group, []).append(
            {
                "label": place.label,
                "href": url_for(place.endpoint),
                "icon": place.icon,
                "key": place.key,
                "phone": place.phone,
                "current": _is_current(place),
                "count": count,
                "count_kind": kind,
                "count_id": count_id,
            }
        )
    return [{"title": title, "items": items} for title, items in groups.items()]


def _is_current(place: Destination) -> bool:
    """Whether this page belongs to a place: the address begins with the place's own."""
    if place.endpoint == "profile.show":
        return request.path.startswith("/settings")
    return request.path.startswith(url_for(place.endpoint))
