"""The states of the US, with the time zone that most of each lives in."""

from zoneinfo import ZoneInfo, available_timezones

EASTERN, CENTRAL = "America/New_York", "America/Chicago"
MOUNTAIN, PACIFIC = "America/Denver", "America/Los_Angeles"

# USPS code: (name, the zone of most of its people).
STATES: dict[str, tuple[str, str]] = {
    "AL": ("Alabama", CENTRAL),
    "AK": ("Alaska", "America/Anchorage"),
    "AZ": ("Arizona", "America/Phoenix"),
    "AR": ("Arkansas", CENTRAL),
    "CA": ("California", PACIFIC),
    "CO": ("Colorado", MOUNTAIN),
    "CT": ("Connecticut", EASTERN),
    "DE": ("Delaware", EASTERN),
    "DC": ("District of Columbia", EASTERN),
    "FL": ("Florida", EASTERN),
    "GA": ("Georgia", EASTERN),
    "HI": ("Hawaii", "Pacific/Honolulu"),
    "ID": ("Idaho", "America/Boise"),
    "IL": ("Illinois", CENTRAL),
    "IN": ("Indiana", "America/Indiana/Indianapolis"),
    "IA": ("Iowa", CENTRAL),
    "KS": ("Kansas", CENTRAL),
    "KY": ("Kentucky", EASTERN),
    "LA": ("Louisiana", CENTRAL),
    "ME": ("Maine", EASTERN),
    "MD": ("Maryland", EASTERN),
    "MA": ("Massachusetts", EASTERN),
    "MI": ("Michigan", "America/Detroit"),
    "MN": ("Minnesota", CENTRAL),
    "MS": ("Mississippi", CENTRAL),
    "MO": ("Missouri", CENTRAL),
    "MT": ("Montana", MOUNTAIN),
    "NE": ("Nebraska", CENTRAL),
    "NV": ("Nevada", PACIFIC),
    "NH": ("New Hampshire", EASTERN),
    "NJ": ("New Jersey", EASTERN),
    "NM": ("New Mexico", MOUNTAIN),
    "NY": ("New York", EASTERN),
    "NC": ("North Carolina", EASTERN),
    "ND": ("North Dakota", CENTRAL),
    "OH": ("Ohio", EASTERN),
    "OK": ("Oklahoma", CENTRAL),
    "OR": ("Oregon", PACIFIC),
    "PA": ("Pennsylvania", EASTERN),
    "RI": ("Rhode Island", EASTERN),
    "SC": ("South Carolina", EASTERN),
    "SD": ("South Dakota", CENTRAL),
    "TN": ("Tennessee", CENTRAL),
    "TX": ("Texas", CENTRAL),
    "UT": ("Utah", MOUNTAIN),
    "VT": ("Vermont", EASTERN),
    "VA": ("Virginia", EASTERN),
    "WA": ("Washington", PACIFIC),
    "WV": ("West Virginia", EASTERN),
    "WI": ("Wisconsin", CENTRAL),
    "WY": ("Wyoming", MOUNTAIN),
    "AS": ("American Samoa", "Pacific/Pago_Pago"),
    "GU": ("Guam", "Pacific/Guam"),
    "MP": ("Northern Mariana Islands", "Pacific/Saipan"),
    "PR": ("Puerto Rico", "America/Puerto_Rico"),
    "VI": ("US Virgin Islands", "America/St_Thomas"),
    "AA": ("Armed Forces Americas", EASTERN),
    "AE": ("Armed Forces Europe", "Europe/Berlin"),
    "AP": ("Armed Forces Pacific", "Asia/Tokyo"),
}
ZONES = sorted({zone for _, zone in STATES.values()})
_BY_NAME = {name.casefold(): code for code, (name, _) in STATES.items()}


def state_code(text: str) -> str | None:
    """Return the USPS code that a code or a state's full name means; None: neither."""
    code = text.strip().upper()
    return code if code in STATES else _BY_NAME.get(text.strip().casefold())


def proposed_zone(state: str) -> str | None:
    """Return the time zone to propose for somebody who lives in a state."""
    found = STATES.get(state)
    return found[1] if found else None


def is_zone(name: str) -> bool:
    """Whether the name is one of the IANA time zones."""
    return name in available_timezones()


def zone_of(time_zone: str | None, state: str) -> ZoneInfo | None:
    """Return the zone somebody lives in, as far as it is known."""
    name = time_zone or proposed_zone(state)
    return ZoneInfo(name) if name else None
