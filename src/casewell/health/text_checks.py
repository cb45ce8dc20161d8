"""Whether texts go out, come in whole, and are heard of again."""

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.health.findings import Finding
from casewell.health.models import Standing
from casewell.kernel.runtime import Runtime
from casewell.messages.models import Channel, ChannelState, Delivery
from casewell.providers.sms import SMSSender
from casewell.sms.limits import MonthsUse, months_use
from casewell.sms.models import CarrierReport, MediaFetch

SILENCE = timedelta(minutes=15)
RECENT = timedelta(days=7)


def check_sms(runtime: Runtime, session: Session) -> Finding:
    """Texts leave, and what came with them or is told of them is here."""
    kind = runtime.provider(SMSSender).kind
    if kind == "off":
        return Finding(Standing.OFF, "Nobody is texted.")
    stop = session.get(ChannelState, Channel.SMS)
    if stop is not None and stop.stopped_at is not None:
        return Finding(
            Standing.FAILING,
            f"SMS has stopped: {stop.reason}",
            "Mend the reason, then press “Resume SMS” under Settings, SMS.",
        )
    use = months_use(session, runtime)
    if use.is_nearly_used:
        return _nearly_used(use)
    long_ago = runtime.now() - SILENCE
    missing = session.scalar(
        sa.select(sa.func.count()).select_from(MediaFetch).where(MediaFetch.due_at < long_ago)
    )
    if missing:
        return Finding(
            Standing.ATTENTION,
            f"Files of texts that are not fetched from the carrier yet: {missing}.",
            "Casewell tries again. If it goes on, check the account's token.",
        )
    if unknown := _reports_of_nothing(runtime, session):
        return Finding(
            Standing.ATTENTION,
            f"Texts of this week that the carrier tells of and Casewell does not know: {unknown}.",
            "See whether another program sends with the same account. Texts that may not have "
            "arrived are in the outbox.",
        )
    if kind == "console":
        return Finding(Standing.OFF, "No carrier is set. Texts go to the local outbox page.")
    return Finding(
        Standing.WORKING,
        f"Texts go out, and what is told of them is here. This month {use.used:,} of "
        f"{use.most:,} segments are used.",
    )


def _nearly_used(use: MonthsUse) -> Finding:
    used = f"{use.used:,} of this month's {use.most:,} segments are used"
    advice = (
        "See under Settings, SMS whether somebody sends what they should not. The limit is "
        "CASEWELL_SMS_MONTH_SEGMENTS."
    )
    if use.used >= use.most:
        return Finding(Standing.FAILING, f"No more texts leave: {used}.", advice)
    return Finding(Standing.ATTENTION, f"{used}, {use.percent} %.", advice)


def _reports_of_nothing(runtime: Runtime, session: Session) -> int:
    """Count the texts that a carrier reported on and that nobody here knows."""
    now = runtime.now()
    known = sa.exists().where(Delivery.provider_id == CarrierReport.provider_id)
    count = session.scalar(
        sa.select(sa.func.count(CarrierReport.provider_id.distinct())).where(
            CarrierReport.received_at < now - SILENCE,
            CarrierReport.received_at > now - RECENT,
            sa.not_(known),
        )
    )
    return int(count or 0)
