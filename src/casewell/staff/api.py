"""Who am I: lets a program see what its token stands for."""

from pydantic import BaseModel

from casewell.kernel import web
from casewell.kernel.access import Role, Scope
from casewell.kernel.api import Api
from casewell.staff.current import current_staff

api = Api("staff", "", tag="Account")


class Me(BaseModel):
    id: int
    name: str
    email: str
    role: Role
    time_zone: str
    scopes: list[Scope]


@api.get("/me", summary="Who am I", answers=Me)
def me() -> Me:
    """The person behind this session or token, and what the token may do."""
    staff = current_staff()
    return Me(
        id=staff.id,
        name=staff.name,
        email=staff.email,
        role=staff.role,
        time_zone=staff.time_zone,
        scopes=sorted(web.identity().scopes),
    )
