"""`casewell doctor` and `casewell files`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from casewell.kernel.runtime import OpenInstallation


@click.command()
@click.option("--delete-unused", is_flag=True, help="Delete what nothing has named for a week.")
@click.pass_obj
def files(installation: OpenInstallation, *, delete_unused: bool) -> None:
    """Read every kept file, and name those that are missing, damaged or of no use."""
    from casewell.health import files as kept
    from casewell.health.models import FileFaultKind

    runtime = installation(with_hints=False)
    found = kept.reconcile(runtime, whole=True)
    with runtime.database.reading() as session:
        for fault in kept.newest_faults(session):
            of = f" ({fault.table}, row {fault.row_id})" if fault.table else ""
            click.echo(f"{fault.kind.value:<8} {fault.key}{of}, since {fault.found_at:%Y-%m-%d}")
    click.echo(", ".join(f"{found[kind]} {kind.value}" for kind in FileFaultKind) + ".")
    if delete_unused:
        click.echo(f"{kept.delete_unused(runtime)} unused files deleted.")
    if found[FileFaultKind.MISSING] or found[FileFaultKind.DAMAGED]:
        raise click.ClickException("Restore what is missing or damaged from a backup.")


@click.command()
@click.pass_obj
def doctor(installation: OpenInstallation) -> None:
    """Check each part, and say what to do where one doesn't work."""
    from casewell.health.checks import check_all
    from casewell.health.models import Standing

    failing = 0
    for report in check_all(installation(with_hints=False)):
        failing += report.standing is Standing.FAILING
        since = f"since {report.since:%Y-%m-%d %H:%M} UTC"
        click.echo(f"{report.standing.value:<10} {report.label}, {since}: {report.finding}")
        if report.advice:
            click.echo(f"{'':<10} {report.advice}")
    if failing:
        raise click.ClickException(
            "1 part needs mending." if failing == 1 else f"{failing} parts need mending."
        )
