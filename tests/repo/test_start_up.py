"""What a start may import: seconds are lost one careless import at a time.

Times differ between machines, what is imported does not: so that is what is held.
"""

import json
import subprocess
import sys

import pytest

LOADED = "import json, sys; print(json.dumps(sorted(sys.modules)))"
HELP = f"""
import sys
from casewell.cli import main
sys.argv[1:] = ["--help"]
main()
{LOADED}
"""
APP = f"""
import casewell.app, casewell.bootstrap
casewell.app.blueprints()
{LOADED}
"""
NEEDED_FOR_NO_HELP = {"sqlalchemy", "flask", "pydantic", "structlog", "granian", "alembic", "huey"}
# Each is imported where it is used: for one export, one provider, one page.
NEEDED_SOMETIMES = {"granian", "xlsxwriter", "typst", "caldav", "niquests", "mypy", "pytest"}


def loaded_by(program: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


@pytest.mark.parametrize(
    ("program", "heavy"), [(HELP, NEEDED_FOR_NO_HELP), (APP, NEEDED_SOMETIMES)]
)
def test_nothing_heavy_is_imported_before_it_is_needed(program: str, heavy: set[str]) -> None:
    loaded = loaded_by(program)
    assert "casewell" in loaded
    assert not loaded & heavy
