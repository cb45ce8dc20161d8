"""What the firm does with its clients, in its own words."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from casewell.clients import changes, merging
from casewell.clients.errors import (
    CannotMerge,
    CannotUndoMerge,
    ChangedMeanwhile,
    NoSSN,
    NotResponsible,
    ReferenceTaken,
    SSNUnreadable,
)
from casewell.clients.forms import ClientDetails, NewClient, Responsible
from casewell.clients.models import SSN_CONTEXT, Client, ClientMerge, ClientStatus
from casewell.clients.queries import WHOLE, find_client
from casewell.kernel.access import Identity, Role
from casewell.kernel.clock import Clock, utc_now
from casewell.kernel.crypto import CannotDecrypt
from casewell.kernel.db import lock_row
from casewell.kernel.errors import NotFound
from casewell.kernel.types import Sealed
from casewell.ledger.service import Actor, Event, audit, record
from casewell.staff.models import Staff

LEAST_STEP = timedelta(microseconds=1)


class ClientService:
    """The verbs on clients, for one viewer in one transaction.

    Every verb finds its client through `viewer`: one they may not see raises NotFound. What
    happened is recorded in the client's ledger in the same transaction, in `actor`'s name.
    """

    def __init__(
        self, session: Session, viewer: Identity, actor: Actor, now: Clock = utc_now
    ) -> None:
        self._session = session
        self._viewer = viewer
        self._actor = actor
        self._now = now

    def create(
        self, new: NewClient, *, import_id: int | None = None, import_key: str | None = None
    ) -> Client:
        """Add a client. Who sees only their own clients is responsible for those they add.

        Raises ReferenceTaken or NotResponsible.
        """
        now = self._now()
        client = Client(created_at=now, updated_at=now, status=new.status, import_key=import_key)
        client.emails, client.phones = [], []
        changes.apply(new, client)
        responsible = Responsible(
            main_responsible_id=new.main_responsible_id,
            second_responsible_id=new.second_responsible_id,
        )
        if self._viewer.role is Role.CASE_MANAGER and responsible == Responsible():
            responsible.main_responsible_id = self._viewer.staff_id
        self._set_responsible(client, responsible)
        if new.ssn is not None:
            client.ssn, client.ssn_last4 = Sealed.seal(new.ssn, SSN_CONTEXT), new.ssn[-4:]
        self._session.add(client)
        self._flush(client)
        data = {"name": client.name, "status": client.status.value, **_responsible(client)}
        if import_id is not None:
            data["import_id"] = import_id
        self._record(client, "client.created", data)
        return client

    def edit(
        self, client_id: int, details: ClientDetails, *, version: datetime | None = None
    ) -> Client:
        """Change a client's details to these. `version`: when it was last changed as one knew it.

        Raises NotFound, ReferenceTaken or ChangedMeanwhile.
        """
        client = self._held(client_id)
        if version is not None and client.updated_at != version:
            raise ChangedMeanwhile
        changed = changes.apply(details, client)
        if changed:
            self._touch(client)
            self._flush(client)
            self._record(client, "client.changed", {"changes": changed})
        return client

    def assign(self, client_id: int, responsible: Responsible) -> Client:
        """Let these people be responsible, and nobody else. Raises NotFound or NotResponsible."""
        client = self._held(client_id)
        before = _responsible(client)
        self._set_responsible(client, responsible)
        if _responsible(client) != before:
            self._touch(client)
            self._session.flush()
            self._record(client, "client.assigned", {**_responsible(client), "before": before})
        return client

    def change_status(self, client_id: int, status: ClientStatus) -> Client:
        """Raises NotFound."""
        client = self._held(client_id)
        if client.status is not status:
            data = {"from": client.status.value, "to": status.value}
            client.status = status
            self._touch(client)
            self._record(client, "client.status_changed", data)
        return client

    def set_ssn(self, client_id: int, ssn: str | None) -> Client:
        """Keep an SSN, nine digits, encrypted; None forgets it. Raises NotFound."""
        client = self._held(client_id)
        had = client.ssn_last4 is not None
        if ssn is None and not had:
            return client
        client.ssn = None if ssn is None else Sealed.seal(ssn, SSN_CONTEXT)
        client.ssn_last4 = None if ssn is None else ssn[-4:]
        self._touch(client)
        what = "removed" if ssn is None else "replaced" if had else "added"
        self._record(client, "client.ssn_changed", {"what": what})
        return client

    def reveal_ssn(self, client_id: int, reason: str, *, address: str = "") -> str:
        """Return the SSN, nine digits; that it was read, and why, is recorded first.

        `address` is where the request came from. Raises NotFound, NoSSN or SSNUnreadable.
        """
        client = self._held(client_id)
        if client.ssn is None:
            raise NoSSN
        try:
            ssn = client.ssn.open()
        except CannotDecrypt as error:
            raise SSNUnreadable from error
        data = {"reason": reason}
        self._record(client, "client.ssn_revealed", data)
        audit(
            self._session,
            "client.ssn_revealed",
            now=self._now(),
            actor=self._actor,
            address=address,
            client_id=client.id,
            data=data,
        )
        return ssn

    def merge(self, kept_id: int, merged_id: int) -> ClientMerge:
        """Put a client's file into another's. Raises NotFound or CannotMerge."""
        if kept_id == merged_id:
            raise CannotMerge("Choose another client: this is the same one.")
        for client_id in sorted((kept_id, merged_id)):  # one order, so that two merges can't lock
            lock_row(self._session, Client, client_id)
        kept, merged = self._fresh(kept_id), self._fresh(merged_id)
        moved = merging.join(self._session, kept, merged)
        done = ClientMerge(
            kept_id=kept.id,
            merged_id=merged.id,
            staff_id=self._viewer.staff_id,
            merged_at=self._now(),
            moved=moved,
        )
        self._session.add(done)
        self._after_merge(kept, merged, "client.merged")
        return done

    def undo_merge(self, merge_id: int) -> ClientMerge:
        """Take a merge back. Raises NotFound or CannotUndoMerge."""
        done = self._session.get(ClientMerge, merge_id)
        if done is None:
            raise NotFound
        for client_id in sorted((done.kept_id, done.merged_id)):
            lock_row(self._session, Client, client_id)
        kept = self._fresh(done.kept_id)
        merged = self._session.get_one(Client, done.merged_id)
        self._session.refresh(done)
        if done.undone_at is not None or merged.merged_into_id != kept.id:
            raise CannotUndoMerge("This merge has been undone already.")
        merging.part(self._session, kept, merged, done.moved)
        done.undone_at = self._now()
        self._after_merge(kept, merged, "client.merge_undone")
        return done

    def _after_merge(self, kept: Client, merged: Client, kind: str) -> None:
        """Record a merge in both ledgers. The kept one's event moves the conversation."""
        for client in (kept, merged):
            self._touch(client)
        self._session.flush()
        data = {
            "kept": kept.id,
            "merged": merged.id,
            "kept_name": kept.name,
            "merged_name": merged.name,
        }
        self._record(kept, kind, data)
        self._record(merged, f"{kind}_away", data)
        for client in (kept, merged):
            self._session.expire(client, ["emails", "phones"])

    def _held(self, client_id: int) -> Client:
        """Return a client whose row nobody else changes until this transaction ends."""
        lock_row(self._session, Client, client_id)
        return self._fresh(client_id)

    def _fresh(self, client_id: int) -> Client:
        """Return a client as it stands now, also where this session read it before."""
        client = find_client(self._session, self._viewer, client_id)
        self._session.expire(client)
        return find_client(self._session, self._viewer, client_id, *WHOLE)

    def _set_responsible(self, client: Client, wanted: Responsible) -> None:
        main, second = wanted.main_responsible_id, wanted.second_responsible_id
        if main is not None and main == second:
            raise NotResponsible("second_responsible_id", "Choose two different people.")
        # Both are found first: a search in between would write one half of a swap.
        first = self._staff(main, "main_responsible_id", client)
        other = self._staff(second, "second_responsible_id", client)
        client.main_responsible, client.second_responsible = first, other
        client.main_responsible_id, client.second_responsible_id = main, second

    def _staff(self, staff_id: int | None, field: str, client: Client) -> Staff | None:
        if staff_id is None:
            return None
        found = self._session.get(Staff, staff_id)
        if found is None:
            raise NotResponsible(field, "Choose somebody of the firm.")
        stays = getattr(client, field) == staff_id
        if not stays and (not found.is_active or found.role is Role.VIEWER):
            raise NotResponsible(field, f"{found.name} can't be responsible for clients.")
        return found

    def _flush(self, client: Client) -> None:
        if client.reference is not None:
            with self._session.no_autoflush:
                other = sa.select(Client.id).where(
                    Client.reference == client.reference, Client.id != (client.id or 0)
                )
                if self._session.scalar(other) is not None:
                    raise ReferenceTaken(client.reference)
        try:
            self._session.flush()
        except IntegrityError as error:  # another took it between the question and now
            if client.reference is None or "reference" not in str(error.orig):
                raise
            raise ReferenceTaken(client.reference) from error

    def _touch(self, client: Client) -> None:
        """Note the change; each gets a time of its own, for it is what tells versions apart."""
        client.updated_at = max(self._now(), client.updated_at + LEAST_STEP)

    def _record(self, client: Client, kind: str, data: dict[str, Any]) -> None:
        now = self._now()
        event = Event(
            client.id, kind, self._actor, now, data, subject_type="client", subject_id=client.id
        )
        record(self._session, event, now=now)


def _responsible(client: Client) -> dict[str, Any]:
    main, second = client.main_responsible, client.second_responsible
    return {
        "main_responsible_id": client.main_responsible_id,
        "main": main.name if main else None,
        "second_responsible_id": client.second_responsible_id,
        "second": second.name if second else None,
    }
