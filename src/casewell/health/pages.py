"""The health page, and the answer for a load balancer."""

from flask import Blueprint
from werkzeug.wrappers import Response

from casewell.email.reconciliation import by_mailbox
from casewell.health.checks import check_all
from casewell.health.files import newest_faults
from casewell.kernel import web
from casewell.kernel.api import as_response
from casewell.kernel.errors import NotFound
from casewell.ledger.service import audit
from casewell.messages.reconciling import reconcilers
from casewell.staff.current import current_actor

blueprint = Blueprint("health", __name__, template_folder="templates")


@blueprint.get("/healthz")
def alive() -> Response:
    """Tell that this process answers; nothing about what it is or where it runs."""
    return as_response({"status": "ok"}, 200)


@blueprint.get("/health")
def index() -> Response:
    """How each part stands, since when, and what to do."""
    reports = check_all(web.runtime())
    session = web.db()
    return web.render(
        "health/index.html",
        reports=reports,
        mailboxes=by_mailbox(session),
        channels=[
            (name, one, one.stand(session, web.now())) for name, one in reconcilers().items()
        ],
        file_faults=newest_faults(session),
    )


@blueprint.post("/health/channels/<part>/repair")
def repair(part: str) -> Response:
    """Look again at what a channel has not stored, or what does not agree."""
    chosen = reconcilers().get(part)
    if chosen is None:
        raise NotFound
    said = chosen.repair(web.db(), web.runtime())
    facts = {"part": part, "outcome": said}
    audit(web.db(), "health.repaired", now=web.now(), actor=current_actor(), data=facts)
    web.toast(said)
    return web.go("health.index")
