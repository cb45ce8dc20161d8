"""`casewell verify`: the ledger against itself, its anchors, and a bundle that was made of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from casewell.kernel.runtime import OpenInstallation


@click.command()
@click.option(
    "--anchors",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Compare with an anchors file, best a copy that was kept elsewhere.",
)
@click.option(
    "--bundle",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Compare with an evidence bundle: each file, entry, message and note.",
)
@click.option(
    "--head", "heads", multiple=True, help="A head from a mail: it must be one of the file's."
)
@click.pass_obj
def verify(
    installation: OpenInstallation,
    anchors: Path | None,
    bundle: Path | None,
    heads: tuple[str, ...],
) -> None:
    """Check every chain of the ledger; names each altered, missing or reordered entry."""
    from casewell.evidence.checking import differences
    from casewell.ledger.service import verify as check

    if heads and anchors is None:
        raise click.UsageError("Name the anchors file too: --anchors FILE.")
    runtime = installation(with_hints=False)
    found = 0
    with runtime.database.reading() as session:
        for fault in check(session):
            found += 1
            click.echo(str(fault))
        if anchors is not None:
            for sentence in _against(session, anchors, heads):
                found += 1
                click.echo(sentence)
        if bundle is not None:
            for sentence in differences(session, runtime, bundle):
                found += 1
                click.echo(sentence)
    if found:
        raise click.ClickException(f"{found} things are not as they were written.")
    click.echo("The ledger is whole.")


def _against(session: Session, path: Path, heads: tuple[str, ...]) -> Iterator[str]:
    from casewell.ledger.anchors import Anchors, changed_since

    with path.open("rb") as lines:
        known = Anchors.read(lines)
    yield from map(str, known.faults)
    if not known.closed:
        yield f"{path.name}: holds no anchor"
        return
    written = {one.head for one in known.closed}
    yield from (
        f"{head}: no anchor in {path.name} has this head" for head in heads if head not in written
    )
    yield from map(str, changed_since(session, known))
    click.echo(f"Compared with {len(known.closed)} anchors, the last of {known.closed[-1].day}.")
