"""Who may do what in the inbox beyond reading it."""

from casewell.kernel.access import Audience, Role

# Mail that belongs to nobody yet may be about anybody: it is for those who see every client.
TRIAGING = frozenset({Role.OWNER, Role.MANAGER, Role.ATTORNEY})
TRIAGE = Audience(roles=TRIAGING)
