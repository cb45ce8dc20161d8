"""A refusal leaves a trace: who tried what, though nothing was changed."""

from functools import partial

from flask import Response, g, request

from casewell.kernel import web
from casewell.kernel.access import SAFE_METHODS
from casewell.ledger.service import Actor, audit
from casewell.staff.entering import address
from casewell.staff.models import Staff


def record_refusal(answer: Response) -> Response:
    """Audit an answer that refused somebody known; nobody known fills no audit by knocking.

    For `app.after_request`, registered after `web.install`, so that it runs before the
    request's transaction ends.
    """
    identity = g.get("identity")
    forged = answer.status_code == 400 and request.method not in SAFE_METHODS
    if identity is None or not (answer.status_code == 403 or forged):
        return answer
    with web.runtime().database.reading() as session:
        staff = session.get(Staff, identity.staff_id)
    if staff is not None:
        web.on_refusal(
            partial(
                audit,
                kind="access.refused",
                now=web.now(),
                actor=Actor.of_staff(staff),
                address=address(),
                data={
                    "method": request.method,
                    "endpoint": request.endpoint,
                    "status": answer.status_code,
                    "by": identity.via,
                },
            )
        )
    return answer
