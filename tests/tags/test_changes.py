"""Tags of many clients at once: in whole batches, with cancel, and undo for a day."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from casewell.kernel.access import Role
from casewell.kernel.jobs import perform
from casewell.ledger.service import verify
from casewell.models import Client, ClientTagAssignment, Staff, TagChange, TagChangeClient
from casewell.tags.service import BATCH

MANY = 2 * BATCH + 100


@pytest.fixture
def crowd(database, clock):
    """Adds clients in one statement; returns their ids."""

    def made(number, **columns):
        now = clock()
        rows = [
            {
                "first_name": "Ana",
                "last_name": f"Ruiz {index}",
                "sort_name": f"ruiz {index:05}, ana",
                "created_at": now,
                "updated_at": now,
                **columns,
            }
            for index in range(number)
        ]
        with database.writing() as session:
            return list(session.scalars(sa.insert(Client).returning(Client.id), rows))

    return made


@pytest.fixture
def have(database):
    """Counts the clients that have a tag."""

    def counted(tag):
        with database.reading() as session:
            return session.scalar(
                sa.select(sa.func.count())
                .select_from(ClientTagAssignment)
                .where(ClientTagAssignment.tag_id == tag["id"])
            )

    return counted


def begin(person, **body):
    return person.api("POST", "/api/tags/changes", body)


def state(person, change):
    return person.api("GET", f"/api/tags/changes/{change['id']}").json


def test_few_clients_are_done_with_the_answer(boss, make, client, tags_of, told):
    ana, ben, old, new = client("Ana", "Ruiz"), client("Ben", "Okoro"), make("Old"), make("New")
    begin(boss, add=[old["id"]], clients=[ana.id])
    change = begin(boss, add=[new["id"]], remove=[old["id"]], clients=[ana.id, ben.id])
    assert change.status_code == 202
    assert (change.json["state"], change.json["changed"]) == ("done", 2)
    assert (change.json["added"], change.json["removed"]) == (["New"], ["Old"])
    assert tags_of(ana) == tags_of(ben) == ["New"]
    assert told(ana) == [("tag.added", "Old"), ("tag.added", "New"), ("tag.removed", "Old")]
    assert told(ben) == [("tag.added", "New")]


def test_undoing_leaves_everyone_as_before(boss, make, client, tags_of):
    ana, ben, old, new = client("Ana", "Ruiz"), client("Ben", "Okoro"), make("Old"), make("New")
    begin(boss, add=[new["id"], old["id"]], clients=[ana.id])
    change = begin(boss, add=[new["id"]], remove=[old["id"]], clients=[ana.id, ben.id]).json
    undone = boss.api("POST", f"/api/tags/changes/{change['id']}/undo")
    assert (undone.status_code, undone.json["state"]) == (202, "undone")
    assert tags_of(ana) == ["New", "Old"]  # it had the new one before
    assert tags_of(ben) == []


def test_what_others_changed_since_then_stays(boss, make, client, tags_of):
    ana, ben, vip = client("Ana", "Ruiz"), client("Ben", "Okoro"), make("VIP")
    change = begin(boss, add=[vip["id"]], clients=[ana.id, ben.id]).json
    boss.api("DELETE", f"/api/clients/{ana.id}/tags/{vip['id']}")
    boss.api("POST", f"/api/tags/changes/{change['id']}/undo")
    assert tags_of(ana) == tags_of(ben) == []


def test_it_is_undone_once_and_for_a_day(boss, sign_in, manager, make, client, clock):
    ana, vip = client("Ana", "Ruiz"), make("VIP")
    first = begin(boss, add=[vip["id"]], clients=[ana.id]).json
    path = f"/api/tags/changes/{first['id']}/undo"
    assert boss.api("POST", path).status_code == 202
    assert boss.api("POST", path).status_code == 409
    second = begin(boss, add=[vip["id"]], clients=[ana.id]).json
    assert second["may_undo"]
    clock.move(hours=25)
    late = sign_in(manager).api("POST", f"/api/tags/changes/{second['id']}/undo")
    assert (late.status_code, late.json["code"]) == (409, "cannot_undo")


def test_a_whole_result_is_changed_by_a_worker(boss, make, crowd, have, run_due, database):
    vip, ids = make("VIP"), crowd(MANY)
    crowd(3, status="waiting")
    change = begin(boss, add=[vip["id"]], filter={"status": "lead"}).json
    assert (change["state"], change["done"], change["total"]) == ("running", 0, MANY)
    run_due()
    change = state(boss, change)
    assert (change["state"], change["done"], change["changed"]) == ("done", MANY, MANY)
    assert have(vip) == len(ids)
    with database.reading() as session:
        assert list(verify(session)) == []
    boss.api("POST", f"/api/tags/changes/{change['id']}/undo")
    run_due()
    change = state(boss, change)
    assert (change["state"], change["done"]) == ("undone", 0)
    assert have(vip) == 0


def test_who_comes_to_match_later_is_not_touched(boss, make, crowd, have, run_due):
    vip, _ = make("VIP"), crowd(MANY)
    begin(boss, add=[vip["id"]], filter={})
    crowd(5)
    run_due()
    assert have(vip) == MANY


def test_cancelling_leaves_whole_batches_which_can_be_undone(
    boss, make, crowd, have, run_due, runtime, monkeypatch
):
    from casewell.tags import jobs

    vip, _ = make("VIP"), crowd(MANY)
    change = begin(boss, add=[vip["id"]], filter={}).json
    monkeypatch.setattr(jobs, "BATCHES_IN_A_RUN", 1)
    perform(runtime, "change_tags", change["id"])
    assert have(vip) == BATCH
    stopped = boss.api("POST", f"/api/tags/changes/{change['id']}/cancel").json
    assert (stopped["state"], stopped["done"]) == ("cancelled", BATCH)
    run_due()
    assert have(vip) == BATCH
    monkeypatch.undo()
    boss.api("POST", f"/api/tags/changes/{change['id']}/undo")
    while run_due():
        pass
    assert have(vip) == 0
    assert state(boss, change)["state"] == "undone"


KILLED = """
import os, signal, sys
from casewell.bootstrap import make_runtime
from casewell.kernel.jobs import perform
from casewell.kernel.settings import load_settings
from casewell.tags import changes

