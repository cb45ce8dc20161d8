"""`python -m casewell.migrations.check`: do the migrations make what the models say?"""

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.util import CommandError

from casewell.kernel.db import Database
from casewell.migrations import _run, upgrade


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'check.db'}")
        upgrade(database)
        try:
            with database.engine.begin() as connection:
                _run(connection, command.check)
        except CommandError as error:
            sys.stderr.write(f"{error}\n")
            return 1
        finally:
            database.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
