"""What each settings page begins with: who acts, and whether it is really them."""

from zoneinfo import ZoneInfo

from casewell.kernel import web
from casewell.staff.current import current_actor, current_staff
from casewell.staff.entering import address
from casewell.staff.forms import time_zones
from casewell.staff.service import StaffService
from casewell.staff.sign_in import check_own_password


def service() -> StaffService:
    """Return the accounts of the firm, acted on by the person signed in."""
    return StaffService(web.db(), web.runtime(), current_actor(), address())


def ask_password_again(password: str) -> None:
    """Check the password of the person signed in. Raises WrongPassword, TooManyRequests.

    Called before anything asks for `web.db()`: hashing must not hold the writers' lock.
    """
    check_own_password(web.runtime(), web.identity().staff_id, password, address())


def zone() -> ZoneInfo:
    return ZoneInfo(current_staff().time_zone)


def zone_options() -> list[tuple[str, str]]:
    return [(name, name.replace("_", " ")) for name in time_zones()]
