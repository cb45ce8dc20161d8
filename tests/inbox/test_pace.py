"""One account asks and fetches only so often; others are not kept from it."""

from __future__ import annotations

import io

import pytest

from casewell.inbox.pace import FILES, QUESTIONS
from casewell.kernel.access import Role

CHANGES = "/inbox/changes?seen=0&scope=all"


@pytest.fixture
def two(staff, sign_in):
    dana, ben = staff(Role.MANAGER), staff(Role.MANAGER)
    return sign_in(dana), sign_in(dana), sign_in(ben)


def test_p03_the_tabs_of_one_account_count_together(two, clock, client):
    dana, dana_elsewhere, ben = two
    here = f"/inbox/c/{client().id}/here"
    for turn in range(QUESTIONS):
        page = dana if turn % 2 else dana_elsewhere
        answer = page.post(here) if turn % 3 else page.get(CHANGES, htmx=True)
        assert answer.status_code in (200, 204)
    clock.move(seconds=5)
    refused = dana.get(CHANGES, htmx=True)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "10")
    assert dana_elsewhere.post(here).status_code == 429
    assert ben.get(CHANGES, htmx=True).status_code in (200, 204)
    assert dana.get("/inbox?scope=all").status_code == 200  # what she opens herself is not counted
    clock.move(seconds=10)
    assert dana.get(CHANGES, htmx=True).status_code in (200, 204)


def test_p03_one_account_fetches_only_so_many_files_in_a_minute(two, clock, client):
    dana = two[0]
    path = f"/inbox/c/{client().id}/files"
    dana.post(path, {"files": (io.BytesIO(b"scan"), "scan.txt")})
    for _ in range(FILES):
        assert dana.get("/inbox/attachments/1", buffered=True).status_code == 200
    refused = dana.get("/inbox/attachments/1")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
    clock.move(minutes=1)
    assert dana.get("/inbox/attachments/1", buffered=True).status_code == 200
