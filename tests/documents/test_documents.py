"""Documents of a client: filed, versioned, found, handed out safely."""

import io

import pytest
import sqlalchemy as sa

from casewell.clients.models import Client
from casewell.documents.models import DocumentVersion
from casewell.kernel.access import Role
from casewell.ledger.models import ActivityEvent
from casewell.messages.files import store_attachment
from casewell.providers.files import FileStore

PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(60)
HTML = b"<!doctype html><script>alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'


@pytest.fixture
def dana(staff):
    return staff(name="Dana Whitfield")


@pytest.fixture
def ana(client, dana):
    return client("Ana", "Ruiz", main=dana, emails=["ana@example.com"])


@pytest.fixture
def person(sign_in, dana, ana):
    return sign_in(dana)


@pytest.fixture
def brought(database, runtime, clock, mail_of):
    """Lets a client's mail bring a file; returns the file's number."""

    def bring(client, content=PDF, name="lease.pdf", content_type="application/pdf", **columns):
        message_id = mail_of(client, "See the file")
        with database.writing() as session:
            file = store_attachment(
                session,
                runtime,
                content=content,
                name=name,
                content_type=content_type,
                staff_id=None,
                client_id=client.id,
                now=clock(),
            )
            file.message_id = message_id
            for column, value in columns.items():
                setattr(file, column, value)
            return file.id

    return bring


def upload(person, client, content=PDF, name="lease.pdf", **form):
    given = {"file": (io.BytesIO(content), name), "csrf_token": person.csrf(), **form}
    return person.http.post(
        f"/api/clients/{client.id}/documents",
        data=given,
        headers={"X-CSRFToken": person.csrf()},
    )


def add_version(person, document, content, name="lease.pdf"):
    return person.http.post(
        f"/api/documents/{document['id']}/versions",
        data={"file": (io.BytesIO(content), name)},
        headers={"X-CSRFToken": person.csrf()},
    )


def listed(person, client, **query):
    answer = person.get(f"/api/clients/{client.id}/documents", query_string=query)
    assert answer.status_code == 200, answer.json
    return answer.json["items"]


def test_what_is_uploaded_is_filed_and_fetched_as_it_was(person, ana):
    made = upload(person, ana, kind="address", title="Lease of Oak St.")
    assert made.status_code == 201, made.json
    assert (made.json["title"], made.json["kind"]) == ("Lease of Oak St.", "address")
    version = made.json["versions"][0]
    assert (version["number"], version["type"], version["by"]) == (
        1,
        "application/pdf",
        "Dana Whitfield",
    )
    fetched = person.get(f"/api/documents/versions/{version['id']}/file")
    assert fetched.data == PDF
    assert "attachment" in fetched.headers["Content-Disposition"]


def test_without_a_title_it_is_called_as_its_file(person, ana):
    assert upload(person, ana, name="scans/../my lease.pdf").json["title"] == "my lease.pdf"


def test_files_of_messages_stand_beside_documents_until_they_are_filed(person, ana, brought):
    file_id = brought(ana)
    upload(person, ana, name="id.png", content=PNG)
    rows = listed(person, ana)
    assert {row["kind"] for row in rows} == {"unfiled", "other"}
    unfiled = next(row for row in rows if row["kind"] == "unfiled")
    assert (unfiled["attachment_id"], unfiled["channel"]) == (file_id, "email")
    path = f"/api/clients/{ana.id}/documents/from-message/{file_id}"
    filed = person.api("POST", path, {"kind": "address"})
    assert filed.status_code == 201
    assert [row["kind"] for row in listed(person, ana)].count("unfiled") == 0
    again = person.api("POST", path, {})
    assert (again.status_code, again.json["code"]) == (409, "already_filed")


def test_filing_copies_no_bytes(person, ana, brought, runtime):
    file_id = brought(ana)
    before = len(list(runtime.provider(FileStore).keys()))
    made = person.api("POST", f"/api/clients/{ana.id}/documents/from-message/{file_id}", {}).json
    assert len(list(runtime.provider(FileStore).keys())) == before
    version = made["versions"][0]["id"]
    assert person.get(f"/api/documents/versions/{version}/file").data == PDF


