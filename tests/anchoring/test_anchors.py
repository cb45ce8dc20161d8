"""The ledger's anchors: written once a day, mailed, and compared with what the ledger says now."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import stat
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from casewell.anchoring.jobs import anchor_daily
from casewell.anchoring.models import LedgerAnchor
from casewell.bootstrap import make_runtime
from casewell.health.ledger_checks import check_anchors
from casewell.health.models import Standing
from casewell.kernel import jobs
from casewell.kernel.access import Role
from casewell.ledger.anchors import Anchors, changed_since
from casewell.ledger.chain import chained_hash
from casewell.ledger.models import ActivityEvent, AuditEvent, LedgerHead
from casewell.ledger.service import AUDIT_CHAIN, SYSTEM, Event, audit, facts_of, record
from casewell.ledger.service import verify as faults_of
from casewell.providers.errors import Unavailable
from casewell.staff.models import Firm, SystemMail
from casewell.verify_command import verify
from tests.rigs.installation import PASSWORD


@pytest.fixture
def tell(database, clock):
    """Records events of a client, or of the audit record (None), a minute apart."""

    def add(client_id, count=1):
        with database.writing() as session:
            for n in range(count):
                clock.move(minutes=1)
                if client_id is None:
                    audit(session, "sign_in", now=clock(), data={"n": n})
                else:
                    event = Event(client_id, "client.changed", SYSTEM, clock(), {"n": n})
                    record(session, event, now=clock())

    return add


@pytest.fixture
def anchored(runtime, firm, run_due):
    """Lets the worker tick once and do what is due; returns the path of the file."""

    def tick():
        anchor_daily(runtime)
        run_due()
        run_due()  # the mail of the anchor
        return runtime.settings.anchors_file

    return tick


@pytest.fixture
def changed(database):
    """Returns what an anchors file finds wrong with the ledger, in words."""

    def compare(path):
        with path.open("rb") as lines:
            known = Anchors.read(lines)
        assert known.faults == []
        with database.reading() as session:
            return [str(fault) for fault in changed_since(session, known)]

    return compare


def rewrite(database, client_id, first, **columns):
    """Change an entry and write the rest of its chain anew, as an administrator could."""
    model = AuditEvent if client_id is None else ActivityEvent
    table = model.__table__
    of_chain = sa.true() if client_id is None else table.c.client_id == client_id
    with database.writing() as session:
        session.execute(sa.update(table).where(of_chain, table.c.seq == first).values(**columns))
        prev = None
        rows = session.execute(sa.select(table).where(of_chain).order_by(table.c.seq)).mappings()
        for row in rows.all():
            prev = prev or row["prev_hash"]
            fresh = chained_hash(prev, facts_of(row))
            session.execute(
                sa.update(table).where(table.c.id == row["id"]).values(prev_hash=prev, hash=fresh)
            )
            prev = fresh
        session.execute(
            sa.update(LedgerHead)
            .where(LedgerHead.client_id == (client_id or AUDIT_CHAIN))
            .values(hash=prev)
        )
        assert list(faults_of(session)) == [], "a chain that was rewritten well holds in itself"


def cut(database, client_id, last):
    """Take the end of a chain away, and its memory with it."""
    with database.writing() as session:
        of_chain = ActivityEvent.client_id == client_id
        session.execute(sa.delete(ActivityEvent).where(of_chain, ActivityEvent.seq > last))
        end = session.scalar(
            sa.select(ActivityEvent.hash).where(of_chain, ActivityEvent.seq == last)
        )
        session.execute(
            sa.update(LedgerHead)
            .where(LedgerHead.client_id == client_id)
            .values(seq=last, hash=end)
        )


def test_an_untouched_ledger_is_as_it_was_anchored(tell, anchored, changed):
    for client_id in (7, 8, None):
        tell(client_id, 3)
    assert changed(anchored()) == []
    tell(7, 2)
    assert changed(anchored()) == []


@pytest.mark.parametrize(("client_id", "name"), [(7, "client 7"), (None, "audit")])
@pytest.mark.parametrize("entry", [1, 3, 5])
def test_O02_an_entry_is_named_though_its_whole_chain_was_rewritten(
    database, tell, anchored, changed, client_id, name, entry
):
    tell(client_id, 5)
    tell(8, 2)
    path = anchored()
    rewrite(database, client_id, entry, data={"n": 99})
    assert changed(path) == [
        f"{name}, entry {entry}: is not the one that was anchored on 2026-03-10"
    ]


def test_O02_the_next_anchors_do_not_make_it_right(database, tell, anchored, changed, clock):
    tell(7, 3)
    anchored()
    clock.move(days=1)
    tell(7, 3)
    anchored()
    rewrite(database, 7, 5, data={"n": 99})
    clock.move(days=1)
    tell(7)
    path = anchored()
    assert changed(path) == ["client 7, entry 5: is not the one that was anchored on 2026-03-11"]


def test_O02_an_end_that_was_cut_off_is_named(database, tell, anchored, changed, clock):
    tell(7, 4)
    anchored()
    cut(database, 7, 2)
    clock.move(days=1)
    path = anchored()
    assert changed(path) == ["client 7, entry 3: is missing; it was anchored on 2026-03-10"]
    tell(7, 2)  # others in its place
    clock.move(days=1)
    path = anchored()
    assert changed(path) == ["client 7, entry 3: is not the one that was anchored on 2026-03-10"]


def test_O02_a_client_that_is_gone_is_named(database, tell, anchored, changed, clock):
    tell(7, 2)
    anchored()
    with database.writing() as session:
        session.execute(sa.delete(ActivityEvent))
        session.execute(sa.delete(LedgerHead).where(LedgerHead.client_id == 7))
    clock.move(days=1)
    assert changed(anchored()) == ["client 7, entry 1: is missing; it was anchored on 2026-03-10"]


def test_the_head_is_the_same_whoever_computes_it(runtime, tell, anchored, database):
    tell(12, 2)
    tell(7)
    anchored()
    with database.reading() as session:
        heads = sorted(
            (row.client_id, row.seq, row.hash) for row in session.scalars(sa.select(LedgerHead))
        )
        row = session.scalars(sa.select(LedgerAnchor)).one()
    text = "".join(f"{chain} {seq} {end}\n" for chain, seq, end in heads)
    assert row.head == hashlib.sha256(text.encode()).hexdigest()
    closing = json.loads(runtime.settings.anchors_file.read_bytes().splitlines()[-1])
    assert closing["head"] == row.head


def test_Q14_it_is_written_once_a_day_however_often_workers_tick(
    anchored, tell, clock, runtime, database, sent_mails, firm
):
    with database.writing() as session:
        session.get_one(Firm, 1).anchor_email = "anchors@notary.example"
    tell(7)
    for _ in range(5):
        anchored()
        clock.move(minutes=20)
    assert _closed(runtime) == ["2026-03-10"]
    assert [to for _, to, _ in sent_mails] == [["anchors@notary.example"]]
    clock.move(days=1)
    anchored()
    assert _closed(runtime) == ["2026-03-10", "2026-03-11"]
    assert len(sent_mails) == 2


def _closed(runtime):
    with runtime.settings.anchors_file.open("rb") as lines:
        return [one.day for one in Anchors.read(lines).closed]


def _work(settings, now):
    made = make_runtime(settings, now=lambda: now, with_hints=False)
    anchor_daily(made)
    jobs.sweep(made)
    made.database.close()


def test_Q14_two_workers_at_once_write_one_anchor(
    settings_of, tell, clock, firm, runtime, database
):
    tell(7, 50)
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=_work, args=(settings_of(), clock())) for _ in range(2)]
    for one in workers:
        one.start()
    for one in workers:
        one.join(60)
        assert one.exitcode == 0
    assert _closed(runtime) == ["2026-03-10"]
    with database.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(LedgerAnchor)) == 1


def test_killed_after_the_file_was_written_it_is_not_written_again(
    anchored, tell, runtime, database, clock, firm, sent_mails
):
    """The lease of the dead runs out; the row then takes what the file says."""
    with database.writing() as session:
        session.get_one(Firm, 1).anchor_email = "anchors@notary.example"
    tell(7, 2)
    anchored()
    with database.writing() as session:
        row = session.scalars(sa.select(LedgerAnchor)).one()
        kept, row.head, row.written_at = row.head, None, None
        row.due_at, row.lease_until = clock(), clock() + timedelta(minutes=30)
        session.execute(sa.delete(SystemMail))
    sent_mails.clear()
    tell(7)
    clock.move(hours=1)
    anchored()
    anchored()
    with database.reading() as session:
        assert session.scalars(sa.select(LedgerAnchor.head)).all() == [kept]
    assert _closed(runtime) == ["2026-03-10"]
    assert len(sent_mails) == 1


@pytest.mark.parametrize(
    "torn", [b'{"chain":7,"se', b'{"chain":7,"seq":9,"hash":"ff","entries":""}\n', b"\xff\n"]
)
def test_killed_while_it_writes_the_file_is_whole_again_with_the_next_anchor(
    anchored, tell, runtime, changed, clock, torn
):
    tell(7, 2)
    path = anchored()
    with path.open("ab") as file:
        file.write(torn)
    clock.move(days=1)
    tell(7, 2)
    assert changed(anchored()) == []
    assert len(_closed(runtime)) == 2


def test_a_file_that_was_altered_is_told_by_the_next_anchor(
    anchored, tell, runtime, clock, database
):
    tell(7, 2)
    path = anchored()
    path.write_bytes(path.read_bytes().replace(b'"seq":2', b'"seq":3', 1))
    clock.move(days=1)
    anchored()
    with path.open("rb") as lines:
        faults = [str(one) for one in Anchors.read(lines).faults]
    assert faults == [
        "anchors file, line 2: what stands before it was altered",
        "anchors file, line 2: is not the head of the chains before it",
    ]
    with database.reading() as session:
        finding = check_anchors(runtime, session)
    assert finding.standing is Standing.ATTENTION
    assert "not as it was written" in finding.finding


def test_the_file_is_private_and_can_be_anywhere(runtime, settings_of, tell, firm, tmp_path, clock):
    elsewhere = tmp_path / "other disk" / "anchors.jsonl"
    moved = replace(runtime, settings=settings_of(anchors=str(elsewhere)))
    tell(7)
    anchor_daily(moved)
    jobs.sweep(moved)
    assert len(elsewhere.read_bytes().splitlines()) == 2
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o600


def test_no_word_about_a_client_stands_in_the_file(runtime, database, anchored, clock):
    with database.writing() as session:
        event = Event(7, "client.changed", SYSTEM, clock(), {"name": "Marisol"})
        record(session, event, now=clock())
    assert b"Marisol" not in anchored().read_bytes()


def test_a_file_that_cannot_be_written_is_tried_again_and_told_of(
    runtime, settings_of, tell, firm, tmp_path, clock, database
):
    blocked = tmp_path / "not-a-folder"
    blocked.write_text("")
    broken = replace(runtime, settings=settings_of(anchors=str(blocked / "anchors.jsonl")))
    tell(7)
    anchor_daily(broken)
    jobs.sweep(broken)
    clock.move(hours=27)
    with database.reading() as session:
        finding = check_anchors(broken, session)
    assert finding.standing is Standing.FAILING
    assert "can't be written" in finding.finding
    blocked.unlink()
    jobs.sweep(broken)
    with database.reading() as session:
        assert check_anchors(broken, session).standing is Standing.WORKING


def test_the_mail_holds_the_head_and_how_to_check_it(
    runtime, database, anchored, tell, sent_mails, firm
):
    with database.writing() as session:
        session.get_one(Firm, 1).anchor_email = "anchors@notary.example"
    tell(7)
    anchored()
    with database.reading() as session:
        head = session.scalars(sa.select(LedgerAnchor.head)).one()
    _, to, raw = sent_mails[0]
    assert to == ["anchors@notary.example"]
    text = raw.decode().replace("=\r\n", "")
    assert head in text
    assert "casewell verify --anchors" in text
    assert "Auto-Submitted: auto-generated" in text


def test_the_health_page_tells_how_old_the_last_anchor_is(
    runtime, database, anchored, tell, clock, outbox, monkeypatch, firm
):
    def finding():
        with database.reading() as session:
            return check_anchors(runtime, session)

    assert finding().standing is Standing.WORKING
    tell(7)
    anchored()
    clock.move(hours=3)
    assert finding().finding == "The ledger was anchored 3 hours ago, in a file alone."
    clock.move(hours=24)
    assert finding().standing is Standing.FAILING
    assert "27 hours ago" in finding().finding
    with database.writing() as session:
        session.get_one(Firm, 1).anchor_email = "anchors@notary.example"

    def away(*_, **__):
        raise Unavailable("The mail server does not answer.")

    monkeypatch.setattr(type(outbox), "send", away)
    anchored()
    clock.move(hours=2)
    assert finding().standing is Standing.ATTENTION
    assert "not mailed: The mail server does not answer." in finding().finding


def test_an_owner_chooses_the_address_and_the_one_before_is_told(
    sign_in, staff, database, run_due, sent_mails, runtime
):
    owner = sign_in(staff(Role.OWNER, name="Ida Moss"))
    page = "/settings/firm/anchors"
    form = {"anchor_email": "first@notary.example", "current_password": "wrong"}
    assert owner.post(page, form).status_code == 422
    assert owner.post(page, form | {"current_password": PASSWORD}).status_code == 303
    form |= {"anchor_email": "second@notary.example", "current_password": PASSWORD}
    assert owner.post(page, form).status_code == 303
    run_due()
    assert [to for _, to, _ in sent_mails] == [["first@notary.example"]]
    assert b"Ida Moss has changed" in sent_mails[0][2]
    assert "second@notary.example" in owner.get("/settings/firm").text
    with database.reading() as session:
        changes = session.scalars(
            sa.select(AuditEvent.data).where(AuditEvent.kind == "firm.changed")
        ).all()
    assert [one["anchor_email"] for one in changes] == [
        [None, "first@notary.example"],
        ["first@notary.example", "second@notary.example"],
    ]


@pytest.fixture
def command(runtime):
    def run(*arguments):
        made = CliRunner().invoke(verify, list(arguments), obj=lambda with_hints=True: runtime)
        return made.exit_code, made.output

    return run


def test_casewell_verify_compares_with_the_file_and_the_mailed_head(
    command, tell, anchored, database, firm
):
    tell(7, 4)
    path = str(anchored())
    with database.reading() as session:
        head = session.scalars(sa.select(LedgerAnchor.head)).one()
    status, said = command("--anchors", path, "--head", head)
    assert status == 0
    assert "Compared with 1 anchors, the last of 2026-03-10." in said
    status, said = command("--anchors", path, "--head", "0" * 64)
    assert status == 1
    assert f"{'0' * 64}: no anchor in anchors.jsonl has this head" in said
    rewrite(database, 7, 2, data={"n": 99})
    assert command()[0] == 0
    status, said = command("--anchors", path)
    assert status == 1
    assert "client 7, entry 2: is not the one that was anchored on 2026-03-10" in said


def test_a_head_alone_is_compared_with_nothing(command):
    assert command("--head", "0" * 64)[0] == 2


def test_an_empty_file_holds_no_anchor(command, tmp_path):
    path = tmp_path / "anchors.jsonl"
    path.touch()
    status, said = command("--anchors", str(path))
    assert status == 1
    assert "holds no anchor" in said


def test_a_hash_that_was_written_over_stops_no_anchor(database, tell, anchored, changed, clock):
    tell(7, 2)
    anchored()
    with database.writing() as session:
        session.execute(sa.update(ActivityEvent).where(ActivityEvent.seq == 2).values(hash="none"))
    clock.move(days=1)
    tell(7)
    assert changed(anchored()) == [
        "client 7, entry 2: is not the one that was anchored on 2026-03-10"
    ]
