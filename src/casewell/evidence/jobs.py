"""The worker's part: making a bundle, and letting it go when it has expired."""

import time
from datetime import timedelta
from functools import partial
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.clients.queries import find_client
from casewell.evidence import contents
from casewell.evidence.contents import Terms
from casewell.evidence.models import KEPT_FOR, BundleState, EvidenceBundle
from casewell.evidence.packing import Packed, pack
from casewell.evidence.service import event_of
from casewell.kernel.access import EDITORS, Identity, Role
from casewell.kernel.db import on_commit
from casewell.kernel.errors import CasewellError, Forbidden
from casewell.kernel.jobs import claim, hint_after_commit, job, periodic
from casewell.kernel.runtime import Runtime
from casewell.ledger.service import Actor, record
from casewell.providers.errors import ProviderError
from casewell.providers.files import FileStore, StoredFile
from casewell.staff.models import Firm, Staff

LEASE = timedelta(minutes=5)
TOLD_EVERY = 1.0  # seconds between two looks at whether somebody has cancelled


class _Stopped(Exception):
    """Somebody cancelled it, or another worker has it."""


def start(session: Session, runtime: Runtime, bundle: EvidenceBundle) -> None:
    hint_after_commit(session, runtime.hints, make_bundle, bundle.id)


@job(EvidenceBundle)
def make_bundle(runtime: Runtime, bundle_id: int) -> None:
    """Make a bundle from its beginning; one that a killed worker left half made leaves nothing."""
    with runtime.database.writing() as session:
        if not claim(session, EvidenceBundle, bundle_id, runtime.now(), lease=LEASE):
            return
        attempts = session.get_one(EvidenceBundle, bundle_id).attempts
    try:
        packed = _pack(runtime, bundle_id, attempts)
        with packed.file as file:
            stored = runtime.provider(FileStore).put(file)  # type: ignore[arg-type]
    except _Stopped:
        return
    except (CasewellError, ProviderError) as error:
        _fail(runtime, bundle_id, attempts, error.message)
        return
    if not _finish(runtime, bundle_id, attempts, packed, stored):
        runtime.provider(FileStore).delete(stored.key)


def _pack(runtime: Runtime, bundle_id: int, attempts: int) -> Packed:
    with runtime.database.reading() as session:
        bundle = session.get_one(EvidenceBundle, bundle_id)
        maker = session.get_one(Staff, bundle.staff_id)
        if not maker.is_active or maker.role not in EDITORS:
            raise Forbidden("Whoever asked for it may not make bundles any more.")
        if bundle.with_privileged and maker.role is not Role.ATTORNEY:
            raise Forbidden("Whoever asked for it is no attorney any more.")
        viewer = Identity(maker.id, maker.role, "session")
        client = find_client(session, viewer, bundle.client_id)
        zone = ZoneInfo(session.scalars(sa.select(Firm.time_zone)).one())
        terms = Terms.of(bundle, client, zone)
        told = partial(_tell, runtime, bundle_id, attempts)
        told(0, contents.count(session, terms))
        last = time.monotonic()

        def progress(number: int) -> None:
            nonlocal last
            if time.monotonic() - last >= TOLD_EVERY:
                told(number)
                last = time.monotonic()

        for one in (bundle, maker, client):
            session.expunge(one)
        return pack(session, runtime, bundle, terms, maker, progress)


def _tell(
    runtime: Runtime, bundle_id: int, attempts: int, done: int, total: int | None = None
) -> None:
    """Note how far it is. Raises _Stopped."""
    with runtime.database.writing() as session:
        bundle = _held(session, bundle_id)
        if bundle.state is not BundleState.RUNNING or bundle.attempts != attempts:
            raise _Stopped
        bundle.done, bundle.lease_until = done, runtime.now() + LEASE
        if total is not None:
            bundle.total = total


def _finish(
    runtime: Runtime, bundle_id: int, attempts: int, packed: Packed, stored: StoredFile
) -> bool:
    with runtime.database.writing() as session:
        bundle = _held(session, bundle_id)
        if bundle.state is not BundleState.RUNNING or bundle.attempts != attempts:
            return False
        now = runtime.now()
        bundle.state, bundle.due_at, bundle.lease_until = BundleState.DONE, None, None
        bundle.finished_at, bundle.expires_at = now, now + KEPT_FOR
        bundle.file_key, bundle.sha256, bundle.size = stored.key, stored.sha256, stored.size
        bundle.done = bundle.total = packed.items
        maker = Actor.of_staff(session.get_one(Staff, bundle.staff_id))
        made = {"sha256": stored.sha256, "entries": packed.items, "pages": packed.pages}
        record(session, event_of(bundle, "evidence.made", maker, now, **made), now=now)
    return True


def _fail(runtime: Runtime, bundle_id: int, attempts: int, reason: str) -> None:
    with runtime.database.writing() as session:
        bundle = _held(session, bundle_id)
        if bundle.state is BundleState.RUNNING and bundle.attempts == attempts:
            bundle.state, bundle.finished_at = BundleState.FAILED, runtime.now()
            bundle.due_at, bundle.lease_until, bundle.last_error = None, None, reason


def _held(session: Session, bundle_id: int) -> EvidenceBundle:
    return session.scalars(
        sa.select(EvidenceBundle).where(EvidenceBundle.id == bundle_id).with_for_update()
    ).one()


@periodic(timedelta(minutes=15))
def expire_bundles(runtime: Runtime) -> None:
    """Let go of the files whose time is over; the rows tell that they were there."""
    with runtime.database.writing() as session:
        over = session.scalars(
            sa.select(EvidenceBundle).where(
                EvidenceBundle.state == BundleState.DONE,
                EvidenceBundle.expires_at <= runtime.now(),
            )
        )
        for bundle in over:
            if bundle.file_key is not None:
                on_commit(session, partial(runtime.provider(FileStore).delete, bundle.file_key))
            bundle.state = BundleState.EXPIRED
            bundle.file_key, bundle.sha256 = None, None
