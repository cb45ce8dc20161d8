"""The firm's own settings. For owners."""

from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from casewell.anchoring.queries import last_anchor
from casewell.kernel import web
from casewell.kernel.business_hours import WEEKDAYS
from casewell.kernel.errors import CasewellError
from casewell.kernel.forms import parse
from casewell.kernel.times import full_time
from casewell.settings.acting import ask_password_again, service, zone, zone_options
from casewell.staff import forms
from casewell.staff.current import current_staff

blueprint = Blueprint("firm", __name__, template_folder="templates")


@blueprint.get("/settings/firm")
def show() -> Response:
    return _page()


@blueprint.post("/settings/firm")
def save() -> Response:
    try:
        given = parse(forms.FirmSettings, request.form)
    except CasewellError as error:
        return _page(error, "firm")
    service().change_firm(name=given.name, time_zone=given.time_zone)
    web.toast("Firm saved")
    return web.go("firm.show")


@blueprint.post("/settings/firm/hours")
def save_hours() -> Response:
    try:
        given = parse(forms.FirmHours, request.form)
    except CasewellError as error:
        return _page(error, "hours")
    service().change_hours(given.week, given.answer_within_hours)
    web.toast("Business hours saved")
    return web.go("firm.show")


@blueprint.post("/settings/firm/second-factor")
def change_second_factor_policy() -> Response:
    try:
        given = parse(forms.SecondFactorPolicy, request.form)
        ask_password_again(given.current_password)
        service().change_second_factor_policy(
            current_staff(), required=given.required, reason=given.reason
        )
    except CasewellError as error:
        return _page(error, "second_factor")
    web.toast("Everyone needs a second factor" if given.required else "Second factor is optional")
    return web.go("firm.show")


@blueprint.post("/settings/firm/anchors")
def change_anchor_email() -> Response:
    try:
        given = parse(forms.AnchorAddress, request.form)
        ask_password_again(given.current_password)
    except CasewellError as error:
        return _page(error, "anchors")
    service().change_anchor_email(given.anchor_email)
    web.toast("Anchors are mailed there" if given.anchor_email else "Anchors are not mailed")
    return web.go("firm.show")


@blueprint.post("/settings/firm/pause")
def pause_sending() -> Response:
    try:
        service().pause_sending(parse(forms.SendingPause, request.form).reason)
    except CasewellError as error:
        return _page(error, "pause")
    web.toast("Sending is paused. Messages wait in the outbox.")
    return web.go("firm.show")


@blueprint.post("/settings/firm/resume")
def resume_sending() -> Response:
    service().resume_sending()
    web.toast("Sending goes on")
    return web.go("firm.show")


def _page(error: CasewellError | None = None, at: str = "") -> Response:
    """Show the page; `at` names its form that has come back."""
    if error is not None and error.status != 422:
        raise error
    firm = service().firm()
    own: dict[str, Any] = {"name": firm.name, "time_zone": firm.time_zone}
    paused = firm.sending_paused_at
    week = {
        day: [*request.form.getlist(day), "", ""] if at == "hours" else kept or ["", ""]
        for day, kept in zip(WEEKDAYS, firm.opening_hours, strict=True)
    }
    return web.render(
        "settings/firm.html",
        status=error.status if error else 200,
        errors={at: error.fields or {"": error.message}} if error else {},
        values=request.form if at == "firm" else own,
        given=request.form,
        firm=firm,
        week=week,
        zones=zone_options(),
        paused_at=full_time(paused, zone()) if paused else "",
        anchor=last_anchor(web.db()),
    )
