"""Which client is asking: from the portal's own cookie, and from nothing else."""

from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask import g, request
from sqlalchemy.orm import joinedload

from casewell.clients.states import zone_of
from casewell.kernel import web
from casewell.kernel.access import ClientIdentity
from casewell.kernel.errors import NotSignedIn
from casewell.ledger.service import Actor
from casewell.portal import sessions
from casewell.portal.models import ClientAccount
from casewell.staff.models import Firm, Staff


def identify_client() -> ClientIdentity | None:
    """Return the client behind this request; None: nobody that is known."""
    runtime = web.runtime()
    cookie = request.cookies.get(sessions.cookie_of(runtime.settings))
    if not cookie:
        return None
    with runtime.database.session(write=False) as session:
        row = sessions.find_alive(session, cookie, runtime.settings, web.now())
    if row is None:
        return None
    # A page that only asks for news is no sign that anybody is there.
    if request.endpoint == "portal_messages.changes":
        return ClientIdentity(row.client_id, row.account_id, row.id)
    if web.now() - row.last_seen_at >= sessions.SEEN_EVERY:
        sessions.note_seen(runtime, row.id, row.account_id)
    return ClientIdentity(row.client_id, row.account_id, row.id)


def current_account() -> ClientAccount:
    """Return the account behind this request with its client, loaded once. Raises NotSignedIn."""
    if "client_account" not in g:
        found = web.db().scalar(
            sa.select(ClientAccount)
            .where(ClientAccount.id == web.client().account_id)
            .options(joinedload(ClientAccount.client))
        )
        if found is None:
            raise NotSignedIn
        g.client_account = found
    account: ClientAccount = g.client_account
    return account


def responsible_name() -> str:
    """Return who at the firm is responsible for the client behind this request, if anybody is."""
    staff_id = current_account().client.main_responsible_id
    return web.db().scalar(sa.select(Staff.name).where(Staff.id == staff_id)) or ""


def client_zone() -> ZoneInfo:
    """Return where the client behind this request lives, else where the firm is."""
    client = current_account().client
    lives = zone_of(client.time_zone, client.state)
    return lives or ZoneInfo(web.db().scalars(sa.select(Firm.time_zone)).one())


def client_actor() -> Actor:
    return Actor.of_client(current_account().client)
