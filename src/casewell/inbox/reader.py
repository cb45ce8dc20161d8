"""Who reads the page, in which zone, and how the firm counts what waits."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from casewell.inbox.cards import Reader
from casewell.inbox.teamwork import AnswerClock
from casewell.kernel import web
from casewell.kernel.business_hours import BusinessHours
from casewell.ledger.service import Actor
from casewell.staff.models import Firm, Staff


def reader() -> Reader:
    zone = web.db().scalar(sa.select(Staff.time_zone).where(Staff.id == web.identity().staff_id))
    return Reader(ZoneInfo(zone or "UTC"), web.now())


def answer_clock() -> AnswerClock:
    """Return what tells of a conversation how long its client has waited."""
    firm = (
        web.db()
        .execute(sa.select(Firm.time_zone, Firm.opening_hours, Firm.answer_within_hours))
        .one()
    )
    hours = BusinessHours.of(firm.time_zone, firm.opening_hours)
    return AnswerClock(hours, timedelta(hours=firm.answer_within_hours), web.now())


def acting() -> Actor:
    """Return the person signed in, as the ledger names them."""
    staff = web.db().get_one(Staff, web.identity().staff_id)
    return Actor.of_staff(staff)
