"""``flask machine …`` and ``flask dataset …``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from prodapp.auth.objects import dataset_of
from prodapp.cli.base import (
    DomainGroup,
    cli_caller,
    columns_of,
    json_option,
    overrides_of,
    print_json,
    print_table,
    reading_options,
)
from prodapp.datasets import service as datasets
from prodapp.exceptions import in_english
from prodapp.machines import overviews
from prodapp.machines import service as machines
from prodapp.models import Dataset
from prodapp.pagination import MAX_PAGE_SIZE

machine = DomainGroup("machine", help="Machines of the plant.")
dataset = DomainGroup("dataset", help="Uploaded data.")


@machine.command("create")
@click.argument("name")
@json_option
def create_machine(name: str, as_json: bool) -> None:
    """Register the machine NAME."""
    created = machines.create_machine(cli_caller(), name=name)
    if as_json:
        print_json({"id": created.id, "name": created.name})
    else:
        click.echo(f"Machine {created.id}: {created.name}")


@machine.command("list")
@click.option("--search", "q", default="", help="Part of the name.")
@click.option("--status", type=click.Choice(overviews.STATUSES))
@click.option("--sort", type=click.Choice(overviews.SORTS), default="name", show_default=True)
@click.option("--descending", is_flag=True, help="Last ones first.")
@click.option("--page", type=click.IntRange(1), default=1, show_default=True)
@click.option("--page-size", type=click.IntRange(1, MAX_PAGE_SIZE), default=MAX_PAGE_SIZE)
@json_option
def list_machines(as_json: bool, **query: Any) -> None:
    """List the machines, a page at a time."""
    found = overviews.list_machines(cli_caller(), **query)
    if as_json:
        print_json([asdict(item) for item in found.items])
        return
    headers = ("id", "name", "status", "target", "r2", "top_variable", "trained_at")
    print_table(headers, [[getattr(item, name) for name in headers] for item in found.items])
    if found.n_pages > 1:
        click.echo(f"page {found.number} of {found.n_pages}, {found.total} machines", err=True)


@machine.command("show")
@click.argument("machine_id", type=int)
@json_option
def show_machine(machine_id: int, as_json: bool) -> None:
    """Show a machine: its status, what its champion explains, its latest run."""
    found = asdict(overviews.overview(cli_caller(), machine_id))
    if as_json:
        print_json(found)
    else:
        print_table(("", ""), list(found.items()))


@machine.command("rename")
@click.argument("machine_id", type=int)
@click.argument("name")
def rename_machine(machine_id: int, name: str) -> None:
    """Give a machine another name."""
    renamed = machines.rename_machine(cli_caller(), machine_id, name=name)
    click.echo(f"Machine {renamed.id}: {renamed.name}")


@machine.command("delete")
@click.argument("machine_id", type=int)
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete_machine(machine_id: int, yes: bool) -> None:
    """Delete a machine with its data, runs and versions; an active run is canceled first."""
    caller = cli_caller()
    found = overviews.overview(caller, machine_id)
    if not yes:
        click.confirm(f"Delete {found.name} with all its data and results?", abort=True)
    machines.delete_machine(caller, machine_id)
    click.echo(f"Deleted {found.name}.")


@dataset.command("import")
@click.argument("machine_id", type=int)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@reading_options
@json_option
def import_dataset(machine_id: int, file: Path, as_json: bool, **reading: str | None) -> None:
    """Upload FILE for a machine and show how it will be read."""
    with file.open("rb") as source:
        row = datasets.register_dataset(
            cli_caller(),
            machine_id=machine_id,
            source=source,
            filename=file.name,
            overrides=overrides_of(reading),
        )
    if as_json:
        print_json(_document(row))
    else:
        print_dataset(row)


@dataset.command("show")
@click.argument("dataset_id", type=int)
@json_option
def show_dataset(dataset_id: int, as_json: bool) -> None:
    """Show how a data set is read: decisions, remarks, columns."""
    row = dataset_of(cli_caller(), dataset_id)
    if as_json:
        print_json(_document(row))
    else:
        print_dataset(row)


@dataset.command("list")
@click.argument("machine_id", type=int)
@json_option
def list_datasets(machine_id: int, as_json: bool) -> None:
    """List the latest data sets of a machine."""
    names = ("id", "filename", "state", "n_rows", "n_columns", "size_bytes", "created_at")
    page = datasets.list_datasets(cli_caller(), machine_id=machine_id, page_size=100)
    rows = [columns_of(row, names) for row in page.items]
    if as_json:
        print_json(rows)
    else:
        print_table(names, [list(row.values()) for row in rows])


def print_dataset(row: Dataset) -> None:
    """Decisions, remarks and columns as text."""
    click.echo(f"Data set {row.id} of machine {row.machine_id}: {row.filename} ({row.state})")
    if row.error_message:
        click.secho(in_english(row.error_message, row.error_params or {}), fg="red")
    for decision in row.preview["decisions"]:
        reason = decision["reason"] % decision["params"]
        click.echo(f"  {decision['name']}: {decision['value']} – {reason}")
    for remark in row.preview["remarks"]:
        click.echo(f"  {remark['severity']}: {remark['message'] % remark['params']}")
    headers = ("name", "kind", "role", "n_missing", "n_distinct", "minimum", "maximum")
    print_table(headers, [[column[name] for name in headers] for column in row.preview["columns"]])


def _document(row: Dataset) -> dict[str, Any]:
    names = ("id", "machine_id", "filename", "state", "n_rows", "n_columns", "preview")
    error = in_english(row.error_message, row.error_params or {}) if row.error_message else None
    return {**columns_of(row, names), "error_code": row.error_code, "error": error}
