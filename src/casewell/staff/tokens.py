"""Personal API tokens: shown once, kept as a hash, limited by scope and by time."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.kernel.access import Scope
from casewell.kernel.crypto import new_token, token_hash
from casewell.kernel.errors import InvalidInput, NotFound
from casewell.kernel.runtime import Runtime
from casewell.staff.models import ApiToken, Staff

# Lets scanners of public code recognise a leaked one.
PREFIX = "cw_"
LONGEST_DAYS = 365
MOST_TOKENS = 25
USED_EVERY = timedelta(minutes=1)


def make(
    session: Session,
    staff: Staff,
    *,
    name: str,
    scopes: Sequence[Scope],
    days: int,
    now: datetime,
) -> tuple[ApiToken, str]:
    """Make a token; its text is returned here and kept nowhere."""
    if len(living(session, staff.id, now)) >= MOST_TOKENS:
        raise InvalidInput(f"There are {MOST_TOKENS} tokens already. Revoke one first.")
    text = PREFIX + new_token()
    token = ApiToken(
        staff_id=staff.id,
        name=name,
        token_hash=token_hash(text),
        scopes=sorted({scope.value for scope in scopes}),
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    session.add(token)
    session.flush()
    return token, text


def living(session: Session, staff_id: int, now: datetime) -> Sequence[ApiToken]:
    """Return the tokens of a person that still work, newest first."""
    return session.scalars(
        sa.select(ApiToken)
        .where(
            ApiToken.staff_id == staff_id,
            ApiToken.revoked_at.is_(None),
            sa.or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now),
        )
        .order_by(ApiToken.id.desc())
    ).all()


_tokens, _staff = ApiToken.__table__, Staff.__table__
# Asked with every request of a program, so made once, over columns alone.
_BY_TEXT = (
    sa.select(
        _tokens.c.id,
        _tokens.c.scopes,
        _tokens.c.last_used_at,
        _staff.c.id.label("staff_id"),
        _staff.c.role,
    )
    .join(_staff, _staff.c.id == _tokens.c.staff_id)
    .where(
        _tokens.c.token_hash == sa.bindparam("hash"),
        _tokens.c.revoked_at.is_(None),
        sa.or_(
            _tokens.c.expires_at.is_(None),
            _tokens.c.expires_at > sa.bindparam("now", type_=_tokens.c.expires_at.type),
        ),
        _staff.c.deactivated_at.is_(None),
    )
)


def find_living(session: Session, text: str, now: datetime) -> Any | None:
    """Return (id, scopes, last_used_at, staff_id, role) of a working token of somebody active."""
    return session.execute(_BY_TEXT, {"hash": token_hash(text), "now": now}).one_or_none()


def revoke(session: Session, token_id: int, *, staff_id: int, now: datetime) -> ApiToken:
    """End one of a person's own tokens. Raises NotFound."""
    token = session.scalar(
        sa.select(ApiToken).where(
            ApiToken.id == token_id, ApiToken.staff_id == staff_id, ApiToken.revoked_at.is_(None)
        )
    )
    if token is None:
        raise NotFound
    token.revoked_at = now
    session.flush()
    return token


def note_used(runtime: Runtime, token_id: int) -> None:
    """Remember that a token was used just now, in a transaction of its own."""
    with runtime.database.writing() as session:
        session.execute(
            sa.update(ApiToken).where(ApiToken.id == token_id).values(last_used_at=runtime.now())
        )
