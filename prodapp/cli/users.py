"""``flask user …`` and ``flask key …``."""

from __future__ import annotations

import sys

import click
from flask import current_app

from prodapp.auth import service
from prodapp.cli.base import (
    DomainGroup,
    cli_caller,
    columns_of,
    json_option,
    print_json,
    print_table,
)
from prodapp.config import ROLES
from prodapp.extensions import settings_of
from prodapp.models import User

user = DomainGroup("user", help="People who may sign in.")
key = DomainGroup("key", help="API keys for programs.")


@user.command("create")
@click.argument("username")
@click.option("--role", type=click.Choice(ROLES), default="operator", show_default=True)
@click.option("--site", help="The site the user belongs to; made where it is missing.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--link", is_flag=True, help="Set no password; print a one-time sign-in link.")
@json_option
def create_user(
    username: str, role: str, site: str | None, password_stdin: bool, link: bool, as_json: bool
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
        cli_caller(), username=username, role=role, password=password, site=site
    )
    address = sign_in_address(created) if password is None else None
    if as_json:
        print_json({"id": created.id, "username": created.username, "role": role, "link": address})
        return
    click.echo(f"Created {created.username} ({role}).")
    if address:
        click.echo(f"Sign in once, within a day: {address}")


@user.command("list")
@json_option
def list_users(as_json: bool) -> None:
    """List all users."""
    names = ("id", "username", "role", "is_active", "last_sign_in_at")
    rows = [{**columns_of(row, names), "site": row.site.name} for row in service.list_users()]
    if as_json:
        print_json(rows)
    else:
        print_table([*names, "site"], [list(row.values()) for row in rows])


@user.command("link")
@click.argument("username")
def sign_in_link(username: str) -> None:
    """Print a one-time sign-in link for USERNAME; it works for a day."""
    click.echo(sign_in_address(service.user_by_name(username)))


@key.command("create")
@click.argument("username")
@click.option("--name", default="api", show_default=True, help="What the key is for.")
@click.option("--role", type=click.Choice(ROLES), help="At most the user's own, its default.")
@click.option("--days", type=click.IntRange(1, 3650), help="Ends after so many days.")
@json_option
def create_key(username: str, name: str, role: str | None, days: int | None, as_json: bool) -> None:
    """Create an API key in the name of USERNAME and print it, once."""
    created = service.create_key(cli_caller(), username=username, name=name, role=role, days=days)
    if as_json:
        print_json({"prefix": created.prefix, "key": created.secret})
        return
    click.echo(created.secret)
    click.echo(
        "Keep it safe: it is not shown again. Send it as 'Authorization: Bearer …'.", err=True
    )


@key.command("revoke")
@click.argument("prefix")
def revoke_key(prefix: str) -> None:
    """End the key that starts with PREFIX (pa_xxxxxxxx)."""
    service.revoke_key(cli_caller(), prefix)
    click.echo(f"Revoked {prefix}.")


def sign_in_address(row: User) -> str:
    """A fresh one-time address at which ``row`` is signed in."""
    token = service.create_sign_in_link(row)
    return f"{settings_of(current_app).public_url}/app/sign-in/{token}"
