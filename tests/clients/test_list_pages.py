"""The list of clients and the pages of one, as people see them."""

import re

import pytest


@pytest.fixture
def person(sign_in, manager):
    return sign_in(manager)


def test_the_list_shows_each_client_once_and_leads_to_their_page(person, client, manager):
    ana = client("Ana", "Ruiz", main=manager, phones=["+13125550148"])
    page = person.get("/clients").get_data(as_text=True)
    assert page.count(f'href="/clients/{ana.id}?within=all"') == 1
    assert "Ana Ruiz" in page


@pytest.mark.parametrize("page", ["", "/edit", "/merge", "/ssn"])
def test_a_page_of_a_client_names_them(person, client, page):
    ana = client("Ana", "Ruiz")
    for htmx in (False, True):
        answer = person.get(f"/clients/{ana.id}{page}", htmx=htmx)
        assert answer.status_code == 200
        assert "Ruiz" in answer.get_data(as_text=True)


@pytest.mark.parametrize("query", ["ana@example.com", "312 555 0148", "900-12-3456"])
def test_O04_what_is_private_stands_in_no_address(person, client, query):
    client("Ana", "Ruiz", emails=["ana@example.com"], phones=["+13125550148"])
    location = person.post("/clients/search", {"q": query}).location
    assert re.fullmatch(r"/clients\?s=[\w%+/=-]+", location)
    assert query not in location
    page = person.get(location).get_data(as_text=True)
    assert ("Ana Ruiz" in page) == (not query.startswith("900"))


def test_a_new_client_like_one_that_is_there_is_asked_about_first(person, client, database):
    client("Ana", "Ruiz", emails=["ana@example.com"])
    form = {"first_name": "Ana", "last_name": "Ruiz", "emails": "ana@example.com"}
    assert person.post("/clients/new", form).status_code == 422
    made = person.post("/clients/new", {**form, "anyway": "1"})
    assert made.status_code == 303


def test_an_edit_from_an_old_page_shows_both(person, client, clock):
    ana = client("Ana", "Ruiz")
    old = ana.updated_at.isoformat()
    clock.move(minutes=1)
    form = {"first_name": "Ana", "last_name": "Ruiz", "version": old}
    assert person.post(f"/clients/{ana.id}/edit", {**form, "city": "Peoria"}).status_code == 303
    answer = person.post(f"/clients/{ana.id}/edit", {**form, "city": "Chicago"})
    assert answer.status_code == 409
    page = answer.get_data(as_text=True)
    assert "Peoria" in page
    assert "Chicago" in page


def test_a_status_is_changed_and_taken_back(person, client):
    ana = client("Ana", "Ruiz")
    assert person.post(f"/clients/{ana.id}/status/waiting").status_code == 303
    page = person.get(f"/clients/{ana.id}").get_data(as_text=True)
    assert "Status changed to Waiting on client" in page
    assert f"/clients/{ana.id}/status/active" in page


def test_who_gives_a_client_away_is_led_back_to_the_list(sign_in, paralegal, manager, client):
    ana = client("Ana", "Ruiz", main=paralegal)
    person = sign_in(paralegal)
    answer = person.post(f"/clients/{ana.id}/responsible", {"main_responsible_id": manager.id})
    assert answer.location == "/clients"
    assert person.get(f"/clients/{ana.id}").status_code == 404
