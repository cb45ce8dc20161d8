"""The person signed in, as a row: for templates, and to name who did something."""

from flask import g

from casewell.kernel import web
from casewell.kernel.errors import NotSignedIn
from casewell.ledger.service import Actor
from casewell.staff.models import Staff


def current_staff() -> Staff:
    """Return the person behind this request, loaded once. Raises NotSignedIn."""
    if "staff" not in g:
        found = web.db().get(Staff, web.identity().staff_id)
        if found is None:
            raise NotSignedIn
        g.staff = found
    staff: Staff = g.staff
    return staff


def current_actor() -> Actor:
    return Actor.of_staff(current_staff())
