"""What the health page says of SMS."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from casewell.health.models import Standing
from casewell.health.text_checks import check_sms
from casewell.kernel.jobs import sweep
from casewell.messages import channels
from casewell.messages.models import Channel
from casewell.providers.sms import NoSMS, SMSSender
from casewell.sms.models import MediaFetch


@pytest.fixture
def found(runtime):
    def check(runtime=runtime):
        with runtime.database.reading() as session:
            return check_sms(runtime, session)

    return check


def test_it_works_until_something_is_wrong(found, ana):
    assert found().standing is Standing.WORKING


def test_sms_that_is_off_is_nothing_wrong(found, runtime):
    off = replace(runtime, providers={**runtime.providers, SMSSender: NoSMS()})
    assert found(off).standing is Standing.OFF


def test_a_stop_is_told_with_its_reason(found, runtime):
    with runtime.database.writing() as session:
        channels.stop(session, Channel.SMS, "Twilio refused us.", runtime.now())
    assert found().standing is Standing.FAILING
    assert "Twilio refused us." in found().finding


def test_files_that_do_not_come_are_told_of(found, comes, ana, runtime, clock):
    comes("", NumMedia="1", MediaUrl0="https://api.twilio.com/x")
    with runtime.database.writing() as session:
        session.execute(sa.update(MediaFetch).values(attempts=1))
    assert found().standing is Standing.WORKING
    clock.move(minutes=20)
    assert "yet: 1." in found().finding


def test_reports_about_texts_that_nobody_knows_are_told_of(
    found, twilio, ana, text, runtime, clock
):
    text(ana)
    clock.move(seconds=30)
    sweep(runtime)
    for sid in (f"SM{1:032d}", "SMunknown", "SMunknown2"):
        for status in ("sent", "delivered"):
            twilio("/hooks/twilio/status", MessageSid=sid, MessageStatus=status)
    assert found().standing is Standing.WORKING
    clock.move(minutes=20)
    assert "know: 2." in found().finding
