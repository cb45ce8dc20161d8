"""A worker for one sweep that stops where it is told to, so that a test can kill it there.

python -m tests.messages.killed_worker SETTINGS.json NOW STEP MARK [CLIENT_ID]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casewell.bootstrap import make_runtime
from casewell.clients.models import Client
from casewell.email.carrier import EmailCarrier
from casewell.email.threading import make_message_id
from casewell.kernel.db import commit
from casewell.kernel.jobs import sweep
from casewell.kernel.runtime import Runtime
from casewell.kernel.settings import Settings
from casewell.messages import outbox
from casewell.messages.carriers import Receipt, use_carriers
from casewell.messages.models import Channel, Direction, MessageStatus, UnifiedMessage
from tests.messages.conftest import message_of


class Stop:
    """Stops for ever at one step, and says so by a file."""

    def __init__(self, step: str, mark: Path) -> None:
        self.step, self.mark = step, mark

    def at(self, step: str) -> None:
        if step == self.step:
            self.mark.touch()
            time.sleep(3600)

    def before_commits(self, runtime: Runtime, step: str) -> Callable[[], None]:
        """Stop where a transaction has written everything and is about to commit; returns what
        ends that."""

        def stop(_connection: sa.Connection) -> None:
            self.at(step)

        sa.event.listen(runtime.database.engine, "commit", stop)
        return partial(sa.event.remove, runtime.database.engine, "commit", stop)


class StoppingCarrier(EmailCarrier):
    """Casewell's own carrier of mail, with stops between its steps."""

    def __init__(self, stop: Stop) -> None:
        self.stop = stop

    def prepare(self, session: Session, runtime: Runtime, message: UnifiedMessage) -> Any:
        self.stop.at("claimed")
        return super().prepare(session, runtime, message)

    def send(self, runtime: Runtime, prepared: Any, on_handover: Callable[[], None]) -> Receipt:
        def handover() -> None:
            self.stop.at("before the handover")
            go_on = self.stop.before_commits(runtime, "handing over")
            on_handover()
            go_on()
            self.stop.at("handed over")

        receipt = super().send(runtime, prepared, handover)
        self.stop.at("accepted")
        self.stop.before_commits(runtime, "recording")
        return receipt


class StoppingHints:
    """Hints that are never given: the process stands still where it would give one."""

    def __init__(self, stop: Stop) -> None:
        self.stop = stop

    def give(self, job: str, row_id: int, at: datetime | None) -> None:
        self.stop.at("committed")


def main(settings_file: str, now: str, step: str, mark: str, client_id: str = "") -> None:
    stop = Stop(step, Path(mark))
    settings = Settings.model_validate_json(Path(settings_file).read_text("utf-8"))
    moment = datetime.fromisoformat(now)
    runtime = make_runtime(settings, now=lambda: moment, with_hints=False)
    use_carriers({Channel.EMAIL: StoppingCarrier(stop)})
    if client_id:
        queue(replace(runtime, hints=StoppingHints(stop)), int(client_id), stop)
    else:
        sweep(runtime)
        stop.at("recorded")


def queue(runtime: Runtime, client_id: int, stop: Stop) -> None:
    with runtime.database.session(write=True) as session:
        client = session.get_one(Client, client_id)
        message = message_of(
            runtime.now(),
            direction=Direction.OUTBOUND,
            client_id=client.id,
            status=MessageStatus.QUEUED,
            rfc_message_id=make_message_id("firm.example"),
            to=[{"name": client.name, "email": "ana@example.com"}],
            cc=[],
        )
        outbox.queue(session, runtime, message, recipient="ana@example.com", now=runtime.now())
        stop.at("not committed")
        commit(session)


if __name__ == "__main__":
    main(*sys.argv[1:])
