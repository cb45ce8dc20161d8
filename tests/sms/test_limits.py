"""H10: nobody makes the firm pay for more texts than were agreed, whichever way they are sent."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from casewell.app import create_app
from casewell.clients import consent
from casewell.clients.models import Client, ClientPhone, ConsentSource
from casewell.kernel.access import Role, Scope
from casewell.kernel.jobs import sweep
from casewell.ledger.service import SYSTEM
from casewell.messages.errors import LimitReached
from casewell.messages.models import Delivery, Hold, MessageStatus, UnifiedMessage
from casewell.providers.errors import Rejected, Unavailable
from casewell.sms.limits import forget_counts
from casewell.sms.models import TextCount
from casewell.staff import tokens
from casewell.staff.models import Staff
from tests.rigs.installation import Person
from tests.sms.conftest import THEIRS

NOON = datetime(2026, 3, 10, 18, 0, tzinfo=UTC)  # in Chicago
ANOTHER = "+13125550149"
ELSEWHERE = "+17735550148"


@pytest.fixture
def limits() -> dict[str, int]:
    """What the firm has set; a test changes it before it asks for anything else."""
    return {}


@pytest.fixture
def runtime(runtime, limits, clock):
    clock.at = NOON
    return replace(runtime, settings=runtime.settings.model_copy(update=limits))


@pytest.fixture
def app(runtime, firm):
    return create_app(runtime)


@pytest.fixture
def owner(staff, sign_in) -> Person:
    return sign_in(staff(Role.OWNER, name="Olive Reyes"))


@pytest.fixture
def textable(client, agree) -> Callable[[str], Client]:
    def made(number: str) -> Client:
        one = client("Ana", "Ruiz", phones=[number], emails=[], time_zone="America/Chicago")
        agree(one, number)
        return one

    return made


@pytest.fixture
def textable_block(client, database, clock) -> Callable[[str, int], list[Client]]:
    """Makes a client for each number of a block, all of whom agree to texts."""

    def made(prefix: str, count: int) -> list[Client]:
        with database.writing() as session:
            clients = []
            for last in range(count):
                number = f"{prefix}{last:03d}"
                one = Client(created_at=clock(), updated_at=clock(), time_zone="America/Chicago")
                one.rename("Ana", f"Ruiz {last}")
                one.phones = [ClientPhone(e164=number, as_typed=number, position=0)]
                session.add(one)
                session.flush()
                consent.grant(
                    session,
                    one.id,
                    number,
                    source=ConsentSource.STAFF,
                    words="Signed the intake form.",
                    actor=SYSTEM,
                    now=clock(),
                )
                clients.append(one)
        return clients

    return made


def reply(person: Person, client: Client, body: str = "It came.", **fields: Any) -> Any:
    given = {"client_id": client.id, "body": body, "channel": "sms", **fields}
    return person.api("POST", "/api/inbox/reply", given)


def statuses(answers: list[Any]) -> list[int]:
    return [answer.status_code for answer in answers]


def refused(answer: Any) -> tuple[int, str]:
    """Return status and words of a refusal, which are the same for the field."""
    (field,) = answer.json["errors"]
    assert field == {"field": "channel", "message": answer.json["detail"]}
    return answer.status_code, answer.json["detail"]


def test_h10_a_thousand_numbers_of_one_block_fifty_times_each(
    owner, textable_block, runtime, clock, sms, database
):
    clients = textable_block("+13125550", 1000)
    to_first = statuses([reply(owner, clients[0]) for _ in range(50)])
    assert to_first == [201] * 20 + [429] * 30
    others = [reply(owner, one) for one in clients[1:]]
    assert statuses(others) == [201] * 80 + [429] * 919
    words = refused(others[-1])[1]
    assert "Numbers that begin with +13125550 get 100 texts today" in words
    wait = int(others[-1].headers["Retry-After"])
    assert clock() + timedelta(seconds=wait) == datetime(2026, 3, 11, 5, 0, tzinfo=UTC)
    clock.move(minutes=1)
    for _ in range(40):  # what is for one number leaves one after the other
        sweep(runtime)
        clock.move(minutes=2)
    assert len(sms.texts) == 100
    assert max(sum(to == number for to, _ in sms.texts) for number, _ in sms.texts) == 20
    with database.reading() as session:
        count = sa.select(sa.func.count()).select_from(UnifiedMessage)
        assert session.scalar(count) == 100  # of what was refused nothing is kept


LIMITS = [
    ({"sms_day_per_number": 2}, "(312) 555-0148 gets 2 texts today", 429),
    ({"sms_day_per_prefix": 2}, "begin with +13125550 get 2 texts today", 429),
    ({"sms_day_per_source": 2}, "You send 2 texts today", 429),
    ({"sms_day": 2}, "The firm sends 2 texts today", 429),
    ({"sms_month_segments": 2}, "texts for March are used up: 2 segments", 422),
]


@pytest.mark.parametrize(
    ("limits", "words", "status"), LIMITS, ids=[next(iter(one[0])) for one in LIMITS]
)
def test_h10_each_limit_holds_and_says_so(owner, textable, limits, words, status, dump):
    ana = textable(THEIRS)
    assert statuses([reply(owner, ana), reply(owner, ana)]) == [201, 201]
    before = dump()
    answer = reply(owner, ana)
    assert refused(answer)[0] == status
    assert words in refused(answer)[1]
    assert dump() == before
    form = {"body": "It came.", "via": f"sms:{THEIRS}", "key": "0123456789abcdef"}
    page = owner.post(f"/inbox/c/{ana.id}/reply", form)
    assert page.status_code == 422
    said = " ".join(page.get_data(as_text=True).split())
    assert words in said
    assert "Your text is kept." in said
    assert dump() == before


@pytest.mark.parametrize("limits", [{"sms_day_per_source": 1}])
def test_h10_a_persons_token_and_browser_are_one_source_and_a_colleague_another(
    owner, textable, limits, staff, sign_in, runtime, app
):
    ana = textable(THEIRS)
    with runtime.database.writing() as session:
        person = session.get_one(Staff, owner.staff.id)
        scopes = list(Scope)
        _, token = tokens.make(
            session, person, name="script", scopes=scopes, days=1, now=runtime.now()
        )
    given = {"client_id": ana.id, "body": "It came.", "channel": "sms"}
    bearer = {"Authorization": f"Bearer {token}"}
    by_token = app.test_client().post("/api/inbox/reply", json=given, headers=bearer)
    assert by_token.status_code == 201
    assert refused(reply(owner, ana))[0] == 429
    assert reply(sign_in(staff(Role.OWNER)), ana).status_code == 201


@pytest.mark.parametrize("limits", [{"sms_day_per_source": 1}])
def test_h10_all_that_is_automatic_is_one_source(textable, limits, text):
    text(textable(THEIRS))
    with pytest.raises(LimitReached, match="Automatic texts come to 1 text today"):
        text(textable(ELSEWHERE), number=ELSEWHERE)


@pytest.mark.parametrize("limits", [{"sms_month_segments": 5}])
def test_h10_the_month_counts_what_carriers_bill(owner, textable, limits):
    ana = textable(THEIRS)
    assert reply(owner, ana, "x" * 161).status_code == 201  # 2
    assert reply(owner, ana, "👋" * 100).status_code == 422  # 4
    assert reply(owner, ana, "x" * 400).status_code == 201  # 3
    assert reply(owner, ana, "x").status_code == 422


@pytest.mark.parametrize("limits", [{"sms_month_segments": 3}])
def test_h10_of_many_who_send_at_once_only_as_many_get_through(
    limits, textable_block, staff, sign_in
):
    clients = textable_block("+13125550", 8)
    people = [sign_in(staff(Role.OWNER)) for _ in clients]
    for person in people:
        person.csrf()
    with ThreadPoolExecutor(len(people)) as pool:
        answers = list(pool.map(reply, people, clients))
    assert sorted(statuses(answers)) == [201] * 3 + [422] * 5


@pytest.mark.parametrize("limits", [{"sms_day": 1}])
def test_h10_what_is_taken_back_is_not_counted_and_a_day_later_there_is_room(
    owner, textable, limits, clock, sign_in
):
    ana = textable(THEIRS)
    for _ in range(3):
        made = reply(owner, ana)
        assert made.status_code == 201
        assert owner.post(f"/inbox/messages/{made.json['message_id']}/undo").status_code == 303
    assert statuses([reply(owner, ana), reply(owner, ana)]) == [201, 429]
    clock.move(days=1)
    assert reply(sign_in(owner.staff), ana).status_code == 201


@pytest.mark.parametrize("limits", [{"sms_day": 1}])
def test_h10_a_text_for_later_counts_on_the_day_it_leaves(owner, textable, limits, clock):
    ana = textable(THEIRS)
    tomorrow = (NOON + timedelta(days=1)).isoformat()
    assert reply(owner, ana, send_at=tomorrow).status_code == 201
    assert reply(owner, ana).status_code == 201
    assert "on Mar 11" in refused(reply(owner, ana, send_at=tomorrow))[1]


@pytest.mark.parametrize("limits", [{"sms_day": 1}])
def test_h10_texts_that_were_held_back_do_not_leave_all_on_one_day(
    owner, textable, limits, clock, runtime, sms, sign_in, database
):
    ana, ben = textable(THEIRS), textable(ELSEWHERE)
    owner.post("/settings/sms/pause")
    assert reply(owner, ana).status_code == 201
    clock.move(days=1)
    owner = sign_in(owner.staff)
    assert reply(owner, ben).status_code == 201
    owner.post("/settings/sms/resume")
    clock.move(minutes=1)
    for _ in range(3):
        sweep(runtime)
    assert [to for to, _ in sms.texts] == [ELSEWHERE]
    with database.reading() as session:
        row = session.scalars(sa.select(Delivery).where(Delivery.recipient == THEIRS)).one()
    assert (row.status, row.held) == (MessageStatus.QUEUED, Hold.LIMIT)
    assert row.due_at == datetime(2026, 3, 12, 5, 0, tzinfo=UTC)
    clock.at = datetime(2026, 3, 12, 18, 0, tzinfo=UTC)
    sweep(runtime)
    assert [to for to, _ in sms.texts] == [ELSEWHERE, THEIRS]
    assert reply(sign_in(owner.staff), ana).status_code == 429


@pytest.mark.parametrize("limits", [{"sms_day": 2}])
def test_h10_a_text_that_is_tried_again_counts_once_and_sent_again_twice(
    owner, textable, limits, clock, runtime, sms, database
):
    ana = textable(THEIRS)
    sms.then(Unavailable("Away."), Rejected("Twilio refused the text."))
    made = reply(owner, ana).json["message_id"]
    for _ in range(3):
        clock.move(minutes=2)
        sweep(runtime)
    again = f"/inbox/messages/{made}/settle"
    assert owner.post(again, {"choice": "again"}).status_code == 303
    assert reply(owner, ana).status_code == 429
    sms.then(Rejected("Twilio refused the text."))
    clock.move(minutes=2)
    sweep(runtime)
    assert owner.post(again, {"choice": "again"}).status_code == 429
    assert sms.texts == []


@pytest.mark.parametrize("limits", [{"sms_day": 1, "sms_month_segments": 20}])
def test_h10_stop_is_confirmed_above_the_limits_of_a_day(owner, textable, limits, comes):
    ana = textable(THEIRS)
    assert statuses([reply(owner, ana), reply(owner, ana)]) == [201, 429]
    assert b"no more texts" in comes("please unsubscribe me").data
    assert b"Reply STOP" in comes("HELP", sender=ELSEWHERE).data


def test_h10_one_number_is_answered_five_times_a_day(owner, textable, comes, clock):
    assert [comes("HELP").status_code for _ in range(50)] == [200] * 5 + [204] * 45
    clock.move(days=1)
    assert comes("HELP").status_code == 200


@pytest.mark.parametrize("limits", [{"sms_month_segments": 20, "sms_help_text": "x" * 200}])
def test_h10_answers_end_a_tenth_above_the_month(limits, comes):
    areas = (201, 202, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215, 216, 217)
    answered = [comes("HELP", sender=f"+1{area}5550148").status_code for area in areas]
    assert answered == [200] * 11 + [204] * 4


@pytest.mark.parametrize("sender", ["+447700900123", "+19005550148", "72345", "+18765550148"])
def test_h10_nobody_abroad_or_at_a_premium_is_answered(comes, sender, database):
    assert comes("HELP", sender=sender).status_code == 204
    assert comes("STOP now please", sender=sender).status_code == 204
    with database.reading() as session:
        assert session.scalars(sa.select(TextCount.used)).all() == []


@pytest.mark.parametrize("limits", [{"sms_day_per_number": 1}])
def test_h10_an_answer_without_a_channel_goes_another_way(
    owner, client, agree, limits, comes, database
):
    ana = client("Ana", "Ruiz", phones=[THEIRS], time_zone="America/Chicago")
    agree(ana)
    comes("By when?")
    given = {"client_id": ana.id, "body": "Soon.", "subject": "Your letter"}
    assert owner.api("POST", "/api/inbox/reply", given).json["channel"] == "sms"
    answer = owner.api("POST", "/api/inbox/reply", given).json
    assert answer["channel"] == "email"
    assert "gets 1 text today" in answer["why"]


@pytest.mark.parametrize("limits", [{"sms_month_segments": 10}])
def test_h10_health_shows_the_month_and_warns_from_four_fifths_on(owner, textable, limits):
    ana = textable(THEIRS)

    def page(path: str = "/health") -> str:
        return " ".join(owner.get(path).get_data(as_text=True).split())

    for _ in range(7):
        reply(owner, ana)
    assert "This month 7 of 10 segments are used." in page()
    reply(owner, ana)
    assert "8 of this month&#39;s 10 segments are used, 80 %." in page()
    assert "nearly used up" in page("/settings/sms")
    reply(owner, ana)
    reply(owner, ana)
    assert "No more texts leave: 10 of this month&#39;s 10 segments are used." in page()
    assert "10 of 10 segments" in page("/settings/sms")


def test_h10_counts_are_forgotten_once_no_limit_looks_at_them(
    owner, textable, runtime, clock, database
):
    reply(owner, textable(THEIRS))
    clock.move(days=9)
    forget_counts(runtime)
    with database.reading() as session:
        assert [one.counted for one in session.scalars(sa.select(TextCount))] == ["month"]
    clock.move(days=400)
    forget_counts(runtime)
    with database.reading() as session:
        assert session.scalars(sa.select(TextCount)).all() == []
