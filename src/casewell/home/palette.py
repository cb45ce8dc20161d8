"""The command palette's results: an HTML fragment of options.

Asked for by POST, so that the letters of a name, an address or a number are in no log.
"""

from flask import Blueprint, url_for
from werkzeug.wrappers import Response

from casewell.clients.queries import clients_named
from casewell.home.navigation import destinations
from casewell.kernel import web
from casewell.kernel.searched import as_parameters

blueprint = Blueprint("palette", __name__, template_folder="templates")
MOST_CLIENTS = 8


@blueprint.post("/palette")
def results() -> Response:
    """Clients of that name, then places to go."""
    query = web.looked_for()
    viewer = web.identity()
    # A session for reading alone: the request's own would wait for whoever writes.
    with web.runtime().database.reading() as session:
        clients = clients_named(session, viewer, query, MOST_CLIENTS) if query else []
    places = [
        place for place in destinations(viewer.role) if query.casefold() in place.label.casefold()
    ]
    search = url_for("inbox.index", **as_parameters(query)) if query else None
    return web.render(
        "home/_palette.html", query=query, clients=clients, places=places, search=search
    )
