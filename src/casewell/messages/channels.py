"""How sending over a channel goes: stopped, away for a while, or well."""

import random
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.kernel.db import insert_into
from casewell.kernel.jobs import back_off
from casewell.ledger.service import Actor, audit
from casewell.messages.models import Channel, ChannelState, Delivery, Hold, MessageStatus

# Failures in a row after which a provider is given time.
PATIENCE = 5
SPREAD_SECONDS = 20.0


def hold_over(session: Session, channel: Channel, now: datetime) -> tuple[Hold, datetime] | None:
    """Return why nothing may leave over a channel, and when to look again; None: it may."""
    state = session.get(ChannelState, channel)
    if state is None:
        return None
    if state.stopped_at is not None:
        return Hold.CHANNEL_STOPPED, now + timedelta(minutes=1)
    if state.away_until is not None and state.away_until > now:
        # Not all at once: the first to go finds out how it stands.
        spread = timedelta(seconds=random.uniform(0, SPREAD_SECONDS))  # noqa: S311
        return Hold.PROVIDER_AWAY, state.away_until + spread
    return None


def stop(session: Session, channel: Channel, reason: str, now: datetime) -> None:
    """Send nothing more over a channel until a person, or a check that succeeds, resumes it."""
    stopped = session.scalar(
        insert_into(session, ChannelState)
        .values(channel=channel, stopped_at=now, reason=reason[:500], failures=0)
        .on_conflict_do_update(
            index_elements=["channel"],
            set_={"stopped_at": now, "reason": reason[:500]},
            where=ChannelState.stopped_at.is_(None),
        )
        .returning(ChannelState.channel)
    )
    if stopped is not None:
        data = {"channel": channel.value, "reason": reason[:500]}
        audit(session, "sending.stopped", now=now, data=data)


def resume(session: Session, channel: Channel, now: datetime, actor: Actor | None = None) -> bool:
    """Let a channel go on, and what waits for it leave; return whether it had been stopped.

    A person does it, or a check that succeeds, such as that of `casewell doctor`.
    """
    resumed = session.execute(
        sa.update(ChannelState)
        .where(
            ChannelState.channel == channel,
            sa.or_(ChannelState.stopped_at.is_not(None), ChannelState.failures > 0),
        )
        .values(stopped_at=None, reason="", failures=0, away_until=None)
        .execution_options(synchronize_session=False)
    )
    if not resumed.rowcount:  # type: ignore[attr-defined]
        return False
    wake(session, now, Hold.CHANNEL_STOPPED, Hold.PROVIDER_AWAY)
    audit(session, "sending.resumed", now=now, actor=actor, data={"channel": channel.value})
    return True


def failed(
    session: Session, channel: Channel, now: datetime, retry_after: timedelta | None
) -> None:
    """Note that a provider did not answer; after some failures in a row it is given time."""
    insert = insert_into(session, ChannelState).values(channel=channel, failures=1)
    failures = session.scalars(
        insert.on_conflict_do_update(
            index_elements=["channel"], set_={"failures": ChannelState.failures + 1}
        ).returning(ChannelState.failures)
    ).one()
    if failures >= PATIENCE or retry_after:
        wait = back_off(max(0, failures - PATIENCE), retry_after)
        session.execute(
            sa.update(ChannelState)
            .where(ChannelState.channel == channel)
            .values(away_until=now + wait)
            .execution_options(synchronize_session=False)
        )


def worked(session: Session, channel: Channel) -> None:
    """Note that a provider took a message: it is no longer away."""
    session.execute(
        sa.update(ChannelState)
        .where(ChannelState.channel == channel, ChannelState.failures > 0)
        .values(failures=0, away_until=None)
        .execution_options(synchronize_session=False)
    )


def wake(session: Session, now: datetime, *holds: Hold) -> None:
    """Let messages that were held for these reasons be looked at again at once."""
    session.execute(
        sa.update(Delivery)
        .where(Delivery.status == MessageStatus.QUEUED, Delivery.held.in_(holds))
        .values(due_at=now, held=None)
        .execution_options(synchronize_session=False)
    )
