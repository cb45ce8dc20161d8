"""The words and colours in which pages speak of clients."""

from typing import Any

from casewell.clients import phones
from casewell.clients.models import ClientStatus, ImportState, PreferredChannel
from casewell.clients.states import STATES

STATUS_WORDS = {
    ClientStatus.LEAD: "Lead",
    ClientStatus.ONBOARDING: "Onboarding",
    ClientStatus.ACTIVE: "Active",
    ClientStatus.WAITING: "Waiting on client",
    ClientStatus.COMPLETED: "Completed",
    ClientStatus.CANCELLED: "Cancelled",
}
STATUS_TONES = {
    ClientStatus.LEAD: "lead",
    ClientStatus.ONBOARDING: "lead",
    ClientStatus.ACTIVE: "active",
    ClientStatus.WAITING: "wait",
    ClientStatus.COMPLETED: "closed",
    ClientStatus.CANCELLED: "closed",
}
CHANNEL_WORDS = {
    PreferredChannel.EMAIL: "Email",
    PreferredChannel.SMS: "SMS",
    PreferredChannel.PORTAL: "Portal",
    PreferredChannel.CALL: "Call",
}
IMPORT_STATES = {
    ImportState.UPLOADED: "Not started",
    ImportState.RUNNING: "Importing",
    ImportState.DONE: "Done",
    ImportState.CANCELLED: "Cancelled",
    ImportState.FAILED: "Stopped",
}
IMPORT_TONES = {
    ImportState.UPLOADED: "",
    ImportState.RUNNING: "info",
    ImportState.DONE: "success",
    ImportState.CANCELLED: "warning",
    ImportState.FAILED: "danger",
}
LANGUAGES = (
    ("en", "English"),
    ("es", "Spanish"),
    ("zh", "Chinese"),
    ("vi", "Vietnamese"),
    ("ko", "Korean"),
    ("tl", "Tagalog"),
    ("ru", "Russian"),
    ("ar", "Arabic"),
    ("fr", "French"),
    ("ht", "Haitian Creole"),
    ("pt", "Portuguese"),
    ("pl", "Polish"),
)
FIELD_WORDS = {
    "first_name": "First name",
    "last_name": "Last name",
    "reference": "Reference",
    "emails": "Email addresses",
    "phones": "Phones",
    "street": "Street",
    "city": "City",
    "state": "State",
    "postal_code": "ZIP code",
    "time_zone": "Time zone",
    "language": "Language",
    "preferred_channel": "Preferred channel",
    "date_of_birth": "Date of birth",
    "ssn": "SSN",
    "main_responsible_id": "Main responsible",
}


def language_name(tag: str) -> str:
    """Return "Spanish" for es; a tag that has no name here stands for itself."""
    return dict(LANGUAGES).get(tag.split("-")[0].lower(), tag)


def for_templates() -> dict[str, Any]:
    """Return what the templates of clients say things with; for a blueprint's context."""
    return {
        "status_words": STATUS_WORDS,
        "status_tones": STATUS_TONES,
        "channel_words": CHANNEL_WORDS,
        "field_words": FIELD_WORDS,
        "import_states": IMPORT_STATES,
        "import_tones": IMPORT_TONES,
        "language_name": language_name,
        "phone": phones.shown,
        "states": STATES,
    }
