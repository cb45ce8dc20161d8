"""Evidence bundles: asked for, watched, fetched and let go of by people."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import BinaryIO

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients.queries import find_client
from casewell.evidence.errors import AlreadyAtWork, BundleExpired, NotReady, OnlyAttorneys
from casewell.evidence.forms import BundleForm
from casewell.evidence.models import BundleState, EvidenceBundle
from casewell.kernel.access import Identity, Role
from casewell.kernel.db import LARGEST_ID
from casewell.kernel.errors import NotFound
from casewell.kernel.runtime import Runtime
from casewell.ledger.service import Actor, Event, audit, hold, record
from casewell.notes.models import READERS_OF_PRIVILEGED
from casewell.providers.errors import ProviderError
from casewell.providers.files import FileStore, open_verified

MOST_SHOWN = 20


class Bundles:
    """The bundles of one client, for one person. Raises NotFound where they don't see the client.

    A bundle that holds privileged notes is there only for those who may read such notes.
    """

    def __init__(
        self, session: Session, viewer: Identity, runtime: Runtime, actor: Actor, client_id: int
    ) -> None:
        self._session, self._viewer, self._runtime = session, viewer, runtime
        self._actor = actor
        self.client = find_client(session, viewer, client_id)

    def ask(self, wanted: BundleForm) -> EvidenceBundle:
        """Let a bundle be made. Raises OnlyAttorneys, or AlreadyAtWork."""
        if wanted.with_privileged and self._viewer.role is not Role.ATTORNEY:
            raise OnlyAttorneys
        now = self._runtime.now()
        hold(self._session, self.client.id)  # of two who ask at once one is told to wait
        running = sa.select(EvidenceBundle.id).where(
            EvidenceBundle.client_id == self.client.id,
            EvidenceBundle.state == BundleState.RUNNING,
        )
        if self._session.scalar(running.limit(1)) is not None:
            raise AlreadyAtWork
        bundle = EvidenceBundle(
            client_id=self.client.id,
            staff_id=self._viewer.staff_id,
            since=wanted.since,
            until=wanted.until,
            is_redacted=wanted.redact,
            with_files=wanted.with_files or not wanted.redact,
            with_privileged=wanted.with_privileged,
            created_at=now,
            due_at=now,
        )
        self._session.add(bundle)
        self._session.flush()
        record(self._session, event_of(bundle, "evidence.requested", self._actor, now), now=now)
        return bundle

    def newest(self) -> Sequence[EvidenceBundle]:
        """Return the newest ones, those that have expired among them."""
        order = (EvidenceBundle.created_at.desc(), EvidenceBundle.id.desc())
        return self._session.scalars(self._of_client().order_by(*order).limit(MOST_SHOWN)).all()

    def find(self, bundle_id: int, *, for_change: bool = False) -> EvidenceBundle:
        """Raises NotFound."""
        query = self._of_client().where(EvidenceBundle.id == min(bundle_id, LARGEST_ID))
        found = self._session.scalar(query.with_for_update() if for_change else query)
        if found is None:
            raise NotFound
        return found

    def cancel(self, bundle_id: int) -> EvidenceBundle:
        """Stop one that is being made; one that has ended stays as it is."""
        bundle = self.find(bundle_id, for_change=True)
        if bundle.state is BundleState.RUNNING:
            bundle.state, bundle.finished_at = BundleState.CANCELLED, self._runtime.now()
            bundle.due_at = None
        return bundle

    def open(self, bundle_id: int, address: str) -> tuple[EvidenceBundle, BinaryIO]:
        """Return a finished bundle and its bytes; that it was fetched is audited.

        Raises NotFound, NotReady, or BundleExpired.
        """
        bundle = self.find(bundle_id)
        now = self._runtime.now()
        if bundle.state is BundleState.EXPIRED or (bundle.expires_at and bundle.expires_at <= now):
            raise BundleExpired
        if bundle.state is not BundleState.DONE or not bundle.file_key or not bundle.sha256:
            raise NotReady
        store = self._runtime.provider(FileStore)
        try:
            content = open_verified(store, bundle.file_key, bundle.sha256)
        except ProviderError as error:
            raise NotFound("The file of this bundle is damaged or gone. Make a new one.") from error
        with self._runtime.database.writing() as session:
            audit(
                session,
                "evidence.downloaded",
                now=now,
                actor=self._actor,
                address=address,
                client_id=self.client.id,
                data={"bundle": bundle.id, "sha256": bundle.sha256},
            )
        return bundle, content

    def _of_client(self) -> sa.Select[EvidenceBundle]:
        query = sa.select(EvidenceBundle).where(EvidenceBundle.client_id == self.client.id)
        if self._viewer.role not in READERS_OF_PRIVILEGED:
            query = query.where(EvidenceBundle.with_privileged.is_(False))
        return query


def event_of(
    bundle: EvidenceBundle, kind: str, actor: Actor, now: datetime, **data: object
) -> Event:
    """Return what the ledger says of a bundle."""
    return Event(
        client_id=bundle.client_id,
        kind=kind,
        actor=actor,
        occurred_at=now,
        data={
            "bundle": bundle.id,
            "since": bundle.since.isoformat() if bundle.since else None,
            "until": bundle.until.isoformat() if bundle.until else None,
            "redacted": bundle.is_redacted,
            "files": bundle.with_files,
            "privileged": bundle.with_privileged,
            **data,
        },
        subject_type="evidence",
        subject_id=bundle.id,
    )


def name_of(client: str, bundle: EvidenceBundle) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", client.lower()).strip("-") or "client"
    return f"evidence-{plain}-{bundle.id}.zip"
