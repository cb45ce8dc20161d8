"""`casewell demo`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from casewell.kernel.runtime import OpenInstallation


@click.command()
@click.option("--scale", type=click.IntRange(1, 500), default=1, help="Times 60 clients.")
@click.pass_obj
def demo(installation: OpenInstallation, scale: int) -> None:
    """Fill an empty installation with Harbor Law Group, a firm that doesn't exist.

    Where data is, it only says how to sign in to the demo firm.
    """
    from casewell.demo.build import CLIENTS, IN_THE_PORTAL, PASSWORD, build, holds_data
    from casewell.demo.people import NAMES, STAFF

    runtime = installation(with_hints=False)
    with runtime.database.reading() as session:
        in_use = holds_data(session)
    if not in_use:
        with (
            click.progressbar(length=CLIENTS * scale, label="Making the demo firm") as bar,
            runtime.database.writing() as session,
        ):
            build(session, runtime, scale=scale, progress=lambda *_: bar.update(1))
    with runtime.database.reading() as session:
        from casewell.staff.models import Firm

        firm = session.get(Firm, 1)
    runtime.database.close()
    if firm is not None and firm.is_demo:
        click.echo("Sign in as one of these, all with the password:  " + PASSWORD)
        for person in STAFF:
            click.echo(f"  {person.email:<28} {person.role.value.replace('_', ' ')}")
        click.echo("At /portal these clients sign in, with the same password:")
        for name in NAMES[:IN_THE_PORTAL]:
            click.echo(f"  {name.lower().replace(' ', '.')}@example.com")
    elif in_use:
        click.echo("This installation is a firm's own: no demo firm was made.")