def test_pictures_inside_a_mail_are_no_documents(person, ana, brought):
    brought(ana, PNG, "logo.png", "image/png", is_inline=True)
    assert listed(person, ana) == []


def test_a_version_follows_and_the_older_one_stays(person, ana):
    made = upload(person, ana).json
    newer = add_version(person, made, PNG, "lease.png").json
    assert [one["number"] for one in newer["versions"]] == [2, 1]
    first, second = newer["versions"][1]["id"], newer["versions"][0]["id"]
    assert person.get(f"/api/documents/versions/{first}/file").data == PDF
    assert person.get(f"/api/documents/versions/{second}/file").data == PNG
    row = listed(person, ana)[0]
    assert (row["number"], row["name"]) == (2, "lease.png")


def test_title_and_kind_are_changed_and_told(person, ana, database):
    made = upload(person, ana, title="Lease").json
    changed = person.api("PATCH", f"/api/documents/{made['id']}", {"kind": "agreement"}).json
    assert (changed["title"], changed["kind"]) == ("Lease", "agreement")
    person.api("PATCH", f"/api/documents/{made['id']}", {"kind": "agreement"})
    page = person.get(f"/api/clients/{ana.id}/timeline?topic=documents").json["items"]
    assert [one["kind"] for one in page] == ["document.changed", "document.filed"]
    assert page[0]["changes"] == [{"what": "Kind", "before": "Other", "after": "Agreement"}]
    assert page[0]["summary"] == "Document changed: Lease"


def test_what_is_withdrawn_comes_back(person, ana):
    made = upload(person, ana, title="Lease").json
    path = f"/api/documents/{made['id']}"
    assert person.api("POST", f"{path}/withdraw").json["withdrawn_at"] is not None
    assert listed(person, ana) == []
    assert [row["title"] for row in listed(person, ana, kind="withdrawn")] == ["Lease"]
    assert person.api("POST", f"{path}/restore").json["withdrawn_at"] is None
    assert len(listed(person, ana)) == 1


def test_they_are_found_by_words_of_title_and_name(person, ana, brought):
    upload(person, ana, title="Lease of Oak St.", name="scan1.pdf")
    upload(person, ana, title="Police report", name="scan2.pdf")
    brought(ana, name="Oak 100%_photo.pdf")
    assert [row["title"] for row in listed(person, ana, q="police")] == ["Police report"]
    assert len(listed(person, ana, q="OAK")) == 2
    assert [row["title"] for row in listed(person, ana, q="scan1 oak")] == ["Lease of Oak St."]
    assert len(listed(person, ana, q="100%_")) == 1
    assert listed(person, ana, q="%") == listed(person, ana, q="100%")


def test_they_are_narrowed_by_kind_and_paged(person, ana, brought, clock):
    for number in range(5):
        upload(person, ana, title=f"Lease {number}", kind="address")
        brought(ana, name=f"photo{number}.pdf")
        clock.move(seconds=1)
    assert len(listed(person, ana, kind="address")) == 5
    assert len(listed(person, ana, kind="unfiled")) == 5
    seen, cursor = [], None
    while True:
        query = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = person.get(f"/api/clients/{ana.id}/documents", query_string=query).json
        seen += [row["title"] for row in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 10


@pytest.mark.parametrize(
    ("content", "name", "shown"),
    [
        (PDF, "lease.pdf", "application/pdf"),
        (PNG, "id.png", "image/png"),
        (PNG, "really.html", "image/png"),
        (HTML, "lease.pdf", None),
        (SVG, "picture.png", None),
        (b"MZ" + bytes(50), "lease.pdf", None),
        (b"plain words", "note.txt", None),
    ],
)
def test_K02_only_rasters_and_pdfs_are_shown_by_what_they_are(person, ana, content, name, shown):
    version = upload(person, ana, content, name).json["versions"][0]["id"]
    answer = person.get(f"/documents/versions/{version}/view")
    if shown is None:
        assert answer.status_code == 404
    else:
        assert answer.mimetype == shown
        assert answer.headers["Content-Disposition"] == "inline"
    saved = person.get(f"/documents/versions/{version}/file")
    assert saved.mimetype == "application/octet-stream"
    assert "sandbox" in saved.headers["Content-Security-Policy"]
    for one in (answer, saved):
        assert one.headers["X-Content-Type-Options"] == "nosniff"
        assert "no-store" in one.headers["Cache-Control"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "a\x00b.pdf", "con.pdf", "\u202efdp.exe"])
