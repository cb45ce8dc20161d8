"""The list of clients: filters live in its address, one page at a time.

Its routes are on the blueprint of `clients.pages`.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import request, url_for
from werkzeug.wrappers import Response

from casewell.clients import views
from casewell.clients.contacts import contacts
from casewell.clients.listing import (
    COUNTED,
    Wanted,
    count_clients,
    list_clients,
    wanted_at,
    wanted_by,
)
from casewell.clients.pages import blueprint, choices, may_edit
from casewell.clients.tagging import Match, tagging
from casewell.kernel import web
from casewell.kernel.access import MANAGERS, Role
from casewell.kernel.errors import CasewellError
from casewell.kernel.forms import parse
from casewell.kernel.searched import as_parameters
from casewell.kernel.times import full_time, short_time
from casewell.staff.current import current_staff

__all__ = ["blueprint"]

MATCHES = ((Match.ANY, "Any of them"), (Match.ALL, "All of them"), (Match.NONE, "None of them"))


@blueprint.get("/clients")
def index() -> Response:
    wanted = wanted_by(request.args)
    viewer, session = web.identity(), web.db()
    after = request.args.get("after")
    page = list_clients(session, viewer, wanted, after=after)
    context: dict[str, Any] = {
        "listed": page,
        "contacts": contacts().last_contacts(session, viewer, [one.id for one in page.items]),
        "wanted": wanted,
        "address": _address_maker(wanted),
        "within": within(wanted),
        "may_edit": may_edit(viewer),
        "may_import": viewer.role in MANAGERS.roles,
        "sees_all": viewer.role is not Role.CASE_MANAGER,
        **_times(),
    }
    if after is not None and web.is_htmx():
        return web.render("clients/_rows.html", **context)
    context["count"] = _counted(count_clients(session, viewer, wanted))
    kept = views.views_of(session, viewer)
    current = context["current_view"] = views.current_of(kept, wanted)
    context["views"] = [
        {
            "label": one.name,
            "href": _address_maker(one.wanted)(),
            "count": one.count,
            "current": one is current,
        }
        for one in kept
    ]
    context["offered"] = tagging().offered(session, chosen=wanted.tag)
    context["matches"] = MATCHES
    context["filtered"] = wanted != Wanted(view=wanted.view, sort=wanted.sort)
    answer = web.render("clients/index.html", "clients/_list.html", **context, **choices())
    if web.is_htmx():
        answer.headers["HX-Push-Url"] = context["address"]()
    return answer


@blueprint.post("/clients/views")
def keep_view() -> Response:
    # Read before the form: one that is refused leads back to the same list.
    wanted = wanted_at(request.values.get("listed", ""))
    try:
        form = parse(views.ViewForm, request.values, empty_is_absent=False)
        view = views.keep(web.db(), web.identity(), form.name, wanted, web.now)
    except CasewellError as error:
        web.db().rollback()
        web.toast(next(iter(error.fields.values()), error.message), kind="error")
    else:
        web.toast(f'View "{view.name}" saved')
    return web.go_to(_address_maker(wanted)())


@blueprint.post("/clients/views/<int:view_id>/delete")
def delete_view(view_id: int) -> Response:
    view = views.delete(web.db(), web.identity(), view_id)
    address = _address_maker(Wanted.model_validate(view.wanted))()
    undo = url_for("clients.keep_view", name=view.name, listed=address)
    web.toast(f'View "{view.name}" deleted', undo=undo)
    return web.go_to(address)


@blueprint.post("/clients/search")
def search() -> Response:
    """Turn the filter form into the list's address, where no address or number is readable."""
    wanted = parse(Wanted, request.form)
    return Response(status=303, headers={"Location": _address_maker(wanted)()})


def _address_maker(wanted: Wanted) -> Callable[..., str]:
    """Return a function that gives the list's address, with changes to what is wanted."""

    def address(**changed: Any) -> str:
        asked = wanted.model_dump(mode="json", exclude_defaults=True) | changed
        asked |= as_parameters(asked.pop("q", ""))
        asked = {name: value for name, value in asked.items() if value not in (None, "", [])}
        return url_for("clients.index") + (f"?{urlencode(asked, doseq=True)}" if asked else "")

    return address


def within(wanted: Wanted) -> str:
    """Return of a list what a client's page needs to lead to the next one in it."""
    return _address_maker(wanted)().partition("?")[2] or "all"


def _times() -> dict[str, Callable[[datetime], str]]:
    """Return how this reader is told times."""
    zone, now = ZoneInfo(current_staff().time_zone), web.now()
    return {"short": lambda at: short_time(at, now, zone), "full": lambda at: full_time(at, zone)}


def _counted(number: int) -> str:
    return f"{COUNTED:,}+" if number > COUNTED else f"{number:,}"
