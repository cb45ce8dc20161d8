"""Our texts beside the carrier's own list: nothing that a client wrote stays there alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from casewell.clients import consent
from casewell.kernel.access import Role
from casewell.kernel.jobs import sweep, tick
from casewell.messages.models import MessageStatus, UnifiedMessage
from casewell.messages.reconciling import reconcilers
from casewell.providers.errors import SignInRefused, Unavailable
from casewell.providers.sms import ListedFile, ListedText, NoSMS, SMSSender
from casewell.sms.models import MediaFetch, SMSMessage, TextComparison
from tests.sms.conftest import OURS, THEIRS


@pytest.fixture
def lists(sms, clock):
    """Puts a text on the carrier's list, as come some minutes ago."""

    def put(body="Did it come?", *, sid=None, minutes=30, inbound=True, **given):
        sid = sid or f"SMlisted{len(sms.listed):024d}"
        ends = (THEIRS, OURS) if inbound else (OURS, THEIRS)
        given = {"status": "received", **given}
        at = clock() - timedelta(minutes=minutes)
        sms.listed.append(ListedText(sid, inbound, *ends, body, at, **given))
        return sid

    return put


@pytest.fixture
def repair(runtime):
    """Presses the button, and lets the worker work."""

    def press():
        with runtime.database.writing() as session:
            said = reconcilers()["sms"].repair(session, runtime)
        sweep(runtime)
        return said

    return press


@pytest.fixture
def stand(runtime):
    def read():
        with runtime.database.reading() as session:
            return reconcilers()["sms"].stand(session, runtime.now())

    return read


@pytest.fixture
def kept(runtime):
    """Reads the texts that came, in the order of their time."""

    def read():
        query = sa.select(SMSMessage).where(SMSMessage.provider_id.is_not(None))
        with runtime.database.reading() as session:
            return session.scalars(query.order_by(UnifiedMessage.occurred_at)).all()

    return read


def test_what_nobody_told_us_of_is_taken_in_at_its_own_time(ana, lists, repair, kept, stand, clock):
    lists("First", minutes=50)
    lists("Second", minutes=40)
    lists("Third", minutes=30)
    assert "asked for the texts of the last 3 days" in repair()
    assert [one.body_text for one in kept()] == ["First", "Second", "Third"]
    assert kept()[0].occurred_at == clock() - timedelta(minutes=50)
    assert {one.client_id for one in kept()} == {ana.id}
    found = stand()
    assert (found.seen, found.stored, found.waiting) == (3, 3, 0)
    assert dict(found.why_not) == {"Nobody told us of them: fetched from the carrier's list": 3}


def test_what_is_here_is_not_taken_in_again(ana, lists, repair, kept, comes, stand):
    comes("Here already", MessageSid="SMhere")
    lists("Here already", sid="SMhere")
    for _ in range(2):
        repair()
    assert [one.body_text for one in kept()] == ["Here already"]
    assert (stand().seen, stand().stored, stand().why_not) == (1, 1, [])


def test_what_came_this_moment_is_left_to_its_webhook(ana, lists, repair, kept):
    lists("Just now", minutes=1)
    repair()
    assert kept() == []


def test_what_is_older_than_the_list_is_not_asked_for(ana, lists, repair, kept):
    lists("Long ago", minutes=60 * 24 * 5)
    repair()
    assert kept() == []


def test_H01_a_stop_that_was_missed_is_honoured_and_not_answered(ana, lists, repair, runtime, sms):
    lists("STOP")
    repair()
    with runtime.database.reading() as session:
        assert consent.is_opted_out(session, THEIRS)
    assert sms.texts == []


def test_files_of_a_text_that_was_missed_are_fetched_too(ana, lists, repair, runtime, sms):
    sid = lists("A picture", files=1)
    sms.files[sid] = [ListedFile("https://api.twilio.com/ME1", "image/png")]
    repair()
    with runtime.database.reading() as session:
        assert session.scalars(sa.select(MediaFetch.url)).all() == ["https://api.twilio.com/ME1"]


def test_a_text_whose_last_report_never_came_is_settled(
    ana, text, delivery, lists, repair, runtime, clock
):
    made = text(ana)
    clock.move(seconds=30)
    sweep(runtime)
    assert delivery(made).status is MessageStatus.SENT
    lists(sid=delivery(made).provider_id, inbound=False, status="delivered")
    repair()
    assert delivery(made).status is MessageStatus.DELIVERED


def test_a_text_on_its_way_and_one_of_others_change_nothing(
    ana, text, delivery, lists, repair, runtime, clock
):
    made = text(ana)
    clock.move(seconds=30)
    sweep(runtime)
    lists(sid=delivery(made).provider_id, inbound=False, status="sent")
    lists(inbound=False, status="failed", error_code=30005)
    repair()
    assert delivery(made).status is MessageStatus.SENT


@pytest.mark.parametrize(
    ("error", "tries_again"),
    [(SignInRefused("Twilio refused us.", "x"), False), (Unavailable("Twilio is away."), True)],
)
def test_a_list_that_can_not_be_read_is_told_of(
    ana, lists, repair, stand, sms, runtime, kept, clock, error, tries_again
):
    lists("Waits there")
    sms.list_fails = error
    repair()
    reasons = [words for words, _ in stand().why_not]
    assert reasons == [f"The carrier's list could not be read: {error.message}"]
    assert (stand().waiting == 1) == tries_again
    sms.list_fails = None
    if not tries_again:
        repair()
    clock.move(hours=2)
    sweep(runtime)
    assert [one.body_text for one in kept()] == ["Waits there"]
    assert stand().seen == 1


def test_it_is_compared_each_hour_by_itself(ana, lists, kept, runtime, clock):
    lists("Missed")
    tick(runtime)
    sweep(runtime)
    assert [one.body_text for one in kept()] == ["Missed"]


def test_nothing_is_asked_while_sms_is_off(runtime, repair, clock):
    off = replace(runtime, providers={**runtime.providers, SMSSender: NoSMS()})
    tick(off)
    with off.database.writing() as session:
        assert "no carrier to compare with" in reconcilers()["sms"].repair(session, off)
    with runtime.database.reading() as session:
        assert session.scalars(sa.select(TextComparison)).all() == []


def test_two_workers_compare_once(ana, lists, repair, kept, runtime):
    lists("Missed")
    with runtime.database.writing() as session:
        reconcilers()["sms"].repair(session, runtime)
    for _ in range(2):
        sweep(runtime)
    assert len(kept()) == 1


def test_the_health_page_shows_it_and_its_button_asks(ana, lists, kept, runtime, staff, sign_in):
    lists("Missed")
    owner = sign_in(staff(Role.OWNER))
    assert owner.post("/health/channels/sms/repair").status_code == 303
    sweep(runtime)
    page = owner.get("/health").text
    assert "fetched from the carrier&#39;s list" in page
    assert len(kept()) == 1
