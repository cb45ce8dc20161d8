"""What tests of tags share."""

import pytest
import sqlalchemy as sa

from casewell.kernel.access import Role
from casewell.ledger.models import ActivityEvent


@pytest.fixture
def manager(staff):
    return staff(Role.MANAGER, name="Mara Lind")


@pytest.fixture
def dana(staff):
    return staff(Role.CASE_MANAGER, name="Dana Whitfield")


@pytest.fixture
def boss(sign_in, manager):
    """The manager, signed in."""
    return sign_in(manager)


@pytest.fixture
def person(sign_in, dana):
    """The case manager, signed in."""
    return sign_in(dana)


@pytest.fixture
def make(boss):
    """Makes a tag; returns it as the API tells of it."""

    def made(name, **given):
        answer = boss.api("POST", "/api/tags", {"name": name, **given})
        assert answer.status_code == 201, answer.json
        return answer.json

    return made


@pytest.fixture
def give(boss):
    """Gives a client a tag."""

    def given(client, tag):
        return boss.api("POST", f"/api/clients/{client.id}/tags", {"tag": tag["id"]})

    return given


@pytest.fixture
def tags_of(boss):
    """Reads the names of a client's tags."""

    def read(client):
        return [
            one["name"] for one in boss.api("GET", f"/api/clients/{client.id}/tags").json["items"]
        ]

    return read


@pytest.fixture
def told(database):
    """Reads what a client's ledger says of tags, oldest first."""

    def read(client):
        query = (
            sa.select(ActivityEvent.kind, ActivityEvent.data)
            .where(ActivityEvent.client_id == client.id, ActivityEvent.kind.startswith("tag."))
            .order_by(ActivityEvent.seq)
        )
        with database.reading() as session:
            return [(row.kind, row.data["tag"]) for row in session.execute(query)]

    return read
