"""Filters that somebody keeps, and walking from client to client in a list."""

import re

import pytest
import sqlalchemy as sa

from casewell.clients.models import ClientView
from casewell.kernel.access import Role


@pytest.fixture
def person(sign_in, manager):
    return sign_in(manager)


@pytest.fixture
def three(client):
    return [
        client(name, "Ruiz", status=status)
        for name, status in (("Ana", "active"), ("Ben", "waiting"), ("Cal", "waiting"))
    ]


def keep(person, name, listed):
    return person.post("/clients/views", {"name": name, "listed": listed})


def tabs(page):
    found = re.search(r'aria-label="Views".*?</nav>', page, re.DOTALL)
    return re.findall(r'href="([^"]+)"[^>]*>([^<]+)(?:<span class="badge[^>]*>(\d+))?', found[0])


def test_a_view_is_a_tab_with_how_many_it_holds(person, three):
    answer = keep(person, "On hold", "/clients?status=waiting&sort=newest")
    assert answer.location == "/clients?status=waiting&sort=newest"
    page = person.get(answer.location).text
    assert "View &#34;On hold&#34; saved" in page
    assert ("/clients?status=waiting&amp;sort=newest", "On hold", "2") in tabs(page)
    assert "Delete this view" in page
    assert "Delete this view" not in person.get("/clients?status=waiting").text


def test_counts_are_of_clients_one_may_see(person, sign_in, paralegal, three, client):
    client("Dee", "Marsh", main=paralegal, status="waiting")
    theirs = sign_in(paralegal)
    for who in (person, theirs):
        keep(who, "On hold", "/clients?status=waiting")
    assert ("/clients?status=waiting", "On hold", "3") in tabs(person.get("/clients").text)
    assert ("/clients?status=waiting", "On hold", "1") in tabs(theirs.get("/clients").text)


def test_views_are_one_s_own(person, sign_in, staff, three):
    keep(person, "On hold", "/clients?status=waiting")
    other = sign_in(staff(Role.OWNER))
    assert "On hold" not in other.get("/clients").text
    view = re.search(r"/clients/views/(\d+)/delete", person.get("/clients?status=waiting").text)[1]
    assert other.post(f"/clients/views/{view}/delete").status_code == 404


def test_one_is_deleted_and_comes_back_by_undo(person, three):
    keep(person, "On hold", "/clients?status=waiting")
    page = person.get("/clients?status=waiting").text
    delete = re.search(r"/clients/views/\d+/delete", page)[0]
    person.post(delete)
    page = person.get("/clients?status=waiting").text
    undo = re.search(r'"(/clients/views\?[^"]+)"', page)[1].replace("&amp;", "&")
    person.post(undo)
    assert "Delete this view" in person.get("/clients?status=waiting").text


@pytest.mark.parametrize("name", ["", "x" * 41, "on HOLD"])
def test_a_name_that_is_none_or_taken_is_refused_in_words(person, three, database, name):
    keep(person, "On hold", "/clients?status=waiting")
    page = person.get(keep(person, name, "/clients?status=active").location).text
    assert re.search("at least 1|at most 40|Choose another one", page)
    with database.reading() as session:
        assert session.scalar(sa.select(sa.func.count(ClientView.id))) == 1


def test_there_is_an_end_to_how_many(person, three):
    for number in range(12):
        keep(person, f"View {number}", "/clients?status=waiting")
    page = person.get(keep(person, "One more", "/clients?status=active").location).text
    assert "You can keep 12 views" in page


def test_O04_words_that_were_looked_for_are_not_kept(person, three, database):
    listed = person.post("/clients/search", {"q": "Ruiz", "status": "waiting"}).location
    keep(person, "Theirs", listed)
    with database.reading() as session:
        assert session.scalars(sa.select(ClientView.wanted)).one() == {"status": "waiting"}


def test_a_filter_that_is_understood_no_more_is_left_out(person, three, database):
    keep(person, "On hold", "/clients?status=waiting")
    person.get("/clients")  # tells that it was saved
    with database.writing() as session:
        session.scalars(sa.select(ClientView)).one().wanted = {"status": "asleep"}
    assert "On hold" not in person.get("/clients").text


def test_tags_are_kept_too(person, three):
    tag = person.api("POST", "/api/tags", {"name": "VIP"}).json
    person.api("POST", f"/api/clients/{three[0].id}/tags", {"tag": tag["id"]})
    keep(person, "Not VIP", f"/clients?tag={tag['id']}&tags=none")
    assert (f"/clients?tag={tag['id']}&amp;tags=none", "Not VIP", "2") in tabs(
        person.get("/clients").text
    )


