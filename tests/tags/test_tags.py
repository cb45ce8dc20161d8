"""Tags of the firm: made, renamed, merged, deleted, and given to one client."""

import pytest

from casewell.kernel.access import Role
from casewell.ledger.service import verify
from casewell.tags.colours import HUES, SURFACES, check_colour, contrast


def test_a_tag_is_made_once_whatever_its_case(boss, make):
    made = make("Identity theft", colour="red", description="Police report needed")
    assert made["maker"] == "Mara Lind"
    assert (made["colour"], made["clients"], made["last_used_at"]) == ("red", 0, None)
    for name in ("identity THEFT", "Idéntity  theft"):
        answer = boss.api("POST", "/api/tags", {"name": name})
        assert (answer.status_code, answer.json["code"]) == (409, "tag_name_taken")
    assert [one["name"] for one in boss.api("GET", "/api/tags").json["items"]] == ["Identity theft"]


@pytest.mark.parametrize("name", ["", "   ", "x" * 41, "a\x00b"])
def test_a_name_that_is_none_is_refused(boss, name):
    answer = boss.api("POST", "/api/tags", {"name": name})
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == "name"


@pytest.mark.parametrize("colour", [*HUES, "#3b7dd8", "#8B5BD6", " #C94F95 "])
def test_a_colour_can_be_told_from_light_and_dark_pages(colour):
    checked = check_colour(colour)
    if checked.startswith("#"):
        assert all(contrast(checked, surface) >= 3 for surface in SURFACES)


@pytest.mark.parametrize(
    ("colour", "advice"),
    [
        ("#ffff00", "darker"),
        ("#101010", "lighter"),
        ("blau", "not one of"),
        ("#12345", "not one of"),
        ("#3b7dd8;}", "not one of"),
        ("url(x)", "not one of"),
    ],
)
def test_other_colours_are_refused_with_what_to_take(boss, colour, advice):
    answer = boss.api("POST", "/api/tags", {"name": "VIP", "colour": colour})
    assert answer.status_code == 422
    assert advice in answer.json["errors"][0]["message"]


def test_contrast_is_that_of_wcag():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_each_hue_of_the_palette_is_seen_on_both_surfaces():
    from pathlib import Path

    css = Path("src/casewell/kernel/static/css/chips.css").read_text()
    for hue in HUES:
        colour = css.split(f".cw-tag-{hue} {{")[1].split("--h: ")[1].split(";")[0].lower()
        assert min(contrast(colour, surface) for surface in SURFACES) >= 2.5, hue


def test_a_client_gets_a_tag_once(make, give, client, told, tags_of):
    ana, tag = client("Ana", "Ruiz"), make("Round 1")
    give(ana, tag)
    give(ana, tag)
    assert tags_of(ana) == ["Round 1"]
    assert told(ana) == [("tag.added", "Round 1")]


def test_taking_a_tag_is_told_once(boss, make, give, client, told):
    ana, tag = client("Ana", "Ruiz"), make("Round 1")
    give(ana, tag)
    for _ in range(2):
        answer = boss.api("DELETE", f"/api/clients/{ana.id}/tags/{tag['id']}")
        assert answer.json == {"items": []}
    assert told(ana) == [("tag.added", "Round 1"), ("tag.removed", "Round 1")]


def test_use_counts_the_clients_one_may_see(boss, person, make, give, client, dana):
    mine, other, tag = client("Ana", "Ruiz", main=dana), client("Ben", "Okoro"), make("VIP")
    give(mine, tag)
    give(other, tag)
    assert boss.api("GET", f"/api/tags/{tag['id']}").json["clients"] == 2
    seen = person.api("GET", f"/api/tags/{tag['id']}").json
    assert seen["clients"] == 1
    assert seen["last_used_at"] is not None


def test_a_tag_is_renamed_and_each_client_told(boss, make, give, client, told, tags_of):
    ana, tag = client("Ana", "Ruiz"), make("Round1")
    give(ana, tag)
    answer = boss.api("PATCH", f"/api/tags/{tag['id']}", {"name": "Round 1"})
    assert answer.json["name"] == "Round 1"
    assert tags_of(ana) == ["Round 1"]
    assert told(ana)[-1] == ("tag.renamed", "Round 1")


def test_a_name_of_another_case_is_one_s_own(boss, make):
    tag = make("vip")
    assert boss.api("PATCH", f"/api/tags/{tag['id']}", {"name": "VIP"}).json["name"] == "VIP"


