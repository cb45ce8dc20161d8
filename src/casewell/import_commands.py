"""`casewell import clients` and `casewell import mail`: one group over two parts."""

from __future__ import annotations

import click

from casewell.clients.commands import import_clients
from casewell.email.commands import import_mail


@click.group("import")
def import_() -> None:
    """Take in clients from a CSV file, or old mail from an mbox file or a folder."""


import_.add_command(import_clients, "clients")
import_.add_command(import_mail, "mail")
