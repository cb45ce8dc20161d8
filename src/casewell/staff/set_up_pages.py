"""The first start: the firm and its owner are entered once, on the page or by command."""

import sqlalchemy as sa
from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from casewell.kernel import web
from casewell.kernel.errors import CasewellError
from casewell.kernel.forms import parse
from casewell.staff import entering, forms
from casewell.staff.errors import SetUpDone
from casewell.staff.models import Firm
from casewell.staff.service import StaffService

blueprint = Blueprint("set_up", __name__, template_folder="templates")


@blueprint.get("/set-up")
def form() -> Response:
    _require_unset()
    return _page()


@blueprint.post("/set-up")
def set_up() -> Response:
    _require_unset()
    try:
        given = parse(forms.SetUp, request.form)
        service = StaffService(web.db(), web.runtime(), None, entering.address())
        owner = service.set_up(
            firm_name=given.firm_name,
            time_zone=given.time_zone,
            name=given.name,
            email=given.email,
            password=given.password,
        )
    except CasewellError as error:
        if isinstance(error, SetUpDone):
            raise
        return _page(error)
    answer = redirect(url_for("sign_in.enrolment"), 303)
    return entering.let_in(answer, owner, finished=False)


def _require_unset() -> None:
    if web.db().scalar(sa.select(Firm.id)) is not None:
        raise SetUpDone


def _page(error: CasewellError | None = None) -> Response:
    return web.render(
        "staff/set_up.html",
        status=error.status if error else 200,
        errors=error.fields if error else {},
        values=request.form,
        zones=[(zone, zone.replace("_", " ")) for zone in forms.time_zones()],
    )
