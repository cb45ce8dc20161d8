"""One-time links: a random token in a mail, its hash in a row, one success at most."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.kernel.crypto import new_token, token_hash
from casewell.staff.errors import LinkNotValid
from casewell.staff.models import LinkKind, OneTimeLink, Staff

LIFETIMES = {
    LinkKind.INVITATION: timedelta(days=7),
    LinkKind.PASSWORD_RESET: timedelta(minutes=60),
    LinkKind.EMAIL_CHANGE_OLD: timedelta(hours=24),
    LinkKind.EMAIL_CHANGE_NEW: timedelta(hours=24),
}


def issue(
    session: Session, staff_id: int, kind: LinkKind, now: datetime, *, email: str | None = None
) -> str:
    """Return the token of a new link; earlier links of this kind and person are dead."""
    withdraw(session, staff_id, kind)
    token = new_token()
    session.add(
        OneTimeLink(
            staff_id=staff_id,
            kind=kind,
            token_hash=token_hash(token),
            email=email,
            created_at=now,
            expires_at=now + LIFETIMES[kind],
        )
    )
    session.flush()
    return token


def withdraw(session: Session, staff_id: int, *kinds: LinkKind) -> None:
    """Make every link of these kinds dead; of all kinds if none is named."""
    gone = sa.delete(OneTimeLink).where(OneTimeLink.staff_id == staff_id)
    session.execute(gone.where(OneTimeLink.kind.in_(kinds)) if kinds else gone)


def look_at(
    session: Session, token: str, *kinds: LinkKind, now: datetime
) -> tuple[OneTimeLink, Staff]:
    """Return a link that would work, and whose it is, using nothing up. Raises LinkNotValid."""
    row = session.execute(
        sa.select(OneTimeLink, Staff)
        .join(Staff, Staff.id == OneTimeLink.staff_id)
        .where(
            OneTimeLink.token_hash == token_hash(token),
            OneTimeLink.kind.in_(kinds),
            OneTimeLink.used_at.is_(None),
            OneTimeLink.expires_at > now,
            Staff.deactivated_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        raise LinkNotValid
    return row.OneTimeLink, row.Staff


def use_up(
    session: Session, token: str, *kinds: LinkKind, now: datetime
) -> tuple[OneTimeLink, Staff]:
    """Use a link, once: of two requests one succeeds. Raises LinkNotValid."""
    link, staff = look_at(session, token, *kinds, now=now)
    taken = session.execute(
        sa.update(OneTimeLink)
        .where(OneTimeLink.id == link.id, OneTimeLink.used_at.is_(None))
        .values(used_at=now)
        .execution_options(synchronize_session=False)
    )
    if not taken.rowcount:  # type: ignore[attr-defined]
        raise LinkNotValid
    return link, staff


def is_confirmed(
    session: Session, staff_id: int, *kinds: LinkKind, email: str | None, now: datetime
) -> bool:
    """Whether a link of each kind was used for this address and none has grown too old."""
    used = session.scalars(
        sa.select(OneTimeLink.kind).where(
            OneTimeLink.staff_id == staff_id,
            OneTimeLink.kind.in_(kinds),
            OneTimeLink.email == email,
            OneTimeLink.used_at.is_not(None),
            OneTimeLink.expires_at > now,
        )
    )
    return set(used) == set(kinds)
