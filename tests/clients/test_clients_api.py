"""Clients for programs: what is taken, what is answered, and how it is refused."""

import pytest


@pytest.fixture
def person(sign_in, manager):
    return sign_in(manager)


@pytest.fixture
def made(person):
    answer = person.api(
        "POST",
        "/api/clients",
        {
            "first_name": "Ana",
            "last_name": "Ruiz",
            "emails": ["ana@example.com"],
            "phones": ["(312) 555-0148"],
            "state": "Illinois",
            "ssn": "900-12-3456",
        },
    )
    assert answer.status_code == 201, answer.text
    return answer.json


def test_a_client_is_made_and_read(person, made):
    assert made["phones"] == [{"e164": "+13125550148", "as_typed": "(312) 555-0148", "label": ""}]
    assert (made["state"], made["ssn_last4"]) == ("IL", "3456")
    assert "900" not in str({k: v for k, v in made.items() if k != "phones"})
    assert person.get(f"/api/clients/{made['id']}").json == made


def test_single_fields_are_changed_and_the_rest_stays(person, made):
    path = f"/api/clients/{made['id']}"
    changed = person.api("PATCH", path, {"city": "Peoria", "status": "waiting", "ssn": None})
    assert changed.status_code == 200
    expected = {**made, "city": "Peoria", "status": "waiting", "ssn_last4": None}
    expected["updated_at"] = changed.json["updated_at"]
    assert changed.json == expected


def test_a_change_of_what_somebody_changed_meanwhile_is_409(person, made, clock):
    path = f"/api/clients/{made['id']}"
    clock.move(minutes=1)
    first = person.api("PATCH", path, {"city": "Peoria", "updated_at": made["updated_at"]})
    assert first.status_code == 200
    second = person.api("PATCH", path, {"city": "Chicago", "updated_at": made["updated_at"]})
    assert second.status_code == 409
    assert person.get(path).json["city"] == "Peoria"


def test_people_are_made_responsible_one_by_one(person, made, paralegal, manager):
    path = f"/api/clients/{made['id']}"
    person.api("PATCH", path, {"main_responsible_id": manager.id})
    answer = person.api("PATCH", path, {"second_responsible_id": paralegal.id}).json
    assert answer["main_responsible_id"] == manager.id
    assert answer["second_responsible_id"] == paralegal.id


def test_a_list_pages_and_narrows(person, client):
    for n in range(5):
        client(f"C{n}", "Vega")
    first = person.get("/api/clients?limit=3").json
    rest = person.get(f"/api/clients?limit=3&cursor={first['next']}").json
    assert [one["name"] for one in first["items"] + rest["items"]] == [
        f"C{n} Vega" for n in range(5)
    ]
    assert rest["next"] is None
    assert [one["name"] for one in person.get("/api/clients?q=C3").json["items"]] == ["C3 Vega"]


def test_who_may_be_the_same_person_is_told(person, made, client):
    same = client("Ana", "Ruiz", emails=["ana@example.com"])
    [like] = person.get(f"/api/clients/{made['id']}/duplicates").json["items"]
    assert like["id"] == same.id
    assert like["same"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"emails": ["not an address"]}, "emails.0"),
        ({"phones": ["12"]}, "phones.0"),
        ({"ssn": "000-12-3456"}, "ssn"),
        ({"state": "Atlantis"}, "state"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"date_of_birth": "2999-01-01"}, "date_of_birth"),
        ({"status": "gone"}, "status"),
        ({"main_responsible_id": 10**30}, "main_responsible_id"),
    ],
)
def test_R5_a_field_that_is_not_right_is_named(person, made, body, field):
    answer = person.api("PATCH", f"/api/clients/{made['id']}", body)
    assert answer.status_code == 422 or (answer.status_code == 400 and 10**30 in body.values())
    if answer.status_code == 422:
        assert field in [one["field"] for one in answer.json["errors"]]
    assert person.get(f"/api/clients/{made['id']}").json == made
