"""`casewell import clients` and `casewell export clients`."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from casewell.kernel.runtime import OpenInstallation
    from casewell.staff.models import Staff


@click.command()
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--as", "email", help="Address of the owner or manager in whose name it happens.")
@click.option("--keep", is_flag=True, help="Leave clients that are here already as they are.")
@click.option("--report", type=click.Path(path_type=Path), help="Write what became of each row.")
@click.pass_obj
def import_clients(
    installation: OpenInstallation,
    source: Path,
    email: str | None,
    keep: bool,
    report: Path | None,
) -> None:
    """Take in clients from a CSV file; columns are known by their headings.

    Run twice, it creates nothing twice.
    """
    from casewell.clients import imports, jobs
    from casewell.clients.import_rows import Existing
    from casewell.clients.models import ClientImport, ImportState

    runtime = installation(with_hints=False)
    with runtime.database.writing() as session, source.open("rb") as content:
        staff = _manager(session, email)
        made = imports.upload(session, runtime, content, source.name, staff.id, most_bytes=None)
        existing = Existing.KEEP if keep else Existing.UPDATE
        imports.set_mapping(made, imports.mapping_of(made), existing)
        jobs.start(session, runtime, made)
    with click.progressbar(length=max(made.rows_total or 0, 1), label="Importing") as bar:
        while made.state is ImportState.RUNNING:
            jobs.import_clients(runtime, made.id)
            with runtime.database.reading() as session:
                done, made = made.rows_done, session.get_one(ClientImport, made.id)
                session.expunge(made)
            bar.update(made.rows_done - done)
    for outcome in ("created", "updated", "unchanged", "refused"):
        click.echo(f"{getattr(made, outcome):>9,}  {outcome}")
    with runtime.database.reading() as session:
        for line, reason in imports.refused_rows(session, made.id, most=10):
            click.echo(f"line {line}: {reason}", err=True)
        if report is not None:
            with report.open("w", encoding="utf-8", newline="") as file:
                file.writelines(imports.report(session, made.id))
    if made.state is not ImportState.DONE:
        raise click.ClickException(made.last_error or "The import did not finish.")


@click.group()
def export() -> None:
    """Write what is in Casewell to a file."""


@export.command("clients")
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--as", "email", help="Address of the person in whose name it happens.")
@click.pass_obj
def export_clients(installation: OpenInstallation, target: Path, email: str | None) -> None:
    """Write all clients to a CSV or XLSX file, by the file's ending."""
    from casewell.clients.exporting import Format, export_clients
    from casewell.clients.listing import Wanted
    from casewell.kernel.access import Identity
    from casewell.ledger.service import Actor, audit

    ending = target.suffix.lstrip(".").lower()
    if ending not in set(Format):
        raise click.ClickException("Name a file that ends in .csv or .xlsx.")
    runtime = installation(with_hints=False)
    with runtime.database.reading() as session:
        staff = _manager(session, email)
    with runtime.database.reading() as session:
        viewer = Identity(staff.id, staff.role, "session")
        file = export_clients(session, viewer, Wanted(), Format(ending))
    with file.content as content, target.open("wb") as out:
        shutil.copyfileobj(content, out)
    with runtime.database.writing() as session:
        audit(
            session,
            "clients.exported",
            now=runtime.now(),
            actor=Actor.of_staff(staff),
            data={"rows": file.rows, "by": "command line"},
        )
    click.echo(f"Wrote {file.rows:,} clients to {target}.")


def _manager(session: Session, email: str | None) -> Staff:
    """Return the owner or manager of an address, or the first owner."""
    import sqlalchemy as sa

    from casewell.kernel.access import MANAGERS, Role
    from casewell.kernel.addresses import normal_form
    from casewell.staff.models import Staff

    query = sa.select(Staff).where(Staff.deactivated_at.is_(None)).order_by(Staff.id).limit(1)
    if email is None:
        query = query.where(Staff.role == Role.OWNER)
    else:
        query = query.where(Staff.email == normal_form(email), Staff.role.in_(MANAGERS.roles))
    found = session.scalars(query).first()
    if found is None:
        raise click.ClickException("No active owner or manager was found. Name one with --as.")
    return found
