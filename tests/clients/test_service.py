"""What the firm does with its clients, and what each act leaves in their ledger."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from casewell.clients.errors import CannotMerge, CannotUndoMerge, ChangedMeanwhile
from casewell.clients.forms import ClientDetails, NewClient, Responsible
from casewell.clients.models import Client, ClientEmail, ClientStatus
from casewell.kernel.errors import CasewellError, NotFound
from casewell.ledger.models import ActivityEvent
from casewell.ledger.service import verify


@pytest.fixture
def kinds(database):
    """The kinds of the events of a client, in order."""

    def read(client_id):
        with database.reading() as session:
            query = sa.select(ActivityEvent.kind).where(ActivityEvent.client_id == client_id)
            return list(session.scalars(query.order_by(ActivityEvent.seq)))

    return read


@pytest.fixture
def do(database, service):
    """Does something as a person, in a transaction of its own: do(person, act)."""

    def run(person, act):
        with database.writing() as session:
            return act(service(session, person))

    return run


def new(**fields):
    return NewClient(**{"first_name": "Ana", "last_name": "Ruiz", **fields})


def test_whoever_sees_only_their_own_is_responsible_for_whom_they_add(do, paralegal, kinds):
    made = do(paralegal, lambda service: service.create(new()))
    assert made.main_responsible_id == paralegal.id
    assert kinds(made.id) == ["client.created"]


def test_an_edit_records_what_was_and_what_is(do, manager, database):
    made = do(manager, lambda service: service.create(new(city="Chicago")))
    details = ClientDetails(first_name="Ana", last_name="Ruiz", city="Peoria")
    do(manager, lambda service: service.edit(made.id, details))
    do(manager, lambda service: service.edit(made.id, details))
    with database.reading() as session:
        query = sa.select(ActivityEvent).where(ActivityEvent.kind == "client.changed")
        [event] = session.scalars(query)
        assert event.data["changes"] == {"city": {"from": "Chicago", "to": "Peoria"}}
        assert list(verify(session)) == []


def test_who_edits_what_somebody_changed_meanwhile_is_told(do, manager):
    made = do(manager, lambda service: service.create(new()))
    details = ClientDetails(first_name="Ana", last_name="Ruiz", city="Peoria")
    then = datetime(2020, 1, 1, tzinfo=UTC)
    with pytest.raises(ChangedMeanwhile):
        do(manager, lambda service: service.edit(made.id, details, version=then))


def test_a_case_manager_changes_nothing_of_a_colleagues_client(do, manager, paralegal):
    made = do(manager, lambda service: service.create(new()))
    for act in (
        lambda service: service.edit(made.id, ClientDetails(first_name="Eve")),
        lambda service: service.assign(made.id, Responsible(main_responsible_id=paralegal.id)),
        lambda service: service.change_status(made.id, ClientStatus.CANCELLED),
        lambda service: service.set_ssn(made.id, "900123456"),
        lambda service: service.reveal_ssn(made.id, "I am curious"),
    ):
        with pytest.raises(NotFound):
            do(paralegal, act)


def test_only_who_may_act_can_be_responsible(do, manager, staff):
    made = do(manager, lambda service: service.create(new()))
    reader = staff("viewer")
    gone = staff("attorney", deactivated_at=datetime(2026, 1, 1, tzinfo=UTC))
    for person_id in (reader.id, gone.id, 10**6):
        with pytest.raises(CasewellError):
            do(
                manager,
                lambda service, who=person_id: service.assign(
                    made.id, Responsible(main_responsible_id=who)
                ),
            )


def test_an_ssn_comes_and_goes_and_no_event_holds_it(do, manager, database, kinds):
    made = do(manager, lambda service: service.create(new(ssn="900-12-3456")))
    assert do(manager, lambda service: service.reveal_ssn(made.id, "A letter")) == "900123456"
    do(manager, lambda service: service.set_ssn(made.id, None))
    with pytest.raises(CasewellError):
        do(manager, lambda service: service.reveal_ssn(made.id, "A letter"))
    assert kinds(made.id) == ["client.created", "client.ssn_revealed", "client.ssn_changed"]
    with database.reading() as session:
        told = repr([event.data for event in session.scalars(sa.select(ActivityEvent))])
    assert "900123456" not in told
    assert "3456" not in told


def test_a_merge_brings_two_files_together_and_undoing_it_parts_them(
    do, manager, client, kinds, database
):
    kept = client("Ana", "Ruiz", emails=["a@example.com", "both@example.com"])
    other = client("Ana", "Ruiz-Vega", emails=["both@example.com", "b@example.com"], city="Peoria")
    done = do(manager, lambda service: service.merge(kept.id, other.id))

    def look():
        with database.reading() as session:
            return seen(session)

    def seen(session):
        one, two = session.get_one(Client, kept.id), session.get_one(Client, other.id)
        query = sa.select(ClientEmail.address).order_by(ClientEmail.position, ClientEmail.id)
        return (
            list(session.scalars(query.where(ClientEmail.client_id == kept.id))),
            one.city,
            two.merged_into_id,
        )

    assert look() == (
        ["a@example.com", "both@example.com", "b@example.com"],
        "Peoria",
        kept.id,
    )
    with pytest.raises(NotFound):
        do(manager, lambda service: service.change_status(other.id, ClientStatus.LEAD))
    do(manager, lambda service: service.undo_merge(done.id))
    assert look() == (["a@example.com", "both@example.com"], "", None)
    with pytest.raises(CannotUndoMerge):
        do(manager, lambda service: service.undo_merge(done.id))
    assert kinds(kept.id) == ["client.merged", "client.merge_undone"]
    assert kinds(other.id) == ["client.merged_away", "client.merge_undone_away"]


def test_what_was_written_into_the_kept_file_stays_when_a_merge_is_undone(
    do, manager, client, database
):
    kept, other = client("Ana"), client("Ana", city="Peoria")
    done = do(manager, lambda service: service.merge(kept.id, other.id))
    details = ClientDetails(first_name="Ana", last_name="Vega", city="Chicago")
    do(manager, lambda service: service.edit(kept.id, details))
    do(manager, lambda service: service.undo_merge(done.id))
    with database.reading() as session:
        assert session.get_one(Client, kept.id).city == "Chicago"


def test_nobody_is_merged_with_themselves_or_with_whom_they_may_not_see(
    do, manager, paralegal, client
):
    mine, theirs = client(main=paralegal), client(main=manager)
    with pytest.raises(CannotMerge):
        do(manager, lambda service: service.merge(mine.id, mine.id))
    for kept, merged in ((mine, theirs), (theirs, mine)):
        with pytest.raises(NotFound):
            do(paralegal, lambda service, k=kept, m=merged: service.merge(k.id, m.id))
