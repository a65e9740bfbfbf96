"""``flask machine …``."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, BinaryIO

import click

from prodapp.cli.base import (
    DomainGroup,
    cli_caller,
    columns_of,
    json_option,
    print_json,
    print_table,
)
from prodapp.cli.told import Told, ask, tells
from prodapp.machines import overviews, setups, variables
from prodapp.machines import service as machines
from prodapp.machines.setup_schemas import SetupInput, setup_document, setup_of
from prodapp.models import Machine
from prodapp.pagination import MAX_PAGE_SIZE
from prodapp.ranking import fleet, fleet_words
from prodapp.ranking.fleet_schemas import FleetSchema
from prodapp.rest.arguments import loaded

machine = DomainGroup("machine", help="Machines of the plant.")


@machine.command("create")
@click.argument("name")
@tells
def create_machine(name: str) -> Told:
    """Register the machine NAME."""
    return _told(machines.create_machine(cli_caller(), name=name))


@machine.command("list")
@click.option("--search", "q", default="", help="Part of the name.")
@click.option(
    "--status", type=click.Choice(overviews.STATUSES), help="Only machines in this state."
)
@click.option(
    "--sort", type=click.Choice(overviews.SORTS), default="name", show_default=True, help="By what."
)
@click.option("--descending", is_flag=True, help="Last ones first.")
@click.option("--page", type=click.IntRange(1), default=1, show_default=True, help="Which page.")
@click.option(
    "--page-size",
    type=click.IntRange(1, MAX_PAGE_SIZE),
    default=MAX_PAGE_SIZE,
    help="Machines a page.",
)
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
@tells
def rename_machine(machine_id: int, name: str) -> Told:
    """Give a machine another name."""
    return _told(machines.rename_machine(cli_caller(), machine_id, name=name))


@machine.command("delete")
@click.argument("machine_id", type=int)
@click.option("--yes", is_flag=True, help="Do not ask.")
@tells
def delete_machine(machine_id: int, yes: bool) -> Told:
    """Delete a machine with its data, runs and versions; an active run is canceled first."""
    caller = cli_caller()
    found = overviews.overview(caller, machine_id)
    ask(f"Delete {found.name} with all its data and results?", is_sure=yes)
    machines.delete_machine(caller, machine_id)
    return Told(f"Deleted {found.name}.", {"id": found.id, "name": found.name})


@machine.command("variables")
@click.argument("machine_id", type=int)
@json_option
def show_variables(machine_id: int, as_json: bool) -> None:
    """Show what is remembered of the columns of a machine's files."""
    names = ("name", "label", "unit", "role", "sense", "goal", "kind", "low", "middle", "high")
    found = variables.variables_of(cli_caller(), machine_id)
    rows = [columns_of(variable, names) for variable in found]
    if as_json:
        print_json(rows)
    else:
        print_table(names, [list(row.values()) for row in rows])


@machine.command("compare")
@click.argument("variable", required=False)
@json_option
def compare_machines(variable: str | None, as_json: bool) -> None:
    """Show what all machines' versions in use say of VARIABLE; without one, which there are."""
    caller = cli_caller()
    if variable is None:
        known = fleet.known_variables(caller)
        if as_json:
            print_json([asdict(item) for item in known])
        else:
            print_table(("variable", "machines"), [(item.name, item.n_machines) for item in known])
        return
    found = fleet.compare_machines(caller, variable)
    if as_json:
        print_json(FleetSchema().dump(found))
        return
    print_table(
        ("machine", "explains", "rank", "verdict", "direction", "explains alone", "share"),
        [
            (
                sister.machine.name,
                sister.subject,
                fleet_words.rank_words(sister),
                "–" if sister.trust is None else sister.trust.verdict,
                sister.direction,
                fleet_words.gain_words(sister),
                f"{sister.share:.1%}",
            )
            for sister in found.sisters
        ],
    )
    for sentence in fleet_words.summary(found):
        click.echo(sentence)


@machine.command("export")
@click.argument("machine_id", type=int)
@tells
def export_setup(machine_id: int) -> Told:
    """Print how a machine is set up, as JSON: for another machine or installation."""
    document = setup_document(setups.setup_of_machine(cli_caller(), machine_id))
    return Told(json.dumps(document, ensure_ascii=False, indent=2), document)


@machine.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--onto", "machine_id", type=int, help="Set this machine up, its name included.")
@tells
def import_setup(file: BinaryIO, machine_id: int | None) -> Told:
    """Register a machine as the exported FILE says ("-": standard input)."""
    setup = setup_of(loaded(SetupInput(), file.read()))
    if machine_id is None:
        return _told(setups.import_machine(cli_caller(), setup))
    return _told(setups.replace_setup(cli_caller(), machine_id, setup))


def _told(machine: Machine) -> Told:
    document = {"id": machine.id, "name": machine.name}
    return Told(f"Machine {machine.id}: {machine.name}", document)
