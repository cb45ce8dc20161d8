"""Proving who one is: password, then second factor, each counted before it is judged."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.kernel.runtime import Runtime
from casewell.staff import passwords, throttle
from casewell.staff.errors import SignInRefused, WrongPassword
from casewell.staff.models import Firm, Staff


@dataclass(frozen=True)
class Proven:
    """A right password; what was counted for it is still to be forgiven."""

    staff_id: int
    counted: throttle.Counted
    # Where the stored hash is weaker than today's: the new one.
    better_hash: str | None

    def settle(self, session: Session) -> Staff:
        """Return the person, in the transaction that signs them in. Raises SignInRefused."""
        staff = session.get(Staff, self.staff_id)
        if staff is None or not staff.is_active:
            raise SignInRefused
        throttle.forgive(session, self.counted)
        if self.better_hash is not None:
            staff.password_hash = self.better_hash
        return staff


class WrongCredentials(SignInRefused):
    """What the audit may know and the person may not: whose account it was, if anyone's."""

    def __init__(self, staff_id: int | None) -> None:
        super().__init__()
        self.staff_id = staff_id


def check_password(runtime: Runtime, email: str, password: str, source: str) -> Proven:
    """Check a password outside of any transaction: hashing takes longer than a lock may.

    It takes as long for an account that doesn't exist. Raises WrongCredentials, TooManyRequests.
    """
    counted = throttle.count(
        runtime,
        (throttle.PASSWORDS_OF_ACCOUNT, email),
        (throttle.PASSWORDS_FROM_SOURCE, throttle.source_of(source)),
    )
    with runtime.database.reading() as session:
        staff = session.scalar(sa.select(Staff).where(Staff.email == email))
    stored = staff.password_hash if staff is not None else None
    if not passwords.verify(stored, password) or staff is None or not staff.is_active:
        raise WrongCredentials(staff.id if staff is not None else None)
    better = None
    if stored is not None and passwords.is_outdated(stored):
        better = passwords.hash_password(password)
    return Proven(staff.id, counted, better)


def check_own_password(runtime: Runtime, staff_id: int, password: str, source: str) -> None:
    """Ask for the password again before a sensitive change. Raises WrongPassword."""
    with runtime.database.reading() as session:
        email = session.scalar(sa.select(Staff.email).where(Staff.id == staff_id)) or ""
    try:
        proven = check_password(runtime, email, password, source)
    except SignInRefused as error:
        raise WrongPassword from error
    with runtime.database.writing() as session:
        throttle.forgive(session, proven.counted)


def needs_second_factor(session: Session, staff: Staff) -> bool:
    """Whether a password alone is not enough for this person."""
    required = session.scalar(sa.select(Firm.second_factor_required))
    return staff.has_second_factor or bool(required)


def count_code(runtime: Runtime, staff_id: int, source: str) -> throttle.Counted:
    """Count an attempt with a second factor. Raises TooManyRequests."""
    return throttle.count(
        runtime,
        (throttle.CODES_OF_ACCOUNT, str(staff_id)),
        (throttle.CODES_FROM_SOURCE, throttle.source_of(source)),
    )