def test_a_name_that_is_taken_changes_nothing(boss, make):
    tag, _ = make("Round 1"), make("Round 2")
    answer = boss.api("PATCH", f"/api/tags/{tag['id']}", {"name": "round 2", "colour": "red"})
    assert answer.status_code == 409
    assert boss.api("GET", f"/api/tags/{tag['id']}").json == tag


def test_changing_nothing_tells_nobody(boss, make, give, client, told):
    ana, tag = client("Ana", "Ruiz"), make("Round 1")
    give(ana, tag)
    boss.api("PATCH", f"/api/tags/{tag['id']}", {"name": "Round 1"})
    assert len(told(ana)) == 1


def test_a_merge_is_previewed_and_leaves_each_client_one(boss, make, give, client, tags_of, told):
    both, one = client("Ana", "Ruiz"), client("Ben", "Okoro")
    old, new = make("ID theft"), make("Identity theft")
    for who, tag in ((both, old), (both, new), (one, old)):
        give(who, tag)
    preview = boss.api("GET", f"/api/tags/{old['id']}/merge/{new['id']}").json
    assert preview == {"clients": 2, "have_both": 1}
    merged = boss.api("POST", f"/api/tags/{old['id']}/merge", {"into": new["id"]}).json
    assert (merged["id"], merged["clients"]) == (new["id"], 2)
    assert tags_of(both) == tags_of(one) == ["Identity theft"]
    assert told(one)[-1] == ("tag.merged", "ID theft")
    assert boss.api("GET", f"/api/tags/{old['id']}").status_code == 404


def test_a_tag_is_not_merged_into_itself_or_nothing(boss, make):
    tag = make("VIP")
    same = boss.api("POST", f"/api/tags/{tag['id']}/merge", {"into": tag["id"]})
    assert (same.status_code, same.json["code"]) == (422, "same_tag")
    assert boss.api("POST", f"/api/tags/{tag['id']}/merge", {"into": 99}).status_code == 404


def test_what_is_deleted_is_taken_from_all_and_outlived_by_the_ledger(
    boss, make, give, client, told, tags_of, database
):
    ana, tag = client("Ana", "Ruiz"), make("VIP")
    give(ana, tag)
    assert boss.api("DELETE", f"/api/tags/{tag['id']}").status_code == 204
    assert tags_of(ana) == []
    assert told(ana) == [("tag.added", "VIP"), ("tag.removed", "VIP")]
    assert "Tag removed: VIP" in boss.get(f"/clients/{ana.id}/timeline").text
    with database.reading() as session:
        assert list(verify(session)) == []


def test_a_tag_of_many_is_deleted_by_typing_its_name(boss, make, client):
    tag = make("VIP")
    ids = [client("Ana", f"Ruiz {number}").id for number in range(50)]
    boss.api("POST", "/api/tags/changes", {"add": [tag["id"]], "clients": ids})
    refused = boss.post(f"/tags/{tag['id']}/delete", {"confirm": "VIPs"})
    assert refused.status_code == 422
    assert "not the tag" in refused.text
    assert boss.post(f"/tags/{tag['id']}/delete", {"confirm": " vip "}).status_code == 303
    assert boss.api("GET", "/api/tags").json == {"items": []}


def test_a_manager_makes_a_tag_by_giving_it(boss, client, tags_of):
    ana = client("Ana", "Ruiz")
    assert (
        boss.api("POST", f"/api/clients/{ana.id}/tags", {"name": "Prefers SMS"}).status_code == 200
    )
    assert tags_of(ana) == ["Prefers SMS"]


def test_others_give_what_there_is(person, dana, make, client, tags_of):
    ana, _ = client("Ana", "Ruiz", main=dana), make("VIP")
    unknown = person.api("POST", f"/api/clients/{ana.id}/tags", {"name": "New one"})
    assert (unknown.status_code, unknown.json["code"]) == (422, "no_such_tag")
    person.api("POST", f"/api/clients/{ana.id}/tags", {"name": "vip"})
    assert tags_of(ana) == ["VIP"]


def test_B01_a_client_one_may_not_see_has_no_tags(person, make, give, client, told):
    hidden, tag = client("Ben", "Okoro"), make("VIP")
    give(hidden, tag)
    path = f"/api/clients/{hidden.id}/tags"
    assert person.api("GET", path).status_code == 404
    assert person.api("POST", path, {"tag": tag["id"]}).status_code == 404
    assert person.api("DELETE", f"{path}/{tag['id']}").status_code == 404
    assert len(told(hidden)) == 1


