"""What people do with tags. Every change is an event in the ledger of each client it touches."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from casewell.clients.models import Client
from casewell.clients.queries import clients_visible_to, find_client
from casewell.kernel.access import MANAGERS, Identity
from casewell.kernel.clock import Clock, utc_now
from casewell.kernel.db import Base, insert_into
from casewell.kernel.errors import Forbidden
from casewell.ledger.service import Actor, Event, audit, record, record_each
from casewell.tags.errors import NoSuchTag, NotConfirmed, SameTag, TagNameTaken, TooManyTags
from casewell.tags.forms import ChangedTag, TagForm
from casewell.tags.models import ClientTag, ClientTagAssignment
from casewell.tags.queries import find_tag, name_key, tag_named

BATCH = 500
MOST_TAGS = 5_000
# From so many clients on a tag's name is typed before it is deleted.
TYPED_FROM = 50

_Given = ClientTagAssignment
_table = Base.metadata.tables[ClientTagAssignment.__tablename__]
_columns = _table.c


class TagService:
    """The verbs on tags, for one viewer in one transaction.

    Managers make, change, merge and delete tags; everyone who edits clients gives and takes them.
    """

    def __init__(
        self, session: Session, viewer: Identity, actor: Actor, now: Clock = utc_now
    ) -> None:
        self._session = session
        self._viewer = viewer
        self._actor = actor
        self._now = now

    def create(self, wanted: TagForm) -> ClientTag:
        """Make a tag. Raises TagNameTaken, TooManyTags or Forbidden."""
        self._check_manager()
        if (self._session.scalar(sa.select(sa.func.count(ClientTag.id))) or 0) >= MOST_TAGS:
            raise TooManyTags(MOST_TAGS)
        tag = ClientTag(
            name=wanted.name,
            name_key=name_key(wanted.name),
            colour=wanted.colour,
            description=wanted.description,
            made_by_id=self._viewer.staff_id,
            created_at=self._now(),
        )
        self._session.add(tag)
        self._keep_name(wanted.name)
        self._note("tag.created", tag)
        return tag

    def change(self, tag_id: int, wanted: ChangedTag) -> ClientTag:
        """Rename a tag, colour it anew or describe it. Raises NotFound or TagNameTaken."""
        self._check_manager()
        tag = find_tag(self._session, tag_id)
        given = wanted.model_dump(exclude_none=True)
        before = {name: getattr(tag, name) for name in given}
        if before == given:
            return tag
        for name, value in given.items():
            setattr(tag, name, value)
        tag.name_key = name_key(tag.name)
        self._keep_name(tag.name)
        renamed = before.get("name", tag.name) != tag.name
        if renamed:
            self._tell_everyone(tag, "tag.renamed", {"before": before["name"]})
        self._note("tag.changed", tag, before=before)
        return tag

    def delete(self, tag_id: int, typed: str | None = None) -> int:
        """Delete a tag and take it from everyone who has it; return how many those were.

        Raises NotFound, or NotConfirmed where many have it and `typed` is not its name.
        """
        self._check_manager()
        tag = find_tag(self._session, tag_id)
        number = self._session.scalar(
            sa.select(sa.func.count()).select_from(_Given).where(_Given.tag_id == tag.id)
        )
        if number and number >= TYPED_FROM and name_key(typed or "") != tag.name_key:
            raise NotConfirmed
        self._tell_everyone(tag, "tag.removed", {"because": "deleted"})
        self._session.execute(sa.delete(_Given).where(_Given.tag_id == tag.id))
        self._note("tag.deleted", tag, clients=number or 0)
        self._session.delete(tag)
        self._session.flush()
        return number or 0

    def merge(self, tag_id: int, into_id: int) -> ClientTag:
        """Let everyone who has a tag have another one in its place, and delete the first.

        Raises NotFound or SameTag.
        """
        self._check_manager()
        tag, into = find_tag(self._session, tag_id), self._target(tag_id, into_id)
        told = {"into": into.name, "into_id": into.id}
        self._tell_everyone(tag, "tag.merged", told)
        has_both = sa.select(_Given.client_id).where(_Given.tag_id == into.id)
        self._session.execute(
            sa.update(_Given)
            .where(_Given.tag_id == tag.id, _Given.client_id.not_in(has_both))
            .values(tag_id=into.id)
            .execution_options(synchronize_session=False)
        )
        self._session.execute(sa.delete(_Given).where(_Given.tag_id == tag.id))
        self._note("tag.merged", tag, **told)
        self._session.delete(tag)
        self._session.flush()
        return into

    def preview_merge(self, tag_id: int, into_id: int) -> tuple[int, int]:
        """Return how many clients have the tag, and how many of them the other one as well."""
        self._check_manager()
        find_tag(self._session, tag_id)
        into = self._target(tag_id, into_id)
        has_it = sa.select(_Given.client_id).where(_Given.tag_id == tag_id)
        with_both = (
            sa.select(sa.func.count())
            .select_from(_Given)
            .where(_Given.tag_id == into.id, _Given.client_id.in_(has_it))
        )
        number = sa.select(sa.func.count()).select_from(has_it.subquery())
        return self._session.scalar(number) or 0, self._session.scalar(with_both) or 0

    def assign(self, client_id: int, tag_id: int) -> tuple[ClientTag, bool]:
        """Give a client a tag; return it, and whether they had it not. Raises NotFound."""
        client = find_client(self._session, self._viewer, client_id)
        tag = find_tag(self._session, tag_id)
        changed = bool(
            give(
                self._session,
                tag.id,
                [client.id],
                staff_id=self._viewer.staff_id,
                now=self._now(),
            )
        )
        if changed:
            self._record(client.id, "tag.added", tag)
        return tag, changed

    def assign_named(self, client_id: int, name: str) -> tuple[ClientTag, bool]:
        """The same by its name; a manager makes one that is new. Raises NoSuchTag or NotFound."""
        find_client(self._session, self._viewer, client_id)
        return self.assign(client_id, self.tag_called(name).id)

    def tag_called(self, name: str) -> ClientTag:
        """Return the tag of a name; a manager makes one that is new. Raises NoSuchTag."""
        tag = tag_named(self._session, name)
        if tag is not None:
            return tag
        if self._viewer.role not in MANAGERS.roles:
            raise NoSuchTag(name)
        return self.create(TagForm(name=name))

    def remove(self, client_id: int, tag_id: int) -> tuple[ClientTag, bool]:
        """Take a tag from a client; return it, and whether they had it. Raises NotFound."""
        client = find_client(self._session, self._viewer, client_id)
        tag = find_tag(self._session, tag_id)
        changed = bool(take(self._session, tag.id, [client.id]))
        if changed:
            self._record(client.id, "tag.removed", tag)
        return tag, changed

    def _target(self, tag_id: int, into_id: int) -> ClientTag:
        if tag_id == into_id:
            raise SameTag
        return find_tag(self._session, into_id)

    def _check_manager(self) -> None:
        if self._viewer.role not in MANAGERS.roles:
            raise Forbidden

    def _keep_name(self, name: str) -> None:
        """Flush, in a savepoint: a name that is taken leaves the transaction usable."""
        try:
            with self._session.begin_nested():
                self._session.flush()
        except IntegrityError as error:
            raise TagNameTaken(name) from error

    def _record(self, client_id: int, kind: str, tag: ClientTag) -> None:
        now = self._now()
        record(self._session, tag_event(client_id, kind, tag, self._actor, now), now=now)

    def _tell_everyone(self, tag: ClientTag, kind: str, data: dict[str, Any]) -> None:
        """Record in the ledger of everyone who has a tag what becomes of it."""
        now, last = self._now(), 0
        while True:
            ids = self._session.scalars(
                sa.select(_Given.client_id)
                .where(_Given.tag_id == tag.id, _Given.client_id > last)
                .order_by(_Given.client_id)
                .limit(BATCH)
            ).all()
            record_each(
                self._session,
                [tag_event(one, kind, tag, self._actor, now, **data) for one in ids],
                now=now,
            )
            if len(ids) < BATCH:
                return
            last = ids[-1]

    def _note(self, kind: str, tag: ClientTag, **data: Any) -> None:
        told = {"tag_id": tag.id, "name": tag.name, **data}
        audit(self._session, kind, now=self._now(), actor=self._actor, data=told)


def tag_event(
    client_id: int, kind: str, tag: ClientTag, actor: Actor, now: Any, **data: Any
) -> Event:
    """Return what the ledger says of a client's tag; its name outlives the tag."""
    return Event(
        client_id=client_id,
        kind=kind,
        actor=actor,
        occurred_at=now,
        data={"tag": tag.name, **data},
        subject_type="tag",
        subject_id=tag.id,
    )


