"""The pages of one client: showing, creating, editing. The list has a module of its own."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from casewell.clients import changes, phones, words
from casewell.clients.activity import recent_activity
from casewell.clients.duplicates import Likeness, clients_like, duplicates_of
from casewell.clients.errors import ChangedMeanwhile
from casewell.clients.forms import ClientDetails, EditedClient, NewClient, Responsible
from casewell.clients.head import client_head
from casewell.clients.listing import Sort
from casewell.clients.models import Client, ClientStatus
from casewell.clients.queries import WHOLE, find_client, possible_responsible
from casewell.clients.service import ClientService
from casewell.clients.states import STATES, ZONES
from casewell.kernel import web
from casewell.kernel.access import EDITORS, Identity
from casewell.kernel.addresses import normal_form
from casewell.kernel.errors import InvalidInput, NotFound
from casewell.kernel.forms import parse
from casewell.staff.current import current_actor, current_staff

blueprint = Blueprint("clients", __name__, template_folder="templates")
blueprint.context_processor(words.for_templates)
# For the templates of every tab, whose packages are above this one.
blueprint.add_app_template_global(client_head)
STATUSES = ",".join(ClientStatus)


def service() -> ClientService:
    return ClientService(web.db(), web.identity(), current_actor(), web.now)


def may_edit(viewer: Identity) -> bool:
    return viewer.role in EDITORS


def choices() -> dict[str, Any]:
    """Return the choices of filters and forms."""
    return {
        "people": [(person.id, person.name) for person in possible_responsible(web.db())],
        "statuses": list(words.STATUS_WORDS.items()),
        "state_choices": [(code, name) for code, (name, _) in STATES.items()],
        "zones": [(zone, zone.replace("_", " ")) for zone in ZONES],
        "languages": words.LANGUAGES,
        "channels": list(words.CHANNEL_WORDS.items()),
        "sorts": [
            (Sort.NAME, "By name"),
            (Sort.NEWEST, "Newest first"),
            (Sort.OLDEST, "Oldest first"),
            (Sort.STATUS, "By status"),
        ],
    }


@blueprint.get("/clients/<int:client_id>")
def show(client_id: int) -> Response:
    session, viewer = web.db(), web.identity()
    client = find_client(session, viewer, client_id, *WHOLE)
    mine = ZoneInfo(current_staff().time_zone)
    return web.render(
        "clients/show.html",
        client=client,
        likenesses=duplicates_of(session, viewer, client) if may_edit(viewer) else [],
        activity=recent_activity(session, viewer, client.id, web.now(), mine),
    )


@blueprint.post(f"/clients/<int:client_id>/status/<any({STATUSES}):status>")
def change_status(client_id: int, status: str) -> Response:
    before = find_client(web.db(), web.identity(), client_id).status
    client = service().change_status(client_id, ClientStatus(status))
    page = url_for("clients.show", client_id=client_id)
    back = web.safe_next(request.args.get("next"), page)
    undo = url_for(
        "clients.change_status",
        client_id=client_id,
        status=before.value,
        next=back if back != page else None,
    )
    web.toast(f"Status changed to {words.STATUS_WORDS[client.status]}", undo=undo)
    return web.go_to(back)


@blueprint.get("/clients/<int:client_id>/responsible")
def assigning(client_id: int) -> Response:
    client = find_client(web.db(), web.identity(), client_id)
    return web.render(
        "clients/assign.html",
        "clients/_assign_dialog.html",
        client=client,
        next=request.args.get("next"),
        **choices(),
    )


@blueprint.post("/clients/<int:client_id>/responsible")
def assign(client_id: int) -> Response:
    """Assign by a form, or by the address alone, as the undo of a toast does."""
    before = find_client(web.db(), web.identity(), client_id)
    page = web.safe_next(request.args.get("next"), url_for("clients.show", client_id=client_id))
    undo = url_for(
        "clients.assign",
        client_id=client_id,
        main_responsible_id=before.main_responsible_id or "",
        second_responsible_id=before.second_responsible_id or "",
        next=page,
    )
    wanted = parse(Responsible, _without(request.form or request.args, "next"))
    client = service().assign(client_id, wanted)
    try:
        find_client(web.db(), web.identity(), client_id)
    except NotFound:  # they have given it away
        web.toast(f"{client.name} assigned")
        return web.go("clients.index")
    web.toast(f"{client.name} assigned", undo=undo)
    return web.go_to(page)


@blueprint.get("/clients/new")
def new() -> Response:
    return _new_page(MultiDict({"language": "en", "status": "lead"}))


@blueprint.post("/clients/new")
def create() -> Response:
    given = request.form
    try:
        details = parse(NewClient, _without(given, "anyway"))
        if "anyway" not in given and (like := _like(details)):
            return _new_page(given, like=like, status=422)
        client = service().create(details)
    except InvalidInput as error:
        web.db().rollback()
        return _new_page(given, error=error, status=422)
    web.toast("Client created")
    return web.go("clients.show", client_id=client.id)


def _like(details: NewClient) -> list[Likeness]:
    """Return the clients that may be the one that somebody is about to add."""
    probe = Client()
    probe.rename(details.first_name, details.last_name)
    return clients_like(
        web.db(),
        web.identity(),
        sort_name=probe.sort_name,
        emails=[normal_form(address) for address in details.emails],
        phones=[phones.read_phone(number).e164 for number in details.phones],
    )


def _new_page(
    given: MultiDict[str, str],
    *,
    error: InvalidInput | None = None,
    like: list[Likeness] | None = None,
    status: int = 200,
) -> Response:
    return web.render(
        "clients/new.html",
        values=values_of(given),
        errors=error.fields if error else {},
        like=like or [],
        status=status,
        **choices(),
    )


@blueprint.get("/clients/<int:client_id>/edit")
def edit(client_id: int) -> Response:
    client = find_client(web.db(), web.identity(), client_id, *WHOLE)
    return edit_page(client, changes.details_of(client))


@blueprint.post("/clients/<int:client_id>/edit")
def save(client_id: int) -> Response:
    client = find_client(web.db(), web.identity(), client_id, *WHOLE)
    try:
        given = parse(EditedClient, request.form)
        details = ClientDetails.model_validate(given.model_dump(exclude={"version"}))
        service().edit(client_id, details, version=given.version)
    except InvalidInput as error:
        web.db().rollback()
        client = find_client(web.db(), web.identity(), client_id, *WHOLE)
        version = request.form.get("version", "")
        return edit_page(client, values_of(request.form), error=error, version=version, status=422)
    except ChangedMeanwhile as error:
        return edit_page(client, values_of(request.form), conflict=error, status=409)
    web.toast("Changes saved")
    return web.go("clients.show", client_id=client_id)


def edit_page(
    client: Client,
    values: Mapping[str, Any],
    *,
    error: InvalidInput | None = None,
    conflict: ChangedMeanwhile | None = None,
    version: str = "",
    status: int = 200,
) -> Response:
    """Show the form. After a conflict it holds what was typed, beside what stands now."""
    stands = changes.details_of(client)
    differs = {
        name: changes.plain(stands[name])
        for name in stands
        if _text(stands[name]) != _text(values.get(name))
    }
    return web.render(
        "clients/edit.html",
        client=client,
        values=values,
        version=version or client.updated_at.isoformat(),
        errors=error.fields if error else {},
        conflict=conflict,
        differs=differs if conflict else {},
        status=status,
        **choices(),
    )


def _text(value: Any) -> Any:
    plain = changes.plain(value)
    return [str(one) for one in plain] if isinstance(plain, list) else str(plain or "")


def values_of(given: MultiDict[str, str]) -> dict[str, Any]:
    """Return a form's values as it must show them again: lists without their empty entries."""
    values: dict[str, Any] = {name: given.getlist(name)[-1] for name in given}
    for name in ("emails", "phones"):
        values[name] = [one for one in given.getlist(name) if one.strip()]
    return values


def _without(given: MultiDict[str, str], name: str) -> MultiDict[str, str]:
    rest = MultiDict(given.items(multi=True))
    rest.poplist(name)
    return rest
