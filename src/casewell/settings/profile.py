"""One's own profile: name, time zone, theme, password, address."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from casewell.kernel import web
from casewell.kernel.errors import CasewellError
from casewell.kernel.forms import parse
from casewell.settings.acting import ask_password_again, service, zone_options
from casewell.settings.navigation import settings_nav
from casewell.staff import entering, forms
from casewell.staff.current import current_staff
from casewell.staff.roles import ROLE_LABELS

blueprint = Blueprint("profile", __name__, template_folder="templates")


@blueprint.app_context_processor
def _navigation() -> dict[str, Any]:
    return {"settings_nav": settings_nav}


@blueprint.get("/settings/profile")
def show() -> Response:
    return _page()


@blueprint.post("/settings/profile")
def save() -> Response:
    try:
        given = parse(forms.Profile, request.form)
    except CasewellError as error:
        return _page(error, "profile")
    service().change_profile(current_staff(), name=given.name, time_zone=given.time_zone)
    web.toast("Profile saved")
    return web.go("profile.show")


@blueprint.post("/settings/profile/theme")
def choose_theme() -> Response:
    current_staff().theme = parse(forms.ThemeChoice, request.form).theme
    if web.is_htmx():
        return Response(status=204)
    return web.go("profile.show")


@blueprint.post("/settings/profile/password")
def change_password() -> Response:
    try:
        given = parse(forms.PasswordChange, request.form)
        ask_password_again(given.current_password)
        service().change_password(current_staff(), given.password)
    except CasewellError as error:
        return _page(error, "password")
    web.toast("Password changed. Other browsers and API tokens are signed out.")
    return entering.renew(web.go("profile.show"), current_staff())


@blueprint.post("/settings/profile/email")
def change_email() -> Response:
    try:
        given = parse(forms.EmailChange, request.form)
        ask_password_again(given.current_password)
        service().ask_for_email_change(current_staff(), given.email)
    except CasewellError as error:
        return _page(error, "email")
    web.toast(f"Confirm the change by the links sent to your old address and to {given.email}")
    return web.go("profile.show")


def _page(error: CasewellError | None = None, at: str = "") -> Response:
    """Show the page; `at` names its form that has come back."""
    if error is not None and error.status != 422:
        raise error
    staff = current_staff()
    own: Mapping[str, Any] = {"name": staff.name, "time_zone": staff.time_zone}
    return web.render(
        "settings/profile.html",
        status=error.status if error else 200,
        errors={at: error.fields} if error else {},
        values=request.form if at == "profile" else own,
        new_email=request.form.get("email", "") if at == "email" else "",
        staff=staff,
        role_label=ROLE_LABELS[staff.role],
        zones=zone_options(),
    )
