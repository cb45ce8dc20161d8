"""`casewell verify`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from casewell.kernel.runtime import OpenInstallation


@click.command()
@click.pass_obj
def verify(installation: OpenInstallation) -> None:
    """Check every chain of the ledger; names each altered, missing or reordered entry."""
    from casewell.ledger.service import verify as check

    runtime = installation(with_hints=False)
    found = 0
    with runtime.database.reading() as session:
        for fault in check(session):
            found += 1
            click.echo(str(fault))
    if found:
        raise click.ClickException(f"{found} entries are not as they were written.")
    click.echo("The ledger is whole.")
