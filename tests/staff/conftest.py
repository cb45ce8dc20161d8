"""People with a second factor, a firm that asks for one, and what stands in their mail."""

from __future__ import annotations

import re
from collections.abc import Callable
from email import message_from_bytes, policy
from typing import Any

import pyotp
import pytest
import sqlalchemy as sa

from casewell.kernel.db import Base, Database
from casewell.kernel.types import Sealed
from casewell.staff.models import TOTP_CONTEXT, Staff


@pytest.fixture
def phone(clock) -> Callable[[str], str]:
    """An authenticator app: returns the code of a secret at the clock's time."""
    return lambda secret: pyotp.TOTP(secret).at(clock())


@pytest.fixture
def with_second_factor(database: Database, clock) -> Callable[[Staff], str]:
    """Gives somebody a second factor; returns its secret."""

    def give(staff: Staff) -> str:
        secret = pyotp.random_base32()
        with database.writing() as session:
            row = session.get_one(Staff, staff.id)
            row.totp_secret = Sealed.seal(secret, TOTP_CONTEXT)
            row.totp_confirmed_at = clock()
        return secret

    return give


@pytest.fixture
def require_second_factor(database: Database, firm) -> None:
    with database.writing() as session:
        session.execute(
            sa.text(
                "UPDATE firm SET second_factor_required = true, second_factor_off_reason = NULL"
            )
        )


@pytest.fixture
def letters(run_due, sent_mails) -> Callable[[], list[tuple[str, str]]]:
    """Lets the worker send what waits; returns (recipient, text) of all that was sent."""

    def read() -> list[tuple[str, str]]:
        run_due()
        mails = [message_from_bytes(raw, policy=policy.default) for *_, raw in sent_mails]
        return [(mail["To"], mail.get_content()) for mail in mails]

    return read


@pytest.fixture
def link_in(letters) -> Callable[[str], str]:
    """Returns the path of the newest link that was mailed to an address."""

    def newest(address: str) -> str:
        text = [text for to, text in letters() if to == address][-1]
        return re.search(r"http://127\.0\.0\.1:8000(/\S+)", text)[1]

    return newest


@pytest.fixture
def row(database: Database) -> Callable[..., Any]:
    """Returns a row as it stands in the database now."""

    def read(model: type[Base], key: int) -> Any:
        with database.reading() as session:
            return session.get_one(model, key)

    return read
