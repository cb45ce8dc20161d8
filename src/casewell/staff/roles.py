"""What a role is called on screen and what it is for."""

from casewell.kernel.access import Role

ROLE_LABELS = {
    Role.OWNER: "Owner",
    Role.MANAGER: "Manager",
    Role.ATTORNEY: "Attorney",
    Role.CASE_MANAGER: "Case manager",
    Role.VIEWER: "Read-only",
}
ROLE_HINTS = {
    Role.OWNER: "Everything, and staff accounts and the firm's settings",
    Role.MANAGER: "All clients, templates, reports",
    Role.ATTORNEY: "All clients, cases and deadlines",
    Role.CASE_MANAGER: "The clients assigned to them",
    Role.VIEWER: "Sees what a manager sees, changes nothing",
}