def around(person, client, within):
    page = person.get(f"/clients/{client.id}", query_string={"within": within}).text
    found = {}
    for words, name in (("Previous client", "before"), ("Next client", "after")):
        link = re.search(rf'href="/clients/(\d+)\?within=[^"]*"[^>]*aria-label="{words}', page)
        found[name] = int(link[1]) if link else None
    return found


def test_a_page_leads_on_in_the_list_one_came_from(person, three):
    ana, ben, cal = three
    row = re.search(rf'href="(/clients/{ana.id}\?within=[^"]+)"', person.get("/clients").text)
    assert row
    assert around(person, ana, "all") == {"before": None, "after": ben.id}
    assert around(person, ben, "all") == {"before": ana.id, "after": cal.id}
    assert around(person, cal, "all") == {"before": ben.id, "after": None}
    assert around(person, cal, "status=waiting&sort=newest")["after"] == ben.id
    assert around(person, ben, "status=waiting") == {"before": None, "after": cal.id}


def test_a_page_says_its_place_in_the_list(person, three):
    ana, ben, cal = three
    for client, within, place in (
        (ana, "all", "1 of 3"),
        (cal, "all", "3 of 3"),
        (ana, "sort=newest", "3 of 3"),
        (ben, "status=waiting", "1 of 2"),
    ):
        page = person.get(f"/clients/{client.id}", query_string={"within": within}).text
        assert f">{place}</span>" in page, (client.name, within)
    left = person.get(f"/clients/{ana.id}", query_string={"within": "status=waiting"}).text
    assert " of 2</span>" not in left


@pytest.mark.parametrize("tab", ["timeline", "documents", "portal", "sms"])
def test_each_tab_leads_on_to_the_same_tab(person, three, tab):
    ana, ben, _ = three
    overview = person.get(f"/clients/{ana.id}", query_string={"within": "sort=newest"}).text
    address = f"/clients/{ana.id}/{tab}?within=sort%3Dnewest"
    assert f'href="{address}"' in overview
    page = person.get(address).text
    assert f'href="/clients/{ben.id}/{tab}?within=sort%3Dnewest"' in page
    assert f'href="/clients/{ana.id}?within=sort%3Dnewest"' in page


def test_a_narrowed_timeline_still_leads_on(person, three):
    ana, ben, _ = three
    page = person.get(f"/clients/{ana.id}/timeline", query_string={"within": "all"}).text
    assert 'name="within" value="all"' in page
    chip = re.search(r'class="cw-chip" href="([^"]*topic=details[^"]*)"', page)
    assert chip
    narrowed = person.get(chip[1].replace("&amp;", "&")).text
    assert f'href="/clients/{ben.id}/timeline?within=all"' in narrowed


@pytest.mark.parametrize("tab", ["", "/timeline", "/documents", "/portal", "/sms"])
def test_each_tab_has_the_same_head(person, client, paralegal, tab):
    ana = client("Ana", "Ruiz", main=paralegal, emails=["ana@example.com"])
    page = person.get(f"/clients/{ana.id}{tab}").text
    for part in ("ana@example.com", "/status/waiting", "Add note", "Add a tag"):
        assert part in page, part


def test_a_status_is_changed_from_any_tab_and_one_stays_there(person, three):
    ana = three[0]
    there = f"/clients/{ana.id}/timeline?topic=details"
    page = person.get(there).text
    act = re.search(r'action="([^"]*/status/waiting[^"]*)"', page)
    assert act
    answer = person.post(act[1].replace("&amp;", "&"))
    assert answer.location == there
    assert "Status changed to Waiting on client" in person.get(there).text


def test_C08_a_status_leads_to_no_other_site(person, three):
    away = f"/clients/{three[0].id}/status/waiting?next=https://evil.example"
    assert person.post(away).location == f"/clients/{three[0].id}"


def test_who_left_the_list_meanwhile_still_leads_on(person, three):
    ana, ben, _ = three
    assert around(person, ana, "status=waiting") == {"before": None, "after": ben.id}


def test_B04_nobody_is_led_to_a_client_they_may_not_see(sign_in, paralegal, client):
    mine, _, other = (
        client("Ana", "Ruiz", main=paralegal),
        client("Ben", "Ruiz"),
        client("Cal", "Ruiz", main=paralegal),
    )
    assert around(sign_in(paralegal), mine, "all")["after"] == other.id


@pytest.mark.parametrize("within", ["status=nonsense", "tag=x", "s=forged", "&" * 99, "%00"])
def test_a_forged_list_is_refused_without_breaking(person, three, within):
    answer = person.get(f"/clients/{three[0].id}", query_string={"within": within})
    assert answer.status_code in (200, 400, 422)
