"""How often the open pages of one account may ask, and how many files it may fetch."""

from datetime import timedelta

from casewell.kernel import web
from casewell.kernel.access import Identity
from casewell.kernel.pace import pace_of

# Some twenty open tabs with a conversation in each. The page waits as long as it is told to.
QUESTIONS = 60
QUESTIONS_IN = timedelta(seconds=15)
FILES = 120
FILES_IN = timedelta(minutes=1)


def asks_again(viewer: Identity) -> None:
    """Count a question that a page asks by itself. Raises TooManyRequests."""
    message = "Casewell is open in too many tabs. Close some: new messages come slower until then."
    pace = pace_of("questions", QUESTIONS, QUESTIONS_IN, message)
    pace.note(f"staff {viewer.staff_id}", web.now())


def fetches_file(viewer: Identity) -> None:
    """Count a file that is sent. Raises TooManyRequests."""
    message = "You opened very many files just now. Wait a minute, then go on."
    pace = pace_of("files", FILES, FILES_IN, message)
    pace.note(f"staff {viewer.staff_id}", web.now())