def give(
    session: Session, tag_id: int, client_ids: Sequence[int], *, staff_id: int, now: Any
) -> list[int]:
    """Give clients a tag; return those who had it not. Whose they are has been asked before."""
    if not client_ids:
        return []
    rows = [
        {"client_id": one, "tag_id": tag_id, "staff_id": staff_id, "assigned_at": now}
        for one in client_ids
    ]
    insert = insert_into(session, ClientTagAssignment).values(rows).on_conflict_do_nothing()
    return sorted(session.execute(insert.returning(_columns.client_id)).scalars())


def take(session: Session, tag_id: int, client_ids: Sequence[int]) -> list[int]:
    """Take a tag from clients; return those who had it."""
    delete = sa.delete(_table).where(_columns.tag_id == tag_id, _columns.client_id.in_(client_ids))
    return sorted(session.execute(delete.returning(_columns.client_id)).scalars())


def merge(session: Session, event: Event) -> None:
    """Let the kept client have the tags of the merged one: the reaction to `client.merged`."""
    kept, merged = int(event.data["kept"]), int(event.data["merged"])
    has = sa.select(_Given.tag_id).where(_Given.client_id == kept)
    session.execute(
        sa.update(_Given)
        .where(_Given.client_id == merged, _Given.tag_id.not_in(has))
        .values(client_id=kept, merged_from_id=merged)
        .execution_options(synchronize_session=False)
    )


def unmerge(session: Session, event: Event) -> None:
    """Give back the tags that had moved and are still there: for `client.merge_undone`."""
    kept, merged = int(event.data["kept"]), int(event.data["merged"])
    session.execute(
        sa.update(_Given)
        .where(_Given.client_id == kept, _Given.merged_from_id == merged)
        .values(client_id=merged, merged_from_id=None)
        .execution_options(synchronize_session=False)
    )


def visible_of(viewer: Identity, client_ids: Sequence[int]) -> sa.Select[Any]:
    """Return those of some clients that the viewer may see, by number."""
    return (
        sa.select(Client.id)
        .where(Client.id.in_(client_ids), clients_visible_to(viewer))
        .order_by(Client.id)
    )
