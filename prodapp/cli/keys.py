"""``flask key …`` and ``flask site …``."""

from __future__ import annotations

import click

from prodapp.auth import keys, service, sites, users
from prodapp.auth.quotas import MEBIBYTE
from prodapp.cli.base import (
    DomainGroup,
    cli_caller,
    columns_of,
    json_option,
    print_json,
    print_table,
)
from prodapp.cli.told import Told, tells
from prodapp.identity_settings import ROLES
from prodapp.pagination import MAX_PAGE_SIZE

key = DomainGroup("key", help="API keys for programs.")
site = DomainGroup("site", help="Parts of the company that do not see each other's machines.")
COLUMNS = ("id", "prefix", "name", "role", "created_at", "last_used_at", "expires_at")


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


@key.command("list")
@click.option("--user", "username", help="Only keys of this user.")
@click.option("--state", type=click.Choice(keys.STATES), help="Only keys of this state.")
@click.option(
    "--page", type=click.IntRange(min=1), default=1, show_default=True, help="Which page."
)
@json_option
def list_keys(username: str | None, state: str | None, page: int, as_json: bool) -> None:
    """List keys, the newest first, a hundred a page."""
    user_id = service.user_by_name(username).id if username else None
    found = keys.list_keys(
        cli_caller(), user_id=user_id, state=state, page=page, page_size=MAX_PAGE_SIZE
    )
    rows = [
        {**columns_of(row, COLUMNS), "user": row.user.username, "state": keys.key_state(row)}
        for row in found.items
    ]
    if as_json:
        print_json(rows)
        return
    print_table([*COLUMNS, "user", "state"], [list(row.values()) for row in rows])
    if found.has_next:
        click.echo(f"Page {found.number} of {found.n_pages}.", err=True)


@key.command("revoke")
@click.argument("prefix")
@tells
def revoke_key(prefix: str) -> Told:
    """End the key that starts with PREFIX (pa_xxxxxxxx)."""
    service.revoke_key(cli_caller(), prefix)
    return Told(f"Revoked {prefix}.", {"prefix": prefix, "state": "revoked"})


@site.command("create")
@click.argument("name")
@tells
def create_site(name: str) -> Told:
    """Make the site NAME."""
    made = sites.create_site(cli_caller(), name=name)
    return Told(f"Made the site {made.name}.", {"id": made.id, "name": made.name})


@site.command("list")
@json_option
def list_sites(as_json: bool) -> None:
    """List sites with how many users and machines they have."""
    names = ("id", "name", "n_users", "n_machines", "used_bytes", "quota_bytes", "created_at")
    rows = [columns_of(row, names) for row in sites.list_sites(cli_caller())]
    if as_json:
        print_json(rows)
    else:
        print_table(names, [list(row.values()) for row in rows])


@site.command("move")
@click.argument("username")
@click.argument("name")
@tells
def move_user(username: str, name: str) -> Told:
    """Move USERNAME to the site NAME. What they registered stays where it is."""
    found = sites.site_by_name(name)
    row = service.user_by_name(username)
    users.change_user(cli_caller(), row.id, users.UserChange(site_id=found.id))
    document = {"id": row.id, "username": row.username, "site": found.name}
    return Told(f"{row.username} belongs to {found.name} now.", document)


@site.command("quota")
@click.argument("name")
@click.argument("megabytes")
@tells
def change_quota(name: str, megabytes: str) -> Told:
    """Give the site NAME room for MEGABYTES of uploads and models; "default": as set for all."""
    is_number = megabytes.isascii() and megabytes.isdigit() and len(megabytes) < 12
    if not is_number and megabytes != "default":
        raise click.UsageError("Write a whole number of megabytes, or default.")
    quota = int(megabytes) if is_number else None
    site = sites.change_quota(cli_caller(), sites.site_by_name(name).id, quota_mb=quota)
    room = "no limit" if site.quota_bytes is None else f"{site.quota_bytes // MEBIBYTE} MB"
    document = columns_of(site, ("id", "name", "quota_bytes"))
    return Told(f"Room of {site.name}: {room}.", document)
