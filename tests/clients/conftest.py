"""What tests of clients share."""

import io

import pytest

from casewell.clients import imports, jobs
from casewell.clients.import_rows import Existing
from casewell.clients.models import ClientImport
from casewell.clients.service import ClientService
from casewell.kernel.access import Identity, Role
from casewell.ledger.service import Actor


@pytest.fixture
def manager(staff):
    return staff(Role.MANAGER, name="Dana Whitfield", email="dana@firm.example")


@pytest.fixture
def paralegal(staff):
    return staff(Role.CASE_MANAGER, name="Marcus Hill", email="marcus@firm.example")


@pytest.fixture
def identity():
    """Gives the identity of a staff member, as a signed-in browser has it."""
    return lambda person: Identity(person.id, person.role, "session")


@pytest.fixture
def service(clock, identity):
    """Gives a service in a person's name."""

    def make(session, person):
        return ClientService(session, identity(person), Actor.of_staff(person), clock)

    return make


@pytest.fixture
def import_state(runtime):
    """Reads an import as it stands."""

    def read(import_id):
        with runtime.database.reading() as session:
            return session.get_one(ClientImport, import_id)

    return read


@pytest.fixture
def import_file(runtime, manager, run_due, import_state):
    """Uploads a file, starts it and lets the worker work; returns the import."""

    def run(content, *, existing=Existing.UPDATE, until_done=True):
        data = content.encode() if isinstance(content, str) else content
        with runtime.database.writing() as session:
            row = imports.upload(session, runtime, io.BytesIO(data), "clients.csv", manager.id)
            imports.set_mapping(row, imports.mapping_of(row), existing)
            jobs.start(session, runtime, row)
        while until_done and run_due():
            pass
        return import_state(row.id)

    return run
