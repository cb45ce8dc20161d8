"""`casewell import mail`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from casewell.kernel.runtime import OpenInstallation

WAIT_SECONDS = 1.0


@click.command()
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.pass_obj
def import_mail(installation: OpenInstallation, source: Path) -> None:
    """Take in old mail from an mbox file, a Maildir or a folder of .eml files.

    It is matched to clients like any other and fires nothing. Run twice, it adds nothing twice.
    """
    from casewell.email import history
    from casewell.email.models import MailImport, MailImportState
    from casewell.kernel.errors import CasewellError

    runtime = installation(with_hints=False)
    try:
        with runtime.database.writing() as session:
            import_id = history.begin(
                session, runtime, staff_id=None, name=source.name, path=source.resolve()
            ).id
    except CasewellError as error:
        raise click.ClickException(error.message) from error
    with click.progressbar(length=1, label="Reading") as bar:

        def told(position: int, total: int) -> None:
            bar.length = max(total, 1)
            bar.update(position - bar.pos)

        while True:
            history.read_to_end(runtime, import_id, told)
            with runtime.database.reading() as session:
                row = session.get_one(MailImport, import_id)
            if row.state not in history.GOING_ON:
                break
            # Another worker has it, or the disk did not answer: it is tried again when due.
            told(row.position, row.total)
            time.sleep(WAIT_SECONDS)
        told(bar.length or 1, bar.length or 1)
    with runtime.database.reading() as session:
        outcome = history.outcome(session, import_id)
    for stands, count in outcome.items():
        click.echo(f"{count:>7}  {stands.replace('_', ' ')}")
    if row.state is not MailImportState.DONE:
        raise click.ClickException(row.last_error or "The import was cancelled.")
