"""Who may call what: roles, identities and the one table of routes.

The table itself is `casewell.access_table`; this module reads and enforces it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from casewell.kernel.errors import Forbidden, NotSignedIn


class Role(StrEnum):
    OWNER = "owner"
    MANAGER = "manager"
    ATTORNEY = "attorney"
    CASE_MANAGER = "case_manager"
    VIEWER = "viewer"


class Scope(StrEnum):
    """What a personal API token may do; a session may do all that its role may."""

    READ = "read"
    WRITE = "write"


@dataclass(frozen=True)
class Audience:
    """Those who may call a route.

    `public` routes answer anyone. `unfinished` ones answer a session whose second factor is
    still to come, or to be set up. `machine` ones prove themselves by a signature of their own
    and need no CSRF token. `clients` ones are the portal's: they know the sessions of clients
    alone, as all others know those of staff alone.
    """

    roles: frozenset[Role] = frozenset()
    public: bool = False
    unfinished: bool = False
    machine: bool = False
    session_only: bool = False
    clients: bool = False


EVERYONE = frozenset(Role)
EDITORS = EVERYONE - {Role.VIEWER}
PUBLIC = Audience(public=True)
MACHINE = Audience(public=True, machine=True)
UNFINISHED = Audience(roles=EVERYONE, unfinished=True, session_only=True)
STAFF = Audience(roles=EVERYONE)
STAFF_THEMSELVES = Audience(roles=EVERYONE, session_only=True)
EDITING_STAFF = Audience(roles=EDITORS)
MANAGERS = Audience(roles=frozenset({Role.OWNER, Role.MANAGER}))
OWNERS = Audience(roles=frozenset({Role.OWNER}), session_only=True)
CLIENTS = Audience(clients=True)
CLIENT_VISITORS = Audience(public=True, clients=True)


@dataclass(frozen=True)
class Identity:
    """The staff member behind a request. `finished`: password and second factor both given."""

    staff_id: int
    role: Role
    via: Literal["session", "token"]
    finished: bool = True
    session_id: int | None = None
    scopes: frozenset[Scope] = field(default_factory=lambda: frozenset(Scope))


@dataclass(frozen=True)
class ClientIdentity:
    """The client behind a request to the portal."""

    client_id: int
    account_id: int
    session_id: int


SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def enforce(audience: Audience, identity: Identity | None, method: str) -> None:
    """Raise NotSignedIn or Forbidden unless `identity` belongs to `audience`."""
    if audience.public:
        return
    if identity is None:
        raise NotSignedIn
    if not identity.finished and not audience.unfinished:
        raise NotSignedIn("Finish signing in with your second factor.")
    if identity.role not in audience.roles:
        raise Forbidden
    if identity.via == "token":
        if audience.session_only:
            raise Forbidden("An API token can't do this. Sign in instead.")
        needed = Scope.READ if method in SAFE_METHODS else Scope.WRITE
        if needed not in identity.scopes:
            raise Forbidden(f"This API token lacks the scope {needed.value!r}.")


def check_complete(table: Mapping[str, Audience], endpoints: Iterable[str]) -> None:
    """Raise RuntimeError for a route without an entry, or an entry without a route."""
    endpoints = set(endpoints)
    undeclared = sorted(endpoints - set(table))
    stale = sorted(set(table) - endpoints)
    if undeclared or stale:
        raise RuntimeError(
            f"casewell/access_table.py: routes without an entry: {undeclared or 'none'}; "
            f"entries without a route: {stale or 'none'}"
        )