real, batches = changes.record_each, [0]

def dies(session, events, *, now):
    real(session, events, now=now)
    batches[0] += 1
    if batches[0] == 2:
        os.kill(os.getpid(), signal.SIGKILL)

changes.record_each = dies
perform(make_runtime(load_settings(), with_hints=False), "change_tags", int(sys.argv[1]))
"""


def test_a_worker_that_is_killed_leaves_whole_batches(
    boss, make, crowd, have, run_due, runtime, clock, database
):
    vip, _ = make("VIP"), crowd(MANY)
    change = begin(boss, add=[vip["id"]], filter={}).json
    with database.writing() as session:  # the other process has the real clock
        session.get_one(TagChange, change["id"]).due_at = clock().replace(year=2000)
    settings = runtime.settings
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(change["id"])],
        env={
            **os.environ,
            "PYTHONPATH": str(Path("src").resolve()),
            "CASEWELL_HOME": str(settings.home),
            "CASEWELL_SECRET_KEY": settings.secret_key,
            "CASEWELL_ENCRYPTION_KEYS": settings.encryption_keys,
            "CASEWELL_DATABASE_URL": settings.database_url,
        },
        check=False,
        capture_output=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-2000:]
    assert have(vip) == BATCH
    assert state(boss, change)["done"] == BATCH
    with database.writing() as session:  # its lease runs out
        session.get_one(TagChange, change["id"]).lease_until = clock().replace(year=2000)
    run_due()
    assert (state(boss, change)["state"], have(vip)) == ("done", MANY)
    with database.reading() as session:
        assert list(verify(session)) == []


def test_B01_only_clients_one_may_see_are_changed(person, dana, make, client, tags_of):
    mine, hidden, vip = client("Ana", "Ruiz", main=dana), client("Ben", "Okoro"), make("VIP")
    change = begin(person, add=[vip["id"]], clients=[mine.id, hidden.id]).json
    assert change["total"] == 1
    begin(person, add=[vip["id"]], filter={})
    assert tags_of(mine) == ["VIP"]
    assert tags_of(hidden) == []
    assert begin(person, add=[vip["id"]], clients=[hidden.id]).status_code == 404


def test_who_lost_a_client_meanwhile_changes_them_no_more(
    person, dana, make, crowd, have, run_due, database
):
    vip, ids = make("VIP"), crowd(MANY, main_responsible_id=dana.id)
    begin(person, add=[vip["id"]], filter={})
    with database.writing() as session:
        session.execute(
            sa.update(Client).where(Client.id.in_(ids[:300])).values(main_responsible_id=None)
        )
    run_due()
    assert have(vip) == MANY - 300


def test_who_may_not_change_clients_any_more_stops(
    person, boss, dana, make, crowd, have, run_due, database
):
    vip, _ = make("VIP"), crowd(MANY, main_responsible_id=dana.id)
    change = begin(person, add=[vip["id"]], filter={}).json
    with database.writing() as session:
        session.get_one(Staff, dana.id).role = Role.VIEWER
    run_due()
    assert state(boss, change)["state"] == "failed"
    assert have(vip) == 0


def test_a_tag_deleted_meanwhile_is_left_out(boss, make, crowd, have, run_due):
    vip, gone, _ = make("VIP"), make("Gone"), crowd(MANY)
    change = begin(boss, add=[vip["id"], gone["id"]], filter={}).json
    boss.api("DELETE", f"/api/tags/{gone['id']}")
    run_due()
    assert state(boss, change)["state"] == "done"
    assert have(vip) == MANY


def test_others_changes_are_for_managers(person, boss, dana, make, client):
    ana, vip = client("Ana", "Ruiz", main=dana), make("VIP")
    mine = begin(person, add=[vip["id"]], clients=[ana.id]).json
    theirs = begin(boss, remove=[vip["id"]], clients=[ana.id]).json
    assert boss.api("GET", f"/api/tags/changes/{mine['id']}").status_code == 200
    for act in ("", "/cancel", "/undo"):
        path = f"/api/tags/changes/{theirs['id']}{act}"
        assert person.api("POST" if act else "GET", path).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"add": [1]},
        {"add": [1], "clients": [1], "filter": {}},
        {"add": [1], "remove": [1], "clients": [1]},
        {"add": [], "clients": [1]},
        {"add": ["x"], "clients": [1]},
        {"add": [1], "clients": ["x"]},
        {"add": list(range(1, 23)), "clients": [1]},
        {"add": [1], "filter": {"status": "nonsense"}},
    ],
)
def test_nonsense_is_refused(boss, make, client, body):
    client("Ana", "Ruiz")
    make("VIP")
    assert begin(boss, **body).status_code == 422


def test_what_is_needed_to_undo_is_let_go_of_after_a_day(
    boss, make, client, clock, runtime, database
):
    from casewell.tags.jobs import forget_changes

    ana, vip = client("Ana", "Ruiz"), make("VIP")
    begin(boss, add=[vip["id"]], clients=[ana.id])
    clock.move(hours=25)
    forget_changes(runtime)
    with database.reading() as session:
        assert session.scalars(sa.select(TagChangeClient)).all() == []
        assert len(session.scalars(sa.select(TagChange)).all()) == 1
    clock.move(days=31)
    forget_changes(runtime)
    with database.reading() as session:
        assert session.scalars(sa.select(TagChange)).all() == []


def test_the_bar_asks_which_tags_and_applies_them(boss, make, client, tags_of):
    ana, ben = client("Ana", "Ruiz"), client("Ben", "Okoro")
    old, _ = make("Old"), make("VIP")
    begin(boss, add=[old["id"]], clients=[ana.id])
    ticked = {"clients": [ana.id, ben.id], "listed": "/clients?sort=newest"}
    page = boss.post("/clients/tags", ticked).text
    assert "Tags of 2 clients" in page
    assert "1 of 2" in page
    form = {**ticked, f"tag-{old['id']}": "remove", "name": "vip"}
    assert boss.post("/clients/tags/apply", form).location == "/clients?sort=newest"
    assert tags_of(ana) == tags_of(ben) == ["VIP"]
    page = boss.get("/clients?sort=newest").text
    assert "Tags of 2 clients changed" in page
    undo = page.split('"/tags/changes/')[1].split("/undo")[0]
    boss.post(f"/tags/changes/{undo}/undo")
    assert (tags_of(ana), tags_of(ben)) == (["Old"], [])


def test_the_bar_takes_all_that_the_list_holds(boss, make, client, tags_of):
    ana, ben, vip = client("Ana", "Ruiz"), client("Ben", "Okoro"), make("VIP")
    form = {"whole": "1", "listed": "/clients?q=Ruiz", "name": "VIP"}
    assert "Tags of 1 client" in boss.post("/clients/tags", form).text
    assert boss.post("/clients/tags/apply", form).status_code == 303
    assert tags_of(ana) == [vip["name"]]
    assert tags_of(ben) == []


def test_a_large_change_leads_to_its_progress(boss, make, crowd, run_due):
    make("VIP")
    crowd(MANY)
    answer = boss.post("/clients/tags/apply", {"whole": "1", "name": "VIP"})
    assert answer.location.startswith("/tags/changes/")
    page = boss.get(answer.location).text
    assert f"0 of {MANY:,} clients" in page
    assert "Cancel" in page
    run_due()
    page = boss.get(answer.location, htmx=True).text
    assert "Undo" in page
    assert "every 2s" not in page
    assert boss.post(f"{answer.location}/undo").location == answer.location


@pytest.mark.parametrize(
    "form", [{}, {"clients": "x"}, {"name": ""}, {"tag-x": "add"}, {"tag-1": "explode"}]
)
def test_hostile_forms_of_the_bar_change_nothing(boss, make, client, dump, form):
    ana = client("Ana", "Ruiz")
    make("VIP")
    before = dump()
    answer = boss.post("/clients/tags/apply", {"clients": [ana.id], **form})
    assert answer.status_code in (404, 422)
    assert dump() == before


def test_C08_the_bar_leads_back_to_this_site(boss, make, client):
    ana, _ = client("Ana", "Ruiz"), make("VIP")
    form = {"clients": [ana.id], "name": "VIP", "listed": "https://evil.example/?q=1"}
    assert boss.post("/clients/tags/apply", form).location == "/clients"