def test_K01_a_hostile_name_names_nothing(person, ana, name):
    made = upload(person, ana, name=name)
    assert made.status_code == 201
    title = made.json["title"]
    assert "/" not in title
    assert "\x00" not in title
    assert "\u202e" not in title


def test_no_file_and_an_empty_one_are_refused(person, ana):
    assert upload(person, ana, b"").status_code == 422
    path = f"/api/clients/{ana.id}/documents"
    assert person.http.post(path, headers={"X-CSRFToken": person.csrf()}).status_code == 422
    assert listed(person, ana) == []


def test_a_file_that_is_too_large_is_refused_and_not_kept(person, ana, runtime, monkeypatch):
    monkeypatch.setattr("casewell.documents.service.largest_files", lambda _: 1_000_000)
    answer = upload(person, ana, PDF + bytes(1_100_000))
    assert answer.status_code == 413
    assert "at most 1 MB" in answer.json["detail"]
    assert list(runtime.provider(FileStore).keys()) == []


def test_a_file_that_was_altered_is_not_handed_out(person, ana, runtime, database):
    version = upload(person, ana).json["versions"][0]["id"]
    with database.reading() as session:
        key = session.get_one(DocumentVersion, version).file_key
    store = runtime.provider(FileStore)
    store.delete(key)
    assert person.get(f"/documents/versions/{version}/file").status_code == 404
    store.put(PDF + b"x", key=key)
    assert person.get(f"/documents/versions/{version}/file").status_code == 404


def test_B03_files_of_others_clients_are_not_there(person, sign_in, staff, client, brought):
    owner, hidden = sign_in(staff(Role.OWNER)), client("Ben", "Okoro")
    made = upload(owner, hidden, title="Zebra").json
    version, file_id = made["versions"][0]["id"], brought(hidden)
    for path in (
        f"/clients/{hidden.id}/documents",
        f"/documents/{made['id']}",
        f"/documents/versions/{version}/file",
        f"/documents/versions/{version}/view",
        f"/api/documents/versions/{version}/file",
        f"/clients/{hidden.id}/documents/from-message/{file_id}",
    ):
        assert person.get(path).status_code == 404, path
    assert upload(person, hidden).status_code == 404
    assert add_version(person, made, PDF).status_code == 404


def test_K04_a_file_without_a_session_or_after_its_client_is_anothers(
    person, ana, visitor, brought, database
):
    made = upload(person, ana).json
    version, file_id = made["versions"][0]["id"], brought(ana)
    paths = (
        f"/documents/versions/{version}/file",
        f"/documents/versions/{version}/view",
        f"/clients/{ana.id}/documents/from-message/{file_id}",
        f"/api/documents/versions/{version}/file",
    )
    for path in paths:
        assert person.get(path).status_code == 200, path
        assert visitor.get(path).status_code == (401 if path.startswith("/api/") else 302), path
    with database.writing() as session:
        session.get_one(Client, ana.id).main_responsible_id = None
    for path in paths:
        assert person.get(path).status_code == 404, path


def test_B08_a_file_is_filed_for_its_own_client_alone(sign_in, staff, ana, client, brought):
    owner, ben = sign_in(staff(Role.OWNER)), client("Ben", "Okoro")
    file_id = brought(ana)
    path = f"/clients/{ben.id}/documents/from-message/{file_id}"
    assert owner.get(path).status_code == 404
    assert owner.post(path).status_code == 404
    assert owner.api("POST", f"/api{path}", {}).status_code == 404


