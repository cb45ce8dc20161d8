"""What each tab of a client's page shows alike: its head, and the rail beside the tab."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask import request, url_for

from casewell.clients import words
from casewell.clients.listing import wanted_at
from casewell.clients.models import Client
from casewell.clients.neighbours import neighbours_of
from casewell.clients.queries import WHOLE, find_client
from casewell.clients.states import zone_of
from casewell.clients.tagging import tagging
from casewell.kernel import web
from casewell.kernel.access import EDITORS
from casewell.kernel.times import clock_time, full_time, short_time
from casewell.staff.current import current_staff


@dataclass(frozen=True)
class Way:
    """How the list that somebody came from goes on, as addresses; None: an end of it.

    `within` is what carries the list from page to page; None: they came from no list. `place` is
    "3 of 41", empty where nobody counts.
    """

    within: str | None = None
    place: str = ""
    back: str | None = None
    previous: str | None = None
    next: str | None = None


def client_head(client: Client) -> dict[str, Any]:
    """Return what head and rail say. The client may have been loaded without their addresses."""
    session, viewer, now = web.db(), web.identity(), web.now()
    if {"emails", "phones", "main_responsible", "second_responsible"} & sa.inspect(client).unloaded:
        client = find_client(session, viewer, client.id, *WHOLE)
    zone = zone_of(client.time_zone, client.state)
    mine = ZoneInfo(current_staff().time_zone)
    may_edit = viewer.role in EDITORS
    return {
        "way": _way(client),
        "local_time": clock_time(now, zone) if zone else None,
        "zone": zone.key if zone else None,
        "zone_is_proposed": client.time_zone is None,
        "since": short_time(client.created_at, now, mine),
        "since_full": full_time(client.created_at, mine),
        "tags": tagging().tags_of(session, [client.id]).get(client.id, ()),
        "statuses": list(words.STATUS_WORDS.items()),
        "may_edit": may_edit,
        "may_reveal": may_edit and client.ssn_last4 is not None,
    }


def _way(client: Client) -> Way:
    within = request.args.get("within")
    if within is None:
        return Way()
    found = neighbours_of(web.db(), web.identity(), wanted_at(within), client)
    # A tab leads on to the same tab; what is one thing of this client leads to the next client.
    tab = request.endpoint if set(request.view_args or ()) == {"client_id"} else None

    def address(client_id: int | None) -> str | None:
        if client_id is None:
            return None
        return url_for(tab or "clients.show", client_id=client_id, within=within)

    back = url_for("clients.index") + ("" if within == "all" else f"?{within}")
    return Way(within, found.place, back, address(found.before), address(found.after))
