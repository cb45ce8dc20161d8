"""What tests of the inbox share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from casewell.inbox.service import UnifiedInboxService
from casewell.kernel.access import Identity
from casewell.kernel.db import Database
from casewell.kernel.runtime import Runtime
from casewell.messages.models import UnifiedMessage


@pytest.fixture
def message_row(database: Database) -> Callable[[int], UnifiedMessage]:
    def load(message_id: int) -> UnifiedMessage:
        with database.reading() as session:
            return session.get_one(UnifiedMessage, message_id)

    return load


@pytest.fixture
def inbox_of(runtime: Runtime, database: Database) -> type:
    """Gives a staff member's inbox service; each call is a transaction of its own."""

    class Inbox:
        def __init__(self, staff):
            self.viewer = Identity(staff.id, staff.role, "session")

        def __getattr__(self, name):
            def call(*args, **options):
                with database.writing() as session:
                    service = UnifiedInboxService(session, self.viewer, runtime)
                    return getattr(service, name)(*args, **options)

            return call

    return Inbox