def test_viewers_look_and_change_nothing(sign_in, staff, person, ana, brought):
    made = upload(person, ana, title="Lease").json
    file_id = brought(ana)
    viewer = sign_in(staff(Role.VIEWER))
    page = viewer.get(f"/clients/{ana.id}/documents").text
    assert "Lease" in page
    assert "File a document" not in page
    assert viewer.get(f"/documents/{made['id']}").status_code == 200
    assert upload(viewer, ana).status_code == 403
    path = f"/clients/{ana.id}/documents/from-message/{file_id}"
    assert viewer.post(path).status_code == 403
    assert viewer.post(f"/documents/{made['id']}/withdraw").status_code == 403


def test_documents_follow_a_merge_and_its_undoing(sign_in, staff, client):
    owner, kept, merged = sign_in(staff(Role.OWNER)), client("Ana", "Ruiz"), client("Ana", "Ruiz")
    upload(owner, kept, title="Mine")
    upload(owner, merged, title="Theirs")
    owner.post(f"/clients/{kept.id}/merge", {"merged_id": merged.id})
    assert {row["title"] for row in listed(owner, kept)} == {"Mine", "Theirs"}
    undo = owner.get(f"/clients/{kept.id}").text.split("/clients/merges/")[1].split("/")[0]
    owner.post(f"/clients/merges/{undo}/undo")
    assert [row["title"] for row in listed(owner, kept)] == ["Mine"]
    assert [row["title"] for row in listed(owner, merged)] == ["Theirs"]


def test_the_page_files_several_at_once(person, ana, database):
    form = {
        "csrf_token": person.csrf(),
        "kind": "credit_report",
        "files": [(io.BytesIO(PDF), "one.pdf"), (io.BytesIO(PNG), "two.png")],
    }
    path = f"/clients/{ana.id}/documents"
    assert person.http.post(path, data=form).location == path
    page = person.get(path).text
    assert "2 documents filed" in page
    assert page.count("Credit report</span>") >= 2
    with database.reading() as session:
        kinds = session.scalars(
            sa.select(ActivityEvent.kind).where(ActivityEvent.client_id == ana.id)
        ).all()
    assert kinds.count("document.filed") == 2


def test_one_bad_file_of_several_files_none(person, ana):
    form = {
        "csrf_token": person.csrf(),
        "files": [(io.BytesIO(PDF), "one.pdf"), (io.BytesIO(b""), "empty.pdf")],
    }
    answer = person.http.post(f"/clients/{ana.id}/documents", data=form)
    assert answer.status_code == 422
    assert "Nothing was filed" in answer.text
    assert listed(person, ana) == []


def test_the_page_of_a_document_shows_it_and_its_versions(person, ana):
    made = upload(person, ana, title="Lease").json
    add_version(person, made, PNG, "lease.png")
    path = f"/documents/{made['id']}"
    page = person.get(path).text
    assert "<img" in page
    assert "<iframe" in person.get(f"{path}?version=1").text
    saved = person.post(path, {"title": "Lease of Oak St.", "kind": "address"})
    assert saved.location == path
    assert "Lease of Oak St." in person.get(path).text
    assert person.post(path, {"title": "", "kind": "address"}).status_code == 422
    assert person.post(f"{path}/withdraw").location == f"/clients/{ana.id}/documents"
    assert f"{path}/restore" in person.get(f"/clients/{ana.id}/documents").text  # undo
    assert "is withdrawn" in person.get(path).text


def test_nonsense_in_the_address_shows_all(person, ana):
    upload(person, ana, title="Lease")
    assert "Lease" in person.get(f"/clients/{ana.id}/documents?kind=zebra&cursor=1").text
    assert person.get(f"/api/clients/{ana.id}/documents?kind=zebra").status_code == 422
