"""``flask user …``: people who may sign in."""

from __future__ import annotations

import sys

import click
from flask import current_app

from prodapp.auth import letters, personal, second_factor, service, users
from prodapp.auth.users import UserChange
from prodapp.cli.base import (
    DomainGroup,
    cli_caller,
    columns_of,
    json_option,
    print_json,
    print_table,
)
from prodapp.cli.told import Told, ask, tells
from prodapp.extensions import settings_of
from prodapp.identity_settings import ROLES
from prodapp.models import User
from prodapp.names import folded

user = DomainGroup("user", help="People who may sign in.")
COLUMNS = ("id", "username", "email", "role", "is_active", "last_sign_in_at")


@user.command("create")
@click.argument("username")
@click.option(
    "--role",
    type=click.Choice(ROLES),
    default="operator",
    show_default=True,
    help="What they may do.",
)
@click.option("--site", help="The site the user belongs to; made where it is missing.")
@click.option("--email", default="", help="Where invitations and password links go.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--link", is_flag=True, help="Set no password; print a one-time sign-in link.")
@json_option
def create_user(
    username: str,
    role: str,
    site: str | None,
    email: str,
    password_stdin: bool,
    link: bool,
    as_json: bool,
) -> None:
    """Create the user USERNAME.

    Asks for a password, unless --password-stdin or --link says otherwise. Without a terminal a
    one-time link is printed.
    """
    password = None
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif not link and sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    created = service.create_user(
        cli_caller(), username=username, role=role, password=password, site=site, email=email
    )
    address = sign_in_address(created) if password is None else None
    if as_json:
        print_json({"id": created.id, "username": created.username, "role": role, "link": address})
        return
    click.echo(f"Created {created.username} ({role}).")
    if address:
        click.echo(f"Sign in once, within a day: {address}")


@user.command("list")
@click.option("--role", type=click.Choice(ROLES), help="Only users of this role.")
@click.option("--site", help="Only users of this site.")
@click.option("--inactive", is_flag=True, help="Only users who are locked out.")
@json_option
def list_users(role: str | None, site: str | None, inactive: bool, as_json: bool) -> None:
    """List users by name."""
    rows = [
        {**columns_of(row, COLUMNS), "site": row.site.name}
        for row in service.list_users()
        if (role is None or row.role == role)
        and (site is None or folded(row.site.name) == folded(site))
        and not (inactive and row.is_active)
    ]
    if as_json:
        print_json(rows)
    else:
        print_table([*COLUMNS, "site"], [list(row.values()) for row in rows])


@user.command("role")
@click.argument("username")
@click.argument("role", type=click.Choice(ROLES))
@tells
def change_role(username: str, role: str) -> Told:
    """Give USERNAME another ROLE. It counts at once, also for their keys."""
    return _change(username, UserChange(role=role), f"is {role} now")


@user.command("email")
@click.argument("username")
@click.argument("email")
@tells
def change_email(username: str, email: str) -> Told:
    """Set the e-mail address of USERNAME; an empty one removes it."""
    return _change(username, UserChange(email=email), "has the address " + (email or "–"))


@user.command("deactivate")
@click.argument("username")
@tells
def deactivate(username: str) -> Told:
    """Lock USERNAME out: sessions, tokens and links end now, keys rest."""
    return _change(username, UserChange(is_active=False), "is locked out")


@user.command("activate")
@click.argument("username")
@tells
def activate(username: str) -> Told:
    """Let USERNAME in again."""
    return _change(username, UserChange(is_active=True), "may sign in again")


@user.command("reset")
@click.argument("username")
@tells
def reset(username: str) -> Told:
    """Print an address at which USERNAME chooses another password, once and within a day.

    The present password works until then; to end it now, deactivate the user first.
    """
    row = service.user_by_name(username)
    address = letters.password_link(cli_caller(), row)
    return Told(address, {"username": row.username, "link": address})


@user.command("reset-second-factor")
@click.argument("username")
@tells
def reset_second_factor(username: str) -> Told:
    """Forget the second step of USERNAME, who lost telephone and recovery codes."""
    row = service.user_by_name(username)
    second_factor.reset(cli_caller(), row)
    return Told(
        f"{row.username} signs in without a second step now.",
        {"id": row.id, "username": row.username, "has_second_factor": False},
    )


@user.command("export")
@click.argument("username")
def export_user(username: str) -> None:
    """Print all that is stored about USERNAME, as JSON."""
    print_json(personal.personal_data(service.user_by_name(username)))


@user.command("erase")
@click.argument("username")
@click.option("--yes", is_flag=True, help="Do not ask.")
@tells
def erase_user(username: str, yes: bool) -> Told:
    """Erase the personal data of USERNAME, who is locked out for good. There is no way back.

    What they made stays, in the audit trail under a pseudonym; backups of before hold them still.
    """
    row = service.user_by_name(username)
    ask(f"Erase {row.username} for good?", is_sure=yes)
    erased = personal.erase(cli_caller(), row.id)
    return Told(
        f"Erased; {erased.username} is what is left.",
        {"id": erased.id, "username": erased.username},
    )


@user.command("sign-out")
@click.argument("username")
@tells
def sign_out(username: str) -> Told:
    """End all sessions, tokens and links of USERNAME; keys stay."""
    row = service.user_by_name(username)
    users.sign_out_everywhere(cli_caller(), row.id)
    words = f"{row.username} is signed out everywhere."
    return Told(words, {"id": row.id, "username": row.username})


@user.command("link")
@click.argument("username")
@tells
def sign_in_link(username: str) -> Told:
    """Print a one-time sign-in link for USERNAME; it works for a day."""
    row = service.user_by_name(username)
    address = sign_in_address(row)
    return Told(address, {"username": row.username, "link": address})


def _change(username: str, change: UserChange, told: str) -> Told:
    row = users.change_user(cli_caller(), service.user_by_name(username).id, change)
    document = {**columns_of(row, COLUMNS), "site": row.site.name}
    return Told(f"{row.username} {told}.", document)


def sign_in_address(row: User) -> str:
    """A fresh one-time address at which ``row`` is signed in."""
    token = service.create_sign_in_link(row)
    return f"{settings_of(current_app).public_url}/app/sign-in/{token}"
