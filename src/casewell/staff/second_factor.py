"""The second factor: codes of an authenticator app, and codes on paper for when it is lost."""

import hmac
import re
import secrets
from datetime import datetime
from typing import Self

import pyotp
import segno
import sqlalchemy as sa
from markupsafe import Markup
from sqlalchemy.orm import Session

from casewell.kernel.crypto import CannotDecrypt, process_key, process_keyring
from casewell.kernel.types import Sealed
from casewell.staff.errors import WrongCode
from casewell.staff.models import TOTP_CONTEXT, RecoveryCode, Staff

STEP_SECONDS = 30
# A phone's clock may be off, and typing takes time: the code before and the one after count too.
STEPS_EITHER_SIDE = 1
RECOVERY_CODES = 10
# No letter that is read as another: 16 of 31 characters make 79 bits.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
GROUPS, GROUP_LENGTH = 4, 4


class Enrolment:
    """A second factor about to be set up: nothing is stored until its first code is right.

    The form carries the secret sealed for this person alone, so that showing it is no write.
    """

    def __init__(self, staff: Staff, sealed: str = "") -> None:
        """Begin, or go on with a form's `sealed` secret. Raises WrongCode if it is not ours."""
        self._staff = staff
        self._context = f"enrolment:{staff.id}"
        if not sealed:
            self.secret = pyotp.random_base32()
            self.sealed = process_keyring().encrypt(self.secret, self._context)
            return
        try:
            self.secret = process_keyring().decrypt(sealed, self._context)
        except CannotDecrypt as error:
            raise WrongCode from error
        self.sealed = sealed

    @classmethod
    def shown_again(cls, staff: Staff, sealed: str) -> Self:
        """Return the enrolment of a form that has come back: the app has its secret already."""
        try:
            return cls(staff, sealed)
        except WrongCode:
            return cls(staff)

    @property
    def spaced_secret(self) -> str:
        """The secret as it is typed by hand, in groups of four."""
        return " ".join(re.findall(r".{1,4}", self.secret))

    def qr(self, firm_name: str) -> Markup:
        """Return the QR code that an authenticator app reads, as inline SVG without styles."""
        address = pyotp.TOTP(self.secret).provisioning_uri(
            name=self._staff.email, issuer_name=f"Casewell ({firm_name})"
        )
        code = segno.make(address, error="m")
        # Black on white in the dark theme too: cameras don't read it the other way round.
        return Markup(  # noqa: S704 drawn by us, from no one's markup
            code.svg_inline(scale=4, border=3, dark="#000", light="#fff", lineclass=None)
        )

    def confirm(self, session: Session, code: str, now: datetime) -> None:
        """Make it this person's second factor. Raises WrongCode."""
        step = _matching_step(self.secret, code, now)
        if step is None:
            raise WrongCode
        self._staff.totp_secret = Sealed.seal(self.secret, TOTP_CONTEXT)
        self._staff.totp_confirmed_at = now
        self._staff.totp_last_step = step
        session.flush()


def accept_code(session: Session, staff: Staff, code: str, now: datetime) -> None:
    """Take a code of the authenticator app, each at most once. Raises WrongCode."""
    if staff.totp_secret is None or not staff.has_second_factor:
        raise WrongCode
    step = _matching_step(staff.totp_secret.open(), code, now)
    if step is None:
        raise WrongCode
    # Two requests with one code: the condition lets one of them pass.
    taken = session.execute(
        sa.update(Staff)
        .where(
            Staff.id == staff.id,
            sa.or_(Staff.totp_last_step.is_(None), Staff.totp_last_step < step),
        )
        .values(totp_last_step=step)
        .execution_options(synchronize_session=False)
    )
    if not taken.rowcount:  # type: ignore[attr-defined]
        raise WrongCode


def _matching_step(secret: str, code: str, now: datetime) -> int | None:
    code = re.sub(r"\s", "", code)
    present = int(now.timestamp()) // STEP_SECONDS
    totp = pyotp.TOTP(secret)
    for step in range(present - STEPS_EITHER_SIDE, present + STEPS_EITHER_SIDE + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), code.encode()):
            return step
    return None


def renew_recovery_codes(session: Session, staff: Staff) -> list[str]:
    """Return a fresh set of codes, to be shown once; every earlier one is dead."""
    session.execute(sa.delete(RecoveryCode).where(RecoveryCode.staff_id == staff.id))
    codes = [_new_recovery_code() for _ in range(RECOVERY_CODES)]
    session.add_all(RecoveryCode(staff_id=staff.id, code_hash=_hashed(code)) for code in codes)
    session.flush()
    return codes


def accept_recovery_code(session: Session, staff: Staff, code: str, now: datetime) -> None:
    """Take a recovery code, each once. Raises WrongCode."""
    taken = session.execute(
        sa.update(RecoveryCode)
        .where(
            RecoveryCode.staff_id == staff.id,
            RecoveryCode.code_hash == _hashed(code),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .execution_options(synchronize_session=False)
    )
    if not taken.rowcount:  # type: ignore[attr-defined]
        raise WrongCode


def recovery_codes_left(session: Session, staff: Staff) -> int:
    return (
        session.scalar(
            sa.select(sa.func.count())
            .select_from(RecoveryCode)
            .where(RecoveryCode.staff_id == staff.id, RecoveryCode.used_at.is_(None))
        )
        or 0
    )


def remove(session: Session, staff: Staff) -> None:
    """Take the second factor away, recovery codes and all."""
    staff.totp_secret = staff.totp_confirmed_at = staff.totp_last_step = None
    session.execute(sa.delete(RecoveryCode).where(RecoveryCode.staff_id == staff.id))
    session.flush()


def _new_recovery_code() -> str:
    return "-".join(
        "".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS)
    )


def _hashed(code: str) -> str:
    """Return what is kept of a code: with a key that no copy of the database holds."""
    plain = re.sub(r"[^a-z0-9]", "", code.casefold())
    return hmac.digest(process_key("recovery-codes"), plain.encode(), "sha256").hex()
