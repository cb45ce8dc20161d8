"""`casewell staff ...` and `casewell token ...`: accounts from the machine Casewell runs on."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from casewell.kernel.runtime import OpenInstallation, Runtime
    from casewell.staff.models import Staff
    from casewell.staff.service import StaffService

ROLES = ("owner", "manager", "attorney", "case_manager", "viewer")


@click.group()
def staff() -> None:
    """The accounts of the firm's people."""


@staff.command()
@click.option("--name", required=True)
@click.option("--email", required=True)
@click.option("--role", type=click.Choice(ROLES), default="owner", show_default=True)
@click.option("--time-zone", default="", help="As America/New_York; otherwise the firm's.")
@click.option("--firm", default="My firm", help="Name of the firm, when this is its first account.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.pass_obj
def create(
    installation: OpenInstallation,
    name: str,
    email: str,
    role: str,
    time_zone: str,
    firm: str,
    password_stdin: bool,
) -> None:
    """Make an account. Without a password it prints a link to choose one, good for 7 days."""
    from casewell.kernel.access import Role
    from casewell.kernel.forms import parse
    from casewell.staff import forms

    runtime = installation(with_hints=False)
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    given = parse(forms.Invite, {"name": name, "email": email, "role": role})
    zone = time_zone and parse(forms.Profile, {"name": name, "time_zone": time_zone}).time_zone
    with runtime.database.writing() as session:
        accounts = _accounts(session, runtime)
        if _is_first(session):
            if given.role is not Role.OWNER:
                raise click.ClickException("The first account is an owner: use --role owner.")
            made = accounts.set_up(
                firm_name=firm,
                time_zone=zone or "America/New_York",
                name=given.name,
                email=given.email,
                password=password,
            )
        else:
            made = accounts.create(
                name=given.name,
                email=given.email,
                role=given.role,
                time_zone=zone,
                password=password,
            )
        link = accounts.link_by_hand(made) if password is None else ""
    if link:
        click.echo(f"{made.name} chooses a password here, within 7 days:\n{link}")
    else:
        click.echo(f"{made.name} can sign in as {made.email}.")


@staff.command("list")
@click.pass_obj
def list_(installation: OpenInstallation) -> None:
    """List everybody: address, role, state."""
    runtime = installation(with_hints=False)
    with runtime.database.reading() as session:
        for one in _accounts(session, runtime).everyone():
            state = "active" if one.is_active else "deactivated"
            click.echo(f"{one.email}\t{one.role.value}\t{state}\t{one.name}")


@staff.command()
@click.argument("email")
@click.pass_obj
def deactivate(installation: OpenInstallation, email: str) -> None:
    """Take all access from somebody, at once."""
    runtime = installation()
    with runtime.database.writing() as session:
        found = _find(session, email)
        _accounts(session, runtime).deactivate(found)
    click.echo(f"{found.name} can no longer sign in.")


@staff.command("reset-password")
@click.argument("email")
@click.pass_obj
def reset_password(installation: OpenInstallation, email: str) -> None:
    """Print a link to choose a password; a new one is good for 60 minutes."""
    runtime = installation(with_hints=False)
    with runtime.database.writing() as session:
        link = _accounts(session, runtime).link_by_hand(_find(session, email))
    click.echo(link)


@staff.command("reset-second-factor")
@click.argument("email")
@click.pass_obj
def reset_second_factor(installation: OpenInstallation, email: str) -> None:
    """Take a lost second factor away; its owner sets up another at the next sign-in."""
    runtime = installation()
    with runtime.database.writing() as session:
        found = _find(session, email)
        _accounts(session, runtime).reset_second_factor(found)
    click.echo(f"{found.name} sets up a new second factor at the next sign-in.")


@click.group()
def token() -> None:
    """Personal API tokens."""


@token.command("create")
@click.argument("email")
@click.option("--name", required=True, help="What the token is for.")
@click.option(
    "--scope", "scopes", multiple=True, type=click.Choice(["read", "write"]), default=["read"]
)
@click.option("--days", type=click.IntRange(1, 365), default=90, show_default=True)
@click.pass_obj
def create_token(
    installation: OpenInstallation, email: str, name: str, scopes: tuple[str, ...], days: int
) -> None:
    """Make a token that acts as the person with this address; it is printed once."""
    from casewell.kernel.access import Scope

    runtime = installation(with_hints=False)
    with runtime.database.writing() as session:
        found = _find(session, email)
        _, text = _accounts(session, runtime).make_token(
            found, name=name[:100], scopes=[Scope(scope) for scope in scopes], days=days
        )
    click.echo(text)


def _accounts(session: Session, runtime: Runtime) -> StaffService:
    from casewell.ledger.service import SYSTEM
    from casewell.staff.service import StaffService

    return StaffService(session, runtime, SYSTEM, address="command line")


def _is_first(session: Session) -> bool:
    import sqlalchemy as sa

    from casewell.staff.models import Firm

    return session.scalar(sa.select(Firm.id)) is None


def _find(session: Session, email: str) -> Staff:
    import sqlalchemy as sa

    from casewell.kernel.addresses import normal_form
    from casewell.staff.models import Staff

    found = session.scalar(sa.select(Staff).where(Staff.email == normal_form(email)))
    if found is None:
        raise click.ClickException(f"Nobody has the address {email}.")
    return found
