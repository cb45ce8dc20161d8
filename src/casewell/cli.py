"""The command line: everything an installation needs that isn't a page.

Parts are imported only when their command runs: `casewell --help` must answer at once.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from casewell.kernel.runtime import Runtime

# Command, where it is defined, what `casewell --help` says of it.
COMMANDS = {
    "init": ("casewell.operations.commands:init", "Make the home folder with its secret keys."),
    "serve": ("casewell.operations.commands:serve", "Serve the web application, and work."),
    "worker": ("casewell.operations.commands:worker", "Work only: send, fetch, import."),
    "migrate": ("casewell.operations.commands:migrate", "Bring the database up to date."),
    "backup": ("casewell.operations.commands:backup", "Write everything to one archive."),
    "demo": ("casewell.demo.commands:demo", "Fill an empty installation with a demo firm."),
    "doctor": ("casewell.health.commands:doctor", "Check each part, and say what to do."),
    "export": ("casewell.clients.commands:export", "Write clients to a file."),
    "files": ("casewell.health.commands:files", "Name kept files that are missing or damaged."),
    "import": ("casewell.import_commands:import_", "Take in clients or old mail."),
    "rotate-keys": ("casewell.operations.commands:rotate_keys", "Encrypt anew, first key."),
    "restore": ("casewell.operations.commands:restore", "Fill an empty installation again."),
    "staff": ("casewell.staff.commands:staff", "Staff accounts."),
    "token": ("casewell.staff.commands:token", "Personal API tokens."),
    "openapi": ("casewell.operations.commands:openapi", "Print the API's description."),
    "verify": ("casewell.verify_command:verify", "Name altered or missing ledger entries."),
}


class LazyGroup(click.Group):
    """A group that imports a command's module when it is called, not before."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, help) for name, (_, help) in sorted(COMMANDS.items())])


def installation(*, with_hints: bool = True) -> Runtime:
    """Return the runtime of the installation this command is run in, its schema up to date."""
    from casewell.bootstrap import make_runtime
    from casewell.kernel.logs import start_logging
    from casewell.kernel.settings import SettingsError, load_settings
    from casewell.migrations import upgrade

    try:
        settings = load_settings()
        start_logging(settings.log_format, settings.log_level)
        runtime = make_runtime(settings, with_hints=with_hints)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    upgrade(runtime.database)
    return runtime


@click.group(cls=LazyGroup, help="Casewell, the self-hosted CRM of a credit-dispute practice.")
@click.version_option(package_name="casewell")
def cli() -> None:
    pass


def main() -> None:
    from casewell.kernel.errors import CasewellError

    try:
        cli.main(standalone_mode=False, obj=installation)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except CasewellError as error:
        click.echo(f"Error: {error.message}", err=True)
        for name, sentence in error.fields.items():
            click.echo(f"  {name}: {sentence}", err=True)
        sys.exit(1)
