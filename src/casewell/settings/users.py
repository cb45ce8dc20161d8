"""The firm's people: invite, change a role, deactivate. For owners."""

from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from casewell.kernel import web
from casewell.kernel.access import Role
from casewell.kernel.errors import CasewellError
from casewell.kernel.forms import parse
from casewell.kernel.times import short_time
from casewell.settings.acting import service, zone
from casewell.staff import forms
from casewell.staff.models import Staff
from casewell.staff.roles import ROLE_HINTS, ROLE_LABELS

blueprint = Blueprint("staff", __name__, template_folder="templates")


@blueprint.get("/settings/users")
def index() -> Response:
    return _page()


@blueprint.post("/settings/users")
def invite() -> Response:
    try:
        given = parse(forms.Invite, request.form)
        accounts = service()
        invited = accounts.create(name=given.name, email=given.email, role=given.role)
        accounts.invite(invited)
    except CasewellError as error:
        return _page(error)
    web.toast(f"Invitation for {given.name} is on its way to {given.email}")
    return web.go("staff.index")


@blueprint.post("/settings/users/<int:staff_id>/invitation")
def invite_again(staff_id: int) -> Response:
    accounts = service()
    staff = accounts.find(staff_id)
    accounts.invite(staff)
    web.toast(f"A new invitation is on its way to {staff.email}")
    return web.go("staff.index")


@blueprint.post("/settings/users/<int:staff_id>/role")
def change_role(staff_id: int) -> Response:
    role = parse(forms.RoleChange, request.form).role
    accounts = service()
    staff = accounts.find(staff_id)
    accounts.change_role(staff, role)
    web.toast(f"{staff.name} is now {ROLE_LABELS[role].lower()} and signs in anew")
    return web.go("staff.index")


@blueprint.post("/settings/users/<int:staff_id>/deactivate")
def deactivate(staff_id: int) -> Response:
    accounts = service()
    staff = accounts.find(staff_id)
    accounts.deactivate(staff)
    web.toast(f"{staff.name} can no longer sign in")
    return web.go("staff.index")


@blueprint.post("/settings/users/<int:staff_id>/reactivate")
def reactivate(staff_id: int) -> Response:
    accounts = service()
    staff = accounts.find(staff_id)
    accounts.reactivate(staff)
    web.toast(f"{staff.name} can sign in again")
    return web.go("staff.index")


@blueprint.post("/settings/users/<int:staff_id>/second-factor/reset")
def reset_second_factor(staff_id: int) -> Response:
    accounts = service()
    staff = accounts.find(staff_id)
    accounts.reset_second_factor(staff)
    web.toast(f"{staff.name} sets up a new second factor at the next sign-in")
    return web.go("staff.index")


def _page(error: CasewellError | None = None) -> Response:
    if error is not None and error.status != 422:
        raise error
    return web.render(
        "settings/users.html",
        status=error.status if error else 200,
        errors=error.fields if error else {},
        values=request.form,
        people=[_row(staff) for staff in service().everyone()],
        roles=[(role.value, label) for role, label in ROLE_LABELS.items()],
        roles_explained=[
            (role.value, label, ROLE_HINTS[role]) for role, label in ROLE_LABELS.items()
        ],
        chosen=request.form.get("role", Role.CASE_MANAGER.value),
    )


def _row(staff: Staff) -> dict[str, Any]:
    if not staff.is_active:
        state, tone = "Deactivated", "closed"
    elif staff.password_hash is None:
        state, tone = "Invited", "wait"
    else:
        state, tone = "Active", "active"
    seen = staff.last_sign_in_at
    return {
        "id": staff.id,
        "name": staff.name,
        "email": staff.email,
        "role": staff.role.value,
        "role_label": ROLE_LABELS[staff.role],
        "state": state,
        "tone": tone,
        "has_second_factor": staff.has_second_factor,
        "signed_in": short_time(seen, web.now(), zone()) if seen else "Never",
        "is_me": staff.id == web.identity().staff_id,
    }