@pytest.mark.parametrize("role", [Role.CASE_MANAGER, Role.ATTORNEY, Role.VIEWER])
def test_tags_are_managed_by_managers(staff, sign_in, make, role):
    other, tag = sign_in(staff(role)), make("VIP")
    assert other.api("POST", "/api/tags", {"name": "Mine"}).status_code == 403
    assert other.api("PATCH", f"/api/tags/{tag['id']}", {"name": "Mine"}).status_code == 403
    assert other.api("DELETE", f"/api/tags/{tag['id']}").status_code == 403
    page = other.get("/tags")
    assert page.status_code == 200
    assert "VIP" in page.text
    assert "Make tag" not in page.text


def test_a_viewer_looks_at_tags_and_gives_none(staff, sign_in, make, client):
    viewer, tag, ana = sign_in(staff(Role.VIEWER)), make("VIP"), client("Ana", "Ruiz")
    assert viewer.api("GET", f"/api/clients/{ana.id}/tags").status_code == 200
    path = f"/api/clients/{ana.id}/tags"
    assert viewer.api("POST", path, {"tag": tag["id"]}).status_code == 403
    assert "Change tags" not in viewer.get(f"/clients/{ana.id}").text


def test_tags_follow_a_merge_of_clients_and_its_undoing(boss, make, give, client, tags_of):
    kept, merged = client("Ana", "Ruiz"), client("Ana", "Ruiz")
    both, theirs = make("Both"), make("Theirs")
    for who, tag in ((kept, both), (merged, both), (merged, theirs)):
        give(who, tag)
    boss.post(f"/clients/{kept.id}/merge", {"merged_id": merged.id})
    assert tags_of(kept) == ["Both", "Theirs"]
    undo = boss.get(f"/clients/{kept.id}").text.split("/clients/merges/")[1].split("/")[0]
    boss.post(f"/clients/merges/{undo}/undo")
    assert tags_of(kept) == ["Both"]
    assert tags_of(merged) == ["Both", "Theirs"]


def test_the_page_of_tags_makes_and_changes_them(boss):
    assert "Make the first tag" in boss.get("/tags").text
    form = {"name": "Round 1", "colour": "green", "description": "First letters are out"}
    assert boss.post("/tags", form).location == "/tags"
    page = boss.get("/tags").text
    assert "cw-tag-green" in page
    taken = boss.post("/tags", {"name": "ROUND 1", "colour": "red"})
    assert taken.status_code == 409
    assert "Use that one, or merge" in taken.text
    tag_id = page.split('href="/tags/')[1].split('"')[0]
    boss.post(f"/tags/{tag_id}", {"name": "Round one", "colour": "#3b7dd8"})
    page = boss.get("/tags").text
    assert "Round one" in page
    assert 'fill="#3b7dd8"' in page
    assert "First letters are out" not in page  # it was emptied


def test_a_merge_is_shown_before_it_is_done(boss, make, give, client):
    ana, old, new = client("Ana", "Ruiz"), make("Old"), make("New")
    give(ana, old)
    page = boss.get(f"/tags/{old['id']}/merge?into={new['id']}").text
    assert "1 client" in page
    assert boss.post(f"/tags/{old['id']}/merge", {"into": new["id"]}).location == "/tags"
    assert "merged into" in boss.get("/tags").text


def test_the_dialog_of_a_client_gives_and_takes(boss, make, client, tags_of):
    ana, tag = client("Ana", "Ruiz"), make("VIP")
    path = f"/clients/{ana.id}/tags"
    assert "No tags yet" in boss.get(path, htmx=True).text
    assert boss.post(path, {"name": "vip"}).location == f"/clients/{ana.id}"
    page = boss.get(f"/clients/{ana.id}").text
    assert f"{path}/{tag['id']}/remove" in page  # the toast's undo
    boss.post(f"{path}/{tag['id']}/remove")
    assert tags_of(ana) == []
    assert f"{path}/{tag['id']}/add" in boss.get(f"/clients/{ana.id}").text
    assert boss.post(path, {"name": ""}).status_code == 422


def test_C08_a_way_back_leads_to_no_other_site(boss, make, client):
    ana, tag = client("Ana", "Ruiz"), make("VIP")
    answer = boss.post(f"/clients/{ana.id}/tags/{tag['id']}/add?next=https://evil.example/")
    assert answer.location == f"/clients/{ana.id}"


def test_C01_a_name_is_shown_as_text(boss, make, give, client):
    ana, tag = client("Ana", "Ruiz"), make("<script>1</script>")
    give(ana, tag)
    for path in ("/tags", "/clients", f"/clients/{ana.id}", f"/clients/{ana.id}/timeline"):
        page = boss.get(path).text
        assert "<script>1" not in page
        assert "&lt;script&gt;1" in page
