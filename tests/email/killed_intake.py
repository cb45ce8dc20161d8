"""A worker that takes mails in and stops at one of its commits, so that a test can kill it there.

python -m tests.email.killed_intake SETTINGS.json NOW COMMIT MARK
"""

from __future__ import annotations

import sys
import time
from datetime import datetime
from itertools import count
from pathlib import Path

import sqlalchemy as sa

from casewell.bootstrap import make_runtime
from casewell.email.arrival import take_in_all
from casewell.email.models import InboundMail
from casewell.kernel.settings import Settings


def main(settings_file: str, now: str, commit: str, mark: str) -> None:
    settings = Settings.model_validate_json(Path(settings_file).read_text("utf-8"))
    moment = datetime.fromisoformat(now)
    runtime = make_runtime(settings, now=lambda: moment, with_hints=False)
    with runtime.database.reading() as session:
        waiting = session.scalars(sa.select(InboundMail.id).order_by(InboundMail.id)).all()
    numbers = count(1)

    def stop(_connection: sa.Connection) -> None:
        if next(numbers) == int(commit):
            Path(mark).touch()
            time.sleep(3600)

    sa.event.listen(runtime.database.engine, "commit", stop)
    take_in_all(runtime, waiting)


if __name__ == "__main__":
    main(*sys.argv[1:])
