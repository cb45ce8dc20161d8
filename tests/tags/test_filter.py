"""The list of clients narrowed by tags, together with what else it is narrowed by."""

import pytest

from casewell.clients.models import ClientStatus


@pytest.fixture
def tagged(client, make, give):
    """Ana has both tags, Ben the first, Cal the second, Dee none."""

    class Tagged:
        theft, vip = make("Identity theft"), make("VIP")
        ana, ben = client("Ana", "Ruiz"), client("Ben", "Okoro")
        cal, dee = client("Cal", "Stone"), client("Dee", "Marsh")

    for who, tag in (
        (Tagged.ana, Tagged.theft),
        (Tagged.ana, Tagged.vip),
        (Tagged.ben, Tagged.theft),
        (Tagged.cal, Tagged.vip),
    ):
        give(who, tag)
    return Tagged


def found(person, **query):
    answer = person.get("/api/clients", query_string=query)
    assert answer.status_code == 200, answer.json
    return sorted(one["name"].split()[0] for one in answer.json["items"])


@pytest.mark.parametrize(
    ("match", "names"),
    [
        ("any", ["Ana", "Ben", "Cal"]),
        ("all", ["Ana"]),
        ("none", ["Dee"]),
        (None, ["Ana", "Ben", "Cal"]),
    ],
)
def test_any_all_and_none(boss, tagged, match, names):
    query = {"tag": [tagged.theft["id"], tagged.vip["id"]]} | ({"tags": match} if match else {})
    assert found(boss, **query) == names


def test_other_filters_hold_as_well(boss, tagged):
    boss.post(f"/clients/{tagged.ben.id}/status/{ClientStatus.WAITING}")
    assert found(boss, tag=tagged.theft["id"], status="waiting") == ["Ben"]
    assert found(boss, tag=tagged.theft["id"], q="Ruiz") == ["Ana"]


def test_a_tag_that_is_gone_holds_for_nobody(boss, tagged):
    assert found(boss, tag=999) == []
    assert found(boss, tag=[999, tagged.vip["id"]], tags="all") == []
    assert len(found(boss, tag=999, tags="none")) == 4


@pytest.mark.parametrize("query", [{"tag": "x"}, {"tag": "-1"}, {"tag": 1, "tags": "some"}])
def test_nonsense_is_refused(boss, query):
    assert boss.get("/api/clients", query_string=query).status_code == 422


def test_too_many_tags_at_once_are_refused(boss):
    query = {"tag": list(range(1, 22))}
    assert boss.get("/api/clients", query_string=query).status_code == 422


def test_rows_show_the_tags_by_name(boss, tagged):
    items = boss.api("GET", "/api/clients").json["items"]
    tags = {one["name"]: [tag["name"] for tag in one["tags"]] for one in items}
    assert tags["Ana Ruiz"] == ["Identity theft", "VIP"]
    assert tags["Dee Marsh"] == []


def test_the_page_keeps_what_it_is_narrowed_by(boss, tagged):
    theft, vip = tagged.theft["id"], tagged.vip["id"]
    form = {"tag": [theft, vip], "tags": "all", "sort": "newest"}
    location = boss.post("/clients/search", form).location
    assert location == f"/clients?tag={theft}&tag={vip}&tags=all&sort=newest"
    page = boss.get(location).text
    assert "Ana Ruiz" in page
    assert "Ben Okoro" not in page
    assert page.count('name="tag" value="') >= 2
    assert f"tag={theft}&amp;tag={vip}&amp;tags=all&amp;sort=name" in page  # the way to sort


def test_an_export_holds_what_the_filter_holds(boss, tagged):
    file = boss.post("/clients/export", {"tag": tagged.vip["id"], "format": "csv"}).text
    assert "Ruiz" in file
    assert "Stone" in file
    assert "Okoro" not in file


def test_choices_are_found_by_their_name_and_keep_what_is_ticked(boss, tagged):
    page = boss.get(f"/tags/choices?find=THEFT&tag={tagged.vip['id']}").text
    assert "Identity theft" in page
    assert f'value="{tagged.vip["id"]}" checked' in page
    assert "No tag is called so" in boss.get("/tags/choices?find=zzz").text


def test_the_timeline_can_be_narrowed_to_tags(boss, tagged):
    page = boss.api("GET", f"/api/clients/{tagged.ana.id}/timeline?topic=tags").json
    assert [one["kind"] for one in page["items"]] == ["tag.added", "tag.added"]
    assert page["items"][0]["summary"] == "Tag added: VIP"


def test_the_inbox_shows_tags_and_is_narrowed_by_one(boss, tagged, mail_of):
    for who in (tagged.ana, tagged.ben, tagged.dee):
        mail_of(who, "A question")
    page = boss.get("/inbox?scope=all").text
    assert page.count("Identity theft</span></span>") >= 2
    page = boss.get(f"/inbox?scope=all&tag={tagged.vip['id']}").text
    assert "Ana Ruiz" in page
    assert "Ben Okoro" not in page
    assert "Tagged VIP" in page
    items = boss.get(f"/api/inbox?tag={tagged.theft['id']}").json["items"]
    assert sorted(one["name"] for one in items) == ["Ana Ruiz", "Ben Okoro"]
    assert boss.get("/api/inbox?tag=0").status_code == 422


def test_the_rail_shows_a_client_s_tags_and_leads_to_those_alike(boss, tagged, mail_of):
    mail_of(tagged.ana, "A question")
    page = boss.get(f"/inbox/c/{tagged.ana.id}").text
    assert f"tag={tagged.vip['id']}" in page
    assert f"/clients/{tagged.ana.id}/tags" in page
